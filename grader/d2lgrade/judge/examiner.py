"""Examines one submission, check by check, and decides each verdict."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
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

from . import idleness, programs, verdict
from .benches import Bench, LocalBench, resolver
from .flags import spoils_testimony
from .imports import Imports
from .reach import reached
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
class Judged:
    """What running a check came to: the attempt that decided it, prints, and whose help it had."""

    outcome: Outcome
    attempt: Attempt | None = None
    printed: str = ""
    credited_with: tuple[str, ...] = ()


@dataclass(frozen=True)
class Examined:
    """A check's result, with the exception to show where pytest reports it, and its credit.

    `called` tells whether the learner's code was called at all: the Rules are read, not run.
    """

    result: CheckResult
    error: BaseException | None = None
    credited_with: tuple[str, ...] = ()
    called: bool = False


class Examiner:
    """Runs checks of one submission on a bench.

    Args:
        course: the kit.
        submission: whose code it is.
        bench: runs the code.
        functions: check id → test function, for all that may be needed (predecessors too).
        seed: rotates every input.
        diagnose: whether to look for misconceptions.
        idle: check id → what `idle` found, to be shared by the examiners of one run.
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
        idle: dict[str, bool] | None = None,
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
        self._idle = {} if idle is None else idle
        self._examined: dict[str, Examined] = {}
        self._named_before: dict[str, str] = {}  # exercise id → slug of the mistake found last
        self._hangs: Counter[tuple[str, bool]] = Counter()
        self._imports = Imports(submission, bench)

    def examine(self, check: catalog.Check) -> Examined:
        """The verdict of one check, credit and diagnosis included; each check is run once."""
        if check.id not in self._examined:
            self._examined[check.id] = self._examine(check)
        return self._examined[check.id]

    def idle(self, id: str) -> bool:
        """Whether code that does nothing at all passes this check."""
        if id not in self._idle:
            exercise = self.course.exercise(id.rpartition("/")[0])
            check = next(c for c in exercise.checks if c.id == id)
            tried = (
                self._attempt(check, self._answering(exercise, answer)) for answer in idleness.BOTH
            )
            self._idle[id] = any(attempt.error is None for attempt in tried)
        return self._idle[id]

    def _examine(self, check: catalog.Check) -> Examined:
        started = time.perf_counter()
        exercise = self.course.exercise(check.exercise)
        self.bench.printed()
        outcome = self._unusable(exercise)
        if outcome is None and self.functions[check.id].testimony:
            outcome = self._no_witness(exercise)
        judged = Judged(outcome) if outcome is not None else self._judged(check, exercise)
        outcome, attempt = judged.outcome, judged.attempt
        error = attempt.error if attempt else None
        if attempt is not None and error is not None:
            outcome = self._explained(check, exercise, attempt, outcome)
        printed = judged.printed + self.bench.printed()
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
        called = attempt is not None and attempt.transcript.last is not None
        return Examined(result, error, judged.credited_with, called)

    def _judged(self, check: catalog.Check, exercise: catalog.Exercise) -> Judged:
        """The outcome of running a check, if need be with substitutes for failing predecessors.

        Where a predecessor fails too, the failure told is the one that is left with substitutes:
        the exercise's own.
        """
        judged = self._tried(check, exercise, ())
        if judged.outcome.status in ("passed", "skipped", "grader_error"):
            return judged
        before = self.course.predecessors(exercise)
        failing = tuple(p.id for p in before if not self._sound(p, check.kind))
        if not failing:
            return judged
        again = self._tried(check, exercise, failing)
        credited = failing if again.outcome.status == "passed" else ()
        return replace(again, printed=judged.printed, credited_with=credited)

    def _tried(
        self, check: catalog.Check, exercise: catalog.Exercise, bound: tuple[str, ...]
    ) -> Judged:
        """One run of a check, unless the exercise has been waited for often enough."""
        hangs = (exercise.id, bool(bound))
        if self._hangs[hangs] >= HANGS:
            message = f"Not tried: {exercise.name} gave no answer in {HANGS} checks before."
            return Judged(Outcome("timeout", Failure(message)))
        attempt = self._attempt(check, self.bench.student(exercise.chapter, bound))
        if isinstance(attempt.error, ContestantLost):
            self.bench.discard()
            attempt.error.frames = self._imports.own(attempt.error.frames)
            home = self.submission.homes[exercise.id]
            culprit = self._imports.culprit(home, attempt.error)
            if culprit is not None and culprit != home:  # now it fails at once
                return self._tried(check, exercise, bound)
            if culprit is not None and attempt.error.status != "timeout":
                outcome = self._imports.ended(home, attempt.error)
                return Judged(outcome, attempt, self.bench.printed())
        outcome = self._outcome(check, exercise, attempt)
        if outcome.status == "timeout":
            self._hangs[hangs] += 1
        return Judged(outcome, attempt, self.bench.printed())

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
        if refused := self._imports.refused(home):
            return refused
        if source.problem is None:
            todo = unwritten(source.text, exercise.name)
            return Outcome("todo", Failure(todo)) if todo else None
        problem = source.problem
        absent = problem.kind in ("empty", "missing")
        excerpt = tuple(problem.excerpt.splitlines())
        return Outcome("todo" if absent else "error", Failure(problem.message, traceback=excerpt))

    def _no_witness(self, exercise: catalog.Exercise) -> Outcome | None:
        """The outcome of a check whose witness, the learner's process, has been tampered with."""
        home = self.submission.homes[exercise.id]
        for file in reversed(reached(programs.files(self.submission), home)):
            if self._imports.refused(file.key):
                continue  # it does not run
            if name := spoils_testimony(file.text):
                message = (
                    f"{'Your file' if file.key == home else file.path} uses {name}, which can "
                    "change what this check observes inside your process; the point is given for "
                    "code that keeps to its own work."
                )
                return Outcome("failed", Failure(message))
        return None

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
        if isinstance(error, Failed):
            return self._failed(error)
        try:
            named, limits = self._named(exercise.chapter), self.bench.limits
            return verdict.outcome(error, transcript, exercise, named, limits)
        except verdict.Unexplained:
            again = self._attempt(check, self._reference.student(exercise.chapter))
            if again.error is None:
                return verdict.misused(error, transcript, self._named(exercise.chapter))
            return verdict.grader_error(error)

    def _failed(self, error: Failed) -> Outcome:
        """pytest's own failure: the backstop timeout, or `pytest.raises` without an exception."""
        text = str(error)
        if text.startswith("Timeout"):
            self.bench.discard()
            return Outcome("timeout", Failure("The check as a whole took too long."))
        return Outcome("failed", Failure(text))

    def _named(self, chapter: str) -> Callable[[str], catalog.Exercise]:
        resolve = resolver(self.course, chapter)
        return lambda name: self.course.exercise(resolve(name))

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
        # A mistake that explained one check mostly explains the next: it is tried first.
        before = self._named_before.get(exercise.id)
        candidates.sort(key=lambda candidate: candidate.slug != before)
        try:
            found = diagnosis.recognised(
                candidates,
                check.name,
                attempt.transcript,
                attempt.error,
                lambda candidate: self._replay(check, exercise, candidate),
            )
        except Exception:  # what a stranger returned may not let itself be compared
            found = None
        if found is None:
            return outcome
        self._named_before[exercise.id] = found.slug
        failure = replace(outcome.failure, why=found.explanation, misconception=found.slug)
        return replace(outcome, failure=failure)

    def _replay(
        self, check: catalog.Check, exercise: catalog.Exercise, candidate: Misconception
    ) -> tuple[Transcript, BaseException | None]:
        attempt = self._attempt(check, self._answering(exercise, candidate.answer))
        return attempt.transcript, attempt.error

    def _answering(self, exercise: catalog.Exercise, answer: Any) -> Student:
        """The reference with another answer to one exercise, in this process."""
        return diagnosis.student_with(
            programs.reference(self.course),
            exercise.id,
            answer,
            resolver(self.course, exercise.chapter),
        )


def _cut(text: str) -> str:
    if len(text) <= STDOUT_LIMIT:
        return text
    return f"{text[:STDOUT_LIMIT]}\n… ({len(text) - STDOUT_LIMIT} more characters)"


NOTHING_YET = "Counts as soon as a core check passes that needs your code to do its work."


def earned(
    found: Sequence[Examined], idle: Callable[[str], bool] = lambda id: False
) -> list[CheckResult]:
    """The results of one exercise, with points only for work.

    Code that breaks no Rule, leaves its arguments alone, or refuses whatever it is given, has done
    nothing yet: until a core check passes that needs work, such checks earn nothing.

    Args:
        found: the checks of one exercise.
        idle: whether code that does nothing passes the check with this id.
    """
    core = [f for f in found if f.result.kind == "core"]
    passed = [f for f in core if f.called and f.result.status == "passed"]
    whole = all(f.result.status == "passed" for f in core)
    works = passed and (whole or any(not idle(f.result.id) for f in passed))
    return [
        f.result
        if works or f.result.status != "passed"
        else replace(f.result, status="skipped", points=0.0, failure=Failure(NOTHING_YET))
        for f in found
    ]
