"""The roster: a CSV of any school's making → who is in the class, and whom a name or number means.

Columns are found by name, as Canvas, Moodle, Gradescope and GitHub Classroom call them.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from d2lgrade.classroom.handed import CollectError, Student
from d2lgrade.submission.source import harmless, shown

MAX_BYTES = 20_000_000

_COLUMNS = {
    "name": "name student fullname studentname sortablename displayname",
    "first": "first firstname givenname forename vorname prenom",
    "last": "last lastname surname familyname nachname nom",
    "login": "login loginid sisloginid username netid uniqname user account",
    "sis": "sis sisid sisuserid sid studentid studentnumber idnumber matrikelnummer number",
    "id": "id canvasid canvasuserid userid identifier participant participantid moodleid",
    "email": "email emailaddress mail emailaddresses",
    "github": "github githubusername githublogin githubid",
    "section": "section sections group groups sectionname",
}
_MEANING = {word: kind for kind, words in _COLUMNS.items() for word in words.split()}
_IDS = ("login", "sis", "id", "email", "github")
_NOBODY = {"pointspossible", "studenttest", "teststudent"}  # rows that Canvas adds to its gradebook


@dataclass(frozen=True)
class Found:
    """Whom something names: a student and whether by number, login or email; or why nobody."""

    student: Student | None
    sure: bool = False
    why: str = ""


class Roster:
    """The students of a class, found by what identifies them or, where that is clear, by name."""

    def __init__(self, students: Sequence[Student]) -> None:
        self.students = tuple(students)
        self._by_id: dict[tuple[str, str], list[Student]] = defaultdict(list)
        self._by_name: dict[str, list[Student]] = defaultdict(list)
        for student in self.students:
            for kind, value in student.ids:
                self._by_id[kind, value.casefold()].append(student)
            for form in name_forms(student.name):
                self._by_name[form].append(student)

    def find(self, ids: Mapping[str, str], name: str) -> Found:
        """The student with one of these ids, else the only one of that name.

        A name counts only where the roster has no id of the same kind that says otherwise: people
        choose their names, and may choose another's.
        """
        for kind, value in ids.items():
            kinds = _IDS if kind == "any" else (kind,)
            found = {
                s.student: s for k in kinds for s in self._by_id.get((k, value.casefold()), ())
            }
            if len(found) == 1:
                return Found(next(iter(found.values())), sure=True)
            if found:
                return Found(None, why=f"could be {_either(found.values())}")
        if not name.isprintable():
            return Found(None, why="is not on the roster, and its name holds invisible characters")
        named = {s.student: s for form in name_forms(name) for s in self._by_name.get(form, ())}
        others = [s for s in named.values() if not any(s.id(kind) for kind in ids)]
        if len(others) == 1:
            return Found(others[0])
        if others:
            return Found(None, why=f"could be {_either(others)}")
        if named:
            (kind, value), *_ = ids.items()
            said = f"has the name of {_either(named.values())} but another {kind}"
            return Found(None, why=f"{said} ({harmless(value)[:40]})")
        return Found(None, why="is not on the roster")


def _either(students: Iterable[Student]) -> str:
    return " or ".join(f"{student.name} ({student.student})" for student in students)


def name_forms(name: str) -> set[str]:
    """The ways in which platforms write a name, letters alone: "Ada Lovelace", "lovelaceada"."""
    last, comma, first = name.partition(",")
    words = name.split()
    orders = [f"{last}{first}", f"{first}{last}"] if comma else [name]
    if not comma and len(words) > 1:
        orders += [words[-1] + "".join(words[:-1]), "".join(words[1:]) + words[0]]
    return {form for form in map(letters, orders) if form}


def letters(name: str) -> str:
    """A name without accents, case, spaces and punctuation."""
    apart = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in apart if c.isalnum())


def load(path: Path) -> Roster:
    """Read a roster.

    Raises:
        CollectError: it cannot be read, names no student, or one key twice with different people.
    """
    name = shown(path)
    rows = _rows(path, name)
    header = [_MEANING.get(re.sub(r"[^a-z]", "", cell.casefold()), "") for cell in rows[0]]
    if not set(header) & {"name", "first", "last", *_IDS}:
        raise CollectError(
            f"{name} names no column that is known: it has {harmless(', '.join(rows[0]))[:200]}. "
            "Call one `name` and one `id`, `login` or `email`."
        )
    students: dict[str, Student] = {}
    for number, row in enumerate(rows[1:], 2):
        student = _student(header, row)
        if student is None:
            continue
        other = students.get(student.student)
        if other is not None:
            if (other.name, other.ids) != (student.name, student.ids):
                raise CollectError(
                    f"{name}, row {number}: {student.student} is {other.name} above and "
                    f"{student.name} here. Give each student a login, number or email of their own."
                )
            sections = [s for s in (other.section, student.section) if s]
            student = replace(student, section=", ".join(dict.fromkeys(sections)))
        students[student.student] = student
    if not students:
        raise CollectError(f"{name} names no student. Export it again, with one row a student.")
    return Roster(tuple(students.values()))


def _rows(path: Path, name: str) -> list[list[str]]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise CollectError(f"{name} cannot be read: {error.strerror}. Name a CSV file.") from None
    if len(data) > MAX_BYTES:
        raise CollectError(f"{name} is larger than {MAX_BYTES // 1_000_000} MB, so no roster.")
    text = _decoded(data)
    if "\0" in text:
        raise CollectError(f"{name} is no CSV: it holds NUL. Export the roster as CSV.")
    head = text.lstrip("\r\n").split("\n", 1)[0]
    mark = max(",;\t", key=head.count)
    try:
        found = list(csv.reader(io.StringIO(text, newline=""), delimiter=mark))
    except csv.Error as error:
        raise CollectError(f"{name} is no CSV: {error}. Export the roster as CSV.") from None
    rows = [row for row in found if any(cell.strip() for cell in row)]
    if not rows:
        raise CollectError(f"{name} is empty. Export the roster again.")
    return rows


def _decoded(data: bytes) -> str:
    """The text of a CSV, which spreadsheets write in whatever their country is used to."""
    for encoding in ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig",):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            break
    return data.decode("cp1252", errors="replace")


def _student(header: Sequence[str], row: Sequence[str]) -> Student | None:
    cells: dict[str, str] = {}
    for kind, cell in zip(header, row, strict=False):
        value = " ".join(cell.split())
        if kind and value and kind not in cells:
            cells[kind] = value
    if "id" in cells:  # Moodle's worksheet says "Participant 1234567"
        cells["id"] = re.sub(r"^\D+\s(?=\d+$)", "", cells["id"])
    name = cells.get("name") or " ".join(filter(None, (cells.get("first"), cells.get("last"))))
    ids = tuple((kind, cells[kind]) for kind in _IDS if kind in cells)
    if not (name or ids) or letters(name) in _NOBODY:
        return None
    student = harmless(ids[0][1] if ids else name)[:100]
    return Student(
        student, harmless(name or student)[:100], harmless(cells.get("section", "")), ids
    )
