"""All commands, one flat table: each with its options, its work in a module of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

DEFAULT = "grade"


class Fault(click.ClickException):
    """The grader's own fault: exit status 3."""

    exit_code = 3


class Repairable(click.ClickException):
    """Something in the command or the submission that its message says how to repair."""

    exit_code = 2


def _folder(exists: bool = True) -> click.Path:
    return click.Path(exists=exists, file_okay=False, path_type=Path)


kit_option = click.option(
    "--kit", type=_folder(), help="Take the checks from this kit instead of the installed one."
)
edition_option = click.option(
    "--edition",
    type=click.Choice(["en", "zh"]),
    default="en",
    help="Whose chapter and section numbers to use: zh is the Chinese second edition.",
)


def _command(name: str, text: str) -> Callable[[Callable[..., Any]], click.Command]:
    return click.command(name, help=text, short_help=text.partition("\n")[0].rstrip("."))


@_command(
    "grade",
    "Grade your work: all of TARGET, or everything.\n\nExit status: 0 every exercise passed, "
    "1 not all, 2 usage, 3 the grader's own fault.",
)
@click.argument("targets", nargs=-1, metavar="[TARGET]...")
@click.option(
    "--submission",
    type=click.Path(path_type=Path),
    help="A file, folder, zip or notebook to grade instead of your exercises/.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["terminal", "json", "junit", "markdown"]),
    default="terminal",
    help="How to write the report.",
)
@click.option("--output", type=click.Path(path_type=Path), help="Write the report to this file.")
@click.option(
    "--seed", type=int, default=0, show_default=True, help="Rotates the inputs of all checks."
)
@click.option(
    "--feedback",
    type=click.Choice(["full", "hints", "score"]),
    default="full",
    help="How much to tell: all, no values, or points only.",
)
@click.option(
    "--debug",
    is_flag=True,
    help="Run your code in this process: breakpoint() works, limits do not.",
)
@click.option(
    "--sandbox",
    "level",
    type=click.Choice(["process", "strict"]),
    default="process",
    show_default=True,
    help="process is right for your own code; strict, a jail, for strangers' (Linux).",
)
@click.option(
    "--accept-unproven",
    is_flag=True,
    help="Grade though a promise of --sandbox strict does not hold; the report says so.",
)
@kit_option
@edition_option
def grade(**options: Any) -> int:
    from . import grading

    return grading.run(**options)


@_command("status", "Show where you stand and what comes next.")
@kit_option
@edition_option
def status(**options: Any) -> int:
    from . import learning

    return learning.status(**options)


@_command("list", "List the course, or part of it.")
@click.argument("targets", nargs=-1, metavar="[TARGET]...")
@kit_option
@edition_option
def list_(**options: Any) -> int:
    from . import learning

    return learning.list_course(**options)


@_command("hint", "Show a hint for an exercise; --step 2 and 3 tell more.")
@click.argument("target")
@click.option(
    "--step", type=click.IntRange(1, 3), default=1, show_default=True, help="How much to tell."
)
@kit_option
@edition_option
def hint(**options: Any) -> int:
    from . import learning

    return learning.hint(**options)


@_command("init", "Lay out the exercises in a new folder DIR.")
@click.argument("folder", metavar="DIR", type=_folder(exists=False))
@click.option(
    "--level",
    type=click.Choice(["open", "guided"]),
    default="open",
    show_default=True,
    help="open: signature and contract; guided: the skeleton with blanks.",
)
@kit_option
def init(**options: Any) -> int:
    from . import learning

    return learning.init(**options)


@_command(
    "doctor",
    "Say what works on this machine and what is missing.\n\nExit status: 0 when you can grade your "
    "own work; what --sandbox strict lacks is told, with its repair.",
)
@kit_option
def doctor(**options: Any) -> int:
    from . import doctor

    return doctor.run(**options)


@click.group("dev", short_help="For authors of exercises")
def dev() -> None:
    """For authors of exercises: sync stubs, start new ones, prove the checks."""


@dev.command("sync", help="Write exercises/ from solutions/.")
@click.option("--check", is_flag=True, help="Only say what would change; exit 1 if anything would.")
@kit_option
def dev_sync(**options: Any) -> int:
    from . import authoring

    return authoring.sync(**options)


@dev.command("new", help="Start an exercise NAME in SECTION (as 7.5) of CHAPTER (as ch07).")
@click.argument("chapter")
@click.argument("section")
@click.argument("name")
@click.option("--file", "stem", help="Stem of the section's file; needed for a new section.")
@click.option("--title", help="Title of the exercise.")
@click.option("--section-title", default="", help="Title of a new section.")
@click.option("--chapter-title", default="", help="Title of a new chapter.")
@kit_option
def dev_new(**options: Any) -> int:
    from . import authoring

    return authoring.new(**options)


@dev.command(
    "check", help="Prove the exercises of TARGET: stubs, references, misconceptions, mutants."
)
@click.argument("targets", nargs=-1, metavar="[TARGET]...")
@click.option(
    "--repeat", type=click.IntRange(1), default=1, help="Grade N times: no verdict may change."
)
@click.option(
    "--mutants/--no-mutants", default=True, help="Whether to grade mutants of the references."
)
@kit_option
def dev_check(**options: Any) -> int:
    from . import authoring

    return authoring.check(**options)


COMMANDS: dict[str, click.Command] = {
    "grade": grade,
    "status": status,
    "list": list_,
    "hint": hint,
    "init": init,
    "doctor": doctor,
    "dev": dev,
}
