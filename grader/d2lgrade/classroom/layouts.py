"""How a class's files are laid out: whose a file is, told from names alone.

- Canvas: `lovelaceada_1234_5678_work.py`, where 1234 is the person and 5678 the file; `_LATE_`
  before the person; `anon_…` where names are hidden; `work-1.py` when handed in again.
- Moodle: `Ada Lovelace_1234_assignsubmission_file_/work.py`, or `…_file_work.py`.
- Gradescope: `submission_1234/` beside `submission_metadata.yml`, which says whose and when.
- GitHub Classroom: `assignment-username/`, a clone; only its work tree is read.
- Anything else: one folder, file, notebook or zip for each student, named after them.

The names follow the platforms' own code and downloads; their documentation is silent on them.
"""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from d2lgrade.classroom.handed import Part
from d2lgrade.submission.source import harmless

METADATA = "submission_metadata.yml"
_CANVAS = re.compile(
    r"(?:(?P<late1>LATE_)?(?P<anon>anon_[A-Za-z0-9]+)|(?P<name>.+?)_(?P<late>LATE_)?(?P<id>\d+))"
    r"_\d+_(?P<file>.+)",
    re.DOTALL,
)
_MOODLE = re.compile(
    r"(?P<name>.+)_(?P<id>\d+)_assignsubmission_(?P<kind>[a-z]+)(?:_(?P<file>.*))?", re.DOTALL
)
_AGAIN = re.compile(r"(?P<stem>.+)-(?P<count>\d{1,3})(?P<suffix>\.[A-Za-z]+)")
_SUFFIXES = (".py", ".ipynb", ".zip")


@dataclass(frozen=True)
class Entry:
    """Something at the top of what was collected. `odd` says why it is not looked into."""

    name: str
    part: Part
    is_folder: bool
    is_clone: bool = False
    odd: str = ""


@dataclass(frozen=True)
class Claim:
    """What the names say about one submission, before anybody asks the roster.

    Args:
        key: what tells it from others of the class.
        name: the student's name, as the layout writes it.
        ids: what identifies them, by kind; `any` where the layout does not say which kind.
        parts: its pieces.
        when: when it was handed in.
        late: whether the platform calls it late.
        problem: why it cannot be read, whatever it holds.
    """

    key: str
    name: str
    ids: Mapping[str, str]
    parts: tuple[Part, ...]
    when: datetime | None = None
    late: bool | None = None
    problem: str = ""


@dataclass
class Layout:
    """A layout that was recognised, what it says, and what it could not place."""

    name: str
    claims: list[Claim] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def recognise(entries: Sequence[Entry], metadata: Any) -> Layout:
    """The submissions among these entries.

    Args:
        entries: what lies at the top, in order.
        metadata: what Gradescope's metadata hold, parsed; None without such a file.
    """
    if metadata is not None:
        return _gradescope(entries, metadata)
    visible = [entry for entry in entries if not entry.name.startswith((".", "__"))]
    if any(_MOODLE.fullmatch(entry.name) for entry in visible):
        return _moodle(visible)
    files = [entry for entry in visible if not entry.is_folder]
    matches = [entry for entry in files if _CANVAS.fullmatch(entry.name)]
    if matches and 2 * len(matches) >= len(visible):
        return _canvas(visible)
    clones = [entry for entry in visible if entry.is_clone]
    if clones and 2 * len(clones) >= len(visible):
        return _github(visible)
    return _plain(visible)


def _plain(entries: Sequence[Entry]) -> Layout:
    layout = Layout("one folder or file for each student")
    for entry in entries:
        stem, suffix = os.path.splitext(entry.name)
        if entry.is_folder or entry.odd:
            stem = entry.name
        elif suffix.lower() not in _SUFFIXES:
            layout.notes.append(f"{harmless(entry.name)[:100]} was left out: it holds no work.")
            continue
        ids = {"any": stem}
        layout.claims.append(Claim(entry.name, stem, ids, (entry.part,), problem=entry.odd))
    return layout


def _canvas(entries: Sequence[Entry]) -> Layout:
    layout = Layout("a Canvas download")
    people: dict[str, list[tuple[re.Match[str], Entry]]] = defaultdict(list)
    for entry in entries:
        match = _CANVAS.fullmatch(entry.name)
        if match:
            people[match["id"] or match["anon"]].append((match, entry))
        else:
            layout.notes.append(_unplaced(entry, layout))
    for key, found in people.items():
        first = found[0][0]
        parts, dropped = _latest(
            [Part(match["file"], e.part.path, e.part.member) for match, e in found]
        )
        odd = next((entry.odd for _, entry in found if entry.odd), "")
        late = any(match["late"] or match["late1"] for match, _ in found)
        name = first["name"] or key
        claim = Claim(key, name, {"id": key}, parts, late=late, problem=odd)
        layout.claims.append(claim)
        if dropped:
            layout.notes.append(f"{harmless(name)}: {dropped} earlier files were left out.")
    return layout


