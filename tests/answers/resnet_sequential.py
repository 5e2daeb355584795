# expect: Residual=passed, ResNet=passed, ResNet18=passed, ResNeXtBlock=passed; loses:
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


def stem():
    return nn.Conv2d(1, 64, 7, 2, 3), nn.BatchNorm2d(64), nn.ReLU(True), nn.MaxPool2d(3, 2, 1)


class ResNet(nn.Sequential):
    def __init__(self, arch, num_classes=10):
        blocks = [
            Residual(channels, *((True, 2) if i and not j else ()))
            for i, (count, channels) in enumerate(arch)
            for j in range(count)
        ]
        super().__init__(
            *stem(), *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LazyLinear(num_classes)
        )


def ResNet18(num_classes=10):
    return ResNet(((2, 64), (2, 128), (2, 256), (2, 512)), num_classes)


class Add(nn.Module):
    def __init__(self, *paths):
        super().__init__()
        self.paths = nn.ModuleList(paths)

    def forward(self, X):
        one, other = (path(X) for path in self.paths)
        return (one + other).relu()


def ResNeXtBlock(num_channels, groups, bot_mul, use_1x1conv=False, strides=1):
    def conv(channels, kernel=1, **options):
        conv = nn.LazyConv2d(channels, kernel, padding=kernel // 2, **options)
        return nn.Sequential(conv, nn.LazyBatchNorm2d())

    b = round(num_channels * bot_mul)
    middle = conv(b, 3, stride=strides, groups=b // groups)
    main = nn.Sequential(conv(b), nn.ReLU(), middle, nn.ReLU(), conv(num_channels))
    return Add(main, conv(num_channels, stride=strides) if use_1x1conv else nn.Identity())
