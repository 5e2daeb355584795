# expect: conv_block=passed, DenseBlock=passed, transition_block=passed, DenseNet=passed; loses:
"""Classes for functions, a list of all that was made so far, sizes counted where they are known."""

import torch
import torch.nn.functional as F
from torch import nn


class Normalized(nn.Module):
    def __init__(self, out, kernel, channels=None):
        super().__init__()
        self.norm = nn.LazyBatchNorm2d() if channels is None else nn.BatchNorm2d(channels)
        size = {"kernel_size": kernel, "padding": kernel // 2}
        self.conv = (
            nn.LazyConv2d(out, **size) if channels is None else nn.Conv2d(channels, out, **size)
        )

    def forward(self, X):
        return self.conv(F.relu(self.norm(X)))


class conv_block(Normalized):
    def __init__(self, num_channels, channels=None):
        super().__init__(num_channels, 3, channels)


class DenseBlock(nn.Module):
    def __init__(self, num_convs, num_channels, channels=None):
        super().__init__()
        sizes = [channels and channels + i * num_channels for i in range(num_convs)]
        self.convs = nn.ModuleList(conv_block(num_channels, size) for size in sizes)

    def forward(self, X):
        made = [X]
        for conv in self.convs:
            made.append(conv(torch.cat(made, 1)))
        return torch.hstack(made)


class transition_block(Normalized):
    def __init__(self, num_channels, channels=None):
        super().__init__(num_channels, 1, channels)

    def forward(self, X):
        Y = super().forward(X)[..., : X.shape[2] // 2 * 2, : X.shape[3] // 2 * 2]
        return (Y[..., ::2, ::2] + Y[..., 1::2, ::2] + Y[..., ::2, 1::2] + Y[..., 1::2, 1::2]) / 4


class DenseNet(nn.Module):
    def __init__(self, num_channels=64, growth_rate=32, arch=(4, 4, 4, 4), num_classes=10):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(1, num_channels, 7, 2, 3), nn.BatchNorm2d(num_channels)
        body, c = nn.Sequential(), num_channels
        for num_convs in arch[:-1]:
            body.append(DenseBlock(num_convs, growth_rate, c))
            c += num_convs * growth_rate
            body.append(transition_block(c // 2, c))
            c //= 2
        body.append(DenseBlock(arch[-1], growth_rate, c))
        c += arch[-1] * growth_rate
        self.body, self.end, self.fc = body, nn.BatchNorm2d(c), nn.Linear(c, num_classes)

    def forward(self, X):
        X = F.max_pool2d(self.norm(self.conv(X)).relu(), 3, 2, 1)
        return self.fc(self.end(self.body(X)).relu().mean((2, 3)))
