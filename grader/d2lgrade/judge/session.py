"""From a course, submissions and a target to reports: pytest collects once, runs the checks."""

from __future__ import annotations

import contextlib
import io
import os
import platform
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from d2lgrade import __version__, catalog
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
from .benches import Bench, LocalBench, RemoteBench
from .examiner import Examined, Examiner, Function, earned
from .flags import flags
from .reach import reached

BACKSTOP = 300  # seconds a whole check may take; the deadlines of single calls fire long before
_CONFIGURATION = Path(__file__).with_name("pytest.ini")
# What would let a pytest of the learner's, or their shell, reach into the judge.
_AMBIENT = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_THEME", "PYTEST_DEBUG")


class GraderFault(Exception):
    """The grader cannot judge at all: its own fault or its kit's; the message says what to do."""


@dataclass(frozen=True)
class Job:
    """One submission and how to judge it.

    Args:
        submission: whose code.
        exercises: those asked for.
        training: whether checks that train networks are run too.
        diagnose: whether failures are compared with misconceptions.
        until_failure: stop at the first core or polish check that does not pass.
    """

    submission: Submission
    exercises: tuple[Exercise, ...]
    training: bool = True
    diagnose: bool = True
    until_failure: bool = False


@dataclass(frozen=True)
class Order:
    """What all jobs of a run have in common.

    Args:
        course: the kit.
        target: how the exercises were asked for, for the report.
        seed: rotates inputs.
        edition: "en" or "zh", for the numbers in the report.
        in_process: debug mode.
    """

    course: Course
    target: str = "all"
    seed: int = 0
    edition: str = "en"
    in_process: bool = False


def bench_for(
    course: Course,
    submission: Submission,
    judged: Sequence[Exercise],
    sandbox: ProcessSandbox | None,
    *,
    owned: bool = False,
) -> Bench:
    """A bench for a submission: contestants from `sandbox`, or this process where there is none."""

    def program(bound: Collection[str]) -> Program:
        return programs.submitted(course, submission, judged, bound)

    if sandbox is None:
        return LocalBench(course, program, capture=False)
    return RemoteBench(course, program, sandbox, owned=owned)


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
    torch.set_num_threads(1)
    submission = submissions.read(path, course, judged)
    sandbox = None if in_process else ProcessSandbox()
    bench = bench_for(course, submission, judged, sandbox, owned=True)
    return Examiner(course, submission, bench, functions, seed=seed)


def grade(
    order: Order,
    jobs: Sequence[Job],
    sandbox: ProcessSandbox | None = None,
    listen: Callable[[CheckResult], None] = lambda result: None,
) -> list[Report]:
    """Judge several submissions on checks that are collected once; one report each, in order.

    Args:
        order: what they have in common.
        jobs: the submissions.
        sandbox: where contestants come from; closed by the caller. Unused in debug mode.
        listen: told each check's result as it comes.

    Raises:
        GraderFault: the checks could not be collected.
        SandboxError: contestants cannot be started.
    """
    if order.in_process:
        sandbox = None
    elif sandbox is None:
        raise GraderFault("A sandbox is needed to run a submission outside this process.")
    else:
        sandbox.prepare()
    torch.set_num_threads(1)  # results must not depend on how many cores there are
    run = _Run(order, jobs, sandbox, listen)
    paths = _suites(order.course, {e.id: e for job in jobs for e in job.exercises}.values())
    said = io.StringIO()
    with _isolated(), contextlib.ExitStack() as quiet:
        if not order.in_process:
            quiet.enter_context(contextlib.redirect_stdout(said))
            quiet.enter_context(contextlib.redirect_stderr(said))
        status = pytest.main([*_arguments(order), *map(str, paths)], plugins=[plugin, run])
    if status == pytest.ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) or not run.ran:
        raise GraderFault(
            f"The checks in {order.course.root / 'checks'} could not be run; `d2lgrade dev check` "
            f"tells more. pytest said:\n{said.getvalue().strip()[-3000:]}"
        )
    return run.reports


def _suites(course: Course, exercises: Iterable[Exercise]) -> list[Path]:
    """The check files that judge these exercises and what they build on; all of them are there."""
    needed: dict[str, Exercise] = {}
    try:
        for exercise in exercises:
            needed[exercise.id] = exercise
            needed.update({p.id: p for p in course.predecessors(exercise)})
        sections = {s.file: s for s in (course.section(e.file) for e in needed.values())}
        catalog.demand_files(course, sections.values())
    except catalog.CatalogError as error:
        raise GraderFault(str(error)) from None
    return sorted(
        course.root / "checks" / s.folder / f"test_{s.file}.py" for s in sections.values()
    )


