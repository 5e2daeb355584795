"""Where the files of a submission lie, and which of them holds which exercise."""

from __future__ import annotations

import difflib
import os
import stat
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from d2lgrade.catalog import Course, Exercise
from d2lgrade.submission import mirror
from d2lgrade.submission.handed import (
    MAX_FILES,
    MAX_TOTAL,
    Submission,
    SubmissionError,
    called,
    cut,
    listed,
)
from d2lgrade.submission.source import (
    File,
    Parameters,
    absent,
    file_kind,
    harmless,
    is_notebook,
    load,
    shown,
    signature_parameters,
)

_NOTEBOOK = 1_000  # how much deeper than a .py file a notebook counts as lying
_NEVER = {"node_modules", "site-packages"}  # packages, never anybody's own work


def read(path: Path, course: Course, exercises: Sequence[Exercise]) -> Submission:
    """Read a submission: a Python file, a notebook, a zip, or a folder of what lies loose or as
    in the kit.

    Args:
        path: what was named.
        course: the whole course, so that predecessors are found too.
        exercises: the exercises asked for.

    Raises:
        SubmissionError: the path cannot be used, it holds none of the exercises, two of its files
            define the same one, or a definition could be either of two.
    """
    if stat.S_ISDIR(_mode(path)):
        places = mirror.find(path, course)
        if places:
            return mirror.read(path, places, course, exercises)
        return _read_folder(path, course, exercises)
    if path.suffix.lower() == ".zip":
        from . import unpacked

        return unpacked.read_zip(path, course, exercises)
    return _read_file(path, course, exercises)


def _mode(path: Path) -> int:
    """The mode of a named path that is a folder or a regular file; opens nothing."""
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        if os.path.islink(path):
            message = f"{shown(path)} is a link to nothing. Name the file itself."
            raise SubmissionError(message) from None
        raise SubmissionError(f"There is no {shown(path)}. {_nearest(path)}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        message = (
            f"{shown(path)} cannot be read: {reason}. Name a file or folder that you may read."
        )
        raise SubmissionError(message) from None
    if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
        raise SubmissionError(f"{shown(path)} is {file_kind(mode)}. Name a .py file or a folder.")
    return mode


def _nearest(path: Path) -> str:
    try:
        with os.scandir(path.parent) as entries:
            names = sorted(entry.name for entry in islice(entries, MAX_FILES))
    except OSError:
        return f"Nor is there a folder {shown(path.parent)}."
    near = difflib.get_close_matches(path.name, names, n=3)
    if near:
        return f"Did you mean {listed((shown(path.parent / name) for name in near), 'or')}?"
    return "Name the .py file or the folder with your work."


# Loose files


@dataclass(frozen=True)
class _Claim:
    """A file that may hold an exercise. The lowest rank does; two of one rank are a clash."""

    rank: tuple[int, bool, int]
    file: File


def _read_file(path: Path, course: Course, exercises: Sequence[Exercise]) -> Submission:
    file = load(path, harmless(path.stem), None)
    homes, _ = _homes([file], course, exercises)
    if not any(exercise.id in homes for exercise in exercises):
        raise SubmissionError(_nothing(path, [file], (), homes, exercises))
    sources = {file.source.section: file.source}
    return Submission(called(path), sources, homes, cut(file.notes), partial=True)


def _read_folder(folder: Path, course: Course, exercises: Sequence[Exercise]) -> Submission:
    paths, notes = _walk(folder)
    files, more = _load_all(folder, paths)
    homes, doubles = _homes(files, course, exercises)
    sources = {file.source.section: file.source for file in files}
    flat = _is_flat(files, homes, course)
    if flat:  # the kit's files without their chapter's folder: what is not there is to do
        for exercise in course.exercises:
            homes.setdefault(exercise.id, exercise.file)
            if exercise.file not in sources:
                kit = course.section(exercise.file).path
                path = shown(folder / f"{exercise.file}.py")
                sources[exercise.file] = absent(exercise.file, path, kit)
    elif not any(exercise.id in homes for exercise in exercises):
        raise SubmissionError(_nothing(folder, files, notes + more, homes, exercises))
    used = set(homes.values())
    broken = [
        file.source.problem.message
        for file in files
        if file.source.problem and file.source.problem.kind != "empty"
        if file.source.section not in used
    ]
    how = [note for file in files if file.source.section in used for note in file.notes]
    said = cut([*notes, *more, *doubles, *broken, *how])
    submission = Submission(called(folder), sources, homes, said, partial=not flat)
    return mirror.complete(submission, exercises) if flat else submission


