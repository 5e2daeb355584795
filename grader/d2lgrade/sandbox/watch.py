"""Watches what no resource limit counts: the memory of all of a contestant's processes together.

A limit on address space holds for one process, and shared memory may outgrow it. So the judge
looks at its contestants a few times a second, from outside and from a thread of its own, and kills
one whose processes together hold too much memory or are too many. Linux only.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from dataclasses import dataclass, field
from pathlib import Path

from . import endings
from .limits import Limits

INTERVAL = 0.04  # seconds between looks
# The kernel enforces the limit by ticks, which count more than the time it tells; and the first
# process of a PID namespace cannot kill itself, so little else than this limit kills it.
CPU_SHARE = 0.7
# Untouched memory that the zygote had mapped already counts for no limit on address space; a
# process alone must meet that limit first, which costs it one call and not its life.
UNTOUCHED = 64 << 20
_KILOBYTES = ("RssAnon:", "RssShmem:", "VmSwap:")
_SHARES = ("Pss_Anon:", "Pss_Shmem:", "SwapPss:")


@dataclass
class Watched:
    """One contestant under watch.

    Args:
        process: its first process, in the judge's PID namespace, and
        handle: the same as a pidfd.
        base: bytes that it shares with the zygote, as every process it starts.
        limits: its own.
        fate: why it was killed; empty where it was not.
        processor: seconds it had used when last seen.
    """

    process: int
    handle: int
    base: int
    limits: Limits
    fate: str = ""
    processor: float = 0.0

    @property
    def exhausted(self) -> bool:
        """Whether it may have used up its processor time."""
        return self.processor > self.limits.cpu_seconds * CPU_SHARE


@dataclass
class Watch:
    """The contestants of one sandbox, and the thread that looks at them."""

    _entries: dict[int, Watched] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _thread: threading.Thread | None = None

    def add(self, key: int, process: int, base: int, limits: Limits) -> None:
        """Watch a contestant; `key` is how the zygote calls it."""
        entry = Watched(process, os.pidfd_open(process), base, limits)
        with self._changed:
            self._entries[key] = entry
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
                self._thread.start()
            self._changed.notify()

    def refresh(self, key: int) -> None:
        """See once more what a contestant has used; it may have ended, but not been buried."""
        with self._changed:
            entry = self._entries.get(key)
            if entry is not None:
                with contextlib.suppress(OSError, ValueError, IndexError):
                    entry.processor = processor_seconds(entry.process)

    def remove(self, key: int) -> Watched | None:
        """Stop watching a contestant; what is known of it."""
        with self._changed:
            entry = self._entries.pop(key, None)
        if entry is not None:
            os.close(entry.handle)
        return entry

    def clear(self) -> None:
        """Stop watching all."""
        for key in list(self._entries):
            self.remove(key)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._entries:
                    if not self._changed.wait(5.0):
                        self._thread = None  # nobody for a while: the next one starts another
                        return
                for entry in self._entries.values():
                    with contextlib.suppress(OSError, ValueError, IndexError):
                        self._look(entry)
            threading.Event().wait(INTERVAL)

    def _look(self, entry: Watched) -> None:
        if entry.fate:
            return
        entry.processor = processor_seconds(entry.process)
        processes = family(entry.process)
        found = [_sum(f"/proc/{pid}/status", _KILOBYTES) for pid in processes]
        count = sum(_threads(pid) for pid in processes) if len(processes) > 1 else 1
        if count > entry.limits.processes:
            entry.fate = endings.too_many_processes(entry.limits.processes)
        elif sum(max(0, used - entry.base) for used in found) > entry.limits.memory + UNTOUCHED:
            shares = sum(_sum(f"/proc/{pid}/smaps_rollup", _SHARES) for pid in processes)
            # Pages that are still the zygote's count by its share and those of all these processes.
            inherited = entry.base * len(processes) // (len(processes) + 1)
            if shares > entry.limits.memory + UNTOUCHED + inherited:
                entry.fate = endings.out_of_memory(entry.limits.memory)
        if entry.fate:
            signal.pidfd_send_signal(entry.handle, signal.SIGKILL)


def family(process: int) -> list[int]:
    """A process and all that descend from it."""
    found = [process]
    for pid in found:
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{pid}/task"):
                children = Path(f"/proc/{pid}/task/{task}/children").read_text()
                found += map(int, children.split())
    return found


def inside(parent: int, key: int) -> int:
    """The child of `parent` that its own PID namespace calls `key`, as the judge calls it.

    Raises:
        ProcessLookupError: there is none.
    """
    for task in os.listdir(f"/proc/{parent}/task"):
        for pid in map(int, Path(f"/proc/{parent}/task/{task}/children").read_text().split()):
            with contextlib.suppress(OSError):
                names = _line(f"/proc/{pid}/status", "NSpid:")
                if len(names) > 1 and int(names[1]) == key:
                    return pid
    raise ProcessLookupError(f"no process {key} in the jail")


def private_bytes(process: int) -> int:
    """Bytes of memory that a process does not share with files."""
    return _sum(f"/proc/{process}/status", _KILOBYTES)


def mapped_bytes(process: int) -> int:
    """Bytes of address space that a process uses."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[0])
    return pages * os.sysconf("SC_PAGE_SIZE")


def processor_seconds(process: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _threads(pid: int) -> int:
    with contextlib.suppress(OSError):
        return int(_line(f"/proc/{pid}/status", "Threads:")[0])
    return 1


def _sum(path: str, names: tuple[str, ...]) -> int:
    """The sum of some lines of a file under /proc that tell kilobytes, as bytes."""
    total = 0
    with contextlib.suppress(OSError):
        for line in Path(path).read_text().splitlines():
            if line.startswith(names):
                total += int(line.split()[1]) << 10
    return total


def _line(path: str, name: str) -> list[str]:
    for line in Path(path).read_text().splitlines():
        if line.startswith(name):
            return line.split()[1:]
    return []
