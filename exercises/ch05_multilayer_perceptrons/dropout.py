"""Section 5.6: Dropout.

A layer that forgets some of its entries at random, and keeps their expected value.
"""

import torch


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
    raise NotImplementedError("dropout_layer")