def _walk(folder: Path) -> tuple[list[Path], list[str]]:
    """The .py files in a folder, those near the top first, and notes on what was left out."""
    files: list[Path] = []
    notes: list[str] = []
    todo, looked = deque([folder]), 0
    while todo:
        here = todo.popleft()
        try:
            with os.scandir(here) as entries:
                listing = sorted((e.name, e.is_dir(follow_symlinks=False)) for e in entries)
        except OSError as error:
            notes.append(f"{shown(here)} was left out: {error.strerror}.")
            continue
        if ("pyvenv.cfg", False) in listing:
            continue
        for name, is_folder in listing:
            path = here / name
            if is_folder:
                wanted = not name.startswith((".", "__")) and name not in _NEVER
            else:
                wanted = name.endswith((".py", ".ipynb")) and name[0] != "."  # "._a.py" of a Mac
                notes += _left_out(path) if not wanted and len(notes) < MAX_FILES else ()
            if not wanted:
                continue
            looked += 1
            if looked > MAX_FILES:
                notes.insert(0, f"Only the first {MAX_FILES:,} files and folders were looked at.")
                return files, notes
            (todo if is_folder else files).append(path)
    return files, notes


def _left_out(path: Path) -> Iterator[str]:
    if path.suffix.lower() == ".zip":
        yield f"{shown(path)} is an archive beside other files. Unpack it, or name it alone."
    elif path.is_symlink() and os.path.isdir(path):
        yield f"{shown(path)} is a link to a folder, and is not followed. Put its files there."


def _load_all(folder: Path, paths: Sequence[Path]) -> tuple[list[File], list[str]]:
    """The files by key: the stem for the one nearest the top, its path for others of that name."""
    boundary = os.path.realpath(folder)
    files: list[File] = []
    taken: set[str] = set()
    total = 0
    for path in sorted(paths, key=is_notebook):  # an import means the .py file
        if total > MAX_TOTAL:
            limit = f"Only the first {MAX_TOTAL // 1_000_000} MB of source were read"
            return files, [f"{limit}, {shown(path)} and those after it were not."]
        relative = path.relative_to(folder)
        key = harmless(path.stem)
        if key in taken:
            key = harmless(relative.with_suffix("").as_posix())
        while key in taken:  # two names that look alike once they are escaped
            key += "'"
        taken.add(key)
        depth = len(relative.parts) - 1 + _NOTEBOOK * is_notebook(path)
        files.append(load(path, key, boundary, depth))
        total += len(files[-1].source.text)
    return files, []


def _homes(
    files: Sequence[File], course: Course, exercises: Sequence[Exercise]
) -> tuple[dict[str, str], list[str]]:
    """Exercise id → key of the file that holds it, and notes on what lost out.

    A file named after the exercise's section goes before others, a file that parses before one that
    does not, one near the top before one below. Only a clash over what is asked for is an error.
    """
    asked = {exercise.id for exercise in exercises}
    named: dict[str, list[Exercise]] = defaultdict(list)
    for exercise in course.exercises:
        named[exercise.name].append(exercise)
    claims: dict[str, list[_Claim]] = defaultdict(list)
    for file in files:
        broken = file.source.problem is not None
        for name, parameters in file.own.items():
            meant = _meant(file, parameters, named.get(name, ()), asked)
            if meant:
                rank = (int(file.stem != meant.file), broken, file.depth)
                claims[meant.id].append(_Claim(rank, file))
        for exercise in course.exercises if broken else ():
            if exercise.file == file.stem:  # nothing can be read, but its name says what it holds
                claims[exercise.id].append(_Claim((2, broken, file.depth), file))
    homes: dict[str, str] = {}
    notes: list[str] = []
    for exercise in course.exercises:
        ordered = sorted(claims[exercise.id], key=lambda claim: claim.rank)
        first = [claim.file.source for claim in ordered if claim.rank == ordered[0].rank]
        others = [claim.file.source for claim in ordered if claim.rank[0] < 2][1:]
        if len(first) > 1 and exercise.id in asked:
            paths = listed(source.path for source in first)
            raise SubmissionError(
                f"{exercise.name} is defined in {paths}. Keep one of them, or name that file alone."
            )
        if len(first) == 1:
            homes[exercise.id] = first[0].section
        if others and exercise.id in asked:
            rest = listed(source.path for source in others)
            notes.append(f"{exercise.name} is taken from {first[0].path}, not from {rest}.")
    return homes, notes


