# expect: AlexNet=passed; loses:
"""Explicit layers defined last to first, functions for all that has no parameters."""

import torch
import torch.nn.functional as F
from torch import nn


class AlexNet(nn.Module):
    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        self.out = nn.Linear(4096, num_classes)
        self.fc2 = nn.Linear(4096, 4096)
        self.fc1 = nn.Linear(256 * 5 * 5, 4096)
        self.convs = nn.ModuleList(
            nn.Conv2d(i, o, 3, padding="same") for i, o in [(256, 384), (384, 384), (384, 256)]
        )
        self.conv2 = nn.Conv2d(96, 256, 5, padding="same")
        self.conv1 = nn.Conv2d(1, 96, 11, 4, 1)

    def forward(self, x):
        x = F.max_pool2d(self.conv1(x), 3, 2).relu()
        x = F.max_pool2d(self.conv2(x), 3, 2).relu()
        for conv in self.convs:
            x = F.relu(conv(x))
        x = torch.flatten(F.max_pool2d(x, 3, 2), 1)
        for layer in (self.fc1, self.fc2):
            x = F.relu(F.dropout(layer(x), 0.5, self.training))
        return self.out(x)
