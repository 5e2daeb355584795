"""Section 7.3: Padding and stride.

Padding lets the kernel reach over the border of an image, a stride lets it skip places. Together
they decide how large the output is.
"""

import torch
from conv_layer import corr2d


def conv_output_shape(n, k, p, s):
    """How many places a kernel takes along one axis.

    The height of a convolution's output follows from the heights of image, kernel, padding and
    stride, and the width from the widths: call it once for each axis.

    Args:
        n: int, at least 1: length of the image along this axis.
        k: int, at least 1: length of the kernel.
        p: int, at least 0: rows or columns of padding in total, both sides taken together. It may
            be odd. (PyTorch's `padding` counts one side only.)
        s: int, at least 1: the stride.

    Returns:
        int, the length of the output along this axis. A last step that would carry the kernel
        over the end is not taken.

    Formula:
        floor((n - k + p + s) / s)

    Raises:
        ValueError: the kernel is longer than the padded image (k > n + p), or the stride is less
            than 1.

    Example:
        >>> conv_output_shape(8, 3, 2, 1)
        8
        >>> conv_output_shape(8, 3, 2, 2)
        4

    Book: 7.3.1 and 7.3.2
    """
    raise NotImplementedError("conv_output_shape")


def corr2d_strided(X, K, padding=(0, 0), stride=(1, 1)):
    """Cross-correlate an image with a kernel, with padding and stride.

    Zeros are put around the image, then the kernel slides over it in steps of `stride`, from the
    top left corner. Places where the kernel would reach over the far border are left out.

    Args:
        X: float tensor (h, w), the image. Not modified.
        K: float tensor (kh, kw), the kernel, with the dtype and device of X. Not modified.
        padding: tuple (ph, pw) of ints: ph rows of zeros above the image and ph more below it, pw
            columns on its left and pw more on its right. Each side gets this much, as in
            `nn.Conv2d`.
        stride: tuple (sh, sw) of ints: sh rows down and sw columns across from one place of the
            kernel to the next.

    Returns:
        Float tensor, with the dtype and device of X. Its shape is
        (floor((h + 2 * ph - kh) / sh) + 1, floor((w + 2 * pw - kw) / sw) + 1).
        Gradients flow from it back to X and to K.

    Formula:
        Y[i, j] = sum over a, b of P[i * sh + a, j * sw + b] * K[a, b], where P is the padded image

    Raises:
        ValueError: the kernel is higher or wider than the padded image, a padding is negative, or
            a stride is less than 1.

    Rules:
        Write it yourself: do not call PyTorch's convolution functions or layers. Your own
        `corr2d` is welcome (`from conv_layer import corr2d`), and so is `torch.nn.functional.pad`.

    Example:
        >>> X = torch.tensor([[1.0, 2.0, 3.0, 4.0]])
        >>> K = torch.tensor([[1.0, 10.0]])
        >>> corr2d_strided(X, K, padding=(0, 1), stride=(1, 2))
        tensor([[10., 32.,  4.]])

    Book: 7.3.1 and 7.3.2
    """
    raise NotImplementedError("corr2d_strided")
