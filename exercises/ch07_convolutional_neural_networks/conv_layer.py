"""Section 7.2: Convolutions for images.

A kernel slides over an image, a layer learns its kernel, and a kernel shows what it has learned:
where the edges are.
"""

import torch
from torch import nn


def corr2d(X, K):
    """Cross-correlate an image with a kernel.

    The kernel slides over every place where it fits inside the image. At each place it is
    multiplied with the part of the image below it, entry by entry, and the products are added up.
    The kernel is used as it stands: it is not flipped.

    Args:
        X: float tensor (h, w), the image. Not modified.
        K: float tensor (kh, kw), the kernel, with the dtype and device of X. Not modified.

    Returns:
        Float tensor (h - kh + 1, w - kw + 1), with the dtype and device of X. Gradients flow from
        it back to X and to K.

    Formula:
        Y[i, j] = sum over a, b of X[i + a, j + b] * K[a, b]

    Raises:
        ValueError: the kernel is higher or wider than the image.

    Rules:
        Write it yourself: do not call PyTorch's convolution functions or layers.

    Example:
        >>> X = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
        >>> K = torch.tensor([[1.0, 10.0]])
        >>> corr2d(X, K)
        tensor([[21., 32.],
                [54., 65.]])

    Book: 7.2.1
    """
    raise NotImplementedError("corr2d")


class Conv2D(nn.Module):
    """A convolutional layer with one input channel, one output channel and a bias.

    Calling it cross-correlates an image with the layer's weight and adds the bias to every entry.

    Args:
        kernel_size: tuple (kh, kw) of ints, the shape of the kernel.

    Attributes:
        weight: parameter (kh, kw). Starts at random values.
        bias: parameter (1,). Starts at zero.

    Returns:
        Called with a float tensor x of shape (h, w), not modified: a float tensor
        (h - kh + 1, w - kw + 1). Gradients flow from it back to x, to weight and to bias.

    Formula:
        layer(x) = corr2d(x, weight) + bias

    Example:
        >>> layer = Conv2D(kernel_size=(1, 2))
        >>> [tuple(parameter.shape) for parameter in layer.parameters()]
        [(1, 2), (1,)]
        >>> layer(torch.ones(3, 3)).shape
        torch.Size([3, 2])

    Book: 7.2.2
    """

    def __init__(self, kernel_size):
        super().__init__()
        raise NotImplementedError("Conv2D.__init__")

    def forward(self, x):
        raise NotImplementedError("Conv2D.forward")


def vertical_edge_kernel():
    """A kernel that finds vertical edges.

    In an image of ones (white) and zeros (black), the cross-correlation with this kernel is 1
    where white meets black on its right, -1 where black meets white on its right, and 0 between
    two equal neighbours. Horizontal edges leave no trace.

    Returns:
        Float tensor (1, 2), float32: one row, two columns.

    Example:
        >>> corr2d(torch.tensor([[1.0, 1.0, 0.0, 0.0, 1.0]]), vertical_edge_kernel())
        tensor([[ 0.,  1.,  0., -1.]])

    Book: 7.2.3
    """
    raise NotImplementedError("vertical_edge_kernel")


def learn_kernel(X, Y, kernel_size, lr, num_steps):
    """Find the kernel that turns one image into another, by gradient descent.

    Starting from some kernel, takes `num_steps` steps of plain gradient descent on the squared
    error, summed over all entries (not averaged, not halved), with the whole image in every step.
    There is no bias. The start is yours to choose: zeros, or small random values drawn with torch,
    so that one seed gives one result.

    Args:
        X: float tensor (h, w), the input image. Not modified.
        Y: float tensor (h - kh + 1, w - kw + 1), the output wanted, with the dtype and device of X.
            Not modified.
        kernel_size: tuple (kh, kw) of ints, the shape of the kernel to learn.
        lr: float, the learning rate.
        num_steps: int, how many steps to take.

    Returns:
        Float tensor of shape kernel_size, with the dtype and device of X: the kernel after the
        last step, as plain numbers that carry no gradient.

    Formula:
        loss(K) = sum over i, j of (corr2d(X, K)[i, j] - Y[i, j])^2
        in each step:  K <- K - lr * (gradient of the loss by K)

    Raises:
        ValueError: Y does not have the shape that X and kernel_size give.

    Example:
        >>> X = torch.tensor([[1.0, 1.0, 0.0, 0.0, 1.0]])
        >>> Y = corr2d(X, torch.tensor([[1.0, -1.0]]))
        >>> K = learn_kernel(X, Y, (1, 2), lr=0.2, num_steps=50)
        >>> [round(entry, 2) for entry in K.flatten().tolist()]
        [1.0, -1.0]

    Book: 7.2.4
    """
    raise NotImplementedError("learn_kernel")
