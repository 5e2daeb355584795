"""What `networks` does to a net where the net lives: fill it, call it, look at it, train it.

These functions travel to the learner's process (`student.run`): they are public.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import is_lazy
from torch.overrides import TorchFunctionMode

Shape = tuple[int, ...]
TABLE = 65537  # numbers that weights are cut from; a prime, so that no two rows are alike
SMALL = 1 << 12  # so few numbers are drawn as usual
HUGE = 1 << 22  # a weight of more numbers is mostly zeros, which take less time


class Undrawn(TorchFunctionMode):
    """Leaves out the random start of large weights that are overwritten at once."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Return the tensor as it is where `func` would fill it."""
        kwargs = kwargs or {}
        if func in (nn.init.kaiming_uniform_, torch.Tensor.uniform_, torch.Tensor.normal_):
            tensor = kwargs["tensor"] if "tensor" in kwargs else args[0]
            # Memory as found may hold ones or zeros, which `fill` goes by in a small tensor.
            if tensor.numel() > SMALL:
                return tensor
        return func(*args, **kwargs)


def settle(net: Any, shape: Shape) -> None:
    """Show a net an input of this shape, so that lazy layers know theirs; does not train it."""
    training = net.training
    net.eval()
    with torch.no_grad(), Undrawn():
        net(torch.zeros(1, *shape[1:]))
    net.train(training)


def listed(net: Any, shape: Shape | None = None) -> list[tuple[Shape, str]]:
    """The shape of each parameter and what is to be said of it ("ones", "never used"), sorted.

    A new net is settled first, with an input of the shape given. Batch normalizations written by
    hand may keep (1, c, 1, 1) numbers instead of (c,).
    """
    if shape is not None:
        settle(net, shape)
    return sorted(_described(parameter) for parameter in net.parameters())


def fill(net: Any, numbers: torch.Tensor, shape: Shape | None = None) -> list[tuple[Shape, str]]:
    """Give every parameter the value of its shape, and list them as they were before.

    Scales of a normalization, known by starting as ones, get values around 1.5.
    """
    found = listed(net, shape)
    for parameter in net.parameters():
        due, start = _described(parameter)
        if start == "never used":
            continue
        if parameter.numel() > HUGE:
            parameter.data = _thin(numbers, due, parameter.dtype)
        else:
            value = _cut(numbers, due, start == "ones")
            parameter.data.copy_(value.reshape(parameter.shape))
    return found


def _described(parameter: Any) -> tuple[Shape, str]:
    if is_lazy(parameter):
        return (), "never used"
    shape = tuple(parameter.shape)
    flat = parameter.detach().flatten()
    start = float(flat[0]) if flat.numel() == max(shape, default=0) else 0.5
    ones = start == 1.0 and bool((flat == 1).all())
    if ones or (start == 0.0 and not flat.any()):
        shape = (flat.numel(),)
    return shape, "ones" if ones else ""


def _start(shape: Shape) -> int:
    """Where in the table the values of a parameter of this shape begin."""
    start = 0
    for size in shape:
        start = (31 * start + size) % 4099
    return start


