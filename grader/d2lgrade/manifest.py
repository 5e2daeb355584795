"""One chapter.toml, read and validated: text in, plain tables out.

Covers what can be judged from one file alone: syntax, keys, types, names, points, hints. What takes
several files (links between exercises, files on disk, names across chapters) is the catalog's.
Every complaint names the file, the table, what is wrong and the repair.
"""

from __future__ import annotations

import difflib
import keyword
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NoReturn

_CHAPTER = {"id": str, "title": str, "zh": str, "section": list}
_SECTION = {"number": str, "zh": str, "file": str, "title": str, "exercise": list}
_EXERCISE = {
    "name": str,
    "title": str,
    "signature": str,
    "builds_on": list,
    "forbidden": list,
    "core": dict,
    "polish": dict,
    "hints": list,
}
_DEFAULTS: Mapping[str, Any] = {"builds_on": [], "forbidden": [], "core": {}, "polish": {}}
_EXAMPLES = {
    "section": "[[section]]",
    "exercise": "[[section.exercise]]",
    "core": "core = { values = 2 }",
    "polish": "polish = { dtype = 0.5 }",
    "builds_on": 'builds_on = ["corr2d"]',
    "forbidden": 'forbidden = ["torch.conv2d"]',
    "hints": 'hints = ["gentle", "clearer", "nearly the answer"]',
}


class CatalogError(Exception):
    """A kit that cannot be used as it stands; the message names the place and the repair."""


def read(root: Path, file: Path) -> dict[str, Any]:
    """The chapter table of `file` (below `root`), as `parse` gives it. Raises CatalogError."""
    place = file.relative_to(root).as_posix()
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problem = f"it cannot be read as UTF-8 text ({error})"
        raise CatalogError(f"{place}: {problem}. Make it a readable text file.") from None
    return parse(text, file.parent.name)


def parse(text: str, folder: str) -> dict[str, Any]:
    """The chapter table in `text`, validated, optional keys filled in.

    `section` holds section tables and their `exercise` exercise tables, likewise complete; the
    points in `core` and `polish` are floats. `folder` is the chapter's. Raises CatalogError.
    """
    place = f"checks/{folder}/chapter.toml"
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CatalogError(f"{place}: this is not valid TOML: {error}. Repair that line.") from None
    chapter = _entry(place, data, _CHAPTER)
    id = chapter["id"]
    _form(place, "id", id, r"ch\d\d+", 'as in id = "ch07"')
    _form(place, "zh", chapter["zh"], r"\d*", 'as in zh = "6", or "" where it has no chapter')
    if not re.fullmatch(rf"{id}(_\w+)?", folder):
        fault(place, f"id {id!r} does not begin the folder's name {folder!r}", "Make them agree")
    chapter["section"] = [_section(place, id, i, s) for i, s in enumerate(chapter["section"], 1)]
    exercises = [exercise for section in chapter["section"] for exercise in section["exercise"]]
    unique(((e["name"], where(folder, "exercise", e["name"])) for e in exercises), "name")
    return chapter


def _section(file: str, chapter: str, position: int, table: Any) -> dict[str, Any]:
    label = table.get("number", f"number {position}") if isinstance(table, dict) else position
    place = f"{file}, [[section]] {label}"
    section = _entry(place, table, _SECTION)
    number = int(chapter[2:])
    _form(place, "number", section["number"], rf"{number}\.\d+", f'as in "{number}.2"')
    absent = 'as in zh = "6.2", or "" where that edition lacks it'
    _form(place, "zh", section["zh"], r"(\d+\.\d+)?", absent)
    _form(place, "file", section["file"], r"[a-z][a-z0-9_]*", 'in lower case as in "conv_layer"')
    section["exercise"] = [_exercise(file, i, e) for i, e in enumerate(section["exercise"], 1)]
    tests = [f"test_{e['name']}_{c}" for e in section["exercise"] for c in e["core"] | e["polish"]]
    unique(((test, place) for test in tests), "the test function")
    return section