def _meant(
    file: File, parameters: Parameters, candidates: Sequence[Exercise], asked: set[str]
) -> Exercise | None:
    """Which exercise of that name a definition is: the parameter names decide.

    Where they do not, the one asked for, or the one whose section the file is named after.
    """
    fitting = list(candidates)
    if len(fitting) > 1 and parameters:
        signatures = {e.id: signature_parameters(e.signature) for e in fitting}
        shared = {id: len({*own} & {*parameters}) for id, own in signatures.items()}
        exact = [e for e in fitting if signatures[e.id] == parameters]
        fitting = exact or [e for e in fitting if shared[e.id] == max(shared.values())]
    fitting = [e for e in fitting if e.id in asked] or fitting
    if len(fitting) > 1:
        fitting = [e for e in fitting if e.file == file.stem] or fitting
    if len(fitting) > 1 and fitting[0].id in asked:
        ids = listed((e.id for e in fitting), "or")
        repair = listed((e.signature for e in fitting), "or")
        raise SubmissionError(
            f"{fitting[0].name} in {file.source.path} could be {ids}. "
            f"Name its parameters as the exercise does: {repair}."
        )
    return fitting[0] if len(fitting) == 1 else None


def _is_flat(files: Sequence[File], homes: Mapping[str, str], course: Course) -> bool:
    """Whether the files are the kit's own, side by side in one folder."""
    stems = {section.file for section in course.sections}
    empty = [f for f in files if f.source.problem and f.source.problem.kind == "empty"]
    named = [file for file in files if file.stem in stems or file not in empty]
    if not all(file.stem in stems and file.depth == 0 for file in named):
        return False
    at_home = {e.file for e in course.exercises if homes.get(e.id) == e.file}
    return bool(at_home) and at_home.issuperset(homes.values())


def _nothing(
    path: Path,
    files: Sequence[File],
    notes: Sequence[str],
    homes: Mapping[str, str],
    exercises: Sequence[Exercise],
) -> str:
    """Why a submission holds nothing of what is asked for, and what to do about it."""
    problems = [f.source.problem for f in files if f.source.problem]
    if len(files) == 1 and problems:
        return f"{problems[0].message}\n{problems[0].excerpt}".rstrip()
    if not files:
        return " ".join([f"{shown(path)} holds no .py file and no notebook.", *cut(notes)])
    names = [exercise.name for exercise in exercises]
    ids = listed((exercise.id for exercise in exercises), "or")
    said = [f"Nothing in {shown(path)} defines {ids}."]
    for file in files:
        short = (name for name in sorted(set(file.own) - set(names)) if len(name) < 50)
        for name in islice(short, 100):  # comparing takes time, and a stranger sets how many
            if near := difflib.get_close_matches(name, names, n=1, cutoff=0.8):
                said.append(f"{file.source.path} defines {name}: did you mean {near[0]}?")
        if imported := sorted(file.source.defines.intersection(names) - set(file.own)):
            said.append(f"{file.source.path} imports {listed(imported)}: write it there yourself.")
    if homes:
        said.append(f"It defines {listed(sorted(homes))}: name one of these as the target.")
    return " ".join([*cut(said), *cut([p.message for p in problems]), *cut(notes)])