def _arguments(order: Order) -> list[str]:
    return [
        "-q",
        "-s",  # contestants' prints are captured elsewhere; checks do not print
        f"--rootdir={order.course.root}",
        f"-c{_CONFIGURATION}",
        f"--kit={order.course.root}",
        "--noconftest",
        "--import-mode=importlib",
        "--assert=plain",
        "-pno:cacheprovider",
        "-pno:junitxml",
        "-pno:logging",
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
        for name in [name for name in sys.modules if name.split(".")[0] == "checks"]:
            del sys.modules[name]  # another kit's check files bear the same names
        os.environ.clear()
        os.environ.update(before)


class _Run:
    """The judge's own pytest plugin: runs the collected checks once for each submission."""

    def __init__(
        self,
        order: Order,
        jobs: Sequence[Job],
        sandbox: ProcessSandbox | None,
        listen: Callable[[CheckResult], None],
    ) -> None:
        self._order = order
        self._jobs = jobs
        self._sandbox = sandbox
        self._listen = listen
        self._idle: dict[str, bool] = {}  # as `Examiner.idle` finds it, for all jobs
        self.reports: list[Report] = []
        self.ran = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Every check of every job, through pytest's own protocol."""
        if session.testsfailed:
            return True  # a check file could not be collected: the caller reports it
        suites = plugin.suites_of(session.config)
        matched = [(item, suites.check_of(item)) for item in session.items]
        for job in self._jobs:
            wanted = {exercise.id for exercise in job.exercises}
            items = [
                (item, check)
                for item, check in matched
                if check is not None
                and check.exercise in wanted
                and (job.training or item.get_closest_marker("training") is None)
            ]
            self.reports.append(self._judge(suites, job, items))
            _forget(session.config)
        self.ran = True
        return True

    def _judge(
        self, suites: plugin.Suites, job: Job, items: list[tuple[pytest.Item, catalog.Check]]
    ) -> Report:
        started = time.perf_counter()
        order = self._order
        bench = bench_for(order.course, job.submission, job.exercises, self._sandbox)
        suites.examiner = examiner = Examiner(
            order.course,
            job.submission,
            bench,
            suites.functions,
            seed=order.seed,
            diagnose=job.diagnose,
            idle=self._idle,
        )
        examined: dict[str, Examined] = {}
        due: set[str] = set()
        try:
            for index, (item, check) in enumerate(items):
                due.add(check.id)
                # What may be a job's last item must leave nothing set up for the next job's first.
                last = job.until_failure or index + 1 == len(items)
                following = None if last else items[index + 1][0]
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                found = item.stash.get(plugin.EXAMINED, None)
                if found is None:
                    continue
                examined[check.id] = found
                del item.stash[plugin.EXAMINED]
                self._listen(found.result)
                if job.until_failure and found.result.status != "passed":
                    break
        finally:
            bench.close()
        return self._report(job, examiner, examined, due, started)

    def _report(
        self,
        job: Job,
        examiner: Examiner,
        examined: dict[str, Examined],
        due: set[str],
        started: float,
    ) -> Report:
        order = self._order
        exercises = []
        for exercise in job.exercises:
            found: list[Examined] = []
            for check in exercise.checks:
                if check.id in examined:
                    found.append(examined[check.id])
                elif check.id in due:
                    found.append(Examined(_lost(check)))
            checks = earned(found, examiner.idle)
            credited = [identity for one in found for identity in one.credited_with]
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
                    flags=_flags(job.submission, exercise),
                )
            )
        return Report(
            d2lgrade=__version__,
            target=order.target,
            seed=order.seed,
            submission=job.submission.name,
            environment=environment(),
            sandbox=self._sandbox.describe() if self._sandbox else {"level": "none"},
            exercises=tuple(exercises),
            chapters=_chapters(order, job.exercises),
            sections=_sections(order, job.exercises),
            seconds=time.perf_counter() - started,
            notes=job.submission.notes,
        )


def _forget(config: pytest.Config) -> None:
    """Drop the reports that pytest keeps of every phase of every item, for its own summary."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.stats.clear()


def _flags(submission: Submission, exercise: Exercise) -> tuple[str, ...]:
    """The flags of an exercise's file, and of the helpers that it imports, by their names."""
    home = submission.homes.get(exercise.id, "")
    source = submission.sources.get(home)
    found = list(flags(source.text)) if source is not None else []
    for file in reached(programs.files(submission), home):
        if file.key not in submission.homes.values():
            found += [f"{Path(file.path).name}, {flag}" for flag in flags(file.text)]
    return tuple(found)


def _lost(check: Any) -> CheckResult:
    """The result of a check that never ran: our own fault, and no point lost."""
    failure = Failure("The check did not run; this costs you nothing. Please report it.")
    return CheckResult(
        check.id, check.name, check.kind, "grader_error", check.points, check.points, failure
    )


def _chapters(order: Order, exercises: tuple[Exercise, ...]) -> dict[str, Heading]:
    used = {exercise.chapter for exercise in exercises}
    chapters = [chapter for chapter in order.course.chapters if chapter.id in used]
    return {c.id: Heading(c.number(order.edition), c.title) for c in chapters}


def _sections(order: Order, exercises: tuple[Exercise, ...]) -> dict[str, Heading]:
    used = {exercise.file for exercise in exercises}
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
