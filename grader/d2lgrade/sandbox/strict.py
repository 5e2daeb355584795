"""Sandbox level `strict`: the same zygote and contestants, inside a jail. For strangers' code.

bubblewrap builds the jail (`jail`); inside of it the zygote gives every contestant namespaces and
scratch of its own and a system call filter (`contestant.confine`, `syscalls`).
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from d2lgrade.contestant import confine

from . import endings, jail, proof, syscalls, watch
from .limits import Limits
from .process import Contestant, ProcessSandbox, SandboxError

BUILD_SECONDS = 20.0
NOBODY = 65534  # whom contestants run as where the judge is root


class StrictSandbox(ProcessSandbox):
    """A jailed zygote and the contestants forked from it.

    Start it from a thread that lives as long as it shall: the jail ends with that thread.

    At its start it proves what it promises (`proof`); where a promise does not hold, it refuses to
    run anything.

    Args:
        limits: what each contestant may use.
        hidden: kits and other folders that nobody inside may see, should they lie inside of the
            Python environment.
        accept_unproven: run submissions though a promise does not hold; `describe` says which.
    """

    level = "strict"

    def __init__(
        self,
        limits: Limits | None = None,
        hidden: Sequence[Path] = (),
        *,
        accept_unproven: bool = False,
    ) -> None:
        super().__init__(limits)
        self.accept_unproven = accept_unproven
        self.promises: tuple[proof.Promise, ...] = ()
        self.hidden = tuple(hidden)
        self._keeper: int | None = None  # the zygote as a pidfd
        self._zygote_pid = 0  # in the judge's PID namespace
        self._watch = watch.Watch()
        # What was last seen of contestants that were ended for it, by the zygote's names.
        self._seen_last: dict[int, watch.Watched] = {}

    @property
    def in_force(self) -> Limits:
        """The limits that this level keeps: all."""
        return self.limits

    def describe(self) -> dict[str, Any]:
        """The level, its limits, and which promises were tried and held, for the report."""
        limits = self.limits
        return {
            **super().describe(),
            "scratch_mb": limits.scratch >> 20,
            "file_mb": limits.file_size >> 20,
            "files": limits.files,
            "processes": limits.processes,
            "promises": [promise.name for promise in self.promises if promise.held],
            "unproven": [promise.name for promise in self.promises if not promise.held],
        }

    def walls(self) -> list[str]:
        """bubblewrap's arguments."""
        environment = {
            **self._environment(confine.TOP),
            "PATH": "/nowhere",
        }  # the judge's names homes
        return jail.arguments(environment, self.hidden, self._capabilities())

    def confinement(self) -> dict[str, Any]:
        """How each contestant is confined: the fields of `contestant.confine.Confinement`."""
        return {
            "namespaces": confine.OWN,
            "own_pids": True,
            "scratch": self.limits.scratch,
            "inodes": self.limits.inodes,
            "covered": jail.covers(),
            "user": NOBODY if _root() else None,
            "unprivileged": True,
        }

    def filter(self) -> bytes:
        """The system call filter of contestants."""
        try:
            return syscalls.program()
        except syscalls.FilterError as error:
            raise SandboxError(str(error)) from None

    def _capabilities(self) -> tuple[str, ...]:
        """What the zygote needs, in the jail's own user namespace, to confine a contestant."""
        return ("CAP_SYS_ADMIN", *(("CAP_SETUID", "CAP_SETGID", "CAP_KILL") * _root()))

    @property
    def _inside(self) -> str:
        return confine.TOP

    def _launch(
        self, command: list[str], descriptor: int, errors: IO[bytes]
    ) -> subprocess.Popen[bytes]:
        told, tell = os.pipe()
        block, release = os.pipe()
        extra = ["--info-fd", str(tell)]
        passed = [descriptor, tell]
        if _root():
            extra += ["--userns-block-fd", str(block)]
            passed.append(block)
        try:
            zygote = subprocess.Popen(
                [jail.bubblewrap(), *extra, *self.walls(), "--", *command],
                pass_fds=passed,
                env={},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                start_new_session=True,
            )
            os.close(tell)
            tell = -1
            self._zygote_pid = _pid_told(told)
            if not self._zygote_pid:
                zygote.wait(BUILD_SECONDS)
                raise SandboxError(jail.failure(self._errors.read_text(errors="replace")))
            self._keeper = os.pidfd_open(self._zygote_pid)
            if _root():
                _map_users(self._zygote_pid)
                os.write(release, b"1")
            return zygote
        finally:
            for end in (told, tell, block, release):
                if end >= 0:
                    os.close(end)

    def _settle(self) -> None:
        self._confine()
        self.promises = self.prove()
        broken = [promise for promise in self.promises if not promise.held]
        if broken and not self.accept_unproven:
            self.close()
            raise SandboxError(proof.refusal(broken))

    def _confine(self) -> None:
        """Tell the zygote how contestants are confined from now on."""
        descriptor = endings.memory_file("filter")
        try:
            os.write(descriptor, self.filter())
            os.lseek(descriptor, 0, os.SEEK_SET)
            self._command(["confine", self.confinement()], [descriptor])
        finally:
            os.close(descriptor)

    def prove(self) -> tuple[proof.Promise, ...]:
        """Try what must be denied."""
        return proof.prove(self)

    def _resources(self) -> dict[str, int]:
        return self.limits.confined(watch.mapped_bytes(self._zygote_pid))

    def prepare(self) -> None:
        """Wait until the jail stands and every promise is proved; see `ProcessSandbox.prepare`."""
        self._warm()

    def contestant_with(self, limits: Limits) -> Contestant:
        """A contestant with limits of its own."""
        usual, self.limits = self.limits, limits
        try:
            return self.contestant()
        finally:
            self.limits = usual

    def process_of(self, contestant: Contestant) -> int:
        """A contestant's process in the judge's PID namespace."""
        return watch.inside(self._zygote_pid, contestant.pid)

    def _begun(self, pid: int) -> None:
        self._seen_last.pop(pid, None)
        process = watch.inside(self._zygote_pid, pid)
        self._watch.add(pid, process, watch.private_bytes(self._zygote_pid), self.limits)

    def end(self, pid: int) -> int | None:
        """See `ProcessSandbox.end`."""
        self._seen(pid)
        return super().end(pid)

    def wait(self, pid: int, seconds: float) -> int | None:
        """See `ProcessSandbox.wait`."""
        self._watch.refresh(pid)
        status = super().wait(pid, seconds)
        if status is not None:
            self._seen(pid)
        return status

    def _seen(self, pid: int) -> None:
        """Nothing more can be learned of this contestant: keep what is known of its end."""
        entry = self._watch.remove(pid)
        if entry is not None and (entry.fate or entry.exhausted):
            self._seen_last[pid] = entry

    def ending(self, pid: int, status: int | None) -> str:
        """See `ProcessSandbox.ending`."""
        self._seen(pid)
        entry = self._seen_last.pop(pid, None)
        if entry is not None and entry.fate:
            return entry.fate
        killed = status is not None and os.WIFSIGNALED(status)
        if entry is not None and killed and os.WTERMSIG(status or 0) == signal.SIGKILL:
            return endings.used_up(entry.limits.cpu_seconds)
        return super().ending(pid, status)

    def _bereave(self, pid: int) -> None:
        """Nothing: the zygote's end is the end of all in its PID namespace."""

    def _stop(self, zygote: subprocess.Popen[bytes]) -> None:
        self._watch.clear()
        self._seen_last.clear()
        if self._keeper is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(self._keeper, signal.SIGKILL)
            os.close(self._keeper)
            self._keeper = None
        else:
            zygote.terminate()

    def _broken(self) -> SandboxError:
        log = ""
        with contextlib.suppress(OSError):
            log = self._errors.read_text(errors="replace")
        if log.startswith("bwrap:"):
            self.close()
            return SandboxError(jail.failure(log))
        return super()._broken()


def _root() -> bool:
    """Whether the judge is root: then contestants become somebody else."""
    return os.geteuid() == 0


def _pid_told(descriptor: int) -> int:
    """The zygote's process as bubblewrap tells it; 0 where it could not start one."""
    data = b""
    while select.select([descriptor], [], [], BUILD_SECONDS)[0]:
        piece = os.read(descriptor, 4096)
        if not piece:
            break
        data += piece
        with contextlib.suppress(ValueError):
            return int(json.loads(data)["child-pid"])
    return 0


def _map_users(pid: int) -> None:
    """Let two users exist in a new user namespace: root, and nobody, whom contestants become."""
    for kind in ("gid_map", "uid_map"):
        Path(f"/proc/{pid}/{kind}").write_text(f"0 0 1\n{NOBODY} {NOBODY} 1\n")
