"""What a stranger's text may not do in any medium: act, hide, run on without end.

The corpus is tests/attacks/poisoning.py. Each text goes through each function of `harmless`, and
whole reports that hold them all, made by grading poisoned submissions, through each renderer.
"""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt
from rich.console import Console

from attacks.case import arena, everything
from attacks.poisoning import ATTACKS, CORPUS
from d2lgrade import catalog
from d2lgrade.render import FORMATS, harmless
from d2lgrade.render.picture import svg
from d2lgrade.render.terminal import print_report
from d2lgrade.results import Report, to_json
from d2lgrade.submission import read
from grading import Grader
from reports import sample

# Judged here without the help of what is tested.
COMMAND = re.compile(
    r"^\s*::(error|warning|notice|debug|group|endgroup|echo|stop-commands|add-(mask|path|matcher)"
    r"|remove-matcher|set-(output|env)|save-state)\b|##\[|##vso\[|##teamcity\["
    r"|^\s*(section_(start|end)|travis_(fold|time)):",
    re.IGNORECASE | re.MULTILINE,
)
INVISIBLE = {"\u200b", "\u2060", "\u2062", "\ufeff", "\u00ad", "\u061c", "\u200e", "\u200f"}


def acting(text: str, allowed: str = "\n") -> list[str]:
    """Characters of a text that a terminal or a reader's eye would obey instead of showing."""
    found = {
        char
        for char in text
        if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")
        or unicodedata.bidirectional(char)
        in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
        or char in INVISIBLE
        or 0xE0000 <= ord(char) < 0xE0080
    }
    return sorted(map(ascii, found - set(allowed)))


def obeyed(text: str) -> list[str]:
    """What of a log a CI service would obey."""
    return [found[0] for found in COMMAND.finditer(text)]


# Each text through each function -----------------------------------------------------------------

TEXT: Mapping[str, Callable[[str], str]] = {
    "terminal": harmless.for_terminal,
    "HTML": harmless.for_html,
    "XML": harmless.for_xml,
    "CSV": harmless.for_csv,
    "JSON": lambda text: harmless.json_log(json.dumps(harmless.for_json(text))),
    "Markdown prose": harmless.for_markdown,
    "Markdown code": harmless.code_span,
    "Markdown fence": harmless.fenced,
    "one line": harmless.one_line,
}


@pytest.mark.parametrize("medium", TEXT)
@pytest.mark.parametrize("name", CORPUS)
def test_nothing_acts_in_any_medium(name: str, medium: str) -> None:
    shown = TEXT[medium](CORPUS[name])
    # A tab moves nothing but itself; Markdown stops mentions with a sign of no width, its own.
    own = "\u200b" if medium == "Markdown prose" else ""
    assert acting(shown, "\n\t" + own) == []
    assert obeyed(shown) == []
    shown.encode("utf-8")


@pytest.mark.parametrize("medium", TEXT)
def test_what_is_plain_stays_as_it_is(medium: str) -> None:
    plain = "naïve 卷积 👩‍🔬 shape (2, 3), got 4 of 5"
    assert plain in (shown := TEXT[medium](plain)) or "\\u" in shown


@pytest.mark.parametrize("name", CORPUS)
def test_cleaning_twice_changes_nothing_more(name: str) -> None:
    once = harmless.visible(CORPUS[name])
    assert harmless.visible(once) == once


