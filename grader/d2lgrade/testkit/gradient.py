"""Gradients of a function as a function, so that they are compared like any other value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from .compare import Mismatch


def gradients(
    function: Callable[..., Any], wrt: tuple[int, ...] | None = None
) -> Callable[..., Any]:
    """`gradients(f)(*inputs)`: the gradient of a fixed weighted sum of f's output.

    The weights are a fixed pattern without symmetry, so that a gradient in the wrong place or of
    the wrong sign cannot hide. Works on PyTorch's functions and on the learner's alike:

        expected = truth(gradients(corr2d_torch), X, K)
        assert_same(gradients(student.corr2d)(X, K), expected)

    Args:
        function: returns one floating tensor.
        wrt: positions of the inputs to differentiate by; by default all floating tensors.

    Returns:
        A function from inputs to the tuple of gradients, in the order of the inputs. An input
        that the output does not depend on has a gradient of zeros.
    """

    def gradient(*inputs: Any, **named: Any) -> tuple[torch.Tensor, ...]:
        chosen = [
            index
            for index, value in enumerate(inputs)
            if isinstance(value, torch.Tensor)
            and value.is_floating_point()
            and (wrt is None or index in wrt)
        ]
        leaves = list(inputs)
        for index in chosen:
            leaves[index] = inputs[index].detach().clone().requires_grad_()
        with torch.enable_grad():
            output = function(*leaves, **named)
        if not isinstance(output, torch.Tensor):
            raise Mismatch.of_type(output)
        if not output.requires_grad:
            raise Mismatch(
                "The result carries no gradient: something cuts the graph between the inputs and "
                "the result (.data, .detach(), .item(), torch.no_grad(), torch.tensor(…) or NumPy)."
            )
        weights = pattern(output)
        wanted = [leaves[index] for index in chosen]
        # A scalar, because handing weights to autograd.grad imports all of sympy on first use.
        found = torch.autograd.grad((output * weights).sum(), wanted, allow_unused=True)
        return tuple(
            torch.zeros_like(leaf) if grad is None else grad
            for leaf, grad in zip(wanted, found, strict=True)
        )

    gradient.__name__ = f"gradients of {getattr(function, '__name__', 'the function')}"
    return gradient


def pattern(like: torch.Tensor) -> torch.Tensor:
    """Fixed, aperiodic, signed weights in the shape of `like`; no random number is drawn."""
    steps = torch.arange(1, like.numel() + 1, dtype=torch.float64)
    return torch.sin(steps * 1.7 + 0.3).reshape(like.shape).to(like.dtype)
