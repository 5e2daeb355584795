"""The report as JSON, schema version 1: what other programs read.

UTF-8 can carry every character of it, no NaN and no infinity is in it (they are null: a limit
that is not set), and no single text is longer than `CHARACTERS`, the cut being shown. Printed as
it is, nothing in it acts on a terminal or a CI service.
"""

from __future__ import annotations

import json
import math
from typing import Any

from d2lgrade.render.feedback import held_back
from d2lgrade.render.harmless import capped, for_json, json_log
from d2lgrade.results import Report, to_json

CHARACTERS = 20_000


def render(report: Report, feedback: str = "full") -> str:
    """The report as one JSON object, indented, with a newline at the end.

    Raises:
        ValueError: no such feedback level.
    """
    data = _plain(to_json(held_back(report, feedback)))
    return json_log(json.dumps(data, allow_nan=False, ensure_ascii=False, indent=2)) + "\n"


def _plain(value: Any) -> Any:
    """The same data in JSON's own types; what is none of them is written as its text."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {_text(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return _text(value)


def _text(value: Any) -> str:
    return for_json(capped(str(value), CHARACTERS))
