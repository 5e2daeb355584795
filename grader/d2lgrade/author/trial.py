"""Submissions made from the course itself, and their grading: what every proof stands on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from d2lgrade.catalog import Course, Exercise, Section
from d2lgrade.judge.session import Job, Order, grade
from d2lgrade.results import Report
from d2lgrade.sandbox.limits import Limits
from d2lgrade.sandbox.process import ProcessSandbox
from d2lgrade.submission import Source, Submission


class Sandboxes:
    """One warm sandbox for each set of limits, started on first use; `close` ends them."""

    def __init__(self) -> None:
        self._made: dict[Limits, ProcessSandbox] = {}

    def at(self, limits: Limits | None = None) -> ProcessSandbox:
        """The sandbox with these limits."""
        limits = limits or Limits()
        if limits not in self._made:
            self._made[limits] = ProcessSandbox(limits)
            self._made[limits].start()
        return self._made[limits]

    def close(self) -> None:
        """End them all."""
        for sandbox in self._made.values():
            sandbox.close()
        self._made.clear()


@contextmanager
def warm(sandboxes: Sandboxes | None = None) -> Iterator[Sandboxes]:
    """The sandboxes given, or some for the time of this block."""
    if sandboxes is not None:
        yield sandboxes
        return
    made = Sandboxes()
    try:
        yield made
    finally:
        made.close()


def graded(
    course: Course,
    jobs: Sequence[tuple[Submission, tuple[Exercise, ...]]],
    sandboxes: Sandboxes | None = None,
    *,
    limits: Limits | None = None,
    diagnose: bool = False,
    training: bool = True,
    until_failure: bool = False,
) -> list[Report]:
    """One report for each submission on its exercises, all from one run of the checks."""
    if not jobs:
        return []
    with warm(sandboxes) as supply:
        found = [Job(s, e, training, diagnose, until_failure) for s, e in jobs]
        return grade(Order(course), found, supply.at(limits))


def submission(course: Course, changed: Mapping[str, str], name: str) -> Submission:
    """The references as a submission, with the text of some sections replaced."""
    sources = {
        section.file: Source(
            section.file,
            f"{section.file}.py",
            changed.get(section.file) or solution(course, section),
            None,
            frozenset(),
        )
        for section in course.sections
    }
    homes = {exercise.id: exercise.file for exercise in course.exercises}
    return Submission(name, sources, homes, (), False)


def solution(course: Course, section: Section) -> str:
    """The master's text of a section."""
    path = course.root / "solutions" / section.path
    return _text(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=1024)
def _text(path: Path, stamp: int) -> str:
    """The text of a file, one and the same string for the hundreds of submissions made of it."""
    return path.read_text("utf-8")
