"""Section 6.3: Parameter initialization.

Three ways to start, each a function that `net.apply` hands every module of a net.
"""

import torch
from torch import nn


def init_normal(module):
    """Start a linear layer from small normal weights and a bias of zeros.

    Meant for `net.apply(init_normal)`, which calls it with every module of a net. If the module is
    an nn.Linear, its weight and its bias are filled in place; they stay the same parameters. Every
    other module is left alone: other kinds of layers, containers, lazy layers that have seen no
    input.

    Args:
        module: an nn.Module. The weight and the bias of an nn.Linear are modified; one without a
            bias has its weight filled.

    Returns:
        None.

    Formula:
        weight ~ N(0, 0.01^2): the standard deviation is 0.01;  bias = 0

    Example:
        >>> layer = nn.Linear(4, 2)
        >>> init_normal(layer)
        >>> bool((layer.weight.abs() < 0.1).all()), layer.bias.tolist()
        (True, [0.0, 0.0])

    Book: 6.3.1
    """
    raise NotImplementedError("init_normal")


def init_xavier(module):
    """Start a linear layer from the Xavier uniform distribution.

    Meant for `net.apply(init_xavier)`. If the module is an nn.Linear, its weight is filled in
    place; it stays the same parameter. Its bias stays as it is, and every other module is left
    alone.

    Args:
        module: an nn.Module. The weight of an nn.Linear is modified.

    Returns:
        None.

    Formula:
        weight ~ U(-a, a),  a = sqrt(6 / (fan_in + fan_out)), the numbers of inputs and outputs

    Example:
        >>> layer = nn.Linear(4, 2)
        >>> init_xavier(layer)
        >>> bool((layer.weight.abs() <= 1).all())
        True

    Book: 6.3.1
    """
    raise NotImplementedError("init_xavier")


def my_init(module):
    """Start a linear layer from a distribution that PyTorch does not have.

    Half of the weights, by chance, are 0. The others lie far from it: between 5 and 10 or between
    -10 and -5, both alike. Every weight is drawn independently.

    Meant for `net.apply(my_init)`. If the module is an nn.Linear, its weight is filled in place; it
    stays the same parameter. Its bias stays as it is, and every other module is left alone.

    Args:
        module: an nn.Module. The weight of an nn.Linear is modified.

    Returns:
        None.

    Formula:
        weight ~ U(5, 10)      with probability 1/4
                 0             with probability 1/2
                 U(-10, -5)    with probability 1/4

        A draw from U(-10, 10) has all that already, once those less than 5 in size are set to 0.

    Example:
        >>> layer = nn.Linear(40, 2)
        >>> my_init(layer)
        >>> size = layer.weight.detach().abs()
        >>> bool(((size == 0) | ((size >= 5) & (size <= 10))).all())
        True

    Book: 6.3.2
    """
    raise NotImplementedError("my_init")
