"""Honest answers that the twins are made of, and the lazy ones that the forgers are made of."""

from __future__ import annotations

from attacks.case import NORMAL, Attack
from d2lgrade.sandbox.limits import Limits

CORR2D = """\
import torch


def corr2d(X, K):
    (h, w), (kh, kw) = X.shape, K.shape
    if kh > h or kw > w:
        raise ValueError("the kernel does not fit")
    rows = [
        torch.stack([(X[i : i + kh, j : j + kw] * K).sum() for j in range(w - kw + 1)])
        for i in range(h - kh + 1)
    ]
    return torch.stack(rows)
"""

# The shortest exercise, for attacks that do not care which one they attack.
EDGE = """\
import torch


def vertical_edge_kernel():
    return torch.tensor([[1.0, -1.0]])
"""

# Of the right shape, and else wrong: no check is earned by it.
LAZY = """\
import torch


def vertical_edge_kernel():
    return torch.tensor([[7.0, 7.0]], dtype=torch.float64)
"""

WRONG = "wrong values|wrong dtype"  # how a lazy answer is told
EVERY = (
    "values",
    "rectangles",
    "gradient",
    "arguments",
    "rules",
    "refuses",
    "dtype",
    "layout",
    "device",
    "watched",
)  # the checks of corr2d


def forgery(
    name: str,
    source: str,
    says: str = WRONG,
    *,
    opened: str = "",
    passes: tuple[str, ...] = (),
    twin: str = EDGE,
    target: str = "ch07/vertical_edge_kernel",
    limits: Limits = NORMAL,
    seed: int = 0,
    beside: tuple[tuple[str, str], ...] = (),
    family: str = "forge",
) -> Attack:
    """An attack on vertical_edge_kernel, unless it says otherwise."""
    return Attack(
        name=name,
        family=family,
        target=target,
        source=source,
        twin=twin,
        passes=passes,
        says=says,
        opened=opened,
        limits=limits,
        seed=seed,
        beside=beside,
    )


def calling(body: str, head: str = "import torch\n") -> str:
    """A file whose vertical_edge_kernel has this body."""
    lines = "".join(f"    {line}\n" if line else "\n" for line in body.splitlines())
    return f"{head}\n\ndef vertical_edge_kernel():\n{lines}"


def on_corr2d(
    name: str,
    source: str,
    says: str = "wrong values",
    *,
    opened: str = "",
    passes: tuple[str, ...] = (),
    twin: str = CORR2D,
) -> Attack:
    """An attack that needs arguments, gradients or Rules."""
    return forgery(
        name, source, says, opened=opened, passes=passes, twin=twin, target="ch07/corr2d"
    )


def correlating(body: str, head: str = "import torch\n") -> str:
    """A file whose corr2d has this body."""
    return calling(body, head).replace("def vertical_edge_kernel():", "def corr2d(X, K):")


def without(*names: str) -> tuple[str, ...]:
    """The checks of corr2d but for these."""
    return tuple(name for name in EVERY if name not in names)