class Parsed(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("name", CORPUS)
def test_html_is_text_in_elements_and_in_attributes(name: str) -> None:
    clean = harmless.for_html(CORPUS[name])
    page = Parsed(f"<p title=\"{clean}\">{clean}</p><p title='{clean}'></p>")
    assert [(tag, [*attributes]) for tag, attributes in page.tags] == [("p", ["title"])] * 2
    assert page.text == harmless.visible(CORPUS[name])
    assert {a["title"] for _, a in page.tags} == {harmless.visible(CORPUS[name])}


SEPARATORS = (",", ";", "\t")


@pytest.mark.parametrize("separator", SEPARATORS)
@pytest.mark.parametrize("name", CORPUS)
def test_a_spreadsheet_computes_nothing_however_it_splits(name: str, separator: str) -> None:
    text = CORPUS[name]
    table = harmless.csv_table(
        [["id", "text", "points"], [text, f"a {text}", 1.5], [text, text, 0]]
    )
    for row in csv.reader(io.StringIO(table, newline=""), delimiter=separator):
        cells = row if separator == "," else [c for cell in row for c in cell.split('","')]
        assert not [c for c in cells if re.match(r'["\s]*[=+\-@\uff1d\uff0b\uff0d\uff20]', c)]
    assert [len(row) for row in csv.reader(io.StringIO(table, newline=""))] == [3, 3, 3]


def test_numbers_in_a_table_stay_numbers() -> None:
    row = [-1.5, 12.0, 3, None, float("nan"), float("inf"), "-1.5", "name", True]
    table = harmless.csv_table([row])
    assert table == '"-1.5","12","3","","","","\'-1.5","name","1"\r\n'


@pytest.mark.parametrize("name", CORPUS)
def test_json_says_the_same(name: str) -> None:
    text = harmless.for_json(CORPUS[name])
    for plain in (True, False):
        document = json.dumps({"a": text}, ensure_ascii=plain)
        assert json.loads(harmless.json_log(document)) == {"a": text}


def test_cuts_are_shown() -> None:
    assert harmless.for_csv("x" * 5000).endswith("… 4,700 more characters")
    assert harmless.for_markdown("x" * 5000).endswith("… 4,700 more characters")


# Whole reports through each renderer -------------------------------------------------------------


@pytest.fixture(scope="module")
def poisoned(grader: Grader, tmp_path_factory: pytest.TempPathFactory) -> list[Report]:
    """What poisoned submissions come to, and a report all of whose texts are poison."""
    with arena(tmp_path_factory.mktemp("poison")) as made:
        graded = grader.grade([made.case(grader, attack) for attack in ATTACKS])
    texts = iter([*CORPUS.values()] * 50)
    whole = harmless.each_text(sample(), lambda text: text and f"{text} {next(texts)}"[:3000])
    exercises = tuple(
        replace(
            poison,
            status=plain.status,
            checks=tuple(
                replace(check, status=own.status, kind=own.kind)
                for check, own in zip(poison.checks, plain.checks, strict=True)
            ),
        )
        for poison, plain in zip(whole.exercises, sample().exercises, strict=True)
    )
    sandbox = {"level": "strict", "note": CORPUS["hyperlink"], "limit": float("nan")}
    return [*graded, replace(whole, exercises=exercises, sandbox=sandbox)]


def test_poison_reaches_the_reports(poisoned: list[Report]) -> None:
    said = "".join(map(everything, poisoned))
    for name in ("hyperlink", "script", "bidi overrides", "GitHub error"):
        assert repr(CORPUS[name])[1:-1] in said, name


def terminal(report: Report, width: int) -> str:
    stream = io.StringIO()
    print_report(report, Console(file=stream, width=width))
    return stream.getvalue()


@pytest.mark.parametrize("width", [40, 80, 200])
def test_terminals_show_it(width: int, poisoned: list[Report]) -> None:
    for report in poisoned:
        shown = terminal(report, width)
        assert acting(shown) == []
        assert obeyed(shown) == []


@pytest.mark.parametrize("format", FORMATS)
def test_formats_are_harmless_where_they_are_printed(format: str, poisoned: list[Report]) -> None:
    for report in poisoned:
        shown = FORMATS[format](report)
        # Markdown's own prose stops mentions with a sign of no width.
        assert acting(shown, "\n\t\u200b" if format == "markdown" else "\n\t") == []
        assert obeyed(shown) == []
        assert len(shown) < 3_000_000


def test_json_is_strict_and_says_what_the_report_says(poisoned: list[Report]) -> None:
    def refuse(constant: str) -> float:
        raise AssertionError(f"{constant} is no JSON")

    for report in poisoned:
        read = json.loads(FORMATS["json"](report), parse_constant=refuse)
        due = [c["status"] for e in to_json(report)["exercises"] for c in e["checks"]]
        assert [c["status"] for e in read["exercises"] for c in e["checks"]] == due


def test_junit_is_one_document_of_its_own_elements(poisoned: list[Report]) -> None:
    known = {"testsuites", "testsuite", "testcase", "properties", "property"}
    known |= {"failure", "error", "skipped", "system-out"}
    for report in poisoned:
        root = ElementTree.fromstring(FORMATS["junit"](report))
        assert {element.tag for element in root.iter()} <= known


def test_markdown_holds_no_markup_of_strangers(poisoned: list[Report]) -> None:
    parser = MarkdownIt("gfm-like", {"linkify": True, "html": True})
    for report in poisoned:
        tokens = parser.parse(FORMATS["markdown"](report))
        inner = [child for token in tokens for child in token.children or []]
        types = {token.type for token in [*tokens, *inner]}
        assert not types & {"html_block", "html_inline", "link_open", "image", "blockquote_open"}


def test_the_picture_is_one_document_without_scripts(poisoned: list[Report]) -> None:
    for report in poisoned:
        root = ElementTree.fromstring(svg(report, "d2lgrade", 80))
        names = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert not names & {"script", "a", "image", "foreignObject", "use", "animate", "set"}
        attributes = {key for element in root.iter() for key in element.attrib}
        assert not [key for key in attributes if key.lower().startswith("on")]


# Names of files and submissions ------------------------------------------------------------------

NAMES = [
    "\x1b]0;x\x07",
    "\u202eyp.x",
    "<b>x",
    "::error::x",
    "##[group]x",
    "=1+1",
    "-rf",
    "x\ny",
    "`x`",
    "[x](y)",
    "\udcff\udcfe",
    "x" * 120,
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_names_of_submissions_are_harmless(name: str, tmp_path: Path, grader: Grader) -> None:
    folder = tmp_path / name
    folder.mkdir()
    (folder / f"{name[:60]}.py").write_text("def pool2d(X, pool_size):\n    return (X\n")
    (folder / "pooling.py").write_text("def pool2d(X, pool_size):\n    return X\n")
    exercises = catalog.resolve(grader.course, ("pool2d",))
    submission = read(folder, grader.course, exercises)
    report = replace(sample(), submission=submission.name, notes=submission.notes)
    for shown in (terminal(report, 80), *(render(report) for render in FORMATS.values())):
        assert acting(shown, "\n\t\u200b") == []
        assert obeyed(shown) == []
