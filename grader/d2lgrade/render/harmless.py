"""Strangers' text made harmless, once for each medium, and capped with the cut shown.

A report carries text that nobody vouches for: prints, exception messages, values, file names.
Whatever could act instead of being read is turned into its visible escape (`\\x1b`, `\\u202e`),
so that nothing is hidden either. What is left alone: letters of every script, emoji, and the
markup of other media (`[red]`, `<b>`), which a renderer must not interpret in the first place.
"""

from __future__ import annotations

import csv
import html
import io
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass
from typing import Any, Literal, TypeVar

T = TypeVar("T")
LINE = 300  # characters of what is meant to be a name, a title or a phrase

# A whole control sequence (colours, cursor moves) carries no text: it goes. Every other escape,
# also one that this removal puts together, is shown by the table below.
_SEQUENCE = re.compile(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]")

# What a CI service obeys when it stands in a log: GitHub's commands at the start of a line, or
# by their names wherever a line may be broken; older ones, Azure's and TeamCity's anywhere.
_COMMAND = re.compile(
    r"::(?=(?:error|warning|notice|debug|group|endgroup|echo|add-mask|add-path|add-matcher"
    r"|remove-matcher|set-output|set-env|save-state|stop-commands)\b)",
    re.IGNORECASE,
)
_COMMAND_LINE = re.compile(r"^([^\S\n]*)(?=::)", re.MULTILINE)
_SERVICE = re.compile(r"##(?=\[|vso\[|teamcity\[)", re.IGNORECASE)
_FOLD = re.compile(r"(section|travis)(?=_(?:start|end|fold|time):)", re.IGNORECASE)

# What a spreadsheet takes for the start of a formula, full-width forms included, behind any space.
_FORMULA = re.compile(r"(^\s*|;\s*)(?=[=+\-@\t\r\uff1d\uff0b\uff0d\uff20])")

_SURROGATE = re.compile("[\ud800-\udfff]")

_ACTS = (
    *range(0x00, 0x09),  # C0 controls, but not tab and newline
    *range(0x0B, 0x20),
    *range(0x7F, 0xA0),  # DEL and the C1 controls
    0x061C,  # marks, embeddings, overrides and isolates that reorder what stands beside them
    *range(0x200E, 0x2010),
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
    *range(0x2028, 0x202A),  # line and paragraph separator
    0x00AD,  # invisible: a name that holds one looks like another name
    0x200B,
    *range(0x2060, 0x2066),
    *range(0x206A, 0x2070),
    0xFEFF,
    *range(0xFFF9, 0xFFFC),
    *range(0xFFFE, 0x10000),  # no characters at all, and forbidden in XML
    *range(0xE0000, 0xE0080),
    *range(0xD800, 0xE000),  # lone surrogates, which no encoding can carry
)


def _escape(code: int) -> str:
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


_VISIBLE = {code: _escape(code) for code in _ACTS}
_ACTING = re.compile(f"[{''.join(map(chr, (c for c in _ACTS if c >= 0x7F)))}]")

# What our own texts use beyond ASCII, for a terminal that cannot show it.
_PLAIN = {
    "✔": "+",
    "✘": "x",
    "○": "o",
    "·": ".",
    "…": "...",
    "─": "-",
    "\u2013": "-",
    "\u2014": "-",
    "\u00d7": "x",
    "\u2212": "-",
    "≤": "<=",
    "≥": ">=",
    "\u2018": "'",
    "\u2019": "'",
    "\u201c": '"',
    "\u201d": '"',
    "\u00a0": " ",
}

# Markdown's own characters; those that act at the start of a line only; what GitHub turns into a
# link without any markup: addresses, and mentions and issue numbers, which a backslash does not
# stop but a zero-width space after the sign does.
_MARKUP = re.compile(r"([\\`*_{}\[\]<>|~&$])")
_OPENING = re.compile(r"^(\d*)((?<!\d)[#+\-=]|(?<=\d)[.)](?=\s|$))")
_ADDRESS = re.compile(r"(:)(?=//)|(?<=www)(\.)", re.IGNORECASE)
_MENTION = re.compile(r"(?<=[@#])(?=\w)")


def capped(
    text: str,
    limit: int,
    unit: Literal["characters", "lines"] = "characters",
    *,
    tail: int = 0,
) -> str:
    """The first `limit` characters or lines of `text`; what is missing is counted, not hidden.

    Up to `limit` units come back as they are. Otherwise the cut is announced on a line of its own
    (lines) or at the end of the last line (characters): "… 12,345 more characters". Of the lines
    kept, `tail` are the last ones: in a log, the end is where something went wrong.
    """
    if unit == "lines":
        lines = text.split("\n")
        missing = len(lines) - limit
        if missing <= 0:
            return text
        end = lines[len(lines) - tail :]
        return "\n".join([*lines[: limit - tail], _cut(missing, "line"), *end])
    missing = len(text) - limit
    return text if missing <= 0 else text[:limit] + _cut(missing, "character")


def _cut(missing: int, unit: str) -> str:
    return f"… {missing:,} more {unit}{'' if missing == 1 else 's'}"


