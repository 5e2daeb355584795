"""From a course, a submission and a target to a report: pytest collects once and runs the checks."""

from __future__ import annotations

import contextlib
import io
import os
import platform
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from d2lgrade import __version__
from d2lgrade import submission as submissions
from d2lgrade.catalog import Course, Exercise
from d2lgrade.contestant.loader import Program
from d2lgrade.results import (
    CheckResult,
    ExerciseResult,
    Failure,
    Heading,
    Report,
    exercise_status,
)
from d2lgrade.sandbox.process import ProcessSandbox
from d2lgrade.submission import Submission

from . import plugin, programs
from .benches import Bench, LocalBench, RemoteBench, predecessors
from .examiner import Examined, Examiner, Function

BACKSTOP = 300  # seconds a whole check may take; the deadlines of single calls fire long before
_CONFIGURATION = Path(__file__).with_name("pytest.ini")
# What would let a pytest of the learner's, or their shell, reach into the judge.
_AMBIENT = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_THEME", "PYTEST_DEBUG")


class GraderFault(Exception):
    """The grader cannot judge at all: its own fault or its kit's; the message says what to do."""


@dataclass(frozen=True)
class Order:
    """What to grade.

    Args:
        course: the kit.
        path: the submission.
        exercises: those asked for.
        target: how they were asked for, for the report.
        seed: rotates inputs.
        edition: "en" or "zh", for the numbers in the report.
        in_process: debug mode.
        training: whether checks that train networks are run too.
        diagnose: whether failures are compared with misconceptions.
    """

    course: Course
    path: Path
    exercises: tuple[Exercise, ...]
    target: str = "all"
    seed: int = 0
    edition: str = "en"
    in_process: bool = False
    training: bool = True
    diagnose: bool = True


def bench_for(
    course: Course,
    submission: Submission,
    judged: Sequence[Exercise],
    sandbox: ProcessSandbox | None,
) -> Bench:
    """A bench for a submission: contestants from `sandbox`, or this process where there is none."""

    def program(bound: Collection[str]) -> Program:
        return programs.submitted(course, submission, judged, bound)

    if sandbox is None:
        return LocalBench(course, program, capture=False)
    return RemoteBench(course, program, sandbox)


def examiner(
    course: Course,
    path: Path,
    judged: Sequence[Exercise],
    functions: Mapping[str, Function],
    *,
    seed: int = 0,
    in_process: bool = False,
) -> Examiner:
    """An examiner for the submission at `path`, for a pytest run of its own."""
    submission = submissions.read(path, course, judged)
    sandbox = None if in_process else ProcessSandbox()
    return Examiner(course, submission, bench_for(course, submission, judged, sandbox), functions, seed=seed)


def grade(
    order: Order,
    sandbox: ProcessSandbox | None = None,
    listen: Callable[[CheckResult], None] = lambda result: None,
) -> Report:
    """Grade one submission.

    Args:
        order: what to grade.
        sandbox: where contestants come from; closed by the caller. Unused in debug mode.
        listen: told each check's result as it comes.

    Raises:
        SubmissionError: the submission cannot be read at all.
        GraderFault: the checks could not be collected.
        SandboxError: contestants cannot be started.
    """
    submission = submissions.read(order.path, order.course, order.exercises)
    return next(grade_all(order, [submission], sandbox, listen))


def grade_all(
    order: Order,
    several: Sequence[Submission],
    sandbox: ProcessSandbox | None = None,
    listen: Callable[[CheckResult], None] = lambda result: None,
) -> Iterator[Report]:
    """Grade several submissions on checks that are collected once; one report each, in order."""
    if order.in_process:
        sandbox = None
    elif sandbox is None:
        raise GraderFault("A sandbox is needed to run a submission outside this process.")
    run = _Run(order, several, sandbox, listen)
    needed = {e.id: e for e in order.exercises}
    for exercise in order.exercises:
        needed.update({p.id: p for p in predecessors(order.course, exercise)})
    files = {order.course.section(exercise.file).path for exercise in needed.values()}
    paths = [
        order.course.root / "checks" / Path(path).parent / f"test_{Path(path).name}" for path in sorted(files)
    ]
    said = io.StringIO()
    with _isolated(), contextlib.redirect_stdout(said if not order.in_process else sys.stdout):
        status = pytest.main([*_arguments(order), *map(str, paths)], plugins=[plugin, run])
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) or not run.ran:
        raise GraderFault(
            f"The checks in {order.course.root / 'checks'} could not be run; `d2lgrade dev check` "
            f"tells more. pytest said:\n{said.getvalue().strip()[-3000:]}"
        )
    yield from run.reports


