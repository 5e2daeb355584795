"""Section 6.2: Parameter management.

One layer in two places.
"""

from torch import nn


def tied_mlp(num_hidden):
    """A network in which two hidden layers are one and the same.

    The layer in the middle is applied twice and has its parameters once: there is a single weight
    and a single bias. Changed in one place they are changed in the other, and their gradient is the
    sum of the gradients of both uses.

    Args:
        num_hidden: int, h, how wide the hidden layers are. How many numbers an example has shows
            with the first input.

    Returns:
        An nn.Module. Called with a float tensor X of shape (n, d), not modified: a float tensor
        (n, 1). Gradients flow from it back to X and to every parameter.

    Formula:
        In this order, with the shape that each step leaves:

        linear, ReLU                                      (n, h)
        the shared linear layer from h to h, ReLU         (n, h)
        the same layer once more, ReLU                    (n, h)
        linear                                            (n, 1)

        All linear layers have a bias. There are three of them, and so six parameters.

    Example:
        >>> import torch
        >>> net = tied_mlp(8)
        >>> net(torch.ones(2, 4)).shape
        torch.Size([2, 1])
        >>> [tuple(parameter.shape) for parameter in net.parameters()]
        [(8, 4), (8,), (8, 8), (8,), (1, 8), (1,)]

    Book: 6.2.2
    """
    raise NotImplementedError("tied_mlp")
