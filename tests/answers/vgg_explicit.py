# expect: vgg_block=passed, VGG=passed; loses:
"""The block a module of its own, its pooling a maximum over reshaped windows; explicit layers."""

import torch
import torch.nn.functional as F
from torch import nn


class vgg_block(nn.Module):
    def __init__(self, num_convs, out_channels, in_channels=None):
        super().__init__()
        first = nn.LazyConv2d(out_channels, 3, padding=1)
        if in_channels is not None:
            first = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        others = [nn.Conv2d(out_channels, out_channels, 3, padding=1) for _ in range(num_convs - 1)]
        self.convs = nn.ModuleList([first, *others])

    def forward(self, X):
        for conv in self.convs:
            X = F.relu(conv(X))
        X = X[..., : X.shape[-2] // 2 * 2, : X.shape[-1] // 2 * 2]
        rows = torch.maximum(X[..., ::2, :], X[..., 1::2, :])
        return torch.maximum(rows[..., ::2], rows[..., 1::2])


class VGG(nn.Module):
    def __init__(self, arch, num_classes=10):
        super().__init__()
        channels, blocks = 1, []
        for num_convs, out_channels in arch:
            blocks.append(vgg_block(num_convs, out_channels, channels))
            channels = out_channels
        side = 224 // 2 ** len(arch)
        self.features = nn.Sequential(*blocks)
        self.classifier = nn.Sequential(
            nn.Linear(channels * side**2, 4096), nn.ReLU(True), nn.Dropout(),
            nn.Linear(4096, 4096), nn.ReLU(True), nn.Dropout(),
            nn.Linear(4096, num_classes),
        )

    def forward(self, X):
        return self.classifier(self.features(X).flatten(1))
