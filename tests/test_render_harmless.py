"""Strangers' text: nothing of it acts in any medium, and nothing of it is hidden."""

from __future__ import annotations

import io
import time
import unicodedata
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt

from d2lgrade.render.harmless import (
    capped,
    code_span,
    each_text,
    fenced,
    for_json,
    for_markdown,
    for_terminal,
    for_xml,
)
from d2lgrade.results import Argument, Failure

EVERYTHING = "".join(map(chr, range(0x110000)))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\nlines", "plain\nlines"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x9b31mred", "red"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x1b\x1b[31m[2Jgone?", "\\x1b[2Jgone?"),
        ("\x1bc", "\\x1bc"),
        ("bell\a back\b null\0 del\x7f c1\x85", "bell\\x07 back\\x08 null\\x00 del\\x7f c1\\x85"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("a\tb", "a   b"),
        ("\u202eevil\u202c \u2066x\u2069", "\\u202eevil\\u202c \\u2066x\\u2069"),
        ("line\u2028end\u2029", "line\\u2028end\\u2029"),
        ("corr\u200b2d\ufeff", "corr\\u200b2d\\ufeff"),
        ("\ud800 lone", "\\ud800 lone"),
        ("\U000e0041", "\\U000e0041"),
        ("卷积 naïve 👩‍🔬 ناصر", "卷积 naïve 👩‍🔬 ناصر"),
        ("[red]markup[/red] :smile:", "[red]markup[/red] :smile:"),
    ],
)
def test_terminal_text(text: str, shown: str) -> None:
    assert for_terminal(text) == shown


def test_no_character_at_all_acts_on_a_terminal() -> None:
    shown = for_terminal(EVERYTHING)
    acting = {c for c in shown if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")} - {"\n"}
    reordering = {
        c
        for c in shown
        if unicodedata.bidirectional(c)
        in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
    }
    assert not acting
    assert not reordering
    shown.encode("utf-8")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "gbk", "no-such-encoding"])
def test_every_text_fits_the_terminals_encoding(encoding: str) -> None:
    shown = for_terminal("✘ pool2d · é 卷 👍 ≤ 1\u2026", encoding)
    shown.encode("ascii" if encoding == "no-such-encoding" else encoding)
    assert "pool2d" in shown


def test_ascii_has_stand_ins_for_our_signs_and_escapes_for_the_rest() -> None:
    assert for_terminal("✔ ✘ ○ · … \xd7 é 卷", "ascii") == "+ x o . ... x \\xe9 \\u5377"
    assert for_terminal("· \xd7", "latin-1") == "· \xd7"


def test_hostile_text_costs_no_more_than_its_length() -> None:
    start = time.perf_counter()
    for piece in ("\x1b[", "\x1b", "\r", "\u202e", "`", "\x1b[0;"):
        for_terminal(piece * 300_000)
        fenced(piece * 300_000)
    assert time.perf_counter() - start < 20  # seconds; a quadratic step would take hours


def test_xml_text_is_legal_and_shows_what_was_there() -> None:
    element = ElementTree.Element("a", b=for_xml(EVERYTHING))
    element.text = for_xml(EVERYTHING)
    document = ElementTree.tostring(element, encoding="utf-8")
    parsed = ElementTree.parse(io.BytesIO(document)).getroot()
    assert parsed.text == for_xml(EVERYTHING)
    assert for_xml("\x00 \ufffe \uffff <b> \ttab\n") == "\\x00 \\ufffe \\uffff <b> \ttab\n"


def test_json_text_is_utf8() -> None:
    assert for_json("\udc80 ok \x00") == "\ufffd ok \x00"


HOSTILE_MARKDOWN = [
    "<script>alert(1)</script>",
    "![x](http://evil.example/p.png) [y](javascript:alert(1))",
    "a | b \\| c",
    "`code` ``` *bold* _it_ ~~gone~~ **b**",
    "# title",
    "1. list",
    "- list",
    "> quote",
    "=====",
    "&lt; &#64; &amp;",
    "http://evil.example www.evil.example HTTPS://evil.example",
    "line\n\n# second",
    "\\",
    "$x^2$",
]


@pytest.mark.parametrize("text", HOSTILE_MARKDOWN)
def test_markdown_prose_shows_just_these_characters(text: str) -> None:
    parser = MarkdownIt("gfm-like", {"linkify": True, "html": True})
    for before in ("", "note: "):
        tokens = parser.parse(before + for_markdown(text))
        assert [t.type for t in tokens] == ["paragraph_open", "inline", "paragraph_close"]
        children = tokens[1].children or []
        assert {t.type for t in children} <= {"text", "text_special"}
        shown = "".join(t.content for t in children).replace("\u200b", "")
        assert shown == before + " ".join(text.split())


@pytest.mark.parametrize("text", HOSTILE_MARKDOWN)
@pytest.mark.parametrize("write", [for_markdown, lambda text: code_span(text, cell=True)])
def test_markdown_cells_stay_one_cell(text: str, write: object) -> None:
    assert callable(write)
    table = f"| a | b |\n| --- | --- |\n| {write(text)} | end |"
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(table)
    cells = [tokens[i + 1] for i, t in enumerate(tokens) if t.type in ("td_open", "th_open")]
    assert len(cells) == 4
    assert cells[3].content == "end"


def test_markdown_mentions_nobody() -> None:
    assert "@everyone" not in for_markdown("@everyone, see #12")
    assert "#12" not in for_markdown("@everyone, see #12")


@pytest.mark.parametrize("text", ["x", "```\nout\n```", "``````", "`", "a`b``c", "\x1b[31mred"])
def test_fences_and_spans_hold_whatever_backticks_are_inside(text: str) -> None:
    fence, after = MarkdownIt().parse(fenced(text) + "\n\nafter")[:2]
    assert fence.type == "fence"
    assert fence.content == for_terminal(text) + "\n"
    assert after.type == "paragraph_open"
    (span,) = MarkdownIt().parse(code_span(text))[1].children or []
    assert span.type == "code_inline"
    assert span.content == " ".join(for_terminal(text).split())


def test_the_cut_is_counted() -> None:
    assert capped("abcdef", 6) == "abcdef"
    assert capped("abcdef", 5) == "abcde… 1 more character"
    assert capped("x" * 20_000, 10).endswith("… 19,990 more characters")
    assert capped("a\nb\nc", 3, "lines") == "a\nb\nc"
    assert capped("a\nb\nc\nd", 2, "lines") == "a\nb\n… 2 more lines"
    assert capped("a\nb\nc\nd", 3, "lines") == "a\nb\nc\n… 1 more line"
    assert capped("1\n2\n3\n4\n5", 3, "lines", tail=1) == "1\n2\n… 2 more lines\n5"


def test_each_text_reaches_every_string() -> None:
    failure = Failure("m", arguments=(Argument("n", "s", "v"),), map=("r",))
    upper = each_text(failure, str.upper)
    assert upper == Failure("M", arguments=(Argument("N", "S", "V"),), map=("R",))
    assert each_text({"a": ["b", 1, None]}, str.upper) == {"A": ["B", 1, None]}
