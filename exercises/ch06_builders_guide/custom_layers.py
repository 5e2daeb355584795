"""Section 6.5: Custom layers.

A layer without parameters, and one with parameters of its own.
"""

import torch
from torch import nn


class CenteredLayer(nn.Module):
    """Subtract the mean of all entries from every entry.

    Returns:
        Called with a float tensor X of any shape, not modified: a float tensor of that shape, with
        its dtype and device, whose entries have the mean 0. The layer has no parameters. Gradients
        flow back to X, through the mean as well.

    Formula:
        Y[i] = X[i] - mean(X), one mean over all axes

    Example:
        >>> layer = CenteredLayer()
        >>> layer(torch.tensor([[1.0, 2.0], [3.0, 6.0]]))
        tensor([[-2., -1.],
                [ 0.,  3.]])

    Book: 6.5.1
    """

    def forward(self, X):
        raise NotImplementedError("CenteredLayer.forward")


class MyLinear(nn.Module):
    """A linear layer and a ReLU in one, with parameters of its own making.

    Weight and bias start from draws of the standard normal distribution.

    Args:
        in_units: int, d, the number of inputs.
        units: int, h, the number of outputs.

    Returns:
        Called with a float tensor X of shape (n, d), not modified: a float tensor (n, h). The
        layer's parameters are a weight (d, h) and a bias (h,). Gradients flow from the result back
        to X and to both of them. (In the book the forward pass reads them through .data, which cuts
        their gradients off. Here that is wrong.)

    Formula:
        Y = relu(X @ weight + bias)

    Rules:
        Make the parameters yourself: do not use nn.Linear.

    Example:
        >>> layer = MyLinear(5, 3)
        >>> layer(torch.zeros(2, 5)).shape
        torch.Size([2, 3])
        >>> sorted(tuple(parameter.shape) for parameter in layer.parameters())
        [(3,), (5, 3)]

    Book: 6.5.2
    """

    def __init__(self, in_units, units):
        super().__init__()
        raise NotImplementedError("MyLinear.__init__")

    def forward(self, X):
        raise NotImplementedError("MyLinear.forward")
