# expect: Inception=passed, GoogLeNet=passed; loses:
"""Explicit layers where the input is known, the branches' parts written into one result tensor."""

import torch
import torch.nn.functional as F
from torch import nn


def conv(out, kernel, channels=None):
    if channels is None:
        return nn.LazyConv2d(out, kernel, padding=kernel // 2)
    return nn.Conv2d(channels, out, kernel, padding=kernel // 2)


class Inception(nn.Module):
    def __init__(self, c1, c2, c3, c4, channels=None):
        super().__init__()
        self.after = nn.ModuleDict({"3": conv(c2[1], 3, c2[0]), "5": conv(c3[1], 5, c3[0])})
        self.pooled = conv(c4, 1, channels)
        self.plain = nn.ModuleList([conv(c, 1, channels) for c in (c1, c2[0], c3[0])])
        self.sizes = (c1, c2[1], c3[1], c4)

    def forward(self, x):
        one, two, three = (layer(x).relu() for layer in self.plain)
        parts = (
            one,
            self.after["3"](two).relu(),
            self.after["5"](three).relu(),
            self.pooled(F.max_pool2d(x, 3, 1, 1)).relu(),
        )
        out = x.new_empty(len(x), sum(self.sizes), *x.shape[2:])
        start = 0
        for size, part in zip(self.sizes, parts):
            out[:, start : start + size] = part
            start += size
        return out


class GoogLeNet(nn.Module):
    PLAN = (
        ((64, (96, 128), (16, 32), 32), (128, (128, 192), (32, 96), 64)),
        (
            (192, (96, 208), (16, 48), 64),
            (160, (112, 224), (24, 64), 64),
            (128, (128, 256), (24, 64), 64),
            (112, (144, 288), (32, 64), 64),
            (256, (160, 320), (32, 128), 128),
        ),
        ((256, (160, 320), (32, 128), 128), (384, (192, 384), (48, 128), 128)),
    )

    def __init__(self, num_classes=10):
        super().__init__()
        self.fc = nn.Linear(1024, num_classes)
        self.conv1 = nn.Conv2d(1, 64, 7, 2, 3)
        self.conv2 = conv(64, 1, 64)
        self.conv3 = conv(192, 3, 64)
        channels = 192
        self.groups = nn.ModuleList()
        for plan in self.PLAN:
            group = nn.Sequential()
            for c1, c2, c3, c4 in plan:
                group.append(Inception(c1, c2, c3, c4, channels))
                channels = c1 + c2[1] + c3[1] + c4
            self.groups.append(group)

    def forward(self, x):
        def pool(x):
            return F.max_pool2d(x, 3, 2, 1)

        x = pool(self.conv1(x).relu())
        x = pool(self.conv3(self.conv2(x).relu()).relu())
        for i, group in enumerate(self.groups):
            x = group(x) if i == 2 else pool(group(x))
        return self.fc(x.mean((-1, -2)))
