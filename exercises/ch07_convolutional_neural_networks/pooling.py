"""Section 7.5: Pooling.

A window slides over an image and keeps its largest entry or its average.
"""

import torch
from torch.nn import functional as F


def pool2d(X, pool_size, mode="max"):
    """Summarise each window of an image by its largest entry or by its average.

    The window visits every position where it fits, one step at a time, as a kernel does in
    corr2d. It has no weights.

    Args:
        X: float tensor (h, w), the image. Not modified.
        pool_size: tuple (ph, pw), height and width of the window, each at least 1.
        mode: 'max' for the largest entry, 'avg' for the average.

    Returns:
        Float tensor (h - ph + 1, w - pw + 1), dtype and device of X.

    Formula:
        'max': Y[i, j] = max over a, b of X[i + a, j + b],  0 <= a < ph, 0 <= b < pw
        'avg': Y[i, j] = 1 / (ph * pw) * sum over a, b of X[i + a, j + b]

        Entries may all be negative; then the largest is negative too.

    Raises:
        ValueError: mode is neither 'max' nor 'avg', or the window is larger than the image.

    Rules:
        Write it yourself: do not call PyTorch's pooling functions or layers.

    Example:
        >>> X = torch.tensor([[-1.0, -2.0, 3.0], [-4.0, -5.0, 6.0]])
        >>> pool2d(X, (2, 2))
        tensor([[-1.,  6.]])
        >>> pool2d(X, (2, 1), mode='avg')
        tensor([[-2.5000, -3.5000,  4.5000]])

    Book: 7.5.1
    """
    raise NotImplementedError("pool2d")


def pool2d_multi(X, pool_size, mode="max", padding=(0, 0), stride=None):
    """Pool a batch of images with several channels, with padding and stride.

    Each channel of each image is pooled on its own, so channels stay as many as they were. By
    default the windows lie side by side: the step is the window's own size. A window that would
    reach beyond the padded image is left out.

    Args:
        X: float tensor (n, c, h, w), the images; n may be 0. Not modified.
        pool_size: tuple (ph, pw), height and width of the window, each at least 1.
        mode: 'max' for the largest entry, 'avg' for the average.
        padding: tuple (rows above and below, columns left and right), on each side, as in
            torch.nn.MaxPool2d. At most half the window's height and width.
        stride: tuple (sh, sw), the steps downwards and to the right, each at least 1; None means
            pool_size.

    Returns:
        Float tensor (n, c, floor((h + 2 * padding[0] - ph) / sh) + 1,
        floor((w + 2 * padding[1] - pw) / sw) + 1), dtype and device of X.

    Formula:
        P is X with its padding.
        'max': Y[n, c, i, j] = max over a, b of P[n, c, i * sh + a, j * sw + b]
        'avg': Y[n, c, i, j] = 1 / (ph * pw) * sum over a, b of P[n, c, i * sh + a, j * sw + b]

        Padding holds -inf for 'max', so that it never wins. It holds 0 for 'avg' and counts:
        the sum is divided by ph * pw for every window.

    Raises:
        ValueError: mode is neither 'max' nor 'avg', or the padding is more than half the window,
            or the window is larger than the padded image.

    Rules:
        Write it yourself: do not call PyTorch's pooling functions or layers.
        torch.nn.functional.pad is allowed.

    Example:
        >>> X = torch.tensor([[[[-1.0, -2.0, -3.0, -4.0]]]])
        >>> pool2d_multi(X, (1, 2))
        tensor([[[[-1., -3.]]]])
        >>> pool2d_multi(X, (1, 2), padding=(0, 1))
        tensor([[[[-1., -2., -4.]]]])
        >>> pool2d_multi(X, (1, 2), mode='avg', padding=(0, 1), stride=(1, 3))
        tensor([[[[-0.5000, -3.5000]]]])

    Book: 7.5.2, 7.5.3
    """
    raise NotImplementedError("pool2d_multi")
