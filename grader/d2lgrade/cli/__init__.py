"""The command line: commands and exit codes, and the only room that prints.

Each command is one module; they are imported when called, so that `--help`, `list`, `status` and
`hint` never import torch. Exit status: 0 every exercise passed, 1 not all, 2 usage, 3 the
grader's own fault.
"""

from __future__ import annotations

import os
import sys

import click

from d2lgrade import __version__, interrupt

from .commands import COMMANDS, DEFAULT

USAGE, FAULT = 2, 3


class Commands(click.Group):
    """Grading is the default: what is no command is a target (`d2lgrade ch7`)."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that `args` begin with, or grading with all of them."""
        if args and args[0] in self.commands:
            return super().resolve_command(ctx, args)
        return DEFAULT, self.commands[DEFAULT], args

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Options before any target belong to grading: `d2lgrade --seed 3 ch7`."""
        own = {"--help", "-h", "--version"}
        if args and args[0].startswith("-") and not own.intersection(args[:1]):
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order a learner meets them."""
        return list(self.commands)


@click.group(
    cls=Commands,
    commands=COMMANDS,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="A TARGET is a chapter (ch7), a section (7.2, pooling) or an exercise (corr2d); "
    "`d2lgrade ch7` is short for `d2lgrade grade ch7`.",
)
@click.version_option(__version__, prog_name="d2lgrade")
@click.pass_context
def group(ctx: click.Context) -> None:
    """Dive into Deep Learning as a course you solve.

    Write the functions in exercises/, then let `d2lgrade ch7` say what is right, what is wrong
    and why. Without any argument: where you stand and what comes next.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(COMMANDS["status"])


def main() -> None:
    """Run the command line and exit with its status."""
    if hasattr(os, "register_at_fork"):
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        status = group.main(standalone_mode=False)
        interrupt.heed()
    except BaseException as error:
        # Whatever a press has broken on its way, the press is what happened.
        if interrupt.noted() or isinstance(error, click.Abort):
            interrupt.stop()
        if not isinstance(error, click.ClickException):
            raise
        error.show()
        status = error.exit_code
    interrupt.finish()
    sys.exit(status if isinstance(status, int) else 0)
