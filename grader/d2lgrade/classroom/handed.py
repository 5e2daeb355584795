"""What a class handed in, as plain data: who, what, when, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path


class CollectError(Exception):
    """The class cannot be collected at all; the message names the repair."""


@dataclass(frozen=True)
class Student:
    """One row of the roster.

    `student` is the key by which the class knows them: the login, else the school's number, the
    learning platform's, or the email. `ids` holds everything that identifies them, by column:
    login, sis, id, email, github. `section` is empty where the roster has none.
    """

    student: str
    name: str
    section: str = ""
    ids: tuple[tuple[str, str], ...] = ()

    def id(self, kind: str) -> str:
        """What identifies them in a column, or nothing."""
        return dict(self.ids).get(kind, "")


@dataclass(frozen=True)
class Part:
    """One file or folder of a submission.

    It lies at `path`, or, where `member` is not empty, as that member or below that folder in the
    archive at `path`. `name` is what its owner calls it, inside the submission.
    """

    name: str
    path: Path
    member: str = ""


@dataclass(frozen=True)
class Handed:
    """What one student handed in.

    Args:
        student: key of the student, unique in a collection and harmless to print.
        name: how people call them; harmless to print, yet a stranger's text.
        path: where it lies: file, folder, or the archive that holds it.
        when: when it was handed in, where the layout says so.
        late: whether the platform calls it late; None where it does not say.
        problem: why it cannot be graded, in sentences with the repair; "" where it can.
        parts: the pieces it is made of.
    """

    student: str
    name: str
    path: Path
    when: datetime | None = None
    late: bool | None = None
    problem: str = ""
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True)
class Collection:
    """A class, collected.

    Args:
        handed: what was handed in, by student; those with a problem among them.
        missing: keys of students of the roster from whom nothing came.
        notes: sentences for the instructor about the collection as a whole.
        roster: all students of the roster; empty without one.
        layout: how the files were laid out, in words.
    """

    handed: tuple[Handed, ...]
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    roster: tuple[Student, ...] = field(default=())
    layout: str = ""
