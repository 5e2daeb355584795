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
_TRACE_LINE = re.compile(r'File "([^"\n]{1,300})", line (\d{1,7}) in ([^\n]{1,100})')


def ended(status: int | None) -> str:
    """How a process with this wait status ended, in a sentence."""
    if status is None:
        return "Your program closed its connection to the grader."
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number == signal.SIGSEGV:
            return "Your program crashed (segmentation fault)."
        if number == signal.SIGKILL:
            return "Your program was killed: out of memory, or by its own hand."
        if number == signal.SIGXCPU:
            return "Your program used up its processor time."
        names = {s.value: s.name for s in signal.Signals}
        return f"Your program was ended by signal {names.get(number, number)}."
    return f"Your program ended its own process (exit status {os.WEXITSTATUS(status)})."


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
