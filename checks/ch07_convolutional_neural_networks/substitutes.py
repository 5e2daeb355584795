"""Chapter 7: what stands in for a predecessor that fails, built from PyTorch; public."""

from torch import nn
import torch


def corr2d_multi_in(X, K):
    if len(X) != len(K):
        raise ValueError("X and K need the same number of channels")
    return torch.conv2d(X[None], K[None])[0, 0]


def corr2d(X, K):
    """Cross-correlation on all windows at once; no conv2d, so that it keeps the Rules of others."""
    kh, kw = K.shape
    if kh > X.shape[0] or kw > X.shape[1]:
        raise ValueError(f"kernel {tuple(K.shape)} does not fit in image {tuple(X.shape)}")
    return (X.unfold(0, kh, 1).unfold(1, kw, 1) * K).sum((2, 3))


class Conv2D(nn.Module):
    """A convolutional layer with one channel in, one out, and a bias."""

    def __init__(self, kernel_size):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(kernel_size))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        """x: (h, w); returns (h - kh + 1, w - kw + 1)."""
        return corr2d(x, self.weight) + self.bias


def conv_output_shape(n, k, p, s):
    """How many places the kernel takes along one axis, counted."""
    if s < 1 or k > n + p:
        raise ValueError("the kernel does not fit, or the stride is less than 1")
    return len(range(0, n + p - k + 1, s))


def pool2d(X, pool_size, mode="max"):
    if mode not in ("max", "avg"):
        raise ValueError("mode is 'max' or 'avg'")
    if pool_size[0] > X.shape[0] or pool_size[1] > X.shape[1]:
        raise ValueError("the window is larger than the image")
    pool = torch.nn.functional.max_pool2d if mode == "max" else torch.nn.functional.avg_pool2d
    return pool(X[None, None], tuple(pool_size), stride=1)[0, 0]
