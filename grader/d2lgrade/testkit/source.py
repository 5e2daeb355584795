"""The Rules line of a contract, read off the learner's source."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from d2lgrade.student.namespace import Exercise

from .compare import Mismatch
from .rules import defined_in, forbidden_calls


def assert_rules(student: Any, exercise: str, forbidden: Iterable[str]) -> None:
    """Fail where the source of `exercise` names a function that its Rules forbid.

    Read by the judge, so that nothing the submission does at run time matters. What it is called
    by indirection shows only at run time: `Standing.rules_watched` looks there. Other exercises of
    the same file answer to Rules of their own.
    """
    source = student.source_of(exercise)
    apart = [
        name for name in defined_in(source) if _is_exercise(student, name) and name != exercise
    ]
    found = forbidden_calls(source, [exercise], forbidden, apart)
    if found:
        line, spelled = found[0]
        raise Mismatch(
            f"Line {line} uses {spelled}, which the Rules of {exercise} rule out: the point of "
            "this exercise is to write it yourself."
        )


def _is_exercise(student: Any, name: str) -> bool:
    return isinstance(getattr(student, name, None), Exercise)
