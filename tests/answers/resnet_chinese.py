# expect: Residual=failed, ResNet=passed, ResNet18=passed, ResNeXtBlock=passed; loses: ch08/Residual/parameters, ch08/Residual/identity, ch08/Residual/projection, ch08/Residual/strides, ch08/Residual/evaluation, ch08/Residual/gradient, ch08/Residual/arguments, ch08/Residual/dtype, ch08/Residual/device
"""In the manner of the Chinese edition, which is told the number of input channels first."""

from torch import nn
from torch.nn import functional as F


class Residual(nn.Module):
    def __init__(self, input_channels, num_channels, use_1x1conv=False, strides=1):
        super().__init__()
        self.conv1 = nn.Conv2d(
            input_channels, num_channels, kernel_size=3, padding=1, stride=strides
        )
        self.conv2 = nn.Conv2d(num_channels, num_channels, kernel_size=3, padding=1)
        self.conv3 = None
        if use_1x1conv:
            self.conv3 = nn.Conv2d(input_channels, num_channels, kernel_size=1, stride=strides)
        self.bn1 = nn.BatchNorm2d(num_channels)
        self.bn2 = nn.BatchNorm2d(num_channels)

    def forward(self, X):
        Y = F.relu(self.bn1(self.conv1(X)))
        Y = self.bn2(self.conv2(Y))
        if self.conv3:
            X = self.conv3(X)
        Y += X
        return F.relu(Y)


class ResNet(nn.Module):
    def __init__(self, arch, num_classes=10):
        super().__init__()
        b1 = nn.Sequential(
            nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3),
            nn.BatchNorm2d(64), nn.ReLU(),
            nn.MaxPool2d(kernel_size=3, stride=2, padding=1))
        stages, channels = [b1], 64
        for i, (num_residuals, num_channels) in enumerate(arch):
            blk = []
            for j in range(num_residuals):
                if j == 0 and i > 0:
                    blk.append(Residual(channels, num_channels, use_1x1conv=True, strides=2))
                else:
                    blk.append(Residual(num_channels, num_channels))
            channels = num_channels
            stages.append(nn.Sequential(*blk))
        self.net = nn.Sequential(
            *stages, nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(), nn.Linear(channels, num_classes))

    def forward(self, X):
        return self.net(X)


class ResNet18(ResNet):
    def __init__(self, num_classes=10):
        super().__init__(((2, 64), (2, 128), (2, 256), (2, 512)), num_classes)


class ResNeXtBlock(nn.Module):
    def __init__(self, num_channels, groups, bot_mul, use_1x1conv=False, strides=1):
        super().__init__()
        width = round(num_channels * bot_mul)
        self.one, self.n1 = nn.LazyConv2d(width, 1), nn.LazyBatchNorm2d()
        self.three, self.n3 = nn.Conv2d(width, num_channels, 1), nn.LazyBatchNorm2d()
        self.two, self.n2 = nn.LazyConv2d(width, 3, strides, 1, groups=width // groups), nn.BatchNorm2d(width)
        self.skip = (
            nn.Sequential(nn.LazyConv2d(num_channels, 1, strides), nn.LazyBatchNorm2d())
            if use_1x1conv else nn.Sequential())

    def forward(self, X):
        Y = self.n3(self.three(self.n2(self.two(self.n1(self.one(X)).relu())).relu()))
        return (self.skip(X) + Y).relu_()
