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

# Of the right shape and dtype, and wrong.
LAZY = """\
import torch


def corr2d(X, K):
    return X.new_zeros(X.shape[0] - K.shape[0] + 1, X.shape[1] - K.shape[1] + 1)
"""

WRONG = "wrong values"  # how a lazy answer is told
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
    twin: str = CORR2D,
    target: str = "ch07/corr2d",
    limits: Limits = NORMAL,
    seed: int = 0,
    beside: tuple[tuple[str, str], ...] = (),
    family: str = "forge",
) -> Attack:
    """An attack on corr2d, unless it says otherwise."""
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
    """A file whose corr2d has this body."""
    lines = "".join(f"    {line}\n" if line else "\n" for line in body.splitlines())
    return f"{head}\n\ndef corr2d(X, K):\n{lines}"


def without(*names: str) -> tuple[str, ...]:
    """The checks of corr2d but for these."""
    return tuple(name for name in EVERY if name not in names)
