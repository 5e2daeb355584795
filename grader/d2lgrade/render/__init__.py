"""One result model, many renderings: each a pure function from a `Report` to text.

`FORMATS` names what `--format` offers beside the terminal. Every entry takes the report and,
optionally, the feedback level ("full", "hints" or "score"), and imports its module when called:
a run that prints to the terminal pays for no other format. The terminal, which needs a rich
console, is `d2lgrade.render.terminal`; the README's picture is `d2lgrade.render.picture`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from d2lgrade.results import Report


def _json(report: Report, feedback: str = "full") -> str:
    from d2lgrade.render import as_json

    return as_json.render(report, feedback)


def _junit(report: Report, feedback: str = "full") -> str:
    from d2lgrade.render import as_junit

    return as_junit.render(report, feedback)


def _markdown(report: Report, feedback: str = "full") -> str:
    from d2lgrade.render import as_markdown

    return as_markdown.render(report, feedback)


FORMATS: dict[str, Callable[..., str]] = {"json": _json, "junit": _junit, "markdown": _markdown}
