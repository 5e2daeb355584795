# expect: pool2d=passed, pool2d_multi=passed; loses:
"""Shifted copies of the whole batch, one for each place in the window, reduced pairwise."""

from functools import reduce

import torch


def pool2d_multi(X, pool_size, mode="max", padding=(0, 0), stride=None):
    if mode == "max":
        outside, combine, share = float("-inf"), torch.maximum, 1
    elif mode == "avg":
        outside, combine, share = 0.0, torch.add, pool_size[0] * pool_size[1]
    else:
        raise ValueError("the modes are 'max' and 'avg'")
    spans = []
    for axis in (0, 1):
        size, window, pad = X.shape[2 + axis], pool_size[axis], padding[axis]
        step = window if stride is None else stride[axis]
        if pad > window / 2:
            raise ValueError("there is too much padding")
        free = size + 2 * pad - window
        if free < 0:
            raise ValueError("the window is too large")
        spans.append([slice(at, at + free + 1, step) for at in range(window)])
    (top, left), (n, c, h, w) = padding, X.shape
    P = torch.full((n, c, h + 2 * top, w + 2 * left), outside, dtype=X.dtype, device=X.device)
    P[:, :, top : top + h, left : left + w] = X
    shifts = [P[:, :, rows, columns] for rows in spans[0] for columns in spans[1]]
    return reduce(combine, shifts) / share


def pool2d(X, pool_size, mode="max"):
    return pool2d_multi(X[None, None], pool_size, mode, stride=(1, 1))[0, 0]
