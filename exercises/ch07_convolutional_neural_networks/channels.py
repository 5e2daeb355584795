"""Section 7.4: Multiple input and output channels.

A kernel reads all channels of an image at once, and several kernels write several channels.
"""

import torch
from conv_layer import corr2d


def corr2d_multi_in(X, K):
    """Cross-correlate an image that has several channels.

    The kernel has one slice for each channel of the image. Each channel is cross-correlated with
    its own slice, and the results are added up: however many channels go in, one map comes out.

    Args:
        X: float tensor (c_i, h, w), the image; c_i is at least 1. Not modified.
        K: float tensor (c_i, kh, kw), the kernel. Not modified.

    Returns:
        Float tensor (h - kh + 1, w - kw + 1), dtype and device of X.

    Formula:
        Y = sum over c of corr2d(X[c], K[c])

    Raises:
        ValueError: X and K have different numbers of channels.

    Rules:
        Write it yourself: do not call PyTorch's convolution functions or layers. Your own `corr2d`
        (7.2) is welcome.

    Example:
        >>> X = torch.tensor([[[1.0, 2.0, 3.0]], [[10.0, 20.0, 30.0]]])
        >>> K = torch.tensor([[[1.0, 1.0]], [[0.0, 1.0]]])
        >>> corr2d_multi_in(X, K)
        tensor([[23., 35.]])

    Book: 7.4.1
    """
    raise NotImplementedError("corr2d_multi_in")


def corr2d_multi_in_out(X, K):
    """Cross-correlate an image with several kernels, one for each output channel.

    Every output channel sees all input channels, through a kernel of its own. The maps are put on
    top of each other along a new first axis.

    Args:
        X: float tensor (c_i, h, w), the image; c_i is at least 1. Not modified.
        K: float tensor (c_o, c_i, kh, kw), the kernels; K[o] makes output channel o; c_o is at
            least 1. Not modified.

    Returns:
        Float tensor (c_o, h - kh + 1, w - kw + 1), dtype and device of X.

    Formula:
        Y[o] = corr2d_multi_in(X, K[o])

    Raises:
        ValueError: the kernels have another number of input channels than X.

    Rules:
        Write it yourself: do not call PyTorch's convolution functions or layers.

    Example:
        >>> X = torch.tensor([[[1.0, 2.0]], [[10.0, 20.0]]])
        >>> K = torch.tensor([[[[1.0]], [[1.0]]], [[[2.0]], [[0.0]]]])
        >>> corr2d_multi_in_out(X, K)
        tensor([[[11., 22.]],
        <BLANKLINE>
                [[ 2.,  4.]]])

    Book: 7.4.2
    """
    raise NotImplementedError("corr2d_multi_in_out")


def corr2d_multi_in_out_1x1(X, K):
    """Cross-correlate with 1 x 1 kernels, as one matrix product.

    A 1 x 1 kernel sees a single pixel at a time and mixes its channels. It is a fully connected
    layer, applied to each pixel on its own: a (c_o, c_i) matrix times the c_i values of a pixel.

    Args:
        X: float tensor (c_i, h, w), the image. Not modified.
        K: float tensor (c_o, c_i, 1, 1), the kernels. Not modified.

    Returns:
        Float tensor (c_o, h, w), dtype and device of X.

    Formula:
        Y[o, i, j] = sum over c of K[o, c, 0, 0] * X[c, i, j]

    Raises:
        ValueError: the kernels have another number of input channels than X, or are not 1 x 1.

    Rules:
        Write it yourself: do not call PyTorch's convolution functions or layers. Let one matrix
        product (`@`, torch.matmul or the like) do the sums, not a loop.

    Example:
        >>> X = torch.tensor([[[1.0, 2.0]], [[10.0, 20.0]]])
        >>> K = torch.tensor([1.0, 1.0, 2.0, 0.0]).reshape(2, 2, 1, 1)
        >>> corr2d_multi_in_out_1x1(X, K)
        tensor([[[11., 22.]],
        <BLANKLINE>
                [[ 2.,  4.]]])

    Book: 7.4.3
    """
    raise NotImplementedError("corr2d_multi_in_out_1x1")
