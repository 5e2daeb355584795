"""Examines one submission, check by check, and decides each verdict."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from _pytest.outcomes import Failed, Skipped

from d2lgrade import catalog, diagnosis
from d2lgrade.catalog import Course
from d2lgrade.results import CheckResult, Failure
from d2lgrade.student.calls import Transcript
from d2lgrade.student.faults import ContestantLost, StudentError
from d2lgrade.student.namespace import Student
from d2lgrade.submission import Submission
from d2lgrade.testkit.compare import Mismatch
from d2lgrade.testkit.misconceptions import Misconception

from . import programs, verdict
from .benches import Bench, LocalBench, predecessors, resolver
from .flags import spoils_testimony
from .seeds import seeded
from .unwritten import unwritten
from .verdict import Outcome

HANGS = 2  # after so many, the rest of an exercise is not waited for
STDOUT_LIMIT = 4000


@dataclass(frozen=True)
class Function:
    """A check's test function.

    `reference`: it asks for that fixture too. `slow`: it trains a network. `testimony`: it rests on
    what is observed inside the learner's process.
    """

    call: Callable[..., None]
    reference: bool = False
    slow: bool = False
    testimony: bool = False


@dataclass(frozen=True)
class Attempt:
    """One run of a check: what it raised (None: nothing) and the calls made."""

    error: BaseException | None
    transcript: Transcript


@dataclass(frozen=True)
class Examined:
    """A check's result, with the exception to show where pytest reports it, and its credit."""

    result: CheckResult
    error: BaseException | None = None
    credited_with: tuple[str, ...] = ()


