"""Expected values that know how far an honest answer may lie from them.

The error of an answer, in the max norm and against a float64 truth, may be `SLACK` times the
larger of PyTorch's own error at the working precision and eps × the same computation on
|inputs|. The second term keeps cancellation from punishing a sum taken in another order; an
unstable formula exceeds both by orders of magnitude.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

SLACK = 16.0  # honest float32 orders of summation stay below 10 on the shapes checks use


@dataclass(frozen=True)
class Expected:
    """An expected tensor: its `value`, the float64 `truth`, and the absolute `tolerance`."""

    value: torch.Tensor
    truth: torch.Tensor
    tolerance: float


def truth(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What `function` (PyTorch's own, or the reference) says, with the tolerance it justifies.

    Calls it three times on copies: in float64 (the truth), at the given dtypes (PyTorch's own
    error), and in float64 on the absolute values (the size of what is summed).

    Args:
        function: takes tensors, plain values and containers of them, and returns a tensor or a
            tuple, list or dict of tensors and plain values.

    Returns:
        The same structure with each floating tensor replaced by an `Expected`.
    """
    exact = function(*_cast(args, _double), **_cast(kwargs, _double))
    own = function(*_cast(args, _copy), **_cast(kwargs, _copy))
    try:
        scale = function(*_cast(args, _magnitude), **_cast(kwargs, _magnitude))
    except (RuntimeError, ValueError, IndexError):  # |inputs| may be illegal where inputs are not
        scale = exact
    return _combine(exact, own, scale)


def _copy(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().clone()


def _double(tensor: torch.Tensor) -> torch.Tensor:
    if tensor.is_complex():
        return tensor.detach().to(torch.complex128, copy=True)
    if tensor.is_floating_point():
        return tensor.detach().to(torch.float64, copy=True)
    return tensor.detach().clone()


def _magnitude(tensor: torch.Tensor) -> torch.Tensor:
    return _double(tensor).abs() if tensor.is_floating_point() else tensor.detach().clone()


def _cast(value: Any, cast: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    if isinstance(value, torch.Tensor):
        return cast(value)
    if isinstance(value, list | tuple):
        return type(value)(_cast(item, cast) for item in value)
    if isinstance(value, dict):
        return {key: _cast(item, cast) for key, item in value.items()}
    return value


def _combine(exact: Any, own: Any, scale: Any) -> Any:
    if isinstance(own, torch.Tensor):
        exact, scale = exact.detach(), scale if isinstance(scale, torch.Tensor) else exact
        return expected(own.detach(), exact, scale.detach())
    if isinstance(own, list | tuple):
        pairs = zip(exact, own, scale, strict=True)
        return type(own)(_combine(*triple) for triple in pairs)
    if isinstance(own, dict):
        return {key: _combine(exact[key], own[key], scale[key]) for key in own}
    return exact if isinstance(own, float) else own


def expected(own: torch.Tensor, exact: torch.Tensor, scale: torch.Tensor) -> Any:
    """The `Expected` for one tensor: own at the working dtype, exact and scale in float64."""
    if not (own.is_floating_point() or own.is_complex()):
        return own
    error = largest(own.to(exact.dtype) - exact)
    size = largest(scale) or largest(exact)
    eps = torch.finfo(own.dtype).eps
    return Expected(own, exact, SLACK * max(error, eps * size))


def largest(tensor: torch.Tensor) -> float:
    """The max norm over the finite entries; 0 where there are none."""
    finite = tensor[torch.isfinite(tensor)]
    return float(finite.abs().max()) if finite.numel() else 0.0


def default_tolerance(value: torch.Tensor) -> float:
    """The tolerance for a tensor of hand-computed numbers: SLACK rounding errors of its largest."""
    if not (value.is_floating_point() or value.is_complex()):
        return 0.0
    return SLACK * torch.finfo(value.dtype).eps * largest(value)
