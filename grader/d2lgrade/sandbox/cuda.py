"""What a jail must let in so that a contestant can use an NVIDIA GPU. Off unless asked for.

A GPU widens the jail: its driver is a large piece of the kernel that every contestant may call
into, and memory on the card is not counted by any limit here. So only the device nodes a
computation needs are let in (no display, no profiling, no fabric), and the driver's own
libraries, read-only. The private IPC namespace keeps CUDA's shared memory handles from reaching
another contestant.

Neither judge nor zygote ever initialises CUDA: a context does not survive a fork, and even asking
whether a GPU is there can spoil it for the children. A contestant makes its own fresh context with
its first tensor on the card, and it ends with its process.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

# The control node, unified memory, and the cards themselves.
_NODE = re.compile(r"nvidia(ctl|-uvm|\d+)")
LIBRARIES = ("libcuda.so", "libnvidia-ptxjitcompiler.so", "libnvidia-nvvm.so", "libnvidia-ml.so")
# Read by the driver's library when it starts.
DRIVER = ("/proc/driver/nvidia/params", "/sys/module/nvidia/version")


def nodes(devices: Path = Path("/dev")) -> list[str]:
    """The device nodes that a computation needs; none where there is no card."""
    found = sorted(str(path) for path in devices.glob("nvidia*") if _NODE.fullmatch(path.name))
    return found if any(path[-1].isdigit() for path in found) else []


def arguments(
    devices: Path = Path("/dev"), libraries: Sequence[Path] = (), cards: Sequence[int] | None = None
) -> list[str]:
    """What to add to bubblewrap's arguments; nothing where there is no card.

    Args:
        devices: where device nodes are.
        libraries: folders with the driver's libraries outside of those that are mounted anyway.
        cards: numbers of the cards to let in; None: all.
    """
    made: list[str] = []
    for path in nodes(devices):
        number = re.search(r"\d+$", path)
        if cards is not None and number and int(number[0]) not in cards:
            continue
        made += ["--dev-bind", path, path]
    if not made:
        return []
    for folder in libraries:
        for library in sorted(folder.iterdir()):
            if library.name.startswith(LIBRARIES):
                made += ["--ro-bind", str(library), str(library)]
    for name in DRIVER:
        made += ["--ro-bind-try", name, name]
    return made
