"""`d2lgrade [TARGET…]`: grade, report, remember."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import places
from .commands import Fault, Repairable

if TYPE_CHECKING:
    from d2lgrade.results import Report


def run(
    targets: tuple[str, ...],
    submission: Path | None,
    form: str,
    output: Path | None,
    seed: int,
    feedback: str,
    debug: bool,
    kit: Path | None,
    edition: str,
    training: bool = True,
) -> int:
    """Grade and write the report; the exit status.

    `training=False` leaves out the checks that train networks; no option of the command, for
    what is left then says less than "solved". The benchmarks use it.
    """
    # One thread from the start: results must not depend on how many cores there are.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from d2lgrade.sandbox.process import ProcessSandbox, SandboxError

    course = places.course(kit)
    exercises = places.exercises(course, targets, edition)
    own = submission is None
    path = places.workspace(course) / "exercises" if submission is None else submission
    _writable(output)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that contestants are ended too
    sandbox = ProcessSandbox()
    try:
        if not debug:
            sandbox.start()  # it imports torch while this process does
        report = _grade(
            course, path, exercises, targets, seed, edition, debug, sandbox, form, output, training
        )
    except SandboxError as error:
        raise Fault(str(error)) from None
    finally:
        sandbox.close()
    _write(report, form, output, feedback)
    if own and not debug:
        _remember(course, path.parent, report)
    if report.faulty:
        return 3
    return 0 if report.passed else 1


def _grade(
    course: Any,
    path: Path,
    exercises: Any,
    targets: tuple[str, ...],
    seed: int,
    edition: str,
    debug: bool,
    sandbox: Any,
    form: str,
    output: Path | None,
    training: bool,
) -> Report:
    from rich.console import Console

    from d2lgrade.render.terminal import Progress

    console = Console(file=sys.stdout if form == "terminal" and output is None else sys.stderr)
    total = sum(len(exercise.checks) for exercise in exercises)
    with Progress(console) as progress:
        if not debug:
            progress.start(total)
        from d2lgrade.judge.session import GraderFault, Job, Order, grade
        from d2lgrade.submission import SubmissionError, read

        target = " ".join(targets) or "all"
        order = Order(course, target, seed, edition, in_process=debug)
        try:
            job = Job(read(path, course, exercises), exercises, training)
            return grade(order, [job], sandbox, progress.check_done)[0]
        except SubmissionError as error:
            raise Repairable(str(error)) from None
        except GraderFault as error:
            raise Fault(str(error)) from None


def _writable(output: Path | None) -> None:
    """Say before the work is done that its result could not be written."""
    if output is None:
        return
    folder = output.parent
    if not folder.is_dir():
        raise Repairable(f"--output: there is no folder {folder}.")
    if not os.access(folder, os.W_OK) or (output.exists() and not os.access(output, os.W_OK)):
        raise Repairable(f"--output: {output} cannot be written; choose another place.")


def _write(report: Report, form: str, output: Path | None, feedback: str) -> None:
    if form == "terminal":
        from rich.console import Console

        from d2lgrade.render.terminal import print_report

        if output is None:
            print_report(report, Console(), feedback=feedback)
            return
        with _replacing(output) as file:
            print_report(report, Console(file=file, width=100), feedback=feedback)
        return
    from d2lgrade.render import FORMATS

    text = FORMATS[form](report, feedback)
    if output is None:
        click.echo(text, nl=False)
        return
    with _replacing(output) as file:
        file.write(text)


class _replacing:  # noqa: N801  # used as a function
    """A text file that takes its place only when it is whole."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Any:
        self._file = tempfile.NamedTemporaryFile(  # closed in __exit__
            "w", encoding="utf-8", dir=self._path.parent, prefix=".d2lgrade-", delete=False
        )
        return self._file

    def __exit__(self, kind: object, *_: object) -> None:
        self._file.close()
        if kind is None:
            os.chmod(self._file.name, 0o644)
            os.replace(self._file.name, self._path)
        else:
            os.unlink(self._file.name)


def _remember(course: Any, folder: Path, report: Report) -> None:
    """Note the result for `d2lgrade status`; a folder that cannot be written only loses that."""
    from d2lgrade.gradebook import Gradebook, GradebookError

    try:
        with Gradebook(folder) as book:
            book.add(report)
    except GradebookError as error:
        click.echo(f"Your progress is not saved: {error}", err=True)
