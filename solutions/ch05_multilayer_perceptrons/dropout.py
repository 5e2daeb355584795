"""Section 5.6: Dropout.

A layer that forgets some of its entries at random, and keeps their expected value; and a network
with two of them.
"""

import torch
from torch import nn


def dropout_layer(X, dropout):
    """Set each entry to zero with a given probability, and scale up those that survive.

    Each entry has a draw of its own, independent of all others and of earlier calls. The survivors
    are divided by the probability to survive, so that the expected value of every entry stays what
    it was.

    Args:
        X: float tensor of any shape, with finite entries. Not modified.
        dropout: float from 0 to 1, the probability that an entry is dropped.

    Returns:
        Float tensor of the shape of X, with its dtype and device. For dropout 0 it equals X, for
        dropout 1 it is zero throughout. In between gradients flow back to X.

    Formula:
        Y[i] = 0 with probability p,  X[i] / (1 - p) with probability 1 - p,  p = dropout
        The gradient uses the same draws: dY[i] / dX[i] is 0 where Y[i] was dropped, and
        1 / (1 - p) elsewhere.

    Raises:
        ValueError: dropout is less than 0 or greater than 1.

    Rules:
        Write it yourself: do not call PyTorch's dropout functions or layers.

    Example:
        >>> X = torch.tensor([[1.0, -2.0], [3.0, 4.0]])
        >>> dropout_layer(X, 0.0)
        tensor([[ 1., -2.],
                [ 3.,  4.]])
        >>> dropout_layer(X, 1.0)
        tensor([[0., 0.],
                [0., 0.]])
        >>> sorted(set(dropout_layer(torch.ones(1000), 0.75).tolist()))
        [0.0, 4.0]

    Book: 5.6.2
    """
    # BEGIN SOLUTION
    if not 0 <= dropout <= 1:
        raise ValueError(f"dropout is a probability, not {dropout}: choose it from 0 to 1")
    if dropout == 1:
        # Nobody survives, and 1 / (1 - p) does not exist.
        return torch.zeros_like(X)
    # `rand_like` draws with the dtype and on the device of X; plain `torch.rand` would not.
    # BLANK: survives = ____ >= dropout
    survives = torch.rand_like(X) >= dropout
    # BLANK: return survives * X / ____
    return survives * X / (1 - dropout)
    # END SOLUTION


class DropoutMLP(nn.Module):
    """A multilayer perceptron with two hidden layers, each followed by dropout.

    Dropout is for training: in train mode it forgets numbers of the hidden layers, by new draws in
    every call. In eval mode nothing is dropped, and the same input gives the same scores.

    Args:
        num_outputs: int, q, how many scores there are.
        num_hiddens_1: int, h1, how wide the first hidden layer is. How many numbers an example has
            shows with the first input.
        num_hiddens_2: int, h2, how wide the second hidden layer is.
        dropout_1: float from 0 to 1, the probability that a number of the first hidden layer is
            dropped.
        dropout_2: float from 0 to 1, likewise for the second hidden layer.

    Returns:
        Called with a float tensor X of shape (n, ...), images for instance, not modified: a float
        tensor (n, q) of scores. Gradients flow from it back to X and to every parameter.

    Formula:
        In this order, with the shape that each step leaves:

        flatten                                             (n, d)
        linear with a bias, ReLU, dropout by dropout_1      (n, h1)
        linear with a bias, ReLU, dropout by dropout_2      (n, h2)
        linear with a bias                                  (n, q)

        Survivors are scaled as by `dropout_layer`.

    Raises:
        ValueError: dropout_1 or dropout_2 is less than 0 or greater than 1. It may be raised by the
            constructor or by a call in train mode.

    Example:
        >>> net = DropoutMLP(10, 8, 4, 0.5, 0.5).eval()
        >>> X = torch.ones(2, 1, 28, 28)
        >>> net(X).shape
        torch.Size([2, 10])
        >>> torch.equal(net(X), net(X))
        True

    Book: 5.6.2, 5.6.3
    """

    def __init__(self, num_outputs, num_hiddens_1, num_hiddens_2, dropout_1, dropout_2):
        super().__init__()
        # BEGIN SOLUTION
        # BLANK: first = [____]
        first = [nn.LazyLinear(num_hiddens_1), nn.ReLU(), nn.Dropout(dropout_1)]
        # BLANK: second = [____]
        second = [nn.Linear(num_hiddens_1, num_hiddens_2), nn.ReLU(), nn.Dropout(dropout_2)]
        # BLANK: last = ____
        last = nn.Linear(num_hiddens_2, num_outputs)
        self.net = nn.Sequential(nn.Flatten(), *first, *second, last)
        # END SOLUTION

    def forward(self, X):
        # BEGIN SOLUTION
        # BLANK: return ____
        return self.net(X)
        # END SOLUTION
