# expect: Residual=passed; loses:
"""Explicit layers, built at the first call when the input channels are known; the shortcut first."""

import torch
from torch import nn


class Residual(nn.Module):
    def __init__(self, num_channels, use_1x1conv=False, strides=1):
        super().__init__()
        self.made = False
        self.sizes = num_channels, use_1x1conv, strides

    def make(self, X):
        c, project, strides = self.sizes
        here = {"device": X.device, "dtype": X.dtype}
        if project:
            self.shortcut = nn.Conv2d(X.shape[1], c, 1, strides, **here)
        else:
            self.shortcut = nn.Sequential()
        self.main = nn.ModuleList(
            [
                nn.BatchNorm2d(c, **here),
                nn.Conv2d(c, c, 3, 1, 1, **here),
                nn.ReLU(),
                nn.BatchNorm2d(c, **here),
                nn.Conv2d(X.shape[1], c, 3, strides, 1, **here),
            ]
        ).train(self.training)
        self.made = True

    def forward(self, X):
        if not self.made:
            self.make(X)
        Y = X
        for layer in reversed(self.main):
            Y = layer(Y)
        return torch.clamp(self.shortcut(X) + Y, min=0)