def _exercise(file: str, position: int, table: Any) -> dict[str, Any]:
    label = table.get("name", f"number {position}") if isinstance(table, dict) else position
    place = f"{file}, [[section.exercise]] {label}"
    exercise = _entry(place, table, _EXERCISE)
    name = exercise["name"]
    _form(place, "name", name, r"[A-Za-z][A-Za-z0-9_]*", "as a Python name")
    if keyword.iskeyword(name):
        fault(place, f"name is {name!r}, a word of Python's own", "Choose another")
    _form(place, "signature", exercise["signature"], rf"{name}\(.*\)", f'as in "{name}(X)"')
    for key in ("builds_on", "forbidden", "hints"):
        if not all(isinstance(item, str) and item.strip() for item in exercise[key]):
            fault(place, f"{key} may hold non-empty text only", f"Write it as in {_EXAMPLES[key]}")
    if len(exercise["hints"]) != 3:
        problem = f"it has {len(exercise['hints'])} hints where learners are promised three"
        fault(place, problem, f"Write {_EXAMPLES['hints']}")
    if not exercise["core"]:
        problem = "it has no core check, so nothing decides whether it is solved"
        fault(place, problem, f"Add one, as in {_EXAMPLES['core']}")
    unique(((check, place) for check in (*exercise["core"], *exercise["polish"])), "check")
    for kind in ("core", "polish"):
        exercise[kind] = {c: _points(place, c, points) for c, points in exercise[kind].items()}
    return exercise


def _entry(place: str, table: Any, fields: Mapping[str, type]) -> dict[str, Any]:
    """The table with every key known, present and of its type."""
    if not isinstance(table, dict):
        fault(place, f"it is {table!r}, not a table", "Start it with a [[...]] heading")
    for key in table:
        if key not in fields:
            near = nearest(key, list(fields))
            repair = f"Did you mean {near[0]!r}?" if near else f"Known are {', '.join(fields)}"
            fault(place, f"unknown key {key!r}", repair)
    for key, kind in fields.items():
        example = _EXAMPLES.get(key, f'{key} = "..."')
        if key not in table:
            if key not in _DEFAULTS:
                fault(place, f"{key!r} is missing", f"Add {example}")
        elif not isinstance(table[key], kind):
            fault(place, f"{key} = {table[key]!r} is of the wrong type", f"Write {example}")
        elif not table[key] and key not in (*_DEFAULTS, "zh"):
            fault(place, f"{key!r} is empty", f"Write {example}")
    return {key: table.get(key, _DEFAULTS.get(key)) for key in fields}


def _points(place: str, check: str, value: Any) -> float:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", check):
        fault(place, f"check {check!r} cannot name a test", "Write it in lower case, as in values")
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or value <= 0 or value * 2 % 1 != 0:
        problem = f"check {check!r} has {value!r} for its points"
        fault(place, problem, f"Write a multiple of 0.5 above 0, as in {check} = 1.5")
    return float(value)


def _form(place: str, key: str, value: str, pattern: str, example: str) -> None:
    if not re.fullmatch(pattern, value):
        fault(place, f"{key} is {value!r}", f"Write it {example}")


def where(folder: str, kind: Literal["section", "exercise"], name: str) -> str:
    """The place of a table, as complaints name it."""
    table = "section" if kind == "section" else "section.exercise"
    return f"checks/{folder}/chapter.toml, [[{table}]] {name}"


def unique(items: Iterable[tuple[str, str]], what: str) -> None:
    """Refuse a value that occurs twice among the (value, place) pairs."""
    seen: dict[str, str] = {}
    for value, place in items:
        if value in seen:
            other = f" (the other is in {seen[value]})" if seen[value] != place else ""
            fault(place, f"{what} {value!r} exists twice{other}", "Rename one of them")
        seen[value] = place


def fault(place: str, problem: str, repair: str) -> NoReturn:
    """Raise the CatalogError that says all three."""
    raise CatalogError(f"{place}: {problem}. {repair}{'' if repair.endswith('?') else '.'}")


def nearest(word: str, names: Sequence[str]) -> list[str]:
    """Up to three of the names that look most like the word, in any case."""
    folded = {name.casefold(): name for name in reversed(names)}
    return [folded[near] for near in difflib.get_close_matches(word.casefold(), list(folded))]


def either(names: Sequence[str]) -> str:
    """The names as a choice: "a", "a or b", "a, b or c"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
