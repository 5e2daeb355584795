# expect: pool2d=passed, pool2d_multi=passed; loses: ch07/pool2d/refuses, ch07/pool2d/dtype, ch07/pool2d/device, ch07/pool2d_multi/refuses, ch07/pool2d_multi/empty
"""Along the book: a result of zeros, filled entry by entry; pool2d_multi goes plane by plane."""

import torch
from torch import nn
from d2l import torch as d2l


def pool2d(X, pool_size, mode='max'):
    p_h, p_w = pool_size
    Y = torch.zeros((X.shape[0] - p_h + 1, X.shape[1] - p_w + 1))
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            if mode == 'max':
                Y[i, j] = X[i: i + p_h, j: j + p_w].max()
            elif mode == 'avg':
                Y[i, j] = X[i: i + p_h, j: j + p_w].mean()
    return Y


def pool2d_multi(X, pool_size, mode='max', padding=(0, 0), stride=None):
    if stride is None:
        stride = pool_size
    p_h, p_w = padding
    s_h, s_w = stride
    X = nn.functional.pad(X, (p_w, p_w, p_h, p_h), value=float('-inf') if mode == 'max' else 0)
    # Pool at every position, then keep the positions on the stride
    return torch.stack([
        torch.stack([d2l.pool2d(x, pool_size, mode)[::s_h, ::s_w] for x in image], 0)
        for image in X], 0)
