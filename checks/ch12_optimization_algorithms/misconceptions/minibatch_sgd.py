"""Wrong answers that people give in sections 12.4 and 12.5, and what went wrong in them."""

import torch

from d2lgrade.testkit import misconception


@misconception(
    "sgd",
    "ascends",
    book="12.4.1",
    why="The step is added to the parameter, so it climbs. Subtract it.",
)
def sgd_ascends(params, states, hyperparams):
    with torch.no_grad():
        for p in params:
            p += hyperparams["lr"] * p.grad
            p.grad.zero_()


@misconception(
    "sgd",
    "new-tensors",
    book="12.5.2",
    why="p = p - ... makes a new tensor and gives it to the loop's own name, so the parameter "
    "never moves, and the new tensor has no gradient to clear. Write p -= ..., or p[:] = ....",
)
def sgd_rebinding(params, states, hyperparams):
    with torch.no_grad():
        for p in params:
            p = p - hyperparams["lr"] * p.grad
            p.grad.zero_()


@misconception(
    "sgd",
    "graph-recorded",
    book="12.5.2",
    why="The step is recorded like any computation, and PyTorch refuses to change a leaf in place "
    "while it records. Take the step under torch.no_grad().",
)
def sgd_recorded(params, states, hyperparams):
    for p in params:
        p -= hyperparams["lr"] * p.grad
        p.grad.zero_()


@misconception(
    "sgd",
    "gradient-left",
    book="12.5.2",
    why="The gradients stay as they are, and the next backward() adds to them. Zero them after the "
    "step.",
)
def sgd_uncleared(params, states, hyperparams):
    with torch.no_grad():
        for p in params:
            p -= hyperparams["lr"] * p.grad


@misconception(
    "sgd",
    "cleared-before-the-step",
    book="12.5.2",
    why="The gradients are cleared before they are used, so nothing moves. Step first.",
)
def sgd_cleared_first(params, states, hyperparams):
    with torch.no_grad():
        for p in params:
            p.grad.zero_()
            p -= hyperparams["lr"] * p.grad


@misconception(
    "sgd",
    "divided-by-the-first-axis",
    book="12.5.2",
    why="The gradient is divided by the length of the parameter's first axis, as if that were the "
    "batch size. The loss of 12.5 is a mean, so the gradient is one already.",
)
def sgd_divided(params, states, hyperparams):
    with torch.no_grad():
        for p in params:
            p -= hyperparams["lr"] * p.grad / len(p)
            p.grad.zero_()


@misconception(
    "sgd",
    "only-the-first",
    book="12.5.2",
    why="The function returns inside the loop, after its first parameter. Move `return` out, or "
    "leave it away.",
)
def sgd_first_only(params, states, hyperparams):
    with torch.no_grad():
        for p in params:
            p -= hyperparams["lr"] * p.grad
            p.grad.zero_()
            return


@misconception(
    "sgd",
    "learning-rate-squared",
    book="12.4.1",
    why="The learning rate enters twice. Multiply the gradient by it once.",
)
def sgd_squared(params, states, hyperparams):
    with torch.no_grad():
        for p in params:
            p.grad *= hyperparams["lr"]
            p -= hyperparams["lr"] * p.grad
            p.grad.zero_()
