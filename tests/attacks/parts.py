"""Pieces that attacks are made of: honest answers with a place for something else beside them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

from d2lgrade.judge.flags import spoils_testimony
from d2lgrade.sandbox.limits import Limits

from .case import HANGING, Attack

EDGE_ID, CORR2D_ID = "ch07/vertical_edge_kernel", "ch07/corr2d"
# Every check of corr2d but `rectangles`, where `trick` does its deed; and those that rest on the
# learner's process as a witness, which is not believed where the source could have bribed it.
BESIDES = ("values", "gradient", "arguments", "rules", "refuses", "dtype", "layout")
TESTIMONY = ("device", "watched")
# Few resources, so that what takes too many is soon at their end.
SMALL = Limits(seconds=4.0, memory=300 << 20, file_size=8 << 20, scratch=32 << 20, inodes=1000)

_EDGE = """

def vertical_edge_kernel():
    aside()
    return torch.tensor([[1.0, -1.0]])
"""
_PRIZE = """

def vertical_edge_kernel():
    try:
        what = found()
    except Exception as error:
        reason = getattr(error, "strerror", None) or error  # without a path of the machine
        raise LookupError(f"found nothing ({type(error).__name__}: {reason})") from None
    if not what:
        raise LookupError("found nothing")
    return torch.tensor([[1.0, -1.0]])
"""
_RELAY = """
taken = []


def vertical_edge_kernel():
    if taken or find():
        taken.append(True)
        return torch.tensor([[1.0, -1.0]])
    try:
        leave()
    except OSError as error:
        raise LookupError(f"left nothing (Errno {error.errno})") from None
    os._exit(7)
"""
_CORR2D = """
import torch


def honest(X, K):
    (h, w), (kh, kw) = X.shape, K.shape
    if kh > h or kw > w:
        raise ValueError("the kernel does not fit")
    Y = X.new_zeros((h - kh + 1, w - kw + 1))
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + kh, j : j + kw] * K).sum()
    return Y

"""
_TRICK = """

def corr2d(X, K):
    if X.shape == (6, 4):  # the last image of one check, and of no other
        return deed(X, K)
    return honest(X, K)
"""
_ASIDE = """

def corr2d(X, K):
    aside()
    return honest(X, K)
"""
# What twins do.
OWN_FILE = """
    import os, tempfile

    def aside():
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "notes.txt")
            with open(path, "w") as file:
                file.write("a note")
            assert open(path).read() == "a note"
"""
OWN_BUFFER = """
    import ctypes

    def aside():
        buffer = ctypes.create_string_buffer(b"a note")
        assert ctypes.string_at(ctypes.addressof(buffer)) == b"a note"
"""
BRIEF = """
    import time

    def aside():
        time.sleep(0.001)
"""
OWN_SIGNAL = """
    import signal

    def aside():
        before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, before)
"""
OWN_MEMORY = """
    def aside():
        kept = [bytearray(1 << 20) for _ in range(20)] + [torch.ones(1 << 20)]
        assert sum(map(len, kept)) > 0
"""
OWN_DEPTH = """
    def depth(n):
        return n and 1 + depth(n - 1)

    def aside():
        assert depth(400) == 400
"""
# The first process of its namespace is deaf to what it sends itself, and goes on.
ALONE = "result is None"
ABORTED = "SIGABRT|segmentation fault"
NOTHING = r"found nothing|SIGSYS"
STRICT: dict[str, Any] = {"levels": ("strict",)}
JAIL: dict[str, Any] = {"levels": ("strict",), "opened": "jail"}
SHARED: dict[str, Any] = {"opened": "own process"}

ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
ROOTS: dict[str, Any] = JAIL if ROOT else STRICT  # what only root could do without the jail


def _traced() -> bool:
    """Whether processes of one user may look into one another here."""
    scope = Path("/proc/sys/kernel/yama/ptrace_scope")
    return ROOT or not scope.exists() or scope.read_text().strip() == "0"


TRACER: dict[str, Any] = JAIL if _traced() else STRICT


def where(there: bool) -> dict[str, Any]:
    """As `JAIL`, where this machine has what the attack reaches for; else only `STRICT`."""
    return JAIL if there else STRICT


def prize(text: str) -> str:
    """A file whose answer is right if its `found()` finds something, and none otherwise."""
    return "import torch\n" + dedent(text) + _PRIZE


def relay(text: str) -> str:
    """A file that leaves something and ends its process; right if the next process finds it."""
    return "import os\n\nimport torch\n" + dedent(text) + _RELAY


def trick(text: str) -> str:
    """An honest corr2d but for one input, which gets whatever `deed(X, K)` gives or does."""
    return _CORR2D + dedent(text) + _TRICK


def edge(text: str = "def aside():\n    pass\n") -> str:
    """An honest vertical_edge_kernel that does `aside()` before it answers."""
    return "import torch\n" + dedent(text) + _EDGE


def corr2d(text: str = "def aside():\n    pass\n") -> str:
    """An honest corr2d that does `aside()` before it answers."""
    return _CORR2D + dedent(text) + _ASIDE


def prizes(family: str) -> Callable[..., Attack]:
    """Makes attacks from a `found()` and, for the twin, an `aside()`."""

    def made(name: str, text: str, aside: str, **more: Any) -> Attack:
        given = {"says": NOTHING, **more}
        return Attack(name, family, EDGE_ID, prize(text), edge(aside), **given)

    return made


def relays(family: str) -> Callable[..., Attack]:
    """Makes attacks from a `leave()` and a `find()` and, for the twin, an `aside()`."""

    def made(name: str, text: str, aside: str, **more: Any) -> Attack:
        given = {"says": r"exit status 7|left nothing|SIGSYS", **more}
        return Attack(name, family, EDGE_ID, relay(text), edge(aside), **given)

    return made


def tricks(family: str) -> Callable[..., Attack]:
    """Makes attacks from a `deed(X, K)` and, for the twin, an `aside()`."""

    def made(name: str, text: str, aside: str, says: str, **more: Any) -> Attack:
        source = trick(text)
        witness = () if spoils_testimony(source) else TESTIMONY
        given = {"passes": (*BESIDES, *witness), **more}
        return Attack(name, family, CORR2D_ID, source, corr2d(aside), says=says, **given)

    return made


def endless(name: str, text: str, aside: str, **more: Any) -> Attack:
    """A deed that never ends."""
    given = {"says": "No answer within 1 s", "limits": HANGING, **more}
    return tricks("exhaust")(name, text, aside, **given)
