# expect: nin_block=passed, NiN=passed; loses:
"""The small convolutions as products of matrices, by einsum; the rest in functions."""

import torch
import torch.nn.functional as F
from torch import nn


class PerPixel(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(channels, channels, 1, 1) / channels**0.5)
        self.bias = nn.Parameter(torch.randn(channels) / 10)

    def forward(self, X):
        mixed = torch.einsum("nchw,oc->nohw", X, self.weight[:, :, 0, 0])
        return (mixed + self.bias[:, None, None]).relu()


class nin_block(nn.Module):
    def __init__(self, out_channels, kernel_size, strides, padding):
        super().__init__()
        self.second, self.third = PerPixel(out_channels), PerPixel(out_channels)
        self.first = nn.LazyConv2d(out_channels, kernel_size, strides, padding)

    def forward(self, X):
        return self.third(self.second(F.relu(self.first(X))))


class NiN(nn.Module):
    def __init__(self, num_classes=10):
        super().__init__()
        self.blocks = nn.ModuleList([
            nin_block(96, 11, 4, 0),
            nin_block(256, 5, 1, 2),
            nin_block(384, 3, 1, 1),
        ])
        self.head = nin_block(num_classes, 3, 1, 1)

    def forward(self, X):
        for block in self.blocks:
            X = F.max_pool2d(block(X), 3, 2)
        if self.training:
            X = X * (torch.rand_like(X) < 0.5) * 2
        return self.head(X).flatten(2).mean(-1)