def visible(text: str) -> str:
    """`text` with everything that acts shown instead: the common ground of all media.

    Newlines of every platform become a newline; tabs stay; terminal sequences such as colours go;
    a backslash keeps CI services from obeying a line of their log.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _disobeyed(_SEQUENCE.sub("", text).translate(_VISIBLE))


def _disobeyed(text: str) -> str:
    """`text` with a backslash inside every CI command; a second time changes nothing more."""
    if "::" in text:
        text = _COMMAND_LINE.sub(r"\1\\", _COMMAND.sub(r":\:", text))
    if "##" in text:
        text = _SERVICE.sub(r"#\#", text)
    return _FOLD.sub(r"\1\\", text) if "_" in text else text


def one_line(text: str) -> str:
    """A name, a title or a phrase: on one line, single spaces, capped at `LINE` characters."""
    return capped(" ".join(visible(text).split()), LINE)


def for_terminal(text: str, encoding: str = "utf-8") -> str:
    """`text` as a terminal of this encoding may print it: newlines kept, tabs as spaces.

    A character that the encoding lacks becomes a plain stand-in or its escape.
    """
    return _encodable(visible(text).expandtabs(4), encoding)


def _encodable(text: str, encoding: str) -> str:
    if encoding.lower().replace("_", "-").startswith("utf"):
        return text
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return "".join(char if char.isascii() else _stand_in(char, encoding) for char in text)
    except LookupError:
        return _encodable(text, "ascii")
    return text


def _stand_in(char: str, encoding: str) -> str:
    try:
        char.encode(encoding)
    except UnicodeEncodeError:
        return _PLAIN.get(char) or _escape(ord(char))
    return char


def for_xml(text: str) -> str:
    """`text` with the characters that XML 1.0 forbids, and all that acts, shown as escapes.

    The markup characters (`<`, `&`) are left to the XML writer.
    """
    return visible(text)


def for_html(text: str) -> str:
    """`text` for an element's content or a quoted attribute: newlines kept, no markup comes of it.

    Where it is shown, `white-space: pre-wrap` keeps its lines. It is no script, style or address:
    what goes into these must not come from a stranger at all.
    """
    return html.escape(visible(text), quote=True)


def for_csv(value: str | float | None) -> str:
    """One cell of a table: a number as it is, a text on one line that no spreadsheet computes.

    What starts like a formula gets an apostrophe before it, which spreadsheets take for "this is
    text"; so does what would start a cell for a program that splits at semicolons. A number that is
    none (NaN, infinity) and None leave the cell empty.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        return f"{value:g}" if math.isfinite(value) else ""
    line = one_line(value)
    return _FORMULA.sub(r"\1'", line)


def csv_table(rows: Iterable[Iterable[str | float | None]]) -> str:
    """Rows as CSV (RFC 4180, lines ending in CRLF), every text made harmless by `for_csv`.

    Every cell is quoted, so that a program which splits at another sign (`;`, a tab) finds no
    cell inside a cell.
    """
    lines = io.StringIO()
    writer = csv.writer(lines, quoting=csv.QUOTE_ALL)
    writer.writerows([for_csv(value) for value in row] for row in rows)
    return lines.getvalue()


def for_json(text: str) -> str:
    """`text` with lone surrogates replaced: JSON escapes the rest, but UTF-8 cannot carry these."""
    return _SURROGATE.sub("\ufffd", text)


def json_log(document: str) -> str:
    """A JSON document that says the same, and holds nothing that acts where it is printed.

    What JSON itself leaves alone (DEL, C1 controls, bidi overrides, the `##` of CI commands) is
    written as JSON's own escapes. Such signs stand inside strings only.
    """
    return _SERVICE.sub(r"#\\u0023", _ACTING.sub(_json_escape, document))


def _json_escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def for_markdown(text: str) -> str:
    """`text` as one line of Markdown prose or one table cell that shows just these characters.

    No tag, link, image, emphasis, code, table bar, mention or issue link comes of it.
    """
    line = _MARKUP.sub(r"\\\1", one_line(text))
    line = _ADDRESS.sub(r"\\\g<0>", _OPENING.sub(r"\1\\\2", line))
    return _MENTION.sub("\u200b", line)


def code_span(text: str, *, cell: bool = False) -> str:
    """`text` as inline code on one line, whatever backticks it holds; `cell`: inside a table."""
    line = one_line(text) or " "
    ticks = "`" * (_longest_run(line) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    span = f"{ticks}{pad}{line}{pad}{ticks}"
    return span.replace("|", "\\|") if cell else span


def fenced(text: str, language: str = "text") -> str:
    """`text` as a fenced block whose fence is longer than any run of backticks inside."""
    body = visible(text)
    fence = "`" * max(3, _longest_run(body) + 1)
    return f"{fence}{language}\n{body}\n{fence}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall(r"`+", text)), default=0)


def each_text(value: T, clean: Callable[[str], str]) -> T:
    """The same frozen dataclass, tuple, list or dict with `clean` applied to every string in it."""
    return _each(value, clean)  # type: ignore[no-any-return]  # the walk keeps every type


def _each(value: Any, clean: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return clean(value)
    if is_dataclass(value) and not isinstance(value, type):
        return type(value)(**{f.name: _each(getattr(value, f.name), clean) for f in fields(value)})
    if isinstance(value, dict):
        return {_each(key, clean): _each(item, clean) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_each(item, clean) for item in value)
    return value
