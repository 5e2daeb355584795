"""The course as its chapter.toml files describe it, and what a target such as `7.2` means.

Reads TOML and nothing else: no check, no solution and no tensor library is imported, so that
listing is instant. `manifest` judges each file alone; here is what takes the whole course.
"""

from __future__ import annotations

import graphlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NoReturn

from d2lgrade import manifest
from d2lgrade.manifest import CatalogError, either, fault, nearest, unique, where

Kind = Literal["core", "polish"]

__all__ = [
    "AmbiguousTarget",
    "CatalogError",
    "Chapter",
    "Check",
    "Course",
    "Exercise",
    "Kind",
    "Section",
    "UnknownTarget",
    "find_kit",
    "load",
    "resolve",
]

_PACKAGE = Path(__file__).resolve().parent
_MANIFESTS = "checks/*/chapter.toml"


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
class Course:
    """Every chapter that a kit holds. `root` is the kit's folder."""

    root: Path
    chapters: tuple[Chapter, ...]

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """All sections in course order."""
        return tuple(section for chapter in self.chapters for section in chapter.sections)

    @cached_property
    def exercises(self) -> tuple[Exercise, ...]:
        """All exercises in course order."""
        return tuple(exercise for chapter in self.chapters for exercise in chapter.exercises)

    def exercise(self, id: str) -> Exercise:
        """The exercise with that full id; UnknownTarget where there is none."""
        for exercise in self.exercises:
            if exercise.id == id:
                return exercise
        raise UnknownTarget(id, nearest(id, [e.id for e in self.exercises]))

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


def find_kit(start: Path) -> Path:
    """The kit to use from `start`: the nearest folder upward, the packaged kit, the source tree."""
    here = start.resolve()
    for folder in (here, *here.parents, _PACKAGE / "kit", _PACKAGE.parents[1]):
        if any(folder.glob(_MANIFESTS)):
            return folder
    raise CatalogError(
        f"No kit found: neither {here} nor a folder above it holds {_MANIFESTS}. "
        "Name one with --kit DIR, or lay one out with `d2lgrade init DIR`."
    )


def load(root: Path, complete: bool = False) -> Course:
    """Read every chapter of the kit at `root`, in chapter order.

    With `complete`, the files of each section (solution, checks, misconceptions) must be there too,
    as an author's kit has them; a learner's kit may lack some. Raises CatalogError.
    """
    files = sorted(root.glob(_MANIFESTS))
    if not files:
        fault(str(root), f"it holds no {_MANIFESTS}, so it is no kit", "Name one with --kit DIR")
    chapters = sorted((_chapter(root, file) for file in files), key=lambda c: int(c.id[2:]))
    unique(((c.id, f"checks/{c.folder}/chapter.toml") for c in chapters), "id")
    sections = [section for chapter in chapters for section in chapter.sections]
    for key in ("number", "file"):
        unique(((getattr(s, key), where(s.folder, "section", s.number)) for s in sections), key)
    if complete:
        for section in sections:
            _demand_files(root, section)
    return Course(root, _linked(chapters))


def resolve(course: Course, targets: Sequence[str], edition: str = "en") -> tuple[Exercise, ...]:
    """The exercises that the targets name, in course order, none twice.

    A target is `all`, a chapter (`ch7`, `7`), a section (`7.2`, `pooling`, `ch07/pooling`, the path
    of its file), or an exercise (`corr2d`, `ch07/corr2d`). Case counts only where it must. With
    edition "zh" chapter and section numbers are the Chinese second edition's.
    Raises UnknownTarget or AmbiguousTarget.
    """
    wanted = {e.id for target in targets for e in _match(course, target.strip(), edition)}
    return tuple(exercise for exercise in course.exercises if exercise.id in wanted)


def _match(course: Course, target: str, edition: str) -> Iterable[Exercise]:
    parts = [part for part in re.split(r"[/\\]", target) if part not in ("", ".")]
    last = parts[-1].casefold() if parts else ""
    if len(parts) == 1:
        if last == "all":
            return course.exercises
        if found := re.fullmatch(r"(?:ch)?0*(\d+)", last):
            sections = _in_chapter(course, found[1], edition)
            return _all_of(sections) or _unknown(course, target, edition)
        if re.fullmatch(r"\d+\.\d+", last):
            numbered = [s for s in course.sections if s.numbered(edition) == last]
            return _all_of(numbered) or _unknown(course, target, edition)
    for chapter in course.chapters:
        if last == chapter.folder.casefold():
            return chapter.exercises
    is_file = last.endswith(".py")
    name = parts[-1] if parts else ""
    for scope in _scopes(course, parts[:-1], is_file, edition):
        if named := _named(scope, name[:-3] if is_file else name, is_file, target):
            return named
    return _unknown(course, target, edition)


def _scopes(course: Course, above: list[str], is_file: bool, edition: str) -> list[list[Section]]:
    """Where to look for a name, best first: the chapter it is qualified with, or everywhere."""
    head = re.fullmatch(r"(?:ch)?0*(\d+)(?:_.*)?", above[-1].casefold()) if above else None
    if head is None:
        return [list(course.sections)] if is_file or not above else []
    # Reports print ids, so an id means what it says in every edition; only then is it a number.
    by_id = [s for s in course.sections if int(s.chapter[2:]) == int(head[1])]
    return [by_id] if is_file else [by_id, _in_chapter(course, head[1], edition)]


