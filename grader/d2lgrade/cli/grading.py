"""`d2lgrade [TARGET…]`: grade, report, remember."""

from __future__ import annotations

import gc
import io
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from d2lgrade import interrupt

from . import places
from .commands import Fault, Repairable

if TYPE_CHECKING:
    from d2lgrade.catalog import Course
    from d2lgrade.results import CheckResult, Report
    from d2lgrade.sandbox.process import ProcessSandbox


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
    level: str = "process",
    accept_unproven: bool = False,
    training: bool = True,
) -> int:
    """Grade and write the report; the exit status.

    `training=False` leaves out the checks that train networks; no option of the command, for
    what is left then says less than "solved". The benchmarks use it.
    """
    gc.disable()  # while importing: nothing of it is garbage, and looking costs a sixth of the time
    # One thread from the start: results must not depend on how many cores there are.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from d2lgrade.sandbox.process import SandboxError

    if debug and level == "strict":
        raise Repairable("--debug runs code in this very process, which --sandbox strict forbids.")
    course = places.course(kit)
    exercises = places.exercises(course, targets, edition)
    own = submission is None
    path = places.workspace(course) / "exercises" if submission is None else submission
    _writable(output)
    if debug:
        interrupt.leave_to_debugger()
    sandbox = _sandbox(level, course, accept_unproven)
    try:
        if not debug:
            sandbox.start()  # it imports torch while this process does
        report = _grade(
            course, path, exercises, targets, seed, edition, debug, sandbox, form, output, training
        )
        report = replace(report, notes=(*report.notes, *_cautions(report.sandbox)))
    except SandboxError as error:
        raise Fault(str(error)) from None
    finally:
        sandbox.close()
    interrupt.heed()
    try:
        _write(report, form, output, feedback)
    finally:
        if own and not debug:
            _remember(path.parent, report)
    if report.faulty:
        return 3
    return 0 if report.passed else 1


def _sandbox(level: str, course: Course, accept_unproven: bool) -> ProcessSandbox:
    if level == "strict":
        from d2lgrade.sandbox.strict import StrictSandbox

        return StrictSandbox(hidden=(course.root,), accept_unproven=accept_unproven)
    from d2lgrade.sandbox.process import ProcessSandbox

    return ProcessSandbox()


def _cautions(sandbox: Mapping[str, Any]) -> tuple[str, ...]:
    """What whoever reads the report must know of promises that did not hold."""
    broken = sandbox.get("unproven", ())
    if not broken:
        return ()
    text = "; ".join(broken)
    return (f"Graded although this was not proven, that a submission {text}.",)


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

        interrupt.heed()  # of the many packages just imported, some swallow what is raised

        def heard(result: CheckResult) -> None:
            interrupt.heed()
            progress.check_done(result)

        gc.freeze()  # what is imported stays; pytest's own collections need not walk through it
        gc.enable()
        target = " ".join(targets) or "all"
        order = Order(course, target, seed, edition, in_process=debug)
        try:
            job = Job(read(path, course, exercises), exercises, training)
            return grade(order, [job], sandbox, heard)[0]
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
    if output.is_dir():
        raise Repairable(f"--output: {output} is a folder; name a file in it.")
    if not os.access(folder, os.W_OK) or (output.exists() and not os.access(output, os.W_OK)):
        raise Repairable(f"--output: {output} cannot be written; choose another place.")


def _write(report: Report, form: str, output: Path | None, feedback: str) -> None:
    from rich.console import Console

    from d2lgrade.render import FORMATS
    from d2lgrade.render.terminal import print_report

    try:
        if output is None and form == "terminal":
            print_report(report, Console(), feedback=feedback)
            return
        if form == "terminal":
            paper = io.StringIO()
            print_report(report, Console(file=paper, width=100), feedback=feedback)
            text = paper.getvalue()
        else:
            text = FORMATS[form](report, feedback)
        if output is None:
            click.echo(text, nl=False)
        else:
            _replace(output, text)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Repairable(f"The report could not be written: {error}.") from None


def _replace(path: Path, text: str) -> None:
    """Write a file that takes its place only when it is whole; to a device or pipe as it is."""
    path = path.resolve()
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8")
        return
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".d2lgrade-")
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def _remember(folder: Path, report: Report) -> None:
    """Note the result for `d2lgrade status`; a folder that cannot be written only loses that."""
    from d2lgrade.gradebook import Gradebook, GradebookError

    try:
        with Gradebook(folder) as book:
            book.add(report)
    except GradebookError as error:
        click.echo(f"Your progress is not saved: {error}", err=True)