def _cut(numbers: torch.Tensor, shape: Shape, ones: bool) -> torch.Tensor:
    """The values of a parameter of this shape, always the same for the same numbers."""
    count, start = math.prod(shape), _start(shape)
    if len(shape) == 1:
        values = numbers[torch.arange(start, start + count) % len(numbers)]
        return 1 + values.abs() / 2 if ones else values / 2
    times = -(-(start + count) // len(numbers))
    values = numbers.repeat(times)[start : start + count]
    return values.reshape(shape) * math.sqrt(2 * shape[0] / count)


def _thin(numbers: torch.Tensor, shape: Shape, dtype: torch.dtype) -> torch.Tensor:
    """A weight of eight numbers a row, the rows together on every column; zeros otherwise."""
    rows, inputs = shape[0], math.prod(shape[1:])
    thin = torch.zeros(rows, inputs, dtype=dtype)
    columns = (torch.arange(8 * rows) % inputs).reshape(rows, 8)
    places = (_start(shape) + torch.arange(8 * rows)) % len(numbers)
    values = numbers[places].reshape(rows, 8) / 2
    return thin.scatter_(1, columns, values.to(dtype)).reshape(shape)


def output_of(net: Any, x: torch.Tensor, training: bool) -> Any:
    """The net's output in training, with gradients enabled, or in evaluation, without."""
    net.train(training)
    with torch.set_grad_enabled(training):
        y = net(x)
    return y.detach() if isinstance(y, torch.Tensor) else y


def slope(net: Any, x: torch.Tensor, weights: Any, training: bool) -> tuple[Any, list[Shape]]:
    """The gradient at x of a weighted sum of outputs; shapes of parameters that have no part.

    Those are found in the graph, since the gradients themselves may be hundreds of megabytes.
    """
    net.train(training)
    x = x.detach().clone().requires_grad_()
    with torch.enable_grad():
        y = net(x)
    reached, seen, stack = set(), set(), [getattr(y, "grad_fn", None)]
    while stack:
        node = stack.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        reached.add(id(getattr(node, "variable", None)))
        stack += [parent for parent, _ in node.next_functions]
    lost = [tuple(p.shape) for p in net.parameters() if id(p) not in reached]
    if id(x) not in reached:
        return None, lost
    with torch.enable_grad():
        total = (y * weights(y.detach())).sum()
    return torch.autograd.grad(total, [x])[0], lost


def shapes_in(net: Any, shape: Shape) -> list[Shape]:
    """Shapes, without the batch, that enter and leave the modules that hold parameters.

    None where one of these is never called: then functions do its work, and the shapes are theirs.
    """
    seen: list[Shape] = []
    called = set()

    def note(module: Any, inputs: Any, output: Any) -> None:
        called.add(module)
        for tensor in (*inputs[:1], output):
            if isinstance(tensor, torch.Tensor):
                one = tuple(tensor.shape[1:])
                if not seen or seen[-1] != one:
                    seen.append(one)

    settle(net, shape)
    holders = {m for m in net.modules() if m is not net and list(m.parameters(recurse=False))}
    for module in holders:
        module.register_forward_hook(note)
    with torch.no_grad():
        net.eval()(torch.zeros(1, *shape[1:]))
    return seen if called == holders else []


def show_hidden(net: Any, x: torch.Tensor, width: int = 4096) -> None:
    """Make each logit one number of the second of two hidden layers of this width.

    The first hidden layer is 1 everywhere, the second adds 1 to what it gets of the first. So a
    logit is 2 without dropout, and with it 0 if dropped, 2 if its input was dropped, 6 if neither.
    """
    settle(net, x.shape)
    with torch.no_grad():
        for parameter in net.parameters():
            shape = tuple(parameter.shape)
            parameter.data = torch.zeros(shape)
            if shape == (width,):
                parameter.fill_(1.0)
            if shape == (width, width):
                parameter.fill_diagonal_(1.0)
            if shape == (len(parameter), width) and len(parameter) < width:
                parameter[:, :: width // len(parameter)].fill_diagonal_(1.0)


def descend(net: Any, x: torch.Tensor, labels: torch.Tensor, training: bool) -> list[float]:
    """The losses on one batch before, between and after four steps of gradient descent.

    Each step is as long as would take a tenth off the loss, were it a straight slope (Polyak's
    rule). So no net needs a rate of its own, and a right one goes down by a third.
    """
    net.train(training)
    losses = []
    for step in range(5):
        net.zero_grad()
        with torch.enable_grad():
            loss = nn.functional.cross_entropy(net(x), labels)
            losses.append(float(loss.detach()))
            if step < 4:
                loss.backward()  # type: ignore[no-untyped-call]
        found = [parameter for parameter in net.parameters() if parameter.grad is not None]
        square = sum(float(parameter.grad.square().sum()) for parameter in found)
        with torch.no_grad():
            for parameter in found:
                parameter.sub_(parameter.grad, alpha=0.1 * losses[-1] / max(square, 1e-12))
    return losses
