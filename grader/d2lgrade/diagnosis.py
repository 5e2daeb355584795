"""Misconceptions → explanations: which known wrong answer gives exactly what the learner's gave."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from d2lgrade.catalog import Course, Exercise
from d2lgrade.contestant.loader import Loader, Program
from d2lgrade.student.calls import Call, Large, Transcript
from d2lgrade.student.faults import StudentError
from d2lgrade.student.local import LocalLink
from d2lgrade.student.namespace import Exercise as ExerciseProxy
from d2lgrade.student.namespace import Handle, Method, Student
from d2lgrade.testkit.misconceptions import Misconception, misconceptions_in
from d2lgrade.testkit.truth import largest

CLOSE = 1e-4  # relative, in the max norm: the same mistake in another order of operations


class Answers(Loader):
    """A loader of the references in which one exercise is answered by a given object."""

    def __init__(self, program: Program, identity: str, answer: Any) -> None:
        super().__init__(program, prefix="d2lgrade_reference_")
        self._identity = identity
        self._answer = answer

    def exercise(self, identity: str) -> Any:
        """The given answer for its exercise, the reference's for all others."""
        return self._answer if identity == self._identity else super().exercise(identity)


@lru_cache(maxsize=256)
def _module(path: Path, stamp: int) -> ModuleType:
    name = f"d2lgrade_misconceptions_{path.parent.parent.name}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def known(course: Course, exercise: Exercise) -> list[Misconception]:
    """The misconceptions the course holds about an exercise, in the order written."""
    folder = course.section(exercise.file).folder
    path = course.root / "checks" / folder / "misconceptions" / f"{exercise.file}.py"
    if not path.exists():
        return []
    module = _module(path, path.stat().st_mtime_ns)
    return [entry for entry in misconceptions_in(module) if entry.exercise == exercise.name]


def student_with(
    program: Program, identity: str, answer: Any, resolve: Callable[[str], str]
) -> Student:
    """A local student whose answer to one exercise is `answer`; the rest is the references'."""
    link = LocalLink(Answers(program, identity, answer))
    link.student = Student(link, resolve)
    return link.student


def recognised(
    candidates: Sequence[Misconception],
    check: str,
    learner: Transcript,
    error: BaseException,
    replay: Callable[[Misconception], tuple[Transcript, BaseException | None]],
) -> Misconception | None:
    """The first candidate that makes this check fail in just the way the learner's answer did.

    Args:
        check: the check's name.
        learner: the calls recorded for the learner.
        error: what the check raised for the learner.
        replay: runs the check on a candidate: its calls, and what the check raised.
    """
    for candidate in candidates:
        if candidate.signature is not None:
            if check in candidate.fails and _signed(candidate, learner.calls):
                return candidate
            continue
        transcript, raised = replay(candidate)
        if (
            raised is not None
            and _alike(error, raised)
            and same_calls(learner.calls, transcript.calls)
        ):
            return candidate
    return None


def _signed(candidate: Misconception, calls: list[Call]) -> bool:
    assert candidate.signature is not None
    try:
        return bool(candidate.signature(calls))
    except Exception:  # a signature looks at what a stranger returned; anything may not fit
        return False


def _alike(one: BaseException, other: BaseException) -> bool:
    """Whether a check ended the same way twice."""
    if isinstance(one, StudentError) and isinstance(other, StudentError):
        return (one.fault.kinds, one.fault.text) == (other.fault.kinds, other.fault.text)
    texts = [(getattr(e, "message", str(e)), getattr(e, "got", "")) for e in (one, other)]
    return type(one).__name__ == type(other).__name__ and texts[0] == texts[1]


def same_calls(one: Sequence[Call], other: Sequence[Call]) -> bool:
    """Whether two transcripts hold the same calls with the same outcomes."""
    return len(one) == len(other) and all(
        a.name == b.name and same_outcome(a, b) for a, b in zip(one, other, strict=True)
    )


def same_outcome(one: Call, other: Call) -> bool:
    """Whether two calls returned the same, or raised the same kind of exception."""
    if (one.error is None) != (other.error is None):
        return False
    if one.error is not None and other.error is not None:
        return _alike(one.error, other.error)
    return _same(one.result, other.result)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return _same_tensor(one, other)
    if isinstance(one, Large) or isinstance(other, Large):
        return bool(one == other)
    if isinstance(one, Handle | Method | ExerciseProxy):
        return isinstance(other, Handle | Method | ExerciseProxy)
    if type(one) is not type(other):
        return False
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, float):
        both_nan = math.isnan(one) and math.isnan(other)
        return bool(both_nan or math.isclose(one, other, rel_tol=CLOSE))
    return bool(one == other)


def _same_tensor(one: torch.Tensor, other: torch.Tensor) -> bool:
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    if not one.is_floating_point():
        return torch.equal(one, other)
    finite = one.isfinite()
    if not torch.equal(finite, other.isfinite()):
        return False
    a, b = one[finite].double(), other[finite].double()
    return largest(a - b) <= CLOSE * max(largest(a), largest(b)) if a.numel() else True
