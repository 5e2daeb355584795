"""Wrong answers that people give in section 5.1, and what went wrong in them."""

import torch

from d2lgrade.testkit import misconception


@misconception(
    "relu",
    "half-the-gradient-at-zero",
    book="5.1.2",
    why="The maximum of X and a tensor of zeros, as in the book, has two winners at 0 and gives "
    "each half of the gradient. The contract's derivative there is 0: compare X > 0 instead.",
)
def relu_maximum(X):
    return torch.max(X, torch.zeros_like(X))


@misconception(
    "relu",
    "gradient-at-zero",
    book="5.1.2",
    why="clamp lets the gradient through at 0 itself. The contract's derivative there is 0.",
)
def relu_clamp(X):
    return X.clamp(min=0.0)


@misconception(
    "relu",
    "absolute-value",
    book="5.1.2",
    why="What is negative turns positive. It is to become 0.",
)
def relu_absolute(X):
    return torch.where(X > 0, X, -X)


@misconception(
    "relu",
    "wrong-side",
    book="5.1.2",
    why="You keep what is negative.",
)
def relu_minimum(X):
    return torch.where(X < 0, X, 0.0)


@misconception(
    "relu",
    "step",
    book="5.1.2",
    why="The result is 0 or 1: a step. Where the input is positive, pass it on as it is.",
)
def relu_step(X):
    return torch.where(X > 0, 1.0, X * 0.0)


@misconception(
    "relu",
    "leaky",
    book="5.1.2",
    why="A little of what is negative gets through: this is the leaky relu. Let nothing through.",
)
def relu_leaky(X):
    return torch.where(X > 0, X, 0.01 * X)


@misconception(
    "relu",
    "one-maximum",
    book="5.1.2",
    why="You take the largest entry of the whole tensor. Each entry is compared with 0.",
)
def relu_largest(X):
    return X.max().clamp(min=0.0)


@misconception(
    "relu",
    "in-place",
    book="2.1.5",
    why="You set the negative entries of X itself to 0. Make a new tensor.",
    fails=("arguments",),
    signature=lambda calls: torch.equal(calls[-1].result, calls[-1].args[0].clamp(min=0.0)),
)
def relu_in_place(X):
    result = torch.where(X > 0, X, 0.0)
    with torch.no_grad():
        X[X < 0] = 0.0
    return result


@misconception(
    "relu",
    "graph-cut",
    book="5.1.2",
    why="The result is put together outside the graph (.data, .detach() or NumPy), so that no "
    "gradient flows back.",
)
def relu_cut(X):
    return torch.where(X.data > 0, X.data, 0.0)
