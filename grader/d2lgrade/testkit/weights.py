"""Giving a learner's module known weights, whatever its attributes are called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch

from .compare import Mismatch


def set_parameters(net: Any, values: Sequence[torch.Tensor], what: str = "the module") -> None:
    """Copy `values` into `net`'s parameters, in the order of `net.parameters()`.

    Lazy modules must have seen an input before. Fails with a message for the learner where the
    number or the shapes of the parameters differ.
    """
    parameters = list(net.parameters())
    shapes = [tuple(p.shape) for p in parameters]
    wanted = [tuple(v.shape) for v in values]
    if shapes != wanted:
        raise Mismatch(
            f"The parameters of {what} have other shapes than the contract's.",
            expected=_listed(wanted),
            got=_listed(shapes),
        )
    with torch.no_grad():
        for parameter, value in zip(parameters, values, strict=True):
            parameter.copy_(value)


def parameter_count(net: Any) -> int:
    """How many numbers `net` learns."""
    return sum(p.numel() for p in net.parameters())


def _listed(shapes: Iterable[tuple[int, ...]]) -> str:
    return ", ".join(str(shape) for shape in shapes) or "none"