def _in_chapter(course: Course, number: str, edition: str) -> list[Section]:
    """Sections by their own number: the Chinese edition keeps some in another chapter."""
    return [
        section
        for chapter in course.chapters
        for section in chapter.sections
        if number
        == (section.zh.split(".")[0] if edition == "zh" and section.zh else chapter.number(edition))
    ]


def _named(sections: list[Section], name: str, is_file: bool, target: str) -> Sequence[Exercise]:
    for same in (str, str.casefold):
        exercises = [e for s in sections for e in s.exercises if same(e.name) == same(name)]
        files = [s for s in sections if same(s.file) == same(name)]
        if files and (is_file or not exercises):
            return _all_of(files)
        if len(exercises) > 1:
            raise AmbiguousTarget(target, [e.id for e in exercises])
        if exercises:
            return exercises
    return ()


def _all_of(sections: Iterable[Section]) -> list[Exercise]:
    return [exercise for section in sections for exercise in section.exercises]


def _unknown(course: Course, target: str, edition: str) -> NoReturn:
    known = [c.number(edition) for c in course.chapters]
    chapters = list(dict.fromkeys(f"ch{int(number):02}" for number in known if number.isdigit()))
    if re.fullmatch(r"(?:ch)?\d+(?:\.\d+)?", target.casefold()):
        numbers = dict.fromkeys(s.numbered(edition) for s in course.sections)
        same = [n for n in numbers if "." in target and n.split(".")[0] == target.split(".")[0]]
        raise UnknownTarget(target, same or chapters)
    names = [e.name for e in course.exercises] + [s.file for s in course.sections]
    ids = [e.id for e in course.exercises]
    raise UnknownTarget(target, nearest(target, ids if "/" in target else names + chapters))


def _chapter(root: Path, file: Path) -> Chapter:
    entry = manifest.read(root, file)
    id, folder = entry["id"], file.parent.name
    sections = tuple(
        Section(
            number=section["number"],
            zh=section["zh"],
            file=section["file"],
            title=section["title"],
            chapter=id,
            folder=folder,
            exercises=tuple(_exercise(id, section, exercise) for exercise in section["exercise"]),
        )
        for section in entry["section"]
    )
    return Chapter(id, entry["title"], entry["zh"], folder, sections)


def _exercise(chapter: str, section: Mapping[str, Any], entry: Mapping[str, Any]) -> Exercise:
    id = f"{chapter}/{entry['name']}"
    kinds: tuple[Kind, ...] = ("core", "polish")
    return Exercise(
        id=id,
        chapter=chapter,
        name=entry["name"],
        section=section["number"],
        zh_section=section["zh"],
        file=section["file"],
        title=entry["title"],
        signature=entry["signature"],
        builds_on=tuple(entry["builds_on"]),
        forbidden=tuple(entry["forbidden"]),
        checks=tuple(
            Check(f"{id}/{check}", id, check, kind, points)
            for kind in kinds
            for check, points in entry[kind].items()
        ),
        hints=tuple(entry["hints"]),
    )


def _linked(chapters: Sequence[Chapter]) -> tuple[Chapter, ...]:
    """The chapters with `builds_on` as full ids, none unknown, none in a circle."""
    everyone = {e.id: e for chapter in chapters for e in chapter.exercises}
    folders = {chapter.id: chapter.folder for chapter in chapters}
    places = {e.id: where(folders[e.chapter], "exercise", e.name) for e in everyone.values()}
    links = {
        e.id: tuple(
            dict.fromkeys(_predecessor(places[e.id], e, name, everyone) for name in e.builds_on)
        )
        for e in everyone.values()
    }
    try:
        graphlib.TopologicalSorter(links).prepare()
    except graphlib.CycleError as error:
        circle = error.args[1]
        problem = f"the exercises build on each other in a circle: {' -> '.join(reversed(circle))}"
        fault(places[circle[0]], problem, "Take one of the links out")

    def relink(section: Section) -> Section:
        exercises = tuple(replace(e, builds_on=links[e.id]) for e in section.exercises)
        return replace(section, exercises=exercises)

    return tuple(replace(c, sections=tuple(relink(s) for s in c.sections)) for c in chapters)


def _predecessor(
    place: str, exercise: Exercise, name: str, everyone: Mapping[str, Exercise]
) -> str:
    own = name if "/" in name else f"{exercise.chapter}/{name}"
    found = [own] if own in everyone else [e.id for e in everyone.values() if e.name == name]
    if not found:
        near = nearest(name, [*everyone, *(e.name for e in everyone.values())])
        repair = f"Did you mean {either(near)}?" if near else "Name an exercise of this course"
        fault(place, f"builds_on names {name!r}, which is no exercise", repair)
    if len(found) > 1:
        fault(place, f"builds_on names {name!r}, which exists twice", f"Write {either(found)}")
    return found[0]


def _demand_files(root: Path, section: Section) -> None:
    checks = f"checks/{section.folder}"
    for file in (
        f"solutions/{section.path}",
        f"{checks}/test_{section.file}.py",
        f"{checks}/misconceptions/{section.file}.py",
    ):
        if not (root / file).is_file():
            repair = (
                "`d2lgrade dev new` lays out what is missing, then `d2lgrade dev sync` the stubs"
            )
            fault(where(section.folder, "section", section.number), f"{file} is missing", repair)


def _number(english: str, chinese: str, edition: str) -> str:
    if edition not in ("en", "zh"):
        raise ValueError(f"edition is {edition!r}; write 'en' or 'zh'")
    return english if edition == "en" else chinese or f"en {english}"
