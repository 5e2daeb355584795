"""The course as its chapter.toml files describe it, and what a target such as `7.2` means.

Reads TOML and nothing else: no check, no solution and no tensor library is imported, so that
listing is instant. `manifest` judges each file alone; here is what takes the whole course.
"""

from __future__ import annotations

import graphlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from d2lgrade import manifest
from d2lgrade.course import (
    AmbiguousTarget,
    Chapter,
    Check,
    Course,
    Exercise,
    Fault,
    Kind,
    Section,
    UnknownTarget,
)
from d2lgrade.manifest import CatalogError, either, fault, nearest, unique, where

__all__ = [
    "AmbiguousTarget",
    "CatalogError",
    "Chapter",
    "Check",
    "Course",
    "Exercise",
    "Fault",
    "Kind",
    "Section",
    "UnknownTarget",
    "demand_files",
    "find_kit",
    "load",
    "resolve",
]

_PACKAGE = Path(__file__).resolve().parent
_MANIFESTS = "checks/*/chapter.toml"


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


def load(root: Path, complete: bool = False, tolerant: bool = False) -> Course:
    """Read every chapter of the kit at `root`, in chapter order.

    With `complete`, the files of each section (solution, checks, misconceptions) must be there too,
    as an author's kit has them; a learner's kit may lack some. With `tolerant`, a chapter that
    cannot be used becomes one of the course's `faults`, if there is any that can. Raises
    CatalogError.
    """
    files = sorted(root.glob(_MANIFESTS))
    if not files:
        fault(str(root), f"it holds no {_MANIFESTS}, so it is no kit", "Name one with --kit DIR")
    faults: dict[str, Fault] = {}

    def refuse(folder: str, error: CatalogError) -> None:
        if not tolerant:
            raise error
        faults[folder] = Fault(str(error), _names(root / "checks" / folder / "chapter.toml"))

    found: list[Chapter] = []
    for file in files:
        try:
            found.append(_chapter(root, file))
        except CatalogError as error:
            refuse(file.parent.name, error)
    chapters: list[Chapter] = []
    for chapter in sorted(found, key=lambda c: int(c.id[2:])):
        try:
            _demand_unique([*chapters, chapter])
        except CatalogError as error:
            refuse(chapter.folder, error)
        else:
            chapters.append(chapter)
    course = _assembled(root, chapters, faults, refuse)
    if complete:
        demand_files(course, course.sections)
    if not course.chapters:
        course.demand_whole()
    return course


