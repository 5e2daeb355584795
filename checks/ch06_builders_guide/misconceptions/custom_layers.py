"""Wrong answers that people give in section 6.5, and what went wrong in them."""

import torch
from torch import nn

from d2lgrade.testkit import misconception

# --- CenteredLayer --------------------------------------------------------------------------


@misconception(
    "CenteredLayer",
    "mean-of-each-column",
    book="6.5.1",
    why="Each column loses a mean of its own. Subtract one mean, that of all entries.",
)
class CenteredLayer_columns(nn.Module):
    def forward(self, X):
        return X - X.mean(0)


@misconception(
    "CenteredLayer",
    "mean-of-each-row",
    book="6.5.1",
    why="Each row loses a mean of its own. Subtract one mean, that of all entries.",
)
class CenteredLayer_rows(nn.Module):
    def forward(self, X):
        return X - X.mean(-1, keepdim=True)


@misconception(
    "CenteredLayer",
    "sum-for-mean",
    book="6.5.1",
    why="You subtract the sum of the entries. The mean is the sum divided by their number.",
)
class CenteredLayer_sum(nn.Module):
    def forward(self, X):
        return X - X.sum()


@misconception(
    "CenteredLayer",
    "divided-too",
    book="6.5.1",
    why="The entries are divided by their spread as well. Only centre them.",
)
class CenteredLayer_scaled(nn.Module):
    def forward(self, X):
        spread = X.std(correction=0)
        return (X - X.mean()) / torch.where(spread > 0, spread, torch.ones_like(spread))


@misconception(
    "CenteredLayer",
    "mean-cut-off",
    book="6.5.1",
    why="The mean is taken for a constant (.item(), .data or .detach()). It depends on X as well, "
    "so the gradient has to go through it.",
)
class CenteredLayer_cut(nn.Module):
    def forward(self, X):
        return X - X.mean().detach()


@misconception(
    "CenteredLayer",
    "in-place",
    book="2.1.5",
    why="`X -= …` writes into the caller's tensor. Write X - …, which makes a new one.",
    fails=("arguments",),
    signature=lambda calls: calls[-1].error is None,
)
class CenteredLayer_in_place(nn.Module):
    def forward(self, X):
        Y = X - X.mean()
        with torch.no_grad():
            X -= X.mean()
        return Y


# --- MyLinear -------------------------------------------------------------------------------


class _Layer(nn.Module):
    """A right layer, to be made wrong in one place."""

    def __init__(self, in_units, units, weight=1.0, bias=1.0):
        super().__init__()
        self.weight = nn.Parameter(weight * torch.randn(in_units, units))
        self.bias = nn.Parameter(bias * torch.randn(units))

    def forward(self, X):
        return torch.relu(X @ self.weight + self.bias)


@misconception(
    "MyLinear",
    "data-in-forward",
    book="6.5.2",
    why="forward reads the parameters through .data, as the book does. That cuts them out of the "
    "graph: no gradient reaches them, and they never learn.",
)
class MyLinear_data(_Layer):
    def forward(self, X):
        return torch.relu(X @ self.weight.data + self.bias.data)


@misconception(
    "MyLinear",
    "no-relu",
    book="6.5.2",
    why="The relu is missing: this layer has it built in.",
)
class MyLinear_straight(_Layer):
    def forward(self, X):
        return X @ self.weight + self.bias


@misconception(
    "MyLinear",
    "bias-after-relu",
    book="6.5.2",
    why="The bias is added after the relu. It belongs inside.",
)
class MyLinear_late(_Layer):
    def forward(self, X):
        return torch.relu(X @ self.weight) + self.bias


@misconception(
    "MyLinear",
    "bias-forgotten",
    book="6.5.2",
    why="The bias is there but is never added.",
)
class MyLinear_unbiased(_Layer):
    def forward(self, X):
        return torch.relu(X @ self.weight)


@misconception(
    "MyLinear",
    "plain-tensors",
    book="6.5.2",
    why="The weights are plain tensors, which a module does not know of: parameters() is empty. "
    "Wrap them in nn.Parameter.",
)
class MyLinear_tensors(nn.Module):
    def __init__(self, in_units, units):
        super().__init__()
        self.weight = torch.randn(in_units, units, requires_grad=True)
        self.bias = torch.randn(units, requires_grad=True)

    def forward(self, X):
        return torch.relu(X @ self.weight + self.bias)


@misconception(
    "MyLinear",
    "weight-transposed",
    book="6.5.2",
    why="The weight lies on its side, as in nn.Linear. Here it has a row for each input.",
)
class MyLinear_transposed(nn.Module):
    def __init__(self, in_units, units):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(units, in_units))
        self.bias = nn.Parameter(torch.randn(units))

    def forward(self, X):
        return torch.relu(X @ self.weight.T + self.bias)


@misconception(
    "MyLinear",
    "bias-of-zeros",
    book="6.5.2",
    why="The bias starts from zeros. In this layer it is drawn like the weight.",
    fails=("start",),
    signature=lambda calls: any(
        bool((value == 0).all()) for call in calls for value in _values(call.result)
    ),
)
class MyLinear_zeros(_Layer):
    def __init__(self, in_units, units):
        super().__init__(in_units, units, bias=0.0)


def _values(result):
    """The tensors in a recorded result."""
    return [
        value
        for value in (result if isinstance(result, list | tuple) else [result])
        if isinstance(value, torch.Tensor)
    ]
