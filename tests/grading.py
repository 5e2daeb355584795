"""Grades answers end to end for tests: the course's solutions with some of their files replaced.

Many submissions are graded in one run (`Grader.grade`), since collecting the checks and starting
contestants cost far more than the checks themselves.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from d2lgrade import catalog, diagnosis, master
from d2lgrade.author import proof
from d2lgrade.catalog import Course, Exercise
from d2lgrade.judge.session import Job, Order, grade
from d2lgrade.results import CheckResult, ExerciseResult, Report
from d2lgrade.sandbox.limits import Limits
from d2lgrade.sandbox.process import ProcessSandbox
from d2lgrade.submission import read

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Case:
    """A submission and the exercises to judge it by.

    Args:
        files: stem of a section → its new text; bytes as they are; None takes the file away.
        targets: exercises, sections or chapters, as on the command line.
        beside: path in the submission's folder → text of a further file there.
        whole: whether all other sections are there as well, as their solutions.
    """

    files: Mapping[str, str | bytes | None]
    targets: tuple[str, ...]
    beside: Mapping[str, str] = field(default_factory=dict)
    whole: bool = True


class Grader:
    """One course and a warm sandbox for each level and set of limits; `close` ends them."""

    def __init__(self, root: Path = ROOT) -> None:
        self.course: Course = catalog.load(root)
        self._sandboxes: dict[tuple[str, Limits], ProcessSandbox] = {}

    def sandbox(self, limits: Limits | None = None, level: str = "process") -> ProcessSandbox:
        """The sandbox of this level with these limits, started on first use."""
        key = (level, limits or Limits())
        if key not in self._sandboxes:
            self._sandboxes[key] = sandbox_class(level)(key[1])
            self._sandboxes[key].start()
        return self._sandboxes[key]

    def exercises(self, *targets: str) -> tuple[Exercise, ...]:
        """What the targets name, in course order."""
        return catalog.resolve(self.course, targets)

    def grade(
        self,
        cases: Sequence[Case],
        *,
        limits: Limits | None = None,
        level: str = "process",
        seed: int = 0,
        training: bool = False,
        until_failure: bool = False,
        in_process: bool = False,
    ) -> list[Report]:
        """One report for each case, all of them from a single run of the checks."""
        with tempfile.TemporaryDirectory() as folder:
            jobs: list[Job] = []
            made: dict[int, Job] = {}  # a case that comes again is read once
            for number, case in enumerate(cases):
                if id(case) not in made:
                    place = Path(folder) / f"answer{number}"
                    exercises = self.exercises(*case.targets)
                    submission = read(self._laid_out(case, place), self.course, exercises)
                    job = Job(submission, exercises, training, until_failure=until_failure)
                    made[id(case)] = job
                jobs.append(made[id(case)])
            order = Order(self.course, seed=seed, in_process=in_process)
            return grade(order, jobs, None if in_process else self.sandbox(limits, level))

    def _laid_out(self, case: Case, folder: Path) -> Path:
        path = self.overlaid(case.files, folder, case.whole)
        for name, text in case.beside.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_text(text, encoding="utf-8", errors="surrogatepass")
        return path

    def overlaid(
        self, files: Mapping[str, str | bytes | None], folder: Path, whole: bool = True
    ) -> Path:
        """A copy of the solutions at `folder` with some files replaced or taken away.

        Not `whole`: only these files, each where it belongs.
        """
        if whole:
            shutil.copytree(self.course.root / "solutions", folder, ignore=_compiled)
        for stem, text in files.items():
            path = folder / self.course.section(stem).path
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                path.unlink()
            else:
                path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return folder

    def solution(self, stem: str) -> str:
        """The master's text of a section."""
        path = self.course.root / "solutions" / self.course.section(stem).path
        return path.read_text("utf-8")

    def stub(self, stem: str, level: master.Level = "open") -> str:
        """The stub that a learner begins with."""
        return master.stub(self.solution(stem), level)

    def planted(self, exercise: str, slug: str) -> dict[str, str | bytes | None]:
        """The files of a submission in which one misconception answers an exercise."""
        [found] = self.exercises(exercise)
        entry = next(m for m in diagnosis.known(self.course, found) if m.slug == slug)
        return {found.file: proof.planted_source(self.course, found, entry)}

    def close(self) -> None:
        """End every sandbox."""
        for sandbox in self._sandboxes.values():
            sandbox.close()


def sandbox_class(level: str) -> type[ProcessSandbox]:
    """The class of a sandbox level."""
    if level == "process":
        return ProcessSandbox
    strict: type[ProcessSandbox] = import_module("d2lgrade.sandbox.strict").StrictSandbox
    return strict


def redefined(text: str, name: str, parameters: str, body: str) -> str:
    """A section's text in which a later definition of `name` takes the place of the first."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"{text}\n\ndef {name}({parameters}):\n{lines}"


_compiled = shutil.ignore_patterns("__pycache__", "*.pyc")


def exercise_of(report: Report, name: str) -> ExerciseResult:
    """The result of an exercise, by its bare name."""
    return next(e for e in report.exercises if e.id.rpartition("/")[2] == name)


def check_of(report: Report, id: str) -> CheckResult:
    """The result of a check, by "exercise/check"."""
    exercise, _, check = id.partition("/")
    found = exercise_of(report, exercise).checks
    return next(c for c in found if c.id.rpartition("/")[2] == check)


def statuses(report: Report) -> dict[str, str]:
    """Exercise name → status."""
    return {e.id.rpartition("/")[2]: e.status for e in report.exercises}


def lost(report: Report) -> set[str]:
    """Ids of the checks that did not pass."""
    return {c.id for e in report.exercises for c in e.checks if c.status != "passed"}
