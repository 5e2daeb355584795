"""What grading found out: the one model that every renderer reads.

Frozen dataclasses and their JSON form (schema version 1). Imports nothing of ours, so that a
stored report can be read by anything. Times are in seconds, points in the units of chapter.toml.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

SCHEMA = 1

CheckStatus = Literal[
    "passed",
    "failed",
    "error",  # the learner's code raised
    "timeout",  # no answer within the deadline
    "crashed",  # the learner's process ended
    "todo",  # NotImplementedError or a blank
    "skipped",
    "unstable",
    "grader_error",  # our own fault; costs the learner nothing
]
ExerciseStatus = Literal["passed", "failed", "todo", "skipped", "grader_error"]
Kind = Literal["core", "polish"]


@dataclass(frozen=True)
class Argument:
    """One argument of the call that failed: its name, what it is, and its value where small."""

    name: str
    summary: str  # "float32 (2, 3)"
    value: str = ""  # the numbers themselves; empty where they would not fit a few lines


@dataclass(frozen=True)
class Failure:
    """Why a check did not pass, in parts, so that each renderer can lay them out.

    `message` alone must make sense; every other part may be empty. Text parts may hold several
    lines. All of them may carry text that a stranger wrote: renderers make it harmless.
    """

    message: str
    called: str = ""  # "corr2d(X, K)"
    arguments: tuple[Argument, ...] = ()
    expected: str = ""
    got: str = ""
    difference: str = ""  # "3 of 4 differ, first at (0, 0), worst by 4.0"
    map: tuple[str, ...] = ()  # rows of "·" (same) and "#" (differs) of a 2-d result
    why: str = ""  # the explanation of the misconception that was recognised
    misconception: str = ""  # its slug
    traceback: tuple[str, ...] = ()  # the learner's own lines, none of ours
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class CheckResult:
    """The verdict of one check. `id` is "ch07/corr2d/values"."""

    id: str
    title: str
    kind: Kind
    status: CheckStatus
    points: float
    max_points: float
    failure: Failure | None = None
    hint: str = ""  # the command that shows the first hint
    stdout: str = ""  # what the learner's code printed during this check
    seconds: float = 0.0


@dataclass(frozen=True)
class ExerciseResult:
    """The verdict of one exercise: id "ch07/corr2d", `section` its number in the edition used."""

    id: str
    section: str
    title: str
    status: ExerciseStatus
    points: float
    max_points: float
    checks: tuple[CheckResult, ...] = ()
    credited_with: tuple[str, ...] = ()  # predecessors replaced by substitutes to be fair
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Heading:
    """A chapter's or section's number and title, for the renderers' headings."""

    number: str
    title: str


@dataclass(frozen=True)
class Report:
    """One grading of one submission."""

    d2lgrade: str
    target: str
    seed: int
    submission: str
    environment: dict[str, str]
    sandbox: dict[str, Any]
    exercises: tuple[ExerciseResult, ...]
    chapters: dict[str, Heading] = field(default_factory=dict)  # "ch07" -> heading
    sections: dict[str, Heading] = field(default_factory=dict)  # exercise.section -> heading
    seconds: float = 0.0
    notes: tuple[str, ...] = ()  # about the submission as a whole

    @property
    def points(self) -> float:
        """Points earned."""
        return sum(exercise.points for exercise in self.exercises)

    @property
    def max_points(self) -> float:
        """Points there are."""
        return sum(exercise.max_points for exercise in self.exercises)

    @property
    def passed(self) -> bool:
        """Whether every exercise passed; never true of a report without any."""
        return bool(self.exercises) and all(e.status == "passed" for e in self.exercises)

    @property
    def faulty(self) -> bool:
        """Whether the grader itself failed anywhere."""
        return any(e.status == "grader_error" for e in self.exercises)


def exercise_status(checks: tuple[CheckResult, ...]) -> ExerciseStatus:
    """The status of an exercise from its checks: the core checks decide.

    To do only where every check that did not pass is still to do; our own fault outranks all.
    """
    statuses = {check.status for check in checks}
    if "grader_error" in statuses:
        return "grader_error"
    if statuses == {"skipped"}:
        return "skipped"
    costless = ("passed", "skipped", "unstable")
    open_core = [c.status for c in checks if c.kind == "core" and c.status not in costless]
    if not open_core:
        return "passed"
    return "todo" if all(status == "todo" for status in open_core) else "failed"


def failure_text(failure: Failure) -> str:
    """The failure as plain lines, for formats that hold one string (JSON `message`, JUnit)."""
    lines = [failure.message]
    if failure.called:
        lines.append(f"called     {failure.called}")
    lines += [
        f"  {a.name}: {a.summary}{'  ' + a.value if a.value else ''}" for a in failure.arguments
    ]
    lines += [
        f"{label:<10} {text}"
        for label, text in (
            ("expected", failure.expected),
            ("got", failure.got),
            ("differs", failure.difference),
            ("why", failure.why),
        )
        if text
    ]
    lines += [*failure.map, *failure.traceback, *failure.notes]
    return "\n".join(lines)


def to_json(report: Report) -> dict[str, Any]:
    """The report as plain data, schema version 1. Fields may be added; these keep their meaning."""
    return {
        "schema": SCHEMA,
        "d2lgrade": report.d2lgrade,
        "target": report.target,
        "seed": report.seed,
        "submission": report.submission,
        "environment": dict(report.environment),
        "sandbox": dict(report.sandbox),
        "points": report.points,
        "max_points": report.max_points,
        "passed": report.passed,
        "speed": [],
        "notes": list(report.notes),
        "exercises": [_exercise_json(exercise) for exercise in report.exercises],
    }


def _exercise_json(exercise: ExerciseResult) -> dict[str, Any]:
    return {
        "id": exercise.id,
        "section": exercise.section,
        "title": exercise.title,
        "status": exercise.status,
        "points": exercise.points,
        "max_points": exercise.max_points,
        "credited_with": list(exercise.credited_with),
        "flags": list(exercise.flags),
        "checks": [_check_json(check) for check in exercise.checks],
    }


def _check_json(check: CheckResult) -> dict[str, Any]:
    failure = check.failure
    return {
        "id": check.id,
        "title": check.title,
        "kind": check.kind,
        "status": check.status,
        "points": check.points,
        "max_points": check.max_points,
        "message": failure_text(failure) if failure else "",
        "hint": check.hint,
        "misconception": failure.misconception if failure else "",
        "stdout": check.stdout,
        "seconds": round(check.seconds, 4),
    }
