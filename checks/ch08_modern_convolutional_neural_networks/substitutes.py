"""Chapter 8: what stands in for a predecessor that fails, built from PyTorch; public."""

import torch
from torch import nn


def vgg_block(num_convs, out_channels):
    """A module; its input (n, c, h, w)."""
    layers = [
        layer
        for _ in range(num_convs)
        for layer in (nn.LazyConv2d(out_channels, 3, padding="same"), nn.ReLU())
    ]
    return nn.Sequential(*layers, nn.MaxPool2d(2))


def batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum):
    """X: (n, d) or (n, c, h, w); the others of shape (1, d) or (1, c, 1, 1)."""
    if X.dim() not in (2, 4):
        raise ValueError("X has 2 or 4 axes")
    mean, var = moving_mean, moving_var
    if torch.is_grad_enabled():
        axes = [axis for axis in range(X.dim()) if axis != 1]
        var, mean = torch.var_mean(X, axes, correction=0, keepdim=True)
        moving_mean = torch.lerp(moving_mean, mean.detach(), momentum)
        moving_var = torch.lerp(moving_var, var.detach(), momentum)
    return (X - mean) * torch.rsqrt(var + eps) * gamma + beta, moving_mean, moving_var


class BatchNorm(nn.Module):
    """A layer for inputs (n, d) or (n, c, h, w)."""

    def __init__(self, num_features, num_dims):
        super().__init__()
        if num_dims not in (2, 4):
            raise ValueError("num_dims is 2 or 4")
        shape = (1, num_features, 1, 1)[:num_dims]
        self.scale, self.shift = nn.Parameter(torch.ones(shape)), nn.Parameter(torch.zeros(shape))
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("var", torch.ones(shape))

    def forward(self, X):
        state = self.scale, self.shift, self.mean, self.var
        Y, self.mean, self.var = batch_norm(X, *state, 1e-5, 0.1)
        return Y


def nin_block(out_channels, kernel_size, strides, padding):
    """A module; its input (n, c, h, w)."""
    layers = [nn.LazyConv2d(out_channels, kernel_size, strides, padding), nn.ReLU()]
    for _ in range(2):
        layers += [nn.LazyConv2d(out_channels, 1), nn.ReLU()]
    return nn.Sequential(*layers)


class Inception(nn.Module):
    """A block; its input (n, c, h, w)."""

    def __init__(self, c1, c2, c3, c4):
        super().__init__()
        self.one, self.two, self.three, self.four = (
            nn.LazyConv2d(channels, 1) for channels in (c1, c2[0], c3[0], c4)
        )
        self.wide = nn.LazyConv2d(c2[1], 3, padding="same")
        self.wider = nn.LazyConv2d(c3[1], 5, padding="same")

    def forward(self, X):
        pooled = nn.functional.max_pool2d(X, 3, 1, 1)
        narrow, wide = self.two(X).relu(), self.three(X).relu()
        parts = (self.one(X), self.wide(narrow), self.wider(wide), self.four(pooled))
        return torch.cat(parts, 1).relu()


class Residual(nn.Module):
    """A block; its input (n, c, h, w)."""

    def __init__(self, num_channels, use_1x1conv=False, strides=1):
        super().__init__()
        self.one = nn.LazyConv2d(num_channels, 3, strides, 1)
        self.two = nn.Conv2d(num_channels, num_channels, 3, 1, 1)
        self.norms = nn.ModuleList(nn.BatchNorm2d(num_channels) for _ in range(2))
        self.three = nn.LazyConv2d(num_channels, 1, strides) if use_1x1conv else nn.Identity()

    def forward(self, X):
        Y = self.norms[0](self.one(X)).relu()
        return (self.norms[1](self.two(Y)) + self.three(X)).relu()


class ResNet(nn.Sequential):
    """A network for images (n, 1, h, w). The book's subclass hands it lr before num_classes."""

    def __init__(self, arch, *rest, num_classes=10):
        layers = [nn.Conv2d(1, 64, 7, 2, 3), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
        for stage, (count, channels) in enumerate(arch):
            for index in range(count):
                first = stage > 0 and index == 0
                layers.append(Residual(channels, first, 2 if first else 1))
        last = nn.LazyLinear(rest[-1] if rest else num_classes)
        super().__init__(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), last)


class ResNeXtBlock(nn.Module):
    """A block; its input (n, c, h, w)."""

    def __init__(self, num_channels, groups, bot_mul, use_1x1conv=False, strides=1):
        super().__init__()
        b = round(num_channels * bot_mul)
        self.one, self.three = nn.LazyConv2d(b, 1), nn.Conv2d(b, num_channels, 1)
        self.two = nn.Conv2d(b, b, 3, strides, 1, groups=b // groups)
        self.norms = nn.ModuleList(nn.BatchNorm2d(size) for size in (b, b, num_channels))
        self.shortcut = nn.Sequential()
        if use_1x1conv:
            self.shortcut.append(nn.LazyConv2d(num_channels, 1, strides))
            self.shortcut.append(nn.BatchNorm2d(num_channels))

    def forward(self, X):
        Y = self.norms[0](self.one(X)).relu()
        Y = self.norms[2](self.three(self.norms[1](self.two(Y)).relu()))
        return (Y + self.shortcut(X)).relu()


def conv_block(num_channels):
    """A module; its input (n, c, h, w)."""
    return nn.Sequential(
        nn.LazyBatchNorm2d(), nn.ReLU(), nn.LazyConv2d(num_channels, 3, padding="same")
    )


class DenseBlock(nn.Module):
    """A block; its input (n, c, h, w)."""

    def __init__(self, num_convs, num_channels):
        super().__init__()
        self.convs = nn.ModuleList(conv_block(num_channels) for _ in range(num_convs))

    def forward(self, X):
        for conv in self.convs:
            X = torch.hstack((X, conv(X)))
        return X


def transition_block(num_channels):
    """A module; its input (n, c, h, w)."""
    conv = nn.LazyConv2d(num_channels, 1)
    return nn.Sequential(nn.LazyBatchNorm2d(), nn.ReLU(), conv, nn.AvgPool2d(2))


class AnyNet(nn.Sequential):
    """A network for images (n, 1, h, w). The book's subclass hands it lr before num_classes."""

    def __init__(self, arch, stem_channels, *rest, num_classes=10):
        stem = nn.Conv2d(1, stem_channels, 3, 2, 1), nn.BatchNorm2d(stem_channels), nn.ReLU()
        blocks = [
            ResNeXtBlock(*widths, index == 0, 2 if index == 0 else 1)
            for depth, *widths in arch
            for index in range(depth)
        ]
        last = nn.LazyLinear(rest[-1] if rest else num_classes)
        super().__init__(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), last)
