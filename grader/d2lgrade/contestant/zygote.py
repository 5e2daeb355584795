"""The warm process that contestants are forked from.

It imports everything a run needs and then only forks: no tensor operation, no thread, no CUDA
query ever happens here, because none of them survives a fork. The judge talks to it over a socket
whose end means: kill every contestant, remove the scratch folder and stop.

Commands (MessagePack): ["confine", fields] with one descriptor (the system call filter) → None,
at level `strict` the first one; ["fork", limits] with three descriptors (channel, output, trace)
→ its pid, or why it could not be confined; ["trace", pid] asks a contestant to write down where it
is; ["end", pid] kills it and all it started → its wait status; ["wait", pid, seconds] → its wait
status, or None while it runs.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import gc
import importlib
import os
import resource
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import msgpack

from . import confine
from .removal import remove

IDLE = 0.5  # seconds without a command after which a rarely needed import is done ahead
BEGUN = b"confined"  # what a contestant says before learner code; anything else is our own fault
SETTLE = 0.2  # seconds that the processes a contestant leaves behind may take to die

# What the first use of torch.optim drags in: a second that is better spent while idle.
LATER = ("torch._dynamo",)

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def main(descriptor: int, scratch: str) -> None:
    """Serve the judge on `descriptor` until it hangs up; `scratch` is ours to fill and remove."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the judge's to handle
    control = socket.socket(fileno=descriptor)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)  # what a contestant leaves behind comes to us
    gc.disable()  # nothing that is imported is garbage, and looking costs a sixth of the time
    from . import session  # noqa: F401  # the imports that a run needs

    for name in ("cloudpickle", "torch.optim", "torch.utils.data", "torch.nn.utils"):
        importlib.import_module(name)
    gc.freeze()  # nor need a contestant's collections walk through it, and so copy its pages
    zygote = _Zygote(control, scratch)
    signal.signal(signal.SIGTERM, lambda *_: zygote.stop())
    try:
        zygote.serve()
    finally:
        remove(scratch)


class _Zygote:
    def __init__(self, control: socket.socket, scratch: str) -> None:
        self._control = control
        self._scratch = scratch
        self._children: dict[int, str] = {}  # pid → its own folder
        self._forks = 0
        self._later = list(LATER)
        self._confinement: confine.Confinement | None = None

    def serve(self) -> None:
        try:
            self._converse()
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # what it asks for is under way
            for pid in list(self._children):
                self._end(pid)

    def stop(self) -> NoReturn:
        """The judge is done: end at once, in the middle of whatever import this may be.

        No exception is raised for it: some packages swallow any while they are imported.
        """
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for pid in list(self._children):
            with contextlib.suppress(OSError):
                self._end(pid)
        self._end_orphans()  # of a contestant that was being ended when this came
        remove(self._scratch)
        os._exit(0)

    def _converse(self) -> None:
        self._control.sendall(msgpack.packb("ready"))
        while True:
            ready = select.select([self._control], [], [], IDLE if self._later else None)[0]
            if not ready:
                with contextlib.suppress(Exception):
                    importlib.import_module(self._later.pop(0))
                gc.freeze()  # else each contestant's first collection walks through it: 0.4 s
                continue
            message, descriptors, _, _ = socket.recv_fds(self._control, 4096, 3)
            if not message:
                break
            try:
                # A judge that has gone meanwhile does not read the answer.
                self._control.sendall(msgpack.packb(self._obey(message, descriptors)))
            except OSError:
                break

    def _obey(self, message: bytes, descriptors: list[int]) -> Any:
        name, *arguments = msgpack.unpackb(message)
        if name == "fork":
            return self._fork(arguments[0], descriptors)
        if name == "end":
            return self._end(arguments[0])
        if name == "wait":
            return self._wait(*arguments)
        if name == "confine":
            with open(descriptors[0], "rb") as file:
                self._confinement = confine.Confinement.of(arguments[0], file.read())
            return None
        if arguments[0] in self._children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(arguments[0], signal.SIGUSR1)
        return None

    def _fork(self, limits: dict[str, int], descriptors: list[int]) -> int | str:
        """Its pid; where it could not be confined, why."""
        folder = self._folder()
        parent = os.getpid()
        read, write = os.pipe()
        with contextlib.ExitStack() as stack:
            if self._confinement is not None:
                stack.enter_context(confine.birth(self._confinement))
            pid = os.fork()
            if pid == 0:
                os.close(read)
                _contestant(limits, [*descriptors, write], folder, parent, self._confinement)
        self._children[pid] = folder
        for descriptor in (*descriptors, write):
            os.close(descriptor)
        with open(read, "rb") as answer:
            said = answer.read(2000) if self._confinement is not None else BEGUN
        if said != BEGUN:
            self._end(pid)
            return said.decode(errors="replace") or "it ended"
        return pid

    def _folder(self) -> str:
        """A folder for the next contestant; none where it brings its own."""
        if self._confinement is not None:
            return ""
        self._forks += 1
        folder = os.path.join(self._scratch, str(self._forks))
        os.mkdir(folder)
        return folder

    def _end(self, pid: int) -> int | None:
        if pid not in self._children:
            return None
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(pid, signal.SIGKILL)
        return self._buried(pid, os.waitpid(pid, 0)[1])

    def _wait(self, pid: int, seconds: float) -> int | None:
        """The status of a contestant whose connection has ended; None if it runs on."""
        end = time.monotonic() + seconds
        while pid in self._children:
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGKILL)
                return self._buried(pid, status)
            if time.monotonic() > end:
                return None
            time.sleep(0.002)
        return None

    def _buried(self, pid: int, status: int) -> int:
        """A contestant is dead: so shall be the processes it left behind, and its folder."""
        folder = self._children.pop(pid)
        self._end_orphans()
        if folder:
            remove(folder)
        return status

    def _end_orphans(self) -> None:
        end = time.monotonic() + SETTLE
        while (orphans := _children() - self._children.keys()) and time.monotonic() < end:
            for orphan in orphans:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(orphan, signal.SIGKILL)
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(orphan, os.WNOHANG)


