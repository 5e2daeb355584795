"""What a feedback level holds back: one reduction of the report, before any renderer sees it.

- `full`: everything.
- `hints`: no value that could give an answer away (expected, got, their difference, the values of
  the arguments); the message, the explanation, the map of where they differ and the hint remain,
  as do the learner's own prints and traceback.
- `score`: statuses and points. No message, no hint, no prints, no name of a misconception.

A reduction of what is shown, not a boundary of trust: a learner may print what they were passed.
"""

from __future__ import annotations

from dataclasses import replace

from d2lgrade.results import CheckResult, ExerciseResult, Failure, Report

LEVELS = ("full", "hints", "score")


def held_back(report: Report, feedback: str) -> Report:
    """The report as this feedback level may show it.

    Raises:
        ValueError: no such level; the message names those there are.
    """
    if feedback not in LEVELS:
        raise ValueError(f"no feedback level {feedback!r}; choose one of {', '.join(LEVELS)}")
    if feedback == "full":
        return report
    return replace(report, exercises=tuple(_exercise(e, feedback) for e in report.exercises))


def _exercise(exercise: ExerciseResult, feedback: str) -> ExerciseResult:
    reduced = _score if feedback == "score" else _hints
    return replace(exercise, checks=tuple(reduced(check) for check in exercise.checks))


def _score(check: CheckResult) -> CheckResult:
    return replace(check, failure=None, hint="", stdout="")


def _hints(check: CheckResult) -> CheckResult:
    return replace(check, failure=_without_values(check.failure) if check.failure else None)


def _without_values(failure: Failure) -> Failure:
    arguments = tuple(replace(argument, value="") for argument in failure.arguments)
    repeated = failure.difference and failure.message.strip() == failure.difference.strip()
    return replace(
        failure,
        message="The result differs from the expected one." if repeated else failure.message,
        arguments=arguments,
        expected="",
        got="",
        difference="",
    )
