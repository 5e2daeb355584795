"""What a contestant may use."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Limits of one contestant.

    Args:
        seconds: deadline of one call, send and answer included.
        memory: bytes beyond what the interpreter and torch map by themselves.
        file_size: bytes of any one file it writes, its prints included.
        files: open descriptors.
        cpu_seconds: of the whole process, the last resort if the judge itself is gone.
        scratch: bytes of all files together, at level `strict` (0: not limited), and
        inodes: how many there may be.
        processes: processes and threads, at level `strict`.
    """

    seconds: float = 10.0
    memory: int = 2 << 30
    file_size: int = 64 << 20
    files: int = 256
    cpu_seconds: int = 900
    scratch: int = 128 << 20
    inodes: int = 4096
    processes: int = 64

    def resources(self) -> dict[str, int]:
        """The resource limits by name, as the zygote sets them."""
        return {
            "memory": self.memory,
            "fsize": self.file_size,
            "nofile": self.files,
            "cpu": self.cpu_seconds,
            "core": 0,
        }

    def confined(self, mapped: int) -> dict[str, int]:
        """The resource limits at level `strict`, by their names in the module `resource`.

        Args:
            mapped: bytes of address space that a contestant has from the start.
        """
        return {
            "as": self.memory + mapped,
            "fsize": self.file_size,
            "nofile": self.files,
            "nproc": self.processes,
            "cpu": self.cpu_seconds,
            "core": 0,
            "memlock": 0,
            "msgqueue": 0,
            "sigpending": 256,
            "nice": 0,
            "rtprio": 0,
        }
