"""The words that every renderer uses: names, points, marks, counts and sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from d2lgrade.results import CheckResult, ExerciseResult, Failure, Report

MARKS = {
    "passed": "✔",
    "failed": "✘",
    "error": "✘",
    "timeout": "✘",
    "crashed": "✘",
    "todo": "○",
    "skipped": "-",
    "unstable": "~",
    "grader_error": "!",
}
# Said beside the points wherever the mark alone would not tell.
STATUS = {
    "passed": "",
    "failed": "",
    "error": "error",
    "timeout": "timeout",
    "crashed": "crashed",
    "todo": "to do",
    "skipped": "skipped",
    "unstable": "unstable",
    "grader_error": "grader error",
}


@dataclass(frozen=True)
class Group:
    """Checks of one exercise that did not pass and failed in the very same way, in their order."""

    checks: tuple[CheckResult, ...]
    whole: bool  # no check of the exercise stands outside, and there are at least two

    @property
    def first(self) -> CheckResult:
        """The check that speaks for the others."""
        return self.checks[0]

    @property
    def polish(self) -> bool:
        """Whether polish alone is at stake."""
        return all(check.kind == "polish" for check in self.checks)

    @property
    def failure(self) -> Failure | None:
        """What they have in common."""
        return self.first.failure

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for the same failure, whichever exercise it hit."""
        return (self.first.status, self.first.failure, self.first.stdout)


def name_of(identity: str) -> str:
    """The last part of an id: "corr2d" of "ch07/corr2d", "values" of "ch07/corr2d/values"."""
    return identity.rsplit("/", 1)[-1]


def chapter_of(identity: str) -> str:
    """The first part of an id: "ch07"."""
    return identity.split("/", 1)[0]


def points(value: float) -> str:
    """Points as people write them: "4", "3.5"."""
    text = f"{value:.2f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def score(result: CheckResult | ExerciseResult | Sequence[CheckResult]) -> str:
    """Points earned of those there are: "3.5/4"; of several checks, their sum."""
    results = result if isinstance(result, Sequence) else [result]
    earned = sum(item.points for item in results)
    return f"{points(earned)}/{points(sum(item.max_points for item in results))}"


def counted(number: int, noun: str) -> str:
    """ "1 check", "5 checks"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(names: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def credited(exercise: ExerciseResult) -> str:
    """Why it was credited though a predecessor is wrong; empty where that was not needed."""
    names = [name_of(identity) for identity in exercise.credited_with]
    if not names:
        return ""
    if len(names) == 1:
        return f"credited: your {names[0]} is not right yet, so a correct one stood in for it"
    return f"credited: your {listed(names)} are not right yet, so correct ones stood in for them"


def groups(exercise: ExerciseResult) -> tuple[Group, ...]:
    """The checks that did not pass, those that failed for one and the same cause together.

    Checks without a failure to compare stand alone, except those still to do.
    """
    found: dict[object, list[CheckResult]] = {}
    for check in exercise.checks:
        if check.status == "passed":
            continue
        if check.status == "todo":
            key: object = ("todo", check.kind)
        elif check.failure is None:
            key = check.id
        else:
            key = _cause(check.status, check.failure, check.stdout)
        found.setdefault(key, []).append(check)
    total = len(exercise.checks)
    return tuple(Group(tuple(checks), whole=len(checks) == total >= 2) for checks in found.values())


def _cause(status: str, failure: Failure, stdout: str) -> object:
    """What checks must have in common to be told together: one mistake may show in many."""
    if failure.misconception:
        return (status, failure.misconception, stdout)
    if failure.traceback:
        return (status, failure.message, failure.traceback, stdout)
    return (status, failure, stdout)


def tally(report: Report) -> str:
    """ "3 of 12 exercises solved, 4 to do, 1 skipped"."""
    solved = sum(exercise.status == "passed" for exercise in report.exercises)
    text = f"{solved} of {counted(len(report.exercises), 'exercise')} solved"
    for status in ("todo", "skipped"):
        number = sum(exercise.status == status for exercise in report.exercises)
        text += f", {number} {STATUS[status]}" if number else ""
    return text


def fault(report: Report) -> str:
    """The sentence about our own failures; empty where there are none."""
    names = [name_of(e.id) for e in report.exercises if e.status == "grader_error"]
    if not names:
        return ""
    return (
        f"The grader itself failed in {listed(names)}. "
        "That is our fault and costs you nothing; please report it."
    )


def next_exercise(report: Report) -> ExerciseResult | None:
    """The first exercise that the learner can still solve."""
    return next((e for e in report.exercises if e.status in ("failed", "todo")), None)
