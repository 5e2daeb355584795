"""The warm process that contestants are forked from.

It imports everything a run needs and then only forks: no tensor operation, no thread, no CUDA
query ever happens here, because none of them survives a fork. The judge talks to it over a socket
whose end means: kill every contestant and stop.

Commands (MessagePack): ["fork", limits] with three descriptors (channel, output, trace) → pid;
["trace", pid] asks a contestant to write down where it is; ["end", pid] kills it and all it
started → its wait status; ["wait", pid, seconds] → its wait status, or None while it runs.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import io
import os
import resource
import select
import signal
import socket
import sys
import time
from typing import Any, NoReturn

import msgpack

OUTPUT_LIMIT = 256 << 10  # bytes of prints kept of one contestant; the rest is dropped
IDLE = 0.5  # seconds without a command after which a rarely needed import is done ahead

# What the first use of torch.optim drags in: a second that is better spent while idle.
LATER = ("torch._dynamo",)


def main(descriptor: int) -> None:
    """Serve the judge on `descriptor` until it hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the judge's to handle
    control = socket.socket(fileno=descriptor)
    from . import session  # noqa: F401  # the imports that a run needs

    for name in ("cloudpickle", "torch.optim", "torch.utils.data", "torch.nn.utils"):
        importlib.import_module(name)
    _Zygote(control).serve()


class _Zygote:
    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._children: set[int] = set()
        self._later = list(LATER)

    def serve(self) -> None:
        self._control.send(msgpack.packb("ready"))
        while True:
            ready = select.select([self._control], [], [], IDLE if self._later else None)[0]
            if not ready:
                with contextlib.suppress(Exception):
                    importlib.import_module(self._later.pop(0))
                continue
            message, descriptors, _, _ = socket.recv_fds(self._control, 4096, 3)
            if not message:
                break
            self._obey(msgpack.unpackb(message), descriptors)
        for pid in list(self._children):
            self._end(pid)

    def _obey(self, command: list[Any], descriptors: list[int]) -> None:
        name, *arguments = command
        if name == "fork":
            answer: Any = self._fork(arguments[0], descriptors)
            for descriptor in descriptors:
                os.close(descriptor)
        elif name == "trace":
            answer = None
            if arguments[0] in self._children:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(arguments[0], signal.SIGUSR1)
        elif name == "end":
            answer = self._end(arguments[0])
        else:
            answer = self._wait(arguments[0], arguments[1])
        self._control.send(msgpack.packb(answer))

    def _fork(self, limits: dict[str, int], descriptors: list[int]) -> int:
        pid = os.fork()
        if pid == 0:
            _contestant(limits, descriptors)
        self._children.add(pid)
        return pid

    def _end(self, pid: int) -> int | None:
        if pid not in self._children:
            return None
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(pid, signal.SIGKILL)
        self._children.discard(pid)
        return os.waitpid(pid, 0)[1]

    def _wait(self, pid: int, seconds: float) -> int | None:
        """The status of a contestant whose connection has ended; None if it runs on."""
        end = time.monotonic() + seconds
        while pid in self._children:
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                self._children.discard(pid)
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGKILL)  # whatever it started
                return status
            if time.monotonic() > end:
                return None
            time.sleep(0.002)
        return None


def _contestant(limits: dict[str, int], descriptors: list[int]) -> NoReturn:
    """The life of one contestant: take its place, serve, end without any cleaning up."""
    try:
        os.setsid()
        channel, output, trace = descriptors
        null = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((null, 0), (output, 1), (output, 2)):
            os.dup2(source, target)
        kept = [os.dup(channel), os.dup(trace)]
        _close_all_but({0, 1, 2, *kept})
        sys.stdout = sys.stderr = _Output()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        faulthandler.register(signal.SIGUSR1, file=kept[1], all_threads=False, chain=False)
        _limit(limits)
        _serve(kept[0])
    finally:
        os._exit(0)


def _serve(descriptor: int) -> None:
    import torch

    from d2lgrade import wire

    from .session import Session

    torch.set_num_threads(1)
    Session(wire.Channel(socket.socket(fileno=descriptor))).serve()


def _close_all_but(kept: set[int]) -> None:
    for entry in os.listdir("/dev/fd"):
        number = int(entry)
        if number not in kept:
            with contextlib.suppress(OSError):
                os.close(number)


def _limit(limits: dict[str, int]) -> None:
    """Set resource limits; `memory` counts from what the process already maps."""
    for name, value in limits.items():
        if name == "memory":
            kind, value = resource.RLIMIT_AS, value + _mapped()
        else:
            kind = getattr(resource, f"RLIMIT_{name.upper()}")
        with contextlib.suppress(ValueError, OSError):  # a lower hard limit is in force already
            resource.setrlimit(kind, (value, value))


def _mapped() -> int:
    """Bytes of address space in use; generous where the system does not say."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 64 << 30


class _Output(io.TextIOBase):
    """Prints go straight to the judge's file, so that a crash loses none; a flood is cut."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self._left = OUTPUT_LIMIT

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if self._left > 0:
            data = str(text).encode("utf-8", "backslashreplace")[: self._left]
            self._left -= len(data)
            os.write(1, data)
            if self._left <= 0:
                os.write(1, b"\n[more output was dropped]\n")
        return len(text)

    def fileno(self) -> int:
        return 1
