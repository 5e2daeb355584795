# expect: corr2d=passed, Conv2D=passed, vertical_edge_kernel=passed, learn_kernel=passed
"""A loop over the kernel instead of the image, and the gradient written by hand."""

import torch
from torch import nn


def corr2d(X, K):
    rows = X.shape[0] - K.shape[0] + 1
    columns = X.shape[1] - K.shape[1] + 1
    if min(rows, columns) <= 0:
        raise ValueError(f"{tuple(K.shape)} does not fit in {tuple(X.shape)}")
    total = 0
    for a, entries in enumerate(K):
        for b, entry in enumerate(entries):
            total = total + entry * X[a : a + rows, b : b + columns]
    return total


class Conv2D(nn.Module):
    def __init__(self, kernel_size):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(*kernel_size))
        self.bias = nn.Parameter(torch.tensor([0.0]))

    def forward(self, x):
        return corr2d(x, self.weight).add(self.bias)


def vertical_edge_kernel():
    K = torch.ones(1, 2)
    K[0, 1] = -1
    return K


def learn_kernel(X, Y, kernel_size, lr, num_steps):
    K = X.new_zeros(kernel_size)
    if tuple(Y.shape) != tuple(n - k + 1 for n, k in zip(X.shape, kernel_size)):
        raise ValueError("Y has the wrong shape")
    for _ in range(num_steps):
        error = corr2d(X, K) - Y
        K = K - lr * 2 * corr2d(X, error)
    return K
