# expect: Residual=passed; loses:
"""The main path as a Sequential, the last activation in place on the sum."""

from torch import nn


class Residual(nn.Sequential):
    def __init__(self, num_channels, use_1x1conv=False, strides=1, **others):
        super().__init__(
            nn.LazyConv2d(num_channels, 3, strides, 1),
            nn.LazyBatchNorm2d(),
            nn.ReLU(inplace=True),
            nn.Conv2d(num_channels, num_channels, 3, padding="same"),
            nn.BatchNorm2d(num_channels),
        )
        self.projection = nn.LazyConv2d(num_channels, 1, strides) if use_1x1conv else None

    def forward(self, X):
        Y = X
        for layer in list(self)[:5]:
            Y = layer(Y)
        return nn.functional.relu_(Y.add(X if self.projection is None else self.projection(X)))
