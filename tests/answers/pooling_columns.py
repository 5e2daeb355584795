# expect: pool2d=passed, pool2d_multi=passed; loses:
"""Windows gathered as columns by index; sorting finds the largest, a product with 1/n averages."""

import torch
from torch.nn import functional as F


def summary(windows, mode):
    if mode == "max":
        return windows.sort(dim=-1, descending=True).values[..., 0]
    if mode == "avg":
        return windows @ windows.new_full((windows.shape[-1],), 1 / windows.shape[-1])
    raise ValueError(f"unknown mode {mode}")


def starts(size, window, step, like):
    if size < window:
        raise ValueError("no room for a window")
    first = torch.arange(0, size - window + 1, step, device=like.device)
    return first[:, None] + torch.arange(window, device=like.device)


def pool2d_multi(X, pool_size, mode="max", padding=(0, 0), stride=None):
    for pad, window in zip(padding, pool_size, strict=True):
        if pad > window // 2:
            raise ValueError("padding is at most half the window")
    stride = stride or pool_size
    fill = -torch.inf if mode == "max" else 0.0
    X = F.pad(X, (padding[1],) * 2 + (padding[0],) * 2, value=fill)
    rows = starts(X.shape[2], pool_size[0], stride[0], X)
    columns = starts(X.shape[3], pool_size[1], stride[1], X)
    windows = X[:, :, rows[:, None, :, None], columns[None, :, None, :]]
    return summary(windows.flatten(-2), mode)


def pool2d(X, pool_size, mode="max"):
    rows = starts(X.shape[0], pool_size[0], 1, X)
    columns = starts(X.shape[1], pool_size[1], 1, X)
    return summary(X[rows[:, None, :, None], columns[None, :, None, :]].flatten(-2), mode)