def _names(file: Path) -> frozenset[str]:
    """The names that a manifest which cannot be used seems to hold."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return frozenset()
    return frozenset(re.findall(r"""^\s*(?:name|file)\s*=\s*["'](\w+)["']""", text, re.MULTILINE))


def _demand_unique(chapters: Sequence[Chapter]) -> None:
    """Refuse an id, a number or a file that two chapters have."""
    unique(((c.id, f"checks/{c.folder}/chapter.toml") for c in chapters), "id")
    sections = [section for chapter in chapters for section in chapter.sections]
    for key in ("number", "file"):
        unique(((getattr(s, key), where(s.folder, "section", s.number)) for s in sections), key)


def resolve(course: Course, targets: Sequence[str], edition: str = "en") -> tuple[Exercise, ...]:
    """The exercises that the targets name, in course order, none twice.

    A target is `all`, a chapter (`ch7`, `7`), a section (`7.2`, `pooling`, `ch07/pooling`, the path
    of its file), or an exercise (`corr2d`, `ch07/corr2d`). Case counts only where it must. With
    edition "zh" chapter and section numbers are the Chinese second edition's.
    Raises UnknownTarget or AmbiguousTarget, and CatalogError where a target takes a chapter that
    cannot be used.
    """
    wanted = {e.id for target in targets for e in _match(course, target.strip(), edition)}
    return tuple(exercise for exercise in course.exercises if exercise.id in wanted)


def _match(course: Course, target: str, edition: str) -> Iterable[Exercise]:
    parts = [part for part in re.split(r"[/\\]", target) if part not in ("", ".")]
    last = parts[-1].casefold() if parts else ""
    if len(parts) == 1:
        if last == "all":
            course.demand_whole()
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
    for folder, fault_ in course.faults.items():
        if _meant(target, folder, fault_.names):
            raise CatalogError(fault_.complaint)
    known = [c.number(edition) for c in course.chapters]
    chapters = list(dict.fromkeys(f"ch{int(number):02}" for number in known if number.isdigit()))
    if re.fullmatch(r"(?:ch)?\d+(?:\.\d+)?", target.casefold()):
        numbers = dict.fromkeys(s.numbered(edition) for s in course.sections)
        same = [n for n in numbers if "." in target and n.split(".")[0] == target.split(".")[0]]
        raise UnknownTarget(target, same or chapters)
    names = [e.name for e in course.exercises] + [s.file for s in course.sections]
    ids = [e.id for e in course.exercises]
    raise UnknownTarget(target, nearest(target, ids if "/" in target else names + chapters))


def _meant(target: str, folder: str, names: Iterable[str]) -> bool:
    """Whether a target seems to name something in a chapter that cannot be used."""
    parts = [part.casefold() for part in re.split(r"[/\\]", target) if part not in ("", ".")]
    number = re.fullmatch(r"(?:ch)?0*(\d+)(?:\.\d+|_.*)?", parts[0] if parts else "")
    chapter = re.match(r"ch0*(\d+)", folder)
    if number and chapter:
        return number[1] == chapter[1]
    last = parts[-1] if parts else ""
    return last.removesuffix(".py") in {name.casefold() for name in names}


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


def _assembled(
    root: Path,
    chapters: Sequence[Chapter],
    faults: Mapping[str, Fault],
    refuse: Callable[[str, CatalogError], None],
) -> Course:
    """The course with `builds_on` as full ids, none unknown, none in a circle.

    A chapter with a bad link is refused, and the others are linked without it.
    """
    everyone = {e.id: e for chapter in chapters for e in chapter.exercises}
    links: dict[str, tuple[str, ...]] = {}
    unlinked: dict[str, Fault] = {}
    for chapter in chapters:
        try:
            for exercise in chapter.exercises:
                place = where(chapter.folder, "exercise", exercise.name)
                found = [
                    _predecessor(place, exercise, name, everyone, faults)
                    for name in exercise.builds_on
                ]
                links[exercise.id] = tuple(dict.fromkeys(i for i in found if isinstance(i, str)))
                if lost := next((one for one in found if isinstance(one, Fault)), None):
                    unlinked[exercise.id] = lost
            _demand_no_circle(chapter, links)
        except CatalogError as error:
            refuse(chapter.folder, error)
            rest = [other for other in chapters if other is not chapter]
            return _assembled(root, rest, faults, refuse)

    def relinked(section: Section) -> Section:
        exercises = tuple(replace(e, builds_on=links[e.id]) for e in section.exercises)
        return replace(section, exercises=exercises)

    linked = tuple(replace(c, sections=tuple(map(relinked, c.sections))) for c in chapters)
    return Course(root, linked, dict(faults), unlinked)


def _demand_no_circle(chapter: Chapter, links: Mapping[str, tuple[str, ...]]) -> None:
    """Refuse exercises that build on each other; `chapter` is the last that has been linked."""
    try:
        graphlib.TopologicalSorter(links).prepare()
    except graphlib.CycleError as error:
        circle = error.args[1]
        problem = f"the exercises build on each other in a circle: {' -> '.join(reversed(circle))}"
        place = where(chapter.folder, "exercise", circle[0].rpartition("/")[2])
        fault(place, problem, "Take one of the links out")


def _predecessor(
    place: str,
    exercise: Exercise,
    name: str,
    everyone: Mapping[str, Exercise],
    faults: Mapping[str, Fault],
) -> str | Fault:
    """The id of what an exercise builds on; the fault of the chapter where that should be."""
    own = name if "/" in name else f"{exercise.chapter}/{name}"
    found = [own] if own in everyone else [e.id for e in everyone.values() if e.name == name]
    if not found:
        for folder, lost in faults.items():
            if _meant(name, folder, lost.names):
                return lost
        near = nearest(name, [*everyone, *(e.name for e in everyone.values())])
        repair = f"Did you mean {either(near)}?" if near else "Name an exercise of this course"
        fault(place, f"builds_on names {name!r}, which is no exercise", repair)
    if len(found) > 1:
        fault(place, f"builds_on names {name!r}, which exists twice", f"Write {either(found)}")
    return found[0]


def demand_files(course: Course, sections: Iterable[Section]) -> None:
    """Refuse sections without their solution, checks or misconceptions. Raises CatalogError."""
    repair = "`d2lgrade dev new` lays out what is missing, then `d2lgrade dev sync` the stubs"
    for section in sections:
        checks = f"checks/{section.folder}"
        for file in (
            f"solutions/{section.path}",
            f"{checks}/test_{section.file}.py",
            f"{checks}/misconceptions/{section.file}.py",
        ):
            if not (course.root / file).is_file():
                place = where(section.folder, "section", section.number)
                fault(place, f"{file} is missing", repair)