def _arguments(order: Order) -> list[str]:
    capture = ["-s"] if order.in_process else []
    return [
        *capture,
        "-q",
        f"--rootdir={order.course.root}",
        f"-c{_CONFIGURATION}",
        f"--kit={order.course.root}",
        "--noconftest",
        "--import-mode=importlib",
        "--assert=plain",
        "-pno:cacheprovider",
        "-pno:junitxml",
        "-ppytest_timeout",
        "--timeout-method=signal",
        f"--timeout={0 if order.in_process else BACKSTOP}",
    ]


@contextlib.contextmanager
def _isolated() -> Iterator[None]:
    """Keep pytest from the learner's environment and from plugins that happen to be installed."""
    before = dict(os.environ)
    for name in _AMBIENT:
        os.environ.pop(name, None)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class _Run:
    """The judge's own pytest plugin: runs the collected checks once for each submission."""

    def __init__(
        self,
        order: Order,
        several: Sequence[Submission],
        sandbox: ProcessSandbox | None,
        listen: Callable[[CheckResult], None],
    ) -> None:
        self._order = order
        self._several = several
        self._sandbox = sandbox
        self._listen = listen
        self.reports: list[Report] = []
        self.ran = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Every check of the target for every submission, through pytest's own protocol."""
        if session.testsfailed:
            return True  # a check file could not be collected: the caller reports it
        suites = plugin.suites_of(session.config)
        wanted = {exercise.id for exercise in self._order.exercises}
        items: list[tuple[pytest.Item, Any]] = []
        for item in session.items:
            check = suites.check_of(item)
            training = item.get_closest_marker("training") is not None
            if check is not None and check.exercise in wanted and (self._order.training or not training):
                items.append((item, check))
        for submission in self._several:
            self.reports.append(self._grade(suites, submission, items))
        self.ran = True
        return True

    def _grade(
        self, suites: plugin.Suites, submission: Submission, items: list[tuple[pytest.Item, Any]]
    ) -> Report:
        started = time.perf_counter()
        order = self._order
        bench = bench_for(order.course, submission, order.exercises, self._sandbox)
        suites.examiner = Examiner(
            order.course,
            submission,
            bench,
            suites.functions,
            seed=order.seed,
            diagnose=order.diagnose,
        )
        examined: dict[str, Examined] = {}
        try:
            for index, (item, check) in enumerate(items):
                following = items[index + 1][0] if index + 1 < len(items) else None
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                found = item.stash.get(plugin.EXAMINED, None)
                if found is not None:
                    examined[check.id] = found
                    del item.stash[plugin.EXAMINED]
                    self._listen(found.result)
        finally:
            bench.close()
        return self._report(submission, examined, {check.id for _, check in items}, started)

    def _report(
        self, submission: Submission, examined: dict[str, Examined], ran: set[str], started: float
    ) -> Report:
        order = self._order
        exercises = []
        for exercise in order.exercises:
            checks, credited = [], []
            for check in exercise.checks:
                if not order.training and check.id not in ran:
                    continue
                found = examined.get(check.id)
                checks.append(found.result if found else _lost(check))
                credited += found.credited_with if found else ()
            exercises.append(
                ExerciseResult(
                    id=exercise.id,
                    section=exercise.number(order.edition),
                    title=exercise.title,
                    status=exercise_status(tuple(checks)),
                    points=sum(check.points for check in checks),
                    max_points=sum(check.max_points for check in checks),
                    checks=tuple(checks),
                    credited_with=tuple(dict.fromkeys(credited)),
                )
            )
        return Report(
            d2lgrade=__version__,
            target=order.target,
            seed=order.seed,
            submission=submission.name,
            environment=environment(),
            sandbox=self._sandbox.describe() if self._sandbox else {"level": "none"},
            exercises=tuple(exercises),
            chapters=_chapters(order),
            sections=_sections(order),
            seconds=time.perf_counter() - started,
            notes=submission.notes,
        )


def _lost(check: Any) -> CheckResult:
    """The result of a check that never ran: our own fault, and no point lost."""
    failure = Failure("The check did not run; this costs you nothing. Please report it.")
    return CheckResult(
        check.id, check.name, check.kind, "grader_error", check.points, check.points, failure
    )


def _chapters(order: Order) -> dict[str, Heading]:
    used = {exercise.chapter for exercise in order.exercises}
    return {c.id: Heading(c.number(order.edition), c.title) for c in order.course.chapters if c.id in used}


def _sections(order: Order) -> dict[str, Heading]:
    used = {exercise.file for exercise in order.exercises}
    numbered = [(s.numbered(order.edition), s) for s in order.course.sections if s.file in used]
    return {number: Heading(number, section.title) for number, section in numbered}


def environment() -> dict[str, str]:
    """Versions that a result depends on."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "system": f"{platform.system()} {platform.machine()}",
    }
