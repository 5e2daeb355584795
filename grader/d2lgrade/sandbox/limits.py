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
    """

    seconds: float = 10.0
    memory: int = 2 << 30
    file_size: int = 64 << 20
    files: int = 256
    cpu_seconds: int = 900

    def resources(self) -> dict[str, int]:
        """The resource limits by name, as the zygote sets them."""
        return {
            "memory": self.memory,
            "fsize": self.file_size,
            "nofile": self.files,
            "cpu": self.cpu_seconds,
            "core": 0,
        }
