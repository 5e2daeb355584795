"""Programs (see `contestant.loader`) from a submission, the references, misconceptions."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import replace
from functools import cache
from pathlib import Path

from d2lgrade.catalog import Course, Exercise
from d2lgrade.contestant.loader import File, Program
from d2lgrade.submission import Submission

LEFT_OUT = "<left out>"  # the name of a file that is not run; no traceback shows it


def phrases(course: Course) -> dict[str, str]:
    """How the `d2l` stand-in names each exercise in its sentence."""
    return {
        exercise.name: f"exercise {exercise.id} ({exercise.section}), {exercise.file}.py"
        for exercise in course.exercises
    }


def submitted(
    course: Course,
    submission: Submission,
    judged: Collection[Exercise],
    bound: Collection[str] = (),
) -> Program:
    """The program of a submission, with the predecessors in `bound` replaced by substitutes."""
    return replace(
        files(submission),
        phrases=phrases(course),
        judged=tuple(exercise.id for exercise in judged),
        substitutes=substitutes(course, bound),
        bound=tuple(sorted(bound)),
    )


def files(submission: Submission) -> Program:
    """The bare program of a submission: its usable files, and which exercise lives in which."""
    usable = {key: s for key, s in submission.sources.items() if s.problem is None}
    return Program(
        files={key: File(key, source.path, source.text) for key, source in usable.items()},
        homes=dict(submission.homes),
    )


def substitutes(course: Course, bound: Collection[str]) -> str:
    """The source of the substitutes for these exercises, chapter by chapter; empty for none."""
    folders = sorted({course.section(course.exercise(i).file).folder for i in bound})
    texts = [(course.root / "checks" / folder / "substitutes.py") for folder in folders]
    return "\n".join(path.read_text(encoding="utf-8") for path in texts)


@cache
def _solution(path: Path, stamp: int) -> str:
    return path.read_text(encoding="utf-8")


def reference(course: Course) -> Program:
    """The program of the master solutions."""
    files = {}
    for section in course.sections:
        path = course.root / "solutions" / section.path
        if path.exists():
            text = _solution(path, path.stat().st_mtime_ns)
            files[section.file] = File(section.file, str(path), text)
    homes = {exercise.id: exercise.file for exercise in course.exercises}
    return Program(files, homes, phrases(course))


def with_file(program: Program, key: str, text: str) -> Program:
    """The same program with the text of one file replaced."""
    files = {**program.files, key: replace(program.files[key], text=text)}
    return replace(program, files=files)


def without(program: Program, key: str, reason: str) -> Program:
    """The same program in which importing one file raises ImportError with this reason.

    What imports it gets its exercises as broken ones, unless they are bound to substitutes.
    """
    path = os.path.join(os.path.dirname(program.files[key].path), LEFT_OUT)
    file = File(key, path, f"raise ImportError({reason!r})\n")
    return replace(program, files={**program.files, key: file})
