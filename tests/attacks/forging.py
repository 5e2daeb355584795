"""Attacks that forge the verdict."""

from __future__ import annotations

from .case import Attack

HONEST = """\
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

ATTACKS: tuple[Attack, ...] = (
    Attack(
        name="exit_at_import",
        family="forge",
        target="ch07/corr2d",
        source="import os\nos._exit(0)\n",
        twin=HONEST,
        says=r"ended its own process \(exit status 0\)",
        opened="own process",
    ),
)
