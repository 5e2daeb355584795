"""Sandbox level `process`: contestants are ordinary processes with limits and deadlines.

Right for one's own code; no promise against a hostile one (that is level `strict`). Importing
this module costs little, so that the zygote can be on its way while the judge still imports torch.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgpack

from .limits import Limits

if TYPE_CHECKING:
    from d2lgrade.student.faults import ContestantLost, Frame

START_SECONDS = 120.0
_TRACE_LINE = re.compile(r'File "([^"\n]{1,300})", line (\d{1,7}) in ([^\n]{1,100})')
# Everything a contestant may know of the judge's environment.
PASSED_ON = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SYSTEMROOT", "LD_LIBRARY_PATH")


class SandboxError(Exception):
    """The sandbox itself could not be started or has broken down; the message names the repair."""


class ProcessSandbox:
    """A zygote and the contestants forked from it."""

    level = "process"

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._zygote: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._scratch = ""
        self._ready = False

    def describe(self) -> dict[str, Any]:
        """The level and its limits, for the report."""
        return {
            "level": self.level,
            "seconds": self.limits.seconds,
            "memory_mb": self.limits.memory >> 20,
        }

    def start(self) -> None:
        """Start the zygote, without waiting until it is warm."""
        if self._zygote is not None:
            return
        self._scratch = tempfile.mkdtemp(prefix="d2lgrade-")
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        root = str(Path(__file__).resolve().parents[2])
        code = (
            f"import sys; sys.path.insert(0, {root!r}); "
            f"from d2lgrade.contestant.zygote import main; main({theirs.fileno()})"
        )
        with open(self._errors, "wb") as errors:
            self._zygote = subprocess.Popen(
                [sys.executable, "-P", "-s", "-c", code],
                pass_fds=[theirs.fileno()],
                env=self._environment(),
                cwd=self._scratch,
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                start_new_session=True,
            )
        theirs.close()
        self._control, self._ready = ours, False

    @property
    def _errors(self) -> Path:
        return Path(self._scratch) / "zygote.log"

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        return {
            **kept,
            "HOME": self._scratch,
            "TMPDIR": self._scratch,
            "PYTHONHASHSEED": "0",  # the order of sets must not change a verdict
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONIOENCODING": "utf-8",
            "OMP_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
            # Large tensors come from reused memory instead of fresh pages for each.
            "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
            "MALLOC_TRIM_THRESHOLD_": str(1 << 31),
            "MALLOC_TOP_PAD_": str(16 << 20),
        }

    def contestant(self) -> Contestant:
        """A fresh contestant; waits for the zygote where it is not warm yet."""
        self._warm()
        ours, theirs = socket.socketpair()
        output, trace = _memory_file("output"), _memory_file("trace")
        descriptors = [theirs.fileno(), output, trace]
        try:
            pid = self._command(["fork", self.limits.resources()], descriptors)
        finally:
            theirs.close()
        return Contestant(self, pid, ours, output, trace)

    def _warm(self) -> None:
        if self._zygote is not None and self._zygote.poll() is not None:
            self.close()  # something killed it; a fresh one takes over
        self.start()
        if not self._ready:
            assert self._control is not None
            self._control.settimeout(START_SECONDS)
            self._answer()
            self._ready = True

    def _command(self, command: list[Any], descriptors: list[int] | None = None) -> Any:
        assert self._control is not None
        packed = msgpack.packb(command)
        try:
            if descriptors:
                socket.send_fds(self._control, [packed], descriptors)
            else:
                self._control.send(packed)
        except OSError:
            raise self._broken() from None
        return self._answer()

    def _answer(self) -> Any:
        assert self._control is not None
        try:
            message = self._control.recv(4096)
        except OSError:
            message = b""
        if not message:
            raise self._broken()
        return msgpack.unpackb(message)

    def _broken(self) -> SandboxError:
        log = ""
        with contextlib.suppress(OSError):
            log = self._errors.read_text(errors="replace").strip()[-1500:]
        self.close()
        return SandboxError(
            "The process that runs submissions could not be started or has ended. "
            f"`{Path(sys.executable).name} -c 'import torch, msgpack, cloudpickle'` must work in this "
            f"environment.{' It said: ' + log if log else ''}"
        )

    def end(self, pid: int) -> int | None:
        """Kill a contestant and all it started; its wait status."""
        status: int | None = self._command(["end", pid])
        return status

    def wait(self, pid: int, seconds: float) -> int | None:
        """The wait status of a contestant that has hung up; None while it runs."""
        status: int | None = self._command(["wait", pid, seconds])
        return status

    def trace(self, pid: int) -> None:
        """Ask a contestant to write down where it is."""
        self._command(["trace", pid])

    def close(self) -> None:
        """End the zygote and every contestant, and remove the scratch folder."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._zygote is not None:
            try:
                self._zygote.wait(2.0)
            except subprocess.TimeoutExpired:
                self._zygote.kill()
                self._zygote.wait()
            self._zygote = None
        if self._scratch:
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch = ""


