# expect: corr2d=passed, Conv2D=passed, vertical_edge_kernel=passed, learn_kernel=passed; loses: ch07/corr2d/refuses, ch07/corr2d/dtype, ch07/corr2d/device, ch07/learn_kernel/refuses, ch07/learn_kernel/dtype, ch07/learn_kernel/device
"""In the manner of the book's section: plain zeros, .data, a library layer."""

import torch
from d2l import torch as d2l
from torch import nn


def corr2d(X, K):
    h, w = K.shape
    out = torch.zeros((X.shape[0] - h + 1, X.shape[1] - w + 1))
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = (X[i:i + h, j:j + w] * K).sum()
    return out


class Conv2D(nn.Module):
    def __init__(self, kernel_size):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(kernel_size))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return d2l.corr2d(x, self.weight) + self.bias


def vertical_edge_kernel():
    return torch.tensor([[1.0, -1.0]])


def learn_kernel(X, Y, kernel_size, lr, num_steps):
    net = nn.LazyConv2d(1, kernel_size=kernel_size, bias=False)
    X = X.reshape((1, 1) + X.shape)
    Y = Y.reshape((1, 1) + Y.shape)
    for i in range(num_steps):
        l = (net(X) - Y) ** 2
        net.zero_grad()
        l.sum().backward()
        net.weight.data[:] -= lr * net.weight.grad
        if (i + 1) % 50 == 0:
            print(f'epoch {i + 1}, loss {l.sum():.3f}')
    return net.weight.data.reshape(kernel_size)