class Examiner:
    """Runs checks of one submission on a bench.

    Args:
        course: the kit.
        submission: whose code it is.
        bench: runs the code.
        functions: check id → test function, for all that may be needed (predecessors too).
        seed: rotates every input.
        diagnose: whether to look for misconceptions.
    """

    def __init__(
        self,
        course: Course,
        submission: Submission,
        bench: Bench,
        functions: Mapping[str, Function],
        *,
        seed: int = 0,
        diagnose: bool = True,
    ) -> None:
        self.course = course
        self.submission = submission
        self.bench = bench
        self.functions = functions
        self.seed = seed
        self.diagnose = diagnose
        self._reference = LocalBench(
            course, lambda bound: programs.reference(course), prefix="d2lgrade_reference_"
        )
        self._examined: dict[str, Examined] = {}
        self._hangs: dict[str, int] = {}

    def examine(self, check: catalog.Check) -> Examined:
        """The verdict of one check, credit and diagnosis included; each check is run once."""
        if check.id not in self._examined:
            self._examined[check.id] = self._examine(check)
        return self._examined[check.id]

    def _examine(self, check: catalog.Check) -> Examined:
        started = time.perf_counter()
        exercise = self.course.exercise(check.exercise)
        self.bench.printed()
        credited: tuple[str, ...] = ()
        attempt: Attempt | None = None
        outcome = self._unusable(exercise)
        runnable = outcome is None
        if outcome is None and self._hangs.get(exercise.id, 0) >= HANGS:
            outcome = Outcome(
                "timeout",
                Failure(f"Not tried: {exercise.name} gave no answer in {HANGS} checks before."),
            )
        if outcome is None and self.functions[check.id].testimony:
            outcome = self._no_witness(exercise)
        if outcome is None:
            attempt = self._attempt(check, self.bench.student(exercise.chapter))
            outcome = self._outcome(check, exercise, attempt)
        printed = self.bench.printed()
        if outcome.status == "timeout" and attempt is not None:
            self._hangs[exercise.id] = self._hangs.get(exercise.id, 0) + 1
        if runnable and outcome.status not in ("passed", "skipped", "grader_error"):
            credited = self._credit(check, exercise)
            if credited:
                outcome = verdict.PASSED
            elif attempt is not None and attempt.error is not None:
                outcome = self._explained(check, exercise, attempt, outcome)
        result = CheckResult(
            id=check.id,
            title=self.title(check),
            kind=check.kind,
            status=outcome.status,
            points=check.points if outcome.status in ("passed", "grader_error") else 0.0,
            max_points=check.points,
            failure=outcome.failure,
            hint=f"d2lgrade hint {exercise.name}"
            if outcome.status not in ("passed", "skipped")
            else "",
            stdout=_cut(printed),
            seconds=time.perf_counter() - started,
        )
        return Examined(result, attempt.error if attempt and not credited else None, credited)

    def title(self, check: catalog.Check) -> str:
        """The first line of the test's docstring; its name where it has none."""
        function = self.functions.get(check.id)
        text = (function.call.__doc__ or "") if function else ""
        return text.strip().partition("\n")[0] or check.name

    def _unusable(self, exercise: catalog.Exercise) -> Outcome | None:
        """The outcome where there is no code to run; None where there is."""
        home = self.submission.homes.get(exercise.id)
        source = self.submission.sources.get(home) if home is not None else None
        if source is None:
            if self.submission.partial:
                return Outcome("skipped", Failure(f"Your file does not define {exercise.name}."))
            return Outcome("todo", Failure(f"There is no {exercise.file}.py here yet."))
        if source.problem is None:
            todo = unwritten(source.text, exercise.name)
            return Outcome("todo", Failure(todo)) if todo else None
        problem = source.problem
        absent = problem.kind in ("empty", "missing")
        excerpt = tuple(problem.excerpt.splitlines())
        return Outcome("todo" if absent else "error", Failure(problem.message, traceback=excerpt))

    def _no_witness(self, exercise: catalog.Exercise) -> Outcome | None:
        """The outcome of a check whose witness, the learner's process, has been tampered with."""
        text = self.submission.sources[self.submission.homes[exercise.id]].text
        name = spoils_testimony(text)
        if not name:
            return None
        message = (
            f"Your file uses {name}, which can change what this check observes inside your process; "
            "the point is given for code that leaves torch's dispatch alone."
        )
        return Outcome("failed", Failure(message))

    def _attempt(self, check: catalog.Check, student: Student) -> Attempt:
        """Run the check's function once on `student`."""
        function = self.functions[check.id]
        arguments: dict[str, Any] = {"student": student}
        if function.reference:
            arguments["reference"] = self._reference.student(check.id.partition("/")[0])
        try:
            with seeded(check.id, self.seed, student.seeded):
                function.call(**arguments)
        except (Exception, Failed, Skipped) as error:
            return Attempt(error, student.transcript)
        return Attempt(None, student.transcript)

    def _outcome(
        self, check: catalog.Check, exercise: catalog.Exercise, attempt: Attempt
    ) -> Outcome:
        error, transcript = attempt.error, attempt.transcript
        if error is None:
            return verdict.PASSED
        if isinstance(error, Skipped):
            return Outcome("skipped", Failure(str(error)))
        if isinstance(error, ContestantLost):
            self.bench.discard()
        if isinstance(error, Failed):
            return self._failed(error)
        try:
            return verdict.outcome(error, transcript, exercise, self._named(exercise.chapter))
        except verdict.Unexplained:
            again = self._attempt(check, self._reference.student(exercise.chapter))
            if again.error is None:
                return verdict.misused(error, transcript, self._named(exercise.chapter))
            return verdict.grader_error(error)

    def _failed(self, error: Failed) -> Outcome:
        """pytest's own failure: the backstop timeout, or a `pytest.raises` that saw no exception."""
        text = str(error)
        if text.startswith("Timeout"):
            self.bench.discard()
            return Outcome("timeout", Failure("The check as a whole took too long."))
        return Outcome("failed", Failure(text))

    def _named(self, chapter: str) -> Callable[[str], catalog.Exercise]:
        resolve = resolver(self.course, chapter)
        return lambda name: self.course.exercise(resolve(name))

    def _credit(self, check: catalog.Check, exercise: catalog.Exercise) -> tuple[str, ...]:
        """The failing predecessors with whose substitutes this check passes; empty if it fails still."""
        before = predecessors(self.course, exercise)
        failing = tuple(p.id for p in before if not self._sound(p, check.kind))
        if not failing:
            return ()
        again = self._attempt(check, self.bench.student(exercise.chapter, failing))
        if isinstance(again.error, ContestantLost):
            self.bench.discard()
        return failing if again.error is None else ()

    def _sound(self, exercise: catalog.Exercise, kind: str) -> bool:
        """Whether a predecessor gives no cause to fail a check of this kind.

        Its core checks must pass, credited ones too, and for a polish check all of them: what
        cannot leave the CPU drags along whatever calls it.
        """
        due = [c for c in exercise.checks if kind == "polish" or c.kind == "core"]
        known = [c for c in due if c.id in self.functions]
        return all(self.examine(c).result.status == "passed" for c in known)

    def _explained(
        self,
        check: catalog.Check,
        exercise: catalog.Exercise,
        attempt: Attempt,
        outcome: Outcome,
    ) -> Outcome:
        """The outcome with the misconception that gives the same answers, where one does."""
        judgeable = isinstance(attempt.error, Mismatch | StudentError) and outcome.status in (
            "failed",
            "error",
        )
        if not (self.diagnose and judgeable and outcome.failure) or attempt.error is None:
            return outcome
        candidates = diagnosis.known(self.course, exercise)
        if self.functions[check.id].slow:  # a training run for each candidate would take too long
            candidates = [c for c in candidates if c.signature is not None]
        found = diagnosis.recognised(
            candidates,
            check.name,
            attempt.transcript,
            attempt.error,
            lambda candidate: self._replay(check, exercise, candidate),
        )
        if found is None:
            return outcome
        failure = replace(outcome.failure, why=found.explanation, misconception=found.slug)
        return replace(outcome, failure=failure)

    def _replay(
        self, check: catalog.Check, exercise: catalog.Exercise, candidate: Misconception
    ) -> tuple[Transcript, BaseException | None]:
        student = diagnosis.student_with(
            programs.reference(self.course),
            exercise.id,
            candidate.answer,
            resolver(self.course, exercise.chapter),
        )
        attempt = self._attempt(check, student)
        return attempt.transcript, attempt.error


def _cut(text: str) -> str:
    if len(text) <= STDOUT_LIMIT:
        return text
    return f"{text[:STDOUT_LIMIT]}\n… ({len(text) - STDOUT_LIMIT} more characters)"
