# expect: AnyNet=passed, RegNetX32=passed; loses:
"""A block of its own with explicit sizes, its path and its shortcut joined in the network."""

import torch
from torch import nn


def conv(before, after, kernel=1, stride=1, groups=1):
    return nn.Sequential(
        nn.Conv2d(before, after, kernel, stride, kernel // 2, groups=groups),
        nn.BatchNorm2d(after),
    )


class AnyNet(nn.Module):
    def __init__(self, arch, stem_channels, num_classes=10):
        super().__init__()
        self.stem = conv(1, stem_channels, 3, 2)
        self.paths, self.shortcuts = nn.ModuleList(), nn.ModuleList()
        channels = stem_channels
        for depth, width, group, factor in arch:
            inner = round(width * factor)
            for stride in [2] + [1] * (depth - 1):
                self.paths.append(nn.Sequential(
                    conv(channels, inner), nn.ReLU(),
                    conv(inner, inner, 3, stride, inner // group), nn.ReLU(),
                    conv(inner, width),
                ))
                skip = conv(channels, width, 1, 2) if stride == 2 else nn.Identity()
                self.shortcuts.append(skip)
                channels = width
        self.head = nn.Linear(channels, num_classes)

    def forward(self, X):
        X = torch.relu(self.stem(X))
        for path, shortcut in zip(self.paths, self.shortcuts):
            X = torch.relu(path(X) + shortcut(X))
        return self.head(torch.einsum("nchw->nc", X) / X[0, 0].numel() if len(X) else X.mean((2, 3)))


def RegNetX32(num_classes=10):
    return AnyNet([(4, 32, 16, 1), (6, 80, 16, 1)], 32, num_classes)
