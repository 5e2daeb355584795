"""Sandbox level `process`: contestants are ordinary processes with limits and deadlines.

Right for one's own code; no promise against a hostile one (that is level `strict`). Importing
this module costs little, so that the zygote can be on its way while the judge still imports torch.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import importlib.util
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import msgpack

from d2lgrade.contestant.removal import remove

from . import endings
from .limits import Limits

if TYPE_CHECKING:
    from d2lgrade.student.faults import ContestantLost, Frame

START_SECONDS = 120.0
SEND_BUFFER = 1 << 20  # bytes asked for between judge and contestant; the system may give less
# Everything a contestant may know of the judge's environment.
PASSED_ON = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH")
# What every contestant has alike, at every level: results depend on it.
OWN_VARIABLES = {
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
NEEDED = ("torch", "numpy", "msgpack", "cloudpickle")
PRINTED_LIMIT = 1 << 20  # bytes read at once of what was printed
REUSED = 256 << 20  # bytes of freed memory that this process keeps for the next large tensors


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

    @property
    def in_force(self) -> Limits:
        """The limits that this level keeps: files together have none here."""
        return replace(self.limits, scratch=0)

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
        ours, theirs = socket.socketpair()
        homes = _homes()
        # A source tree goes before all else, so that judge and contestant run the same version.
        first = [] if _ROOT in homes else [_ROOT]
        code = (
            f"import sys; sys.path[:] = dict.fromkeys({first!r} + sys.path + {homes!r}); "
            "from d2lgrade.contestant.zygote import main; "
            f"main({theirs.fileno()}, {self._inside!r})"
        )
        # -u: what C code prints is not lost in a buffer either
        command = [sys.executable, "-P", "-s", "-u", "-c", code]
        try:
            with open(self._errors, "wb") as errors:
                self._zygote = self._launch(command, theirs.fileno(), errors)
        except BaseException:
            ours.close()
            remove(self._scratch)
            self._scratch = ""
            raise
        finally:
            theirs.close()
        self._control, self._ready = ours, False

    def _launch(
        self, command: list[str], descriptor: int, errors: IO[bytes]
    ) -> subprocess.Popen[bytes]:
        """Start the zygote's process."""
        return subprocess.Popen(
            command,
            pass_fds=[descriptor],
            env=self._environment(self._scratch),
            cwd=self._scratch,
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
            start_new_session=True,
        )

    @property
    def _inside(self) -> str:
        """The scratch folder as the zygote knows it."""
        return self._scratch

    @property
    def _errors(self) -> Path:
        return Path(self._scratch) / "zygote.log"

    def _environment(self, home: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        return {**kept, "HOME": home, "TMPDIR": home, **OWN_VARIABLES}

    def contestant(self) -> Contestant:
        """A fresh contestant; waits for the zygote where it is not warm yet.

        Raises:
            SandboxError: the zygote does not start.
        """
        self._warm()
        _reuse_memory()
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        output, trace = endings.memory_file("output"), endings.memory_file("trace")
        try:
            pid = self._command(["fork", self._resources()], [theirs.fileno(), output, trace])
            if isinstance(pid, str):
                raise SandboxError(f"A submission could not be confined: {pid}")
        except BaseException:
            ours.close()
            os.close(output)
            os.close(trace)
            raise
        finally:
            theirs.close()
        self._begun(pid)
        return Contestant(self, pid, ours, output, trace)

    def _begun(self, pid: int) -> None:
        """A contestant has begun."""

    def prepare(self) -> None:
        """What must be settled before any submission is run: at this level, nothing.

        Raises:
            SandboxError: submissions cannot be run as promised.
        """

    def _resources(self) -> dict[str, int]:
        """The limits of the next contestant, as the zygote sets them."""
        return self.limits.resources()

    def _warm(self) -> None:
        if self._zygote is not None and self._zygote.poll() is not None:
            self.close()  # something killed it; a fresh one takes over
        self.start()
        if not self._ready:
            assert self._control is not None
            self._control.settimeout(START_SECONDS)
            self._answer()
            self._ready = True
            self._settle()

    def _settle(self) -> None:
        """The zygote has just become warm."""

    def _command(self, command: list[Any], descriptors: list[int] | None = None) -> Any:
        if self._control is None:
            raise SandboxError("The process that runs submissions has ended.")
        try:
            socket.send_fds(self._control, [msgpack.packb(command)], descriptors or [])
        except OSError:
            raise self._broken() from None
        return self._answer()

    def _answer(self) -> Any:
        assert self._control is not None
        unpacker = msgpack.Unpacker()
        try:
            while True:
                message = self._control.recv(4096)
                if not message:
                    break
                unpacker.feed(message)
                for answer in unpacker:
                    return answer
        except OSError:
            pass
        except BaseException:  # Ctrl-C: an answer on its way would be taken for the next one's
            self.close()
            raise
        raise self._broken()

    def _broken(self) -> SandboxError:
        log = ""
        with contextlib.suppress(OSError):
            log = self._errors.read_text(errors="replace").strip()[-1500:]
        self.close()
        return SandboxError(
            "The process that runs submissions could not be started or has ended. "
            f"`{Path(sys.executable).name} -c 'import {', '.join(NEEDED)}'` must work in this "
            f"environment.{' It said: ' + log if log else ''}"
        )

    def end(self, pid: int) -> int | None:
        """Kill a contestant and all it started; its wait status."""
        try:
            status: int | None = self._command(["end", pid])
        except SandboxError:  # the zygote is gone and took its contestants along, but not theirs
            self._bereave(pid)
            raise
        return status

    def ending(self, pid: int, status: int | None) -> str:
        """How a contestant with this wait status ended, in a sentence."""
        return endings.ended(status)

    def _bereave(self, pid: int) -> None:
        """The zygote is gone: end what a contestant of its may have started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)

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
            zygote, self._zygote = self._zygote, None
            self._stop(zygote)
            try:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    zygote.wait(2.0)
            finally:
                if zygote.poll() is None:
                    zygote.kill()
                    zygote.wait()
        if self._scratch:
            remove(self._scratch)
            self._scratch = ""

    def _stop(self, zygote: subprocess.Popen[bytes]) -> None:
        zygote.terminate()  # it may be in the middle of an import, which nobody waits for now


class Contestant:
    """One running contestant, as a connection for `student.remote`.

    Args:
        sandbox: who started it.
        pid: its process.
        sock: the connection.
        output, trace: descriptors of the files for its prints, and for where it is.
    """

    def __init__(
        self, sandbox: ProcessSandbox, pid: int, sock: socket.socket, output: int, trace: int
    ) -> None:
        from d2lgrade import wire

        self._sandbox = sandbox
        self.pid = pid
        self._channel = wire.Channel(sock)
        self._output, self._trace = output, trace
        # Shared with the contestant: so its prints go on at the end when we have read and cut them.
        fcntl.fcntl(output, fcntl.F_SETFL, os.O_APPEND)
        self._open = True
        self.alive = True
        self.sources: Mapping[str, str] = {}

    def exchange(
        self, body: bytes, buffers: list[Any], seconds: float | None
    ) -> tuple[bytes, list[Any]]:
        """See `student.remote.Connection.exchange`."""
        from d2lgrade import wire
        from d2lgrade.student.faults import Crash, Hang

        if not self.alive:
            raise Crash("Your program's process had ended before this call.")
        allowed = self._sandbox.limits.seconds if seconds is None else seconds
        deadline = time.monotonic() + allowed
        try:
            self._channel.send(body, buffers, deadline)
            return self._channel.receive(deadline)
        except wire.Late:
            status = self._status(0.0)
            if status is not None:  # it ended, and a child of its own keeps the connection open
                self._end()
                raise Crash(self._sandbox.ending(self.pid, status)) from None
            frames = self._where()
            self._end()
            raise Hang(endings.no_answer(allowed), frames) from None
        except wire.Closed:
            status = self._status(0.5)
            self._end()  # of one that has only hung up
            raise Crash(self._sandbox.ending(self.pid, status)) from None
        except wire.WireError as error:
            raise self.broken(str(error)) from None
        except BaseException:  # Ctrl-C: an answer on its way would be taken for the next one's
            self._end()
            raise

    def broken(self, reason: str) -> ContestantLost:
        """See `student.remote.Connection.broken`."""
        from d2lgrade.student.faults import BrokenProtocol

        self._end()
        return BrokenProtocol(f"What came back was no answer: {reason}.")

    def printed(self) -> str:
        """What was printed since the last call; the rest of a flood is dropped."""
        if not self._open or not os.fstat(self._output).st_size:
            return ""
        data = os.pread(self._output, PRINTED_LIMIT, 0)
        os.ftruncate(self._output, 0)
        return data.decode("utf-8", "replace")

    def close(self) -> None:
        """End the contestant and give back what it held; a second time does nothing."""
        self._end()
        if self._open:
            self._open = False
            os.close(self._output)
            os.close(self._trace)

    def _end(self) -> None:
        if self.alive:
            self.alive = False
            self._channel.close()
            with contextlib.suppress(SandboxError):
                self._sandbox.end(self.pid)

    def _status(self, seconds: float) -> int | None:
        """How it ended; None where it runs on, or nobody knows."""
        with contextlib.suppress(SandboxError):
            return self._sandbox.wait(self.pid, seconds)
        return None

    def _where(self) -> tuple[Frame, ...]:
        """The learner's lines that were running when the deadline passed, outermost first."""
        with contextlib.suppress(SandboxError):
            self._sandbox.trace(self.pid)
        deadline = time.monotonic() + 0.2
        size = -1
        while time.monotonic() < deadline:
            before, size = size, os.fstat(self._trace).st_size
            if size and size == before:  # it has written, and is done
                break
            time.sleep(0.005)
        trace = os.pread(self._trace, 1 << 16, 0).decode("utf-8", "replace")
        return endings.frames(trace, self.sources)


_ROOT = str(Path(__file__).resolve().parents[2])


@cache
def package_of(name: str) -> Path | None:
    """The folder of an installed package."""
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec is not None and spec.origin else None


@cache
def _homes() -> list[str]:
    """Where the packages lie that a contestant needs, wherever the judge found them."""
    folders = map(package_of, NEEDED)
    return [str(folder.parent) for folder in folders if folder is not None]


@cache
def _reuse_memory() -> None:
    """Let this process's allocator keep large blocks: fresh pages cost more than the transfer."""
    trim_threshold, mmap_threshold = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of glibc
    with contextlib.suppress(AttributeError, OSError):  # not glibc
        libc = ctypes.CDLL(None)
        libc.mallopt(mmap_threshold, REUSED)
        libc.mallopt(trim_threshold, REUSED)
