"""Wrong answers that people give in section 8.4, and what went wrong in them."""

import torch
from torch import nn

from d2lgrade.testkit import misconception

# --- Inception ------------------------------------------------------------------------------


def _conv(channels, kernel, act=nn.ReLU, **options):
    return nn.LazyConv2d(channels, kernel, **{"padding": kernel // 2} | options), act()


class _Block(nn.Module):
    """A right block, to be made wrong in one place."""

    order = (0, 1, 2, 3)

    def __init__(self, c1, c2, c3, c4, inner=nn.ReLU, outer=nn.ReLU, pool=None, **options):
        super().__init__()
        pool = pool or nn.MaxPool2d(3, 1, 1)
        self.branches = nn.ModuleList(
            [
                nn.Sequential(*_conv(c1, 1, outer)),
                nn.Sequential(*_conv(c2[0], 1, inner), *_conv(c2[1], 3, outer, **options)),
                nn.Sequential(*_conv(c3[0], 1, inner), *_conv(c3[1], 5, outer, **options)),
                nn.Sequential(pool, *_conv(c4, 1, outer)),
            ]
        )

    def forward(self, X):
        return torch.cat([self.branches[i](X) for i in self.order], dim=1)


@misconception(
    "Inception",
    "arguments-of-the-chinese-edition",
    book="8.4.1",
    why="Your block wants the number of input channels first, as in the Chinese edition. Here it "
    "is made from c1 to c4 alone; lazy layers find out the rest at the first call.",
    fails=("parameters", "values", "gradient", "arguments", "dtype", "layout", "empty", "device"),
    signature=lambda calls: (
        "missing" in str(calls[-1].error) and "'in_channels'" in str(calls[-1].error)
    ),
)
class Inception_chinese(_Block):
    def __init__(self, in_channels, c1, c2, c3, c4):
        super().__init__(c1, c2, c3, c4)


@misconception(
    "Inception",
    "branches-in-another-order",
    book="8.4.1",
    why="The channels of the pooling branch come first in the result. The order is branch 1, 2, 3 "
    "and 4.",
)
class Inception_order(_Block):
    order = (3, 0, 1, 2)


@misconception(
    "Inception",
    "joined-on-another-axis",
    book="8.4.1",
    why="The branches are put one after the other along the batch or the rows. Join them on the "
    "channel axis, dim=1.",
)
class Inception_axis(_Block):
    def forward(self, X):
        return torch.cat([branch(X) for branch in self.branches], dim=0)


@misconception(
    "Inception",
    "branches-added",
    book="8.4.1",
    why="The branches are added. They are put side by side, so that no channel is lost.",
)
class Inception_sum(_Block):
    def forward(self, X):
        return sum(branch(X) for branch in self.branches)


@misconception(
    "Inception",
    "no-inner-activation",
    book="8.4.1",
    why="In the second and third branch there is no ReLU between the two convolutions.",
)
class Inception_linear(_Block):
    def __init__(self, c1, c2, c3, c4):
        super().__init__(c1, c2, c3, c4, inner=nn.Identity)


@misconception(
    "Inception",
    "no-outer-activation",
    book="8.4.1",
    why="The last convolution of each branch is not followed by a ReLU.",
)
class Inception_not_activated(_Block):
    def __init__(self, c1, c2, c3, c4):
        super().__init__(c1, c2, c3, c4, outer=nn.Identity)


@misconception(
    "Inception",
    "pooling-without-stride",
    book="8.4.1",
    why="The pooling branch moves in steps of its window, 3, which is PyTorch's default, so its "
    "maps are too small. Say stride=1.",
)
class Inception_stride(_Block):
    def __init__(self, c1, c2, c3, c4):
        super().__init__(c1, c2, c3, c4, pool=nn.MaxPool2d(3, padding=1))


@misconception(
    "Inception",
    "average-pooling",
    book="8.4.1",
    why="The fourth branch takes averages. It takes the maximum of each window.",
)
class Inception_average(_Block):
    def __init__(self, c1, c2, c3, c4):
        super().__init__(c1, c2, c3, c4, pool=nn.AvgPool2d(3, 1, 1))


@misconception(
    "Inception",
    "no-padding",
    book="8.4.1",
    why="The convolutions of kernel 3 and 5 do not pad, so that the branches differ in height and "
    "width. Pad by 1 and by 2.",
)
class Inception_no_padding(_Block):
    def __init__(self, c1, c2, c3, c4):
        super().__init__(c1, c2, c3, c4, padding=0)


# --- GoogLeNet ------------------------------------------------------------------------------


class _Net(nn.Sequential):
    """A right network, to be made wrong in one place."""

    def __init__(
        self, num_classes=10, *, pool=None, first=64, middle=112, act=nn.ReLU, end=None, after=()
    ):
        pool = pool or (lambda: nn.MaxPool2d(3, 2, 1))
        super().__init__(
            *(*_conv(64, 7, act, stride=2), pool()),
            *(*_conv(first, 1, act), *_conv(192, 3, act), pool()),
            _Block(64, (96, 128), (16, 32), 32),
            _Block(128, (128, 192), (32, 96), 64),
            pool(),
            _Block(192, (96, 208), (16, 48), 64),
            _Block(160, (112, 224), (24, 64), 64),
            _Block(128, (128, 256), (24, 64), 64),
            _Block(middle, (144, 288), (32, 64), 64),
            _Block(256, (160, 320), (32, 128), 128),
            pool(),
            _Block(256, (160, 320), (32, 128), 128),
            _Block(384, (192, 384), (48, 128), 128),
            *(end or nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LazyLinear(num_classes), *after),
        )


@misconception(
    "GoogLeNet",
    "pooling-without-padding",
    book="8.4.2",
    why="The poolings do not pad. With window 3, stride 2 and padding 1 each halves the height and "
    "width, rounded up.",
)
class GoogLeNet_pool(_Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes, pool=lambda: nn.MaxPool2d(3, 2))


@misconception(
    "GoogLeNet",
    "windows-of-two",
    book="8.4.2",
    why="The poolings have window 2. Theirs is 3, with stride 2 and padding 1.",
)
class GoogLeNet_windows(_Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes, pool=lambda: nn.MaxPool2d(2, 2, ceil_mode=True))


@misconception(
    "GoogLeNet",
    "no-activation-in-the-stem",
    book="8.4.2",
    why="The convolutions in front of the first Inception block have no ReLU.",
)
class GoogLeNet_linear(_Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes, act=nn.Identity)


@misconception(
    "GoogLeNet",
    "wrong-channels",
    book="8.4.2",
    why="The fourth Inception block of the middle group has 128 channels in its first branch, like "
    "the one before it. The contract says 112.",
)
class GoogLeNet_channels(_Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes, middle=128)


@misconception(
    "GoogLeNet",
    "maximum-at-the-end",
    book="8.4.2",
    why="The last maps are reduced to their maximum. Their average is due.",
)
class GoogLeNet_maximum(_Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes, end=nn.AdaptiveMaxPool2d(1))


@misconception(
    "GoogLeNet",
    "average-over-a-fixed-window",
    book="8.4.2",
    why="The last pooling has a window of a fixed size. Average over the whole map instead: "
    "nn.AdaptiveAvgPool2d does.",
)
class GoogLeNet_fixed(_Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes, end=nn.AvgPool2d(3))


@misconception(
    "GoogLeNet",
    "softmax-at-the-end",
    book="8.4.2",
    why="A softmax follows the last layer. The net gives logits; the loss takes care of the rest.",
)
class GoogLeNet_softmax(_Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes, after=[nn.Softmax(dim=1)])


@misconception(
    "GoogLeNet",
    "dropout-in-evaluation",
    book="8.4.2",
    why="Numbers are dropped in evaluation mode, and differently at each call. This net has no "
    "dropout.",
    fails=("values",),
    signature=lambda calls: bool(calls[-1].result.eq(0).any()),
)
class GoogLeNet_dropout(_Net):
    def forward(self, X):
        return nn.functional.dropout(super().forward(X), 0.5, training=True)