def _latest(parts: Iterable[Part]) -> tuple[tuple[Part, ...], int]:
    """The parts under the names they had before Canvas counted them, the last of each name."""
    newest: dict[str, tuple[int, Part]] = {}
    dropped = 0
    for part in parts:
        match = _AGAIN.fullmatch(part.name)
        name, count = (
            (match["stem"] + match["suffix"], int(match["count"])) if match else (part.name, 0)
        )
        if name in newest:
            dropped += 1
        if name not in newest or newest[name][0] <= count:
            newest[name] = count, Part(name, part.path, part.member)
    return tuple(part for _, part in newest.values()), dropped


def _moodle(entries: Sequence[Entry]) -> Layout:
    layout = Layout("a Moodle download")
    people: dict[str, tuple[str, list[Part], list[str]]] = {}
    for entry in entries:
        match = _MOODLE.fullmatch(entry.name)
        if not match:
            layout.notes.append(_unplaced(entry, layout))
            continue
        _, parts, odd = people.setdefault(match["id"], (match["name"], [], []))
        if match["kind"] == "file":
            name = "" if entry.is_folder else match["file"] or ""
            parts.append(Part(name, entry.part.path, entry.part.member))
            odd += [entry.odd] if entry.odd else []
    for key, (name, parts, odd) in people.items():
        problem = odd[0] if odd else ""
        if not parts:
            problem = "Only text was handed in, no file. Ask for a .py file, a notebook or a zip."
        layout.claims.append(Claim(key, name, {"id": key}, tuple(parts), problem=problem))
    return layout


def _github(entries: Sequence[Entry]) -> Layout:
    layout = Layout("GitHub Classroom clones")
    clones = [entry for entry in entries if entry.is_clone]
    shared = _assignment([entry.name for entry in clones])
    for entry in entries:
        if not (entry.is_clone or entry.odd):
            layout.notes.append(_unplaced(entry, layout))
            continue
        login = entry.name.removeprefix(shared)
        ids = {"github": login} if shared else {"any": login}
        layout.claims.append(Claim(login, login, ids, (entry.part,), problem=entry.odd))
    return layout


def _assignment(names: Sequence[str]) -> str:
    """What the names open with, up to a hyphen; one name in five may be of another making."""
    counts: Counter[str] = Counter()
    for name in names:
        counts.update(name[: place + 1] for place, c in enumerate(name) if c == "-")
    enough = max(2, 0.8 * len(names))
    common = [prefix for prefix, count in counts.items() if count >= enough]
    return max(common, key=len, default="")


def _gradescope(entries: Sequence[Entry], metadata: Any) -> Layout:
    layout = Layout("a Gradescope export")
    found = {entry.name: entry for entry in entries}
    records = metadata if isinstance(metadata, dict) else {}
    for name, record in records.items():
        entry = found.pop(str(name), None)
        people = record.get(":submitters") if isinstance(record, dict) else None
        if entry is None or not isinstance(people, list):
            layout.notes.append(
                f"{METADATA} lists {harmless(str(name))[:100]}, which is not there."
            )
            continue
        for person in people:
            if isinstance(person, dict):
                layout.claims.append(_submitter(person, record, entry))
    left = (e for e in found.values() if e.name != METADATA and not e.name.startswith((".", "__")))
    layout.notes += [_unplaced(entry, layout) for entry in left]
    return layout


def _submitter(person: Mapping[Any, Any], record: Mapping[Any, Any], entry: Entry) -> Claim:
    """One of those who handed in a Gradescope submission together."""
    ids = {"sis": _word(person.get(":sid")), "email": _word(person.get(":email"))}
    ids = {kind: value for kind, value in ids.items() if value}
    name = _word(person.get(":name"))
    key = next(iter(ids.values()), name) or entry.name
    when = record.get(":created_at")
    if isinstance(when, date) and not isinstance(when, datetime):
        when = datetime(when.year, when.month, when.day)
    if isinstance(when, datetime):
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
    else:
        when = None
    return Claim(key, name or key, ids, (entry.part,), when, problem=entry.odd)


def _word(value: Any) -> str:
    """A field of the metadata as text: YAML reads a number where a school writes one."""
    return str(value).strip()[:200] if isinstance(value, str | int) else ""


def _unplaced(entry: Entry, layout: Layout) -> str:
    return f"{harmless(entry.name)[:100]} was left out: its name is not one of {layout.name}."
