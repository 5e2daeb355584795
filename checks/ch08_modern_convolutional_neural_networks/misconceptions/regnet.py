"""Wrong answers that people give in section 8.8, and what went wrong in them."""

import torch
from torch import nn

from d2lgrade.testkit import misconception

# --- AnyNet ---------------------------------------------------------------------------------


class _Block(nn.Module):
    """A ResNeXt block."""

    def __init__(self, channels, groups, bot_mul, projected=False, strides=1):
        super().__init__()
        b = round(channels * bot_mul)
        self.main = nn.Sequential(
            *(nn.LazyConv2d(b, 1), nn.LazyBatchNorm2d(), nn.ReLU()),
            nn.LazyConv2d(b, 3, strides, 1, groups=b // groups),
            *(nn.LazyBatchNorm2d(), nn.ReLU()),
            *(nn.LazyConv2d(channels, 1), nn.LazyBatchNorm2d()),
        )
        self.shortcut = nn.Identity()
        if projected:
            self.shortcut = nn.Sequential(nn.LazyConv2d(channels, 1, strides), nn.LazyBatchNorm2d())

    def forward(self, X):
        return torch.relu(self.main(X) + self.shortcut(X))


class _Net(nn.Sequential):
    """A right network, to be made wrong in one place."""

    def __init__(
        self,
        arch,
        stem_channels,
        num_classes=10,
        *,
        first=lambda stage, index: index == 0,
        strides=2,
        stem=(3, 2, 1),
        norm=nn.LazyBatchNorm2d,
        pool=lambda: nn.AdaptiveAvgPool2d(1),
        extra=0,
        after=(),
    ):
        layers = [nn.LazyConv2d(stem_channels, *stem), norm(), nn.ReLU()]
        for stage, (depth, *widths) in enumerate(arch):
            for index in range(depth + extra):
                if first(stage, index):
                    layers.append(_Block(*widths, True, strides))
                else:
                    layers.append(_Block(*widths))
        super().__init__(*layers, pool(), nn.Flatten(), nn.LazyLinear(num_classes), *after)


@misconception(
    "AnyNet",
    "first-stage-not-halved",
    book="8.8.1",
    why="The first block of the first stage keeps height and width, as in ResNet. Here every stage "
    "begins with a block of strides 2.",
)
class AnyNet_first_kept(nn.Sequential):
    def __init__(self, arch, stem_channels, num_classes=10):
        layers = [nn.LazyConv2d(stem_channels, 3, 2, 1), nn.LazyBatchNorm2d(), nn.ReLU()]
        for stage, (depth, *widths) in enumerate(arch):
            layers.append(_Block(*widths, True, 2 if stage else 1))
            layers += [_Block(*widths) for _ in range(depth - 1)]
        pool = nn.AdaptiveAvgPool2d(1)
        super().__init__(*layers, pool, nn.Flatten(), nn.LazyLinear(num_classes))


@misconception(
    "AnyNet",
    "every-block-halves",
    book="8.8.1",
    why="Every block has a convolution in its shortcut and strides 2. Only the first block of each "
    "stage has.",
)
class AnyNet_all(_Net):
    def __init__(self, arch, stem_channels, num_classes=10):
        super().__init__(arch, stem_channels, num_classes, first=lambda stage, index: True)


@misconception(
    "AnyNet",
    "never-halved",
    book="8.8.1",
    why="The first block of a stage moves in steps of 1: height and width stay. Its strides are 2.",
)
class AnyNet_never(_Net):
    def __init__(self, arch, stem_channels, num_classes=10):
        super().__init__(arch, stem_channels, num_classes, strides=1)


@misconception(
    "AnyNet",
    "one-block-too-many",
    book="8.8.1",
    why="Each stage has a block more than its depth: the first block counts too.",
)
class AnyNet_extra(_Net):
    def __init__(self, arch, stem_channels, num_classes=10):
        super().__init__(arch, stem_channels, num_classes, extra=1)


@misconception(
    "AnyNet",
    "stem-of-resnet",
    book="8.8.1",
    why="The stem is ResNet's, with kernel 7. Here it is a convolution of kernel 3 with stride 2 "
    "and padding 1, and no pooling.",
)
class AnyNet_resnet_stem(_Net):
    def __init__(self, arch, stem_channels, num_classes=10):
        super().__init__(arch, stem_channels, num_classes, stem=(7, 2, 3))


@misconception(
    "AnyNet",
    "no-normalization-in-the-stem",
    book="8.8.1",
    why="The stem's convolution is not followed by a batch normalization.",
)
class AnyNet_plain_stem(_Net):
    def __init__(self, arch, stem_channels, num_classes=10):
        super().__init__(arch, stem_channels, num_classes, norm=nn.Identity)


@misconception(
    "AnyNet",
    "stem-not-strided",
    book="8.8.1",
    why="The stem's convolution moves in steps of 1. Its stride is 2.",
)
class AnyNet_stem_stride(_Net):
    def __init__(self, arch, stem_channels, num_classes=10):
        super().__init__(arch, stem_channels, num_classes, stem=(3, 1, 1))


@misconception(
    "AnyNet",
    "maximum-at-the-end",
    book="8.8.1",
    why="The last maps are reduced to their maximum. Their average is due.",
)
class AnyNet_maximum(_Net):
    def __init__(self, arch, stem_channels, num_classes=10):
        pool = lambda: nn.AdaptiveMaxPool2d(1)  # noqa: E731
        super().__init__(arch, stem_channels, num_classes, pool=pool)


@misconception(
    "AnyNet",
    "softmax-at-the-end",
    book="8.8.1",
    why="A softmax follows the last layer. The net gives logits; the loss takes care of the rest.",
)
class AnyNet_softmax(_Net):
    def __init__(self, arch, stem_channels, num_classes=10):
        super().__init__(arch, stem_channels, num_classes, after=[nn.Softmax(dim=1)])


# --- RegNetX32 ------------------------------------------------------------------------------


@misconception(
    "RegNetX32",
    "groups-of-32",
    book="8.8.3",
    why="The groups have 32 channels, the number of the stem's. They have 16.",
)
class RegNetX32_groups(_Net):
    def __init__(self, num_classes=10):
        super().__init__(((4, 32, 32, 1), (6, 80, 32, 1)), 32, num_classes)


@misconception(
    "RegNetX32",
    "depths-swapped",
    book="8.8.3",
    why="The stages have 6 and 4 blocks. It is 4 first, then 6: later stages are deeper.",
)
class RegNetX32_depths(_Net):
    def __init__(self, num_classes=10):
        super().__init__(((6, 32, 16, 1), (4, 80, 16, 1)), 32, num_classes)


@misconception(
    "RegNetX32",
    "wider-stem",
    book="8.8.3",
    why="The stem has 64 channels, as in ResNet. It has 32.",
)
class RegNetX32_stem(_Net):
    def __init__(self, num_classes=10):
        super().__init__(((4, 32, 16, 1), (6, 80, 16, 1)), 64, num_classes)


@misconception(
    "RegNetX32",
    "always-ten-classes",
    book="8.8.3",
    why="The last layer gives 10 logits whatever num_classes says: hand it on to AnyNet.",
)
class RegNetX32_ten(_Net):
    def __init__(self, num_classes=10):
        super().__init__(((4, 32, 16, 1), (6, 80, 16, 1)), 32)
