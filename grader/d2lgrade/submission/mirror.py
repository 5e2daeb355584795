"""A folder that mirrors the kit: each section's file in its place, and what lies beside them."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from d2lgrade.catalog import Course, Exercise
from d2lgrade.reserved import RESERVED
from d2lgrade.submission.handed import (
    MAX_FILES,
    MAX_TOTAL,
    Submission,
    SubmissionError,
    called,
    cut,
    listed,
)
from d2lgrade.submission.source import Source, absent, load, shown

MAX_HELPERS = 100  # files beside the sections' own


def find(folder: Path, course: Course) -> dict[str, Path]:
    """Stem → where the section's file lies or would lie; {} for a folder laid out otherwise."""
    for root in _roots(folder):
        for base in (root, root / "exercises"):
            places = {section.file: base / section.path for section in course.sections}
            if any(map(os.path.lexists, places.values())):
                return places
        chapter = os.path.basename(os.path.realpath(root))
        places = {s.file: root / f"{s.file}.py" for s in course.sections if s.folder == chapter}
        if any(map(os.path.lexists, places.values())):
            return places
    return {}


def _roots(folder: Path) -> Iterator[Path]:
    """The folder, then the folder in it where it holds nothing else, as unpacked archives do."""
    for _ in range(4):
        yield folder
        try:
            with os.scandir(folder) as entries:
                visible = (e for e in entries if not e.name.startswith((".", "__")))
                inner = list(islice(visible, 2))
        except OSError:
            return
        if len(inner) != 1 or not inner[0].is_dir(follow_symlinks=False):
            return
        folder = folder / inner[0].name


def read(
    folder: Path, places: Mapping[str, Path], course: Course, exercises: Sequence[Exercise]
) -> Submission:
    """The submission in a folder whose sections lie at `places`. Raises SubmissionError."""
    boundary = os.path.realpath(folder)
    sources = {}
    for section in course.sections:
        stem, kit = section.file, section.path
        place = places.get(stem)
        if place and os.path.lexists(place):
            sources[stem] = load(place, stem, boundary, kit=kit).source
        else:  # most of the course, for who hands in a chapter
            sources[stem] = absent(stem, shown(place) if place else kit, kit)
    homes = {exercise.id: exercise.file for exercise in course.exercises}
    submission = Submission(called(folder), sources, homes, (), partial=False)
    complete(submission, exercises)
    helpers, notes = _helpers(course, places, sources, boundary)
    return replace(submission, sources=sources | helpers, notes=cut(notes))


def _helpers(
    course: Course, places: Mapping[str, Path], sources: Mapping[str, Source], boundary: str
) -> tuple[dict[str, Source], list[str]]:
    """The files beside the sections' own that these may import, and notes on what was left out.

    By folder and stem, for each chapter may have its own `utils`. A file that nobody names is
    nobody's helper, whatever it holds.
    """
    found: dict[str, Source] = {}
    notes: list[str] = []
    total = 0
    folders: dict[tuple[Path, str], list[str]] = {}
    for section in course.sections:
        if section.file in places:
            place = places[section.file].parent, section.folder
            folders.setdefault(place, []).append(sources[section.file].text)
    for (here, folder), texts in folders.items():
        beside = {path.stem: path for path in _beside(here, places.values())}
        for path in [beside.pop(name) for name in sorted(beside.keys() & RESERVED)]:
            notes.append(
                f"{shown(path)} was left out: {path.stem} means Python's or a library's own "
                "module. Give the file another name."
            )
        while texts:
            for name in sorted(beside.keys() & set(re.findall(r"\w+", texts.pop()))):
                path = beside.pop(name)
                if len(found) >= MAX_HELPERS or total > MAX_TOTAL:
                    limit = f"at most {MAX_HELPERS} files and {MAX_TOTAL // 1_000_000} MB"
                    return found, [*notes, f"{shown(path)} and more were left out ({limit})."]
                source = found[f"{folder}/{name}"] = load(path, f"{folder}/{name}", boundary).source
                total += len(source.text)
                texts.append(source.text)
                if source.problem is not None and source.problem.kind != "empty":
                    notes.append(source.problem.message)
    return found, notes


def _beside(folder: Path, places: Collection[Path]) -> list[Path]:
    """Files in a folder of sections that Python could import, the sections' own left out."""
    try:
        with os.scandir(folder) as entries:
            names = [e.name for e in islice(entries, MAX_FILES) if not e.is_dir()]
    except OSError:
        return []
    paths = [folder / name for name in sorted(names) if name.endswith(".py")]
    return [p for p in paths if p.stem.isidentifier() and p.name[:2] != "__" and p not in places]


def complete(submission: Submission, exercises: Sequence[Exercise]) -> Submission:
    """The submission, if it has a file for any of the exercises."""
    sources = submission.sources
    lacking = {s for s in (submission.homes[e.id] for e in exercises) if _is_missing(sources[s])}
    if lacking and all(submission.homes[e.id] in lacking for e in exercises):
        there = listed(source.path for source in sources.values() if not _is_missing(source))
        wanted = listed((sources[stem].path for stem in sorted(lacking)), "or")
        raise SubmissionError(
            f"{submission.name} has no {wanted}. It has {there}: name these as the target. To "
            "bring a stub back, run `d2lgrade init NEW_FOLDER` and copy it from there."
        )
    return submission


def _is_missing(source: Source) -> bool:
    return source.problem is not None and source.problem.kind == "missing"