def _children() -> set[int]:
    """The processes whose parent we are, where the system says (Linux does)."""
    try:
        return {int(pid) for pid in Path("/proc/thread-self/children").read_text().split()}
    except OSError:
        return set()


def _contestant(
    limits: dict[str, int],
    descriptors: list[int],
    folder: str,
    parent: int,
    confinement: confine.Confinement | None,
) -> NoReturn:
    """The life of one contestant: take its place, serve, end without any cleaning up."""
    channel, output, trace, begun = descriptors
    try:
        os.setsid()
        if confinement is not None:
            confine.separate(confinement)
            folder = confine.WORK
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # whoever kills the zygote ends us as well
        if os.getppid() not in (parent, 0):  # 0: it is outside of our PID namespace
            os._exit(0)
        os.chdir(folder)
        os.environ.update(HOME=folder, TMPDIR=folder)
        null = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((null, 0), (output, 1), (output, 2)):
            os.dup2(source, target)
        kept = [os.dup(channel), os.dup(trace), os.dup(begun)]
        begun = kept[2]
        _close_all_but({0, 1, 2, *kept})
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        gc.enable()
        faulthandler.register(signal.SIGUSR1, file=kept[1], all_threads=False, chain=False)
        begin = _prepared(kept[0], limits, confinement)
        if confinement is not None:
            os.write(begun, BEGUN)
        os.close(begun)
        begun = -1
        begin()
    except BaseException as error:
        if begun >= 0:  # before any learner code: it could not take its place
            os.write(begun, f"{type(error).__name__}: {error}"[:1000].encode())
        raise
    finally:
        os._exit(0)


def _prepared(
    descriptor: int, limits: dict[str, int], confinement: confine.Confinement | None
) -> Callable[[], None]:
    """Everything up to learner code; what serves the judge from then on."""
    import torch

    from d2lgrade import wire

    from .output import Output
    from .session import Session

    torch.set_num_threads(1)
    output = Output()
    sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = output  # type: ignore[misc,assignment]
    session = Session(wire.Channel(socket.socket(fileno=descriptor)), output)
    if confinement is None:
        _limit(limits)
    else:
        confine.hold(limits)
        confine.lock(confinement)
    return session.serve


def _close_all_but(kept: set[int]) -> None:
    first = 0
    for number in sorted(kept):
        if first < number:
            os.closerange(first, number)
        first = number + 1
    os.closerange(first, 1 << 20 if sys.platform == "linux" else 4096)


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


def _prctl(option: int, value: int) -> None:
    """Linux only; elsewhere nothing happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
