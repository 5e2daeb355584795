"""Section 6.1: Layers and modules.

Modules that hold modules, and what a module can hold besides parameters.
"""

import torch
from torch import nn


class MySequential(nn.Module):
    """A chain of modules: what one returns goes into the next.

    All modules of the chain are registered, so that whatever is asked of the chain reaches them:
    its `parameters()` and `state_dict()` are theirs, and `.to`, `.train`, `.eval`, `.apply` go
    through to them. A module may stand in the chain more than once; it is then applied as often,
    and its parameters are the same each time.

    Args:
        *args: nn.Modules, in the order in which they are applied; there may be none.

    Returns:
        Called with X: what the last module makes of it; X itself for an empty chain.

    Formula:
        MySequential(f, g, h)(X) = h(g(f(X)))

    Rules:
        Write it yourself: do not use nn.Sequential.

    Example:
        >>> net = MySequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
        >>> net(torch.zeros(5, 2)).shape
        torch.Size([5, 1])
        >>> len(list(net.parameters()))
        4

    Book: 6.1.2
    """

    def __init__(self, *args):
        super().__init__()
        raise NotImplementedError("MySequential.__init__")

    def forward(self, X):
        raise NotImplementedError("MySequential.forward")


class FixedHiddenMLP(nn.Module):
    """A network with one linear layer, used twice, and a constant weight in between.

    The constant is drawn when the network is made, uniformly from [0, 1), and never learned: it is
    no parameter. Yet it is part of the network: `.to` moves and converts it, and `state_dict()`
    holds it. It is the attribute `rand_weight`.

    Returns:
        Called with a float tensor X of shape (n, 20), not modified: a float tensor (), a single
        number. Gradients flow from it back to X and to the parameters. These are the weight (20,
        20) and the bias (20,) of the one linear layer, 420 numbers; it may be a lazy one.

    Formula:
        In this order:

        A = linear(X)
        B = relu(A @ rand_weight + 1)
        C = linear(B), by the same layer
        while the sum of |C| over all entries is greater than 1:  C <- C / 2
        the result is the sum of the entries of C

    Example:
        >>> net = FixedHiddenMLP()
        >>> Y = net(torch.ones(2, 20))
        >>> Y.shape
        torch.Size([])
        >>> bool(Y.abs() <= 1)
        True
        >>> sum(parameter.numel() for parameter in net.parameters())
        420
        >>> net.rand_weight.shape
        torch.Size([20, 20])

    Book: 6.1.3
    """

    def __init__(self):
        super().__init__()
        raise NotImplementedError("FixedHiddenMLP.__init__")

    def forward(self, X):
        raise NotImplementedError("FixedHiddenMLP.forward")
