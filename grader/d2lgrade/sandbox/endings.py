"""How a contestant ended, and where it was when its time was up."""

from __future__ import annotations

import os
import re
import signal
import tempfile
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from d2lgrade.student.faults import Frame

FRAMES = 8
CLOSED = "Your program closed its connection to the grader."
SEGFAULT = "Your program crashed (segmentation fault)."
KILLED = "Your program was killed: out of memory, or by its own hand."
_TRACE_LINE = re.compile(r'File "([^"\n]{1,300})", line (\d{1,7}) in ([^\n]{1,100})')


def ended(status: int | None) -> str:
    """How a process with this wait status ended, in a sentence."""
    if status is None:
        return CLOSED
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number == signal.SIGSEGV:
            return SEGFAULT
        if number == signal.SIGKILL:
            return KILLED
        if number == signal.SIGXCPU:
            return used_up()
        names = {s.value: s.name for s in signal.Signals}
        return f"Your program was ended by signal {names.get(number, number)}."
    return f"Your program ended its own process (exit status {os.WEXITSTATUS(status)})."


def out_of_memory(limit: int) -> str:
    """It held more memory than these bytes."""
    return f"Your program ran out of memory (limit {limit >> 20} MB)."


def wrote_too_much(limit: int) -> str:
    """It wrote more than these bytes."""
    return f"Your program wrote more than {limit >> 20} MB."


def too_many_processes(limit: int) -> str:
    """It started more processes and threads than this."""
    return f"Your program started more than {limit} processes and threads."


def used_up(seconds: int | None = None) -> str:
    """It computed for longer than this in all."""
    limit = "" if seconds is None else f" (limit {seconds} s)"
    return f"Your program used up its processor time{limit}."


def no_answer(seconds: float) -> str:
    """A call has passed its deadline."""
    return f"No answer within {seconds:g} s."


def frames(trace: str, sources: Mapping[str, str]) -> tuple[Frame, ...]:
    """The learner's lines in what faulthandler wrote (innermost first), outermost first.

    Args:
        trace: the text; it may come from a stranger.
        sources: path → text of the learner's files; lines of other files are left out.
    """
    from d2lgrade.student.faults import Frame

    own = []
    for path, number, name in _TRACE_LINE.findall(trace):
        if path in sources:
            lines = sources[path].splitlines()
            line = int(number)
            text = lines[line - 1].strip()[:200] if 0 < line <= len(lines) else ""
            own.append(Frame(path, line, name, text))
    return tuple(reversed(own[:FRAMES]))


def memory_file(name: str) -> int:
    """A descriptor of a file without a name: in memory on Linux, else a deleted temporary file."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create(f"d2lgrade-{name}")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
