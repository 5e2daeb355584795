"""What `layers` does to a module where the module lives: settle it, fill it, run it, differentiate.

These functions travel to the learner's process (`student.run`): they are public.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch.nn.parameter import is_lazy

Shape = tuple[int, ...]
Call = Callable[..., Any]  # (module, *inputs) -> tensor


def fill(net: Any, call: Call, inputs: Any, numbers: torch.Tensor) -> list[tuple[Shape, str]]:
    """Show a new module its inputs, then give every parameter the value of its shape.

    Parameters of one shape are equal, but that scales of a normalization, known by starting as
    ones, get values around 1.5. The kernels of a convolution count as the rows of a matrix; the
    axes of length 1 that a token (1, 1, h) or a table (1, n, h) begins with do not count.

    Returns:
        The shape of each parameter and what is to be said of it ("ones", "never used"), sorted.
    """
    if any(is_lazy(parameter) for parameter in net.parameters()):
        training = net.training
        net.eval()
        with torch.no_grad():
            call(net, *inputs)
        net.train(training)
    found: list[tuple[Shape, str]] = []
    for parameter in net.parameters():
        if is_lazy(parameter):
            found.append(((), "never used"))
            continue
        ones = bool((parameter.detach() == 1).all())
        shape = _counted(tuple(parameter.shape))
        found.append((shape, "ones" if ones else ""))
        with torch.no_grad():
            parameter.copy_(_cut(numbers, shape, ones).reshape(parameter.shape))
    return sorted(found)


def _counted(shape: Shape) -> Shape:
    if len(shape) == 4:
        return (shape[0], math.prod(shape[1:]))
    if len(shape) == 3 and shape[0] == 1:
        return shape[2:] if shape[1] == 1 else shape[1:]
    return shape


def _cut(numbers: torch.Tensor, shape: Shape, ones: bool) -> torch.Tensor:
    """The values of a parameter of this shape, always the same for the same numbers."""
    start = 7 if ones else 0
    for size in shape:
        start = 31 * start + size
    values = numbers[torch.arange(start, start + math.prod(shape)) % len(numbers)]
    if ones:
        return 1 + values.abs() / 2
    return values.reshape(shape) * (math.sqrt(1.5 / shape[1]) if len(shape) > 1 else 0.5)


def run(net: Any, call: Call, inputs: Any, training: bool) -> Any:
    """What the module gives in training or in evaluation mode."""
    net.train(training)
    with torch.no_grad():
        return call(net, *inputs)


def differentiate(
    net: Any, call: Call, inputs: Any, weights: Any, training: bool
) -> tuple[list[torch.Tensor | None], list[Shape]]:
    """Gradients of a weighted sum of the outputs, and shapes of parameters that have no part.

    The gradients are those at the floating inputs, in their order.
    """
    net.train(training)
    leaves = [
        x.detach().clone().requires_grad_()
        if isinstance(x, torch.Tensor) and x.is_floating_point()
        else x
        for x in inputs
    ]
    wanted = [x for x in leaves if isinstance(x, torch.Tensor) and x.requires_grad]
    parameters = list(net.parameters())
    with torch.enable_grad():
        output = call(net, *leaves)
        if not output.requires_grad:
            return [None for _ in wanted], [tuple(p.shape) for p in parameters]
        total = (output * weights(output.detach())).sum()
    found = torch.autograd.grad(total, [*wanted, *parameters], allow_unused=True)
    lost = [
        tuple(p.shape)
        for p, gradient in zip(parameters, found[len(wanted) :], strict=True)
        if gradient is None
    ]
    return list(found[: len(wanted)]), lost