class Contestant:
    """One running contestant, as a connection for `student.remote`."""

    def __init__(self, sandbox: ProcessSandbox, pid: int, sock: socket.socket, output: int, trace: int) -> None:
        from d2lgrade import wire

        self._sandbox = sandbox
        self._pid = pid
        self._channel = wire.Channel(sock)
        self._output, self._trace = output, trace
        self._read = 0
        self.alive = True

    def exchange(
        self, body: bytes, buffers: list[Any], seconds: float | None
    ) -> tuple[bytes, list[bytearray]]:
        """See `student.remote.Connection.exchange`."""
        from d2lgrade import wire
        from d2lgrade.student.faults import BrokenProtocol, Crash, Hang

        if not self.alive:
            raise Crash("Your program's process had ended before this call.")
        allowed = self._sandbox.limits.seconds if seconds is None else seconds
        deadline = time.monotonic() + allowed
        try:
            self._channel.send(body, buffers, deadline)
            return self._channel.receive(deadline)
        except wire.Late:
            frames = self._where()
            self._end()
            raise Hang(f"No answer within {allowed:g} s.", frames) from None
        except wire.Closed:
            raise self._crashed(Crash) from None
        except wire.WireError as error:
            self._end()
            raise BrokenProtocol(f"What came back was no answer: {error}.") from None
        except BaseException:  # Ctrl-C: an answer on its way would be taken for the next one's
            self._end()
            raise

    def broken(self, reason: str) -> ContestantLost:
        """See `student.remote.Connection.broken`."""
        from d2lgrade.student.faults import BrokenProtocol

        self._end()
        return BrokenProtocol(f"What came back was no answer: {reason}.")

    def printed(self) -> str:
        """What was printed since the last call."""
        size = os.fstat(self._output).st_size
        if size <= self._read:
            return ""
        data = os.pread(self._output, min(size - self._read, 1 << 20), self._read)
        self._read = size
        return data.decode("utf-8", "replace")

    def close(self) -> None:
        """End the contestant and give back what it held."""
        self._end()
        for descriptor in (self._output, self._trace):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def _end(self) -> int | None:
        if not self.alive:
            return None
        self.alive = False
        self._channel.close()
        with contextlib.suppress(SandboxError):
            return self._sandbox.end(self._pid)
        return None

    def _crashed(self, kind: type[ContestantLost]) -> ContestantLost:
        status = None
        with contextlib.suppress(SandboxError):
            status = self._sandbox.wait(self._pid, 0.5)
        if status is None:
            self._end()
        self.alive = False
        self._channel.close()
        return kind(_ended(status))

    def _where(self) -> tuple[Frame, ...]:
        """The learner's lines that were running when the deadline passed, outermost first."""
        from d2lgrade.student.faults import Frame

        with contextlib.suppress(SandboxError):
            self._sandbox.trace(self._pid)
        deadline = time.monotonic() + 0.2
        while time.monotonic() < deadline and not os.fstat(self._trace).st_size:
            time.sleep(0.005)
        time.sleep(0.005)
        text = os.pread(self._trace, 1 << 16, 0).decode("utf-8", "replace")
        found = _TRACE_LINE.findall(text)
        package, library = str(Path(__file__).resolve().parents[1]), str(Path(os.__file__).parent)
        own = [
            Frame(path, int(line), name)
            for path, line, name in found
            if not path.startswith((package, library, "<"))
        ]
        return tuple(reversed(own[:8]))


def _ended(status: int | None) -> str:
    """How a process ended, in a sentence."""
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
        return f"Your program was ended by signal {signal.Signals(number).name}."
    return f"Your program ended its own process (exit status {os.WEXITSTATUS(status)})."


def _memory_file(name: str) -> int:
    """A descriptor of a file without a name: in memory on Linux, else a deleted temporary file."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create(f"d2lgrade-{name}")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    return descriptor
