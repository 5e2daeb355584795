"""What a course is: chapters, sections, exercises and checks, and what cannot be used of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from d2lgrade.manifest import CatalogError, either, nearest

Kind = Literal["core", "polish"]


class UnknownTarget(LookupError):
    """A target that names nothing in the course. `suggestions` holds the nearest names."""

    def __init__(self, target: str, suggestions: Sequence[str] = ()) -> None:
        self.target, self.suggestions = target, tuple(suggestions)
        near = f" Did you mean {either(suggestions)}?" if suggestions else ""
        super().__init__(
            f"{target!r} names no exercise, section or chapter.{near} "
            "`d2lgrade list` shows them all."
        )


class AmbiguousTarget(LookupError):
    """A bare name that several exercises bear. `candidates` holds their full ids."""

    def __init__(self, target: str, candidates: Sequence[str]) -> None:
        self.target, self.candidates = target, tuple(candidates)
        super().__init__(
            f"{target!r} names {len(candidates)} exercises. "
            f"Write the one you mean in full: {either(candidates)}."
        )


@dataclass(frozen=True)
class Check:
    """One hidden test: id "ch07/corr2d/values", worth `points` (a multiple of 0.5)."""

    id: str
    exercise: str
    name: str
    kind: Kind
    points: float

    @property
    def function(self) -> str:
        """The test function that holds it: "test_corr2d_values"."""
        return f"test_{self.exercise.split('/')[1]}_{self.name}"


@dataclass(frozen=True)
class Exercise:
    """One name that a learner defines. `section` and `zh_section` are its numbers in the book."""

    id: str
    chapter: str
    name: str
    section: str
    zh_section: str
    file: str
    title: str
    signature: str
    builds_on: tuple[str, ...]
    forbidden: tuple[str, ...]
    checks: tuple[Check, ...]
    hints: tuple[str, ...]

    @property
    def max_points(self) -> float:
        """Points of all its checks together."""
        return sum(check.points for check in self.checks)

    def number(self, edition: str = "en") -> str:
        """The number of its section in that edition."""
        return _number(self.section, self.zh_section, edition)


@dataclass(frozen=True)
class Section:
    """One section of the book, one file in exercises/, solutions/ and checks/."""

    number: str
    zh: str
    file: str
    title: str
    chapter: str
    folder: str
    exercises: tuple[Exercise, ...]

    @property
    def path(self) -> str:
        """Where it lies below exercises/ and solutions/: "ch07_.../conv_layer.py"."""
        return f"{self.folder}/{self.file}.py"

    def numbered(self, edition: str = "en") -> str:
        """Its number in that edition ("number" itself is the English one)."""
        return _number(self.number, self.zh, edition)


@dataclass(frozen=True)
class Chapter:
    """One chapter of the book: id "ch07" in the folder "ch07_...", `zh` its Chinese number."""

    id: str
    title: str
    zh: str
    folder: str
    sections: tuple[Section, ...]

    @property
    def exercises(self) -> tuple[Exercise, ...]:
        """Its exercises in course order."""
        return tuple(exercise for section in self.sections for exercise in section.exercises)

    def number(self, edition: str = "en") -> str:
        """Its number in that edition: "7" in "en", "6" in "zh"."""
        return _number(str(int(self.id[2:])), self.zh, edition)


@dataclass(frozen=True)
class Fault:
    """What is wrong with a chapter: the complaint, and the names its file seems to hold."""

    complaint: str
    names: frozenset[str]


@dataclass(frozen=True)
class Course:
    """The chapters that a kit holds.

    Args:
        root: the kit's folder.
        chapters: those that can be used, in course order.
        faults: folder of a chapter that cannot be used → what is wrong with it.
        unlinked: id of an exercise that builds on something in such a chapter → that fault.
    """

    root: Path
    chapters: tuple[Chapter, ...]
    faults: Mapping[str, Fault] = field(default_factory=dict, hash=False)
    unlinked: Mapping[str, Fault] = field(default_factory=dict, hash=False)

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """All sections in course order."""
        return tuple(section for chapter in self.chapters for section in chapter.sections)

    @cached_property
    def exercises(self) -> tuple[Exercise, ...]:
        """All exercises in course order."""
        return tuple(exercise for chapter in self.chapters for exercise in chapter.exercises)

    @cached_property
    def _by_id(self) -> Mapping[str, Exercise]:
        return {exercise.id: exercise for exercise in self.exercises}

    def exercise(self, id: str) -> Exercise:
        """The exercise with that full id; UnknownTarget where there is none."""
        if id in self._by_id:
            return self._by_id[id]
        raise UnknownTarget(id, nearest(id, list(self._by_id)))

    def section(self, stem: str) -> Section:
        """The section whose file has that stem; UnknownTarget where there is none."""
        for section in self.sections:
            if section.file == stem:
                return section
        raise UnknownTarget(stem, nearest(stem, [s.file for s in self.sections]))

    def chapter(self, id: str) -> Chapter:
        """The chapter with that id; UnknownTarget where there is none."""
        for chapter in self.chapters:
            if chapter.id == id:
                return chapter
        raise UnknownTarget(id, [c.id for c in self.chapters])

    def demand_whole(self) -> None:
        """Raise CatalogError unless every chapter can be used."""
        if self.faults:
            raise CatalogError("\n".join(fault.complaint for fault in self.faults.values()))

    def predecessors(self, exercise: Exercise) -> list[Exercise]:
        """All exercises that this one builds on, directly or not, nearest first.

        Raises:
            CatalogError: one of them is in a chapter that cannot be used.
        """
        found: dict[str, Exercise] = {}
        queue = [exercise]
        while queue:
            current = queue.pop(0)
            if current.id in self.unlinked:
                raise CatalogError(
                    f"{exercise.id} builds on what is in a chapter that cannot be used. "
                    f"{self.unlinked[current.id].complaint}"
                )
            following = [self.exercise(i) for i in current.builds_on if i not in found]
            found.update({e.id: e for e in following})
            queue += following
        return list(found.values())


def _number(english: str, chinese: str, edition: str) -> str:
    if edition not in ("en", "zh"):
        raise ValueError(f"edition is {edition!r}; write 'en' or 'zh'")
    return english if edition == "en" else chinese or f"en {english}"
