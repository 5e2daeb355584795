"""Wrong answers that people give in section 8.7, and what went wrong in them."""

import torch
from torch import nn

from d2lgrade.testkit import misconception


def _chinese(calls):
    """Whether the learner's code missed an argument of the other edition."""
    text = str(calls[-1].error)
    return "missing" in text and ("'num_channels'" in text or "_channels'" in text)


_EVERY = (
    *("parameters", "training", "evaluation", "gradient", "arguments", "dtype", "layout"),
    *("empty", "device"),
)

# --- conv_block -----------------------------------------------------------------------------


def _conv(num_channels, kernel=3, padding=1):
    return nn.LazyConv2d(num_channels, kernel, padding=padding)


def _block(num_channels):
    return nn.Sequential(nn.LazyBatchNorm2d(), nn.ReLU(), _conv(num_channels))


@misconception(
    "conv_block",
    "arguments-of-the-chinese-edition",
    book="8.7.2",
    why="Your block wants the number of input channels first, as in the Chinese edition. Here it "
    "is made from num_channels alone; lazy layers find out the rest at the first call.",
    fails=_EVERY,
    signature=_chinese,
)
def conv_block_chinese(input_channels, num_channels):
    return _block(num_channels)


@misconception(
    "conv_block",
    "convolution-first",
    book="8.7.2",
    why="The convolution comes first, as in Residual. In DenseNet the order is batch "
    "normalization, ReLU, convolution.",
)
def conv_block_convolution_first(num_channels):
    return nn.Sequential(_conv(num_channels), nn.LazyBatchNorm2d(), nn.ReLU())


@misconception(
    "conv_block",
    "activation-first",
    book="8.7.2",
    why="The ReLU comes before the batch normalization. The order is batch normalization, ReLU, "
    "convolution.",
)
def conv_block_activation_first(num_channels):
    return nn.Sequential(nn.ReLU(), nn.LazyBatchNorm2d(), _conv(num_channels))


@misconception(
    "conv_block",
    "no-activation",
    book="8.7.2",
    why="There is no ReLU between the batch normalization and the convolution.",
)
def conv_block_linear(num_channels):
    return nn.Sequential(nn.LazyBatchNorm2d(), _conv(num_channels))


@misconception(
    "conv_block",
    "no-padding",
    book="8.7.2",
    why="The convolution does not pad. With padding 1 height and width stay, so that input and "
    "output can be put side by side.",
)
def conv_block_no_padding(num_channels):
    return nn.Sequential(nn.LazyBatchNorm2d(), nn.ReLU(), _conv(num_channels, padding=0))


@misconception(
    "conv_block",
    "no-normalization",
    book="8.7.2",
    why="The batch normalization is missing.",
)
def conv_block_plain(num_channels):
    return nn.Sequential(nn.ReLU(), _conv(num_channels))


# --- DenseBlock -----------------------------------------------------------------------------


class _Dense(nn.Module):
    """A right block, to be made wrong in one place."""

    def __init__(self, num_convs, num_channels):
        super().__init__()
        self.blocks = nn.ModuleList(_block(num_channels) for _ in range(num_convs))

    def forward(self, X):
        for block in self.blocks:
            X = torch.cat((X, block(X)), dim=1)
        return X


@misconception(
    "DenseBlock",
    "arguments-of-the-chinese-edition",
    book="8.7.2",
    why="Your block wants the number of input channels too, as in the Chinese edition. Here it is "
    "made from num_convs and num_channels alone; lazy layers find out the rest at the first call.",
    fails=_EVERY,
    signature=_chinese,
)
class DenseBlock_chinese(_Dense):
    def __init__(self, num_convs, input_channels, num_channels):
        super().__init__(num_convs, num_channels)


@misconception(
    "DenseBlock",
    "chained",
    book="8.7.2",
    why="The convolution blocks follow one another, and nothing is kept beside their outputs. Put "
    "the input of each in front of its output.",
)
class DenseBlock_chained(_Dense):
    def forward(self, X):
        for block in self.blocks:
            X = block(X)
        return X


@misconception(
    "DenseBlock",
    "output-first",
    book="8.7.2",
    why="The new channels are put in front of the old ones. The input of each convolution block "
    "comes first.",
)
class DenseBlock_output_first(_Dense):
    def forward(self, X):
        for block in self.blocks:
            X = torch.cat((block(X), X), dim=1)
        return X


@misconception(
    "DenseBlock",
    "joined-once",
    book="8.7.2",
    why="Only the input and the last output are joined. Every convolution block gets all that was "
    "made before it, and the result keeps it all.",
)
class DenseBlock_once(_Dense):
    def forward(self, X):
        Y = X
        for block in self.blocks:
            Y = block(Y)
        return torch.cat((X, Y), dim=1)


@misconception(
    "DenseBlock",
    "all-from-the-input",
    book="8.7.2",
    why="Every convolution block gets the input of the whole block. It gets that and the outputs "
    "of those before it.",
)
class DenseBlock_parallel(_Dense):
    def forward(self, X):
        return torch.cat((X, *(block(X) for block in self.blocks)), dim=1)


@misconception(
    "DenseBlock",
    "joined-on-another-axis",
    book="8.7.2",
    why="Input and output are joined along the batch. Join them on the channel axis, dim=1.",
)
class DenseBlock_axis(_Dense):
    def forward(self, X):
        for block in self.blocks:
            Y = block(X)
            X = torch.cat((X, Y), dim=0 if Y.shape[1] == X.shape[1] else 1)
        return X


@misconception(
    "DenseBlock",
    "one-block-for-all",
    book="8.7.2",
    why="A single convolution block is used num_convs times, or is kept in a list that the module "
    "does not know. Make num_convs of them, in an nn.ModuleList or nn.Sequential.",
)
class DenseBlock_hidden(_Dense):
    def __init__(self, num_convs, num_channels):
        super().__init__(num_convs, num_channels)
        self.__dict__["blocks"] = list(self._modules.pop("blocks"))


# --- transition_block -----------------------------------------------------------------------


def _transition(num_channels, pool=None, kernel=1, act=nn.ReLU):
    norm, conv = nn.LazyBatchNorm2d(), _conv(num_channels, kernel, kernel // 2)
    return nn.Sequential(norm, act(), conv, pool or nn.AvgPool2d(2))


@misconception(
    "transition_block",
    "arguments-of-the-chinese-edition",
    book="8.7.3",
    why="Your block wants the number of input channels first, as in the Chinese edition. Here it "
    "is made from num_channels alone; lazy layers find out the rest at the first call.",
    fails=_EVERY,
    signature=_chinese,
)
def transition_block_chinese(input_channels, num_channels):
    return _transition(num_channels)


@misconception(
    "transition_block",
    "max-pooling",
    book="8.7.3",
    why="Pooling takes the maximum. The transition block takes the average.",
)
def transition_block_maximum(num_channels):
    return _transition(num_channels, nn.MaxPool2d(2))


@misconception(
    "transition_block",
    "no-pooling",
    book="8.7.3",
    why="The pooling is missing: height and width are not halved.",
)
def transition_block_unpooled(num_channels):
    return _transition(num_channels, nn.Identity())


@misconception(
    "transition_block",
    "large-kernel",
    book="8.7.3",
    why="The convolution has kernel 3. Its kernel is 1: it only mixes the channels.",
)
def transition_block_kernel(num_channels):
    return _transition(num_channels, kernel=3)


@misconception(
    "transition_block",
    "no-activation",
    book="8.7.3",
    why="There is no ReLU between the batch normalization and the convolution.",
)
def transition_block_linear(num_channels):
    return _transition(num_channels, act=nn.Identity)


# --- DenseNet -------------------------------------------------------------------------------


class _Net(nn.Sequential):
    """A right network, to be made wrong in one place."""

    def __init__(
        self,
        num_channels=64,
        growth_rate=32,
        arch=(4, 4, 4, 4),
        num_classes=10,
        *,
        stem=None,
        last=False,
        halves=lambda count: count // 2,
        norm=nn.LazyBatchNorm2d,
        pool=lambda: nn.AdaptiveAvgPool2d(1),
        after=(),
    ):
        layers = [nn.LazyConv2d(stem or num_channels, 7, 2, 3), nn.LazyBatchNorm2d(), nn.ReLU()]
        layers.append(nn.MaxPool2d(3, 2, 1))
        for index, num_convs in enumerate(arch):
            layers.append(_Dense(num_convs, growth_rate))
            num_channels += num_convs * growth_rate
            if last or index < len(arch) - 1:
                num_channels = halves(num_channels)
                layers.append(_transition(num_channels))
        layers += [norm(), nn.ReLU(), pool(), nn.Flatten(), nn.LazyLinear(num_classes), *after]
        super().__init__(*layers)


@misconception(
    "DenseNet",
    "transition-after-the-last",
    book="8.7.4",
    why="A transition block follows the last dense block too. They only stand between two.",
)
class DenseNet_last(_Net):
    def __init__(self, num_channels=64, growth_rate=32, arch=(4, 4, 4, 4), num_classes=10):
        super().__init__(num_channels, growth_rate, arch, num_classes, last=True)


@misconception(
    "DenseNet",
    "channels-not-halved",
    book="8.7.4",
    why="The transition blocks keep the number of channels. They halve it.",
)
class DenseNet_kept(_Net):
    def __init__(self, num_channels=64, growth_rate=32, arch=(4, 4, 4, 4), num_classes=10):
        super().__init__(num_channels, growth_rate, arch, num_classes, halves=lambda count: count)


@misconception(
    "DenseNet",
    "channels-of-the-stem",
    book="8.7.4",
    why="The transition blocks go back to half of what the stem left, as if no dense block had "
    "added channels. Count those too.",
)
class DenseNet_stem_channels(_Net):
    def __init__(self, num_channels=64, growth_rate=32, arch=(4, 4, 4, 4), num_classes=10):
        half = num_channels // 2
        super().__init__(num_channels, growth_rate, arch, num_classes, halves=lambda count: half)


@misconception(
    "DenseNet",
    "no-normalization-at-the-end",
    book="8.7.4",
    why="The batch normalization before the last average is missing.",
)
class DenseNet_plain_end(_Net):
    def __init__(self, num_channels=64, growth_rate=32, arch=(4, 4, 4, 4), num_classes=10):
        super().__init__(num_channels, growth_rate, arch, num_classes, norm=nn.Identity)


@misconception(
    "DenseNet",
    "maximum-at-the-end",
    book="8.7.4",
    why="The last maps are reduced to their maximum, as nn.AdaptiveMaxPool2d does. Their average "
    "is due.",
)
class DenseNet_maximum(_Net):
    def __init__(self, num_channels=64, growth_rate=32, arch=(4, 4, 4, 4), num_classes=10):
        pool = lambda: nn.AdaptiveMaxPool2d(1)  # noqa: E731
        super().__init__(num_channels, growth_rate, arch, num_classes, pool=pool)


@misconception(
    "DenseNet",
    "softmax-at-the-end",
    book="8.7.4",
    why="A softmax follows the last layer. The net gives logits; the loss takes care of the rest.",
)
class DenseNet_softmax(_Net):
    def __init__(self, num_channels=64, growth_rate=32, arch=(4, 4, 4, 4), num_classes=10):
        after = [nn.Softmax(dim=1)]
        super().__init__(num_channels, growth_rate, arch, num_classes, after=after)


@misconception(
    "DenseNet",
    "stem-of-64",
    book="8.7.4",
    why="The stem has 64 channels whatever num_channels says, as in the book's code, so that the "
    "channels are counted wrongly from there on.",
)
class DenseNet_stem(_Net):
    def __init__(self, num_channels=64, growth_rate=32, arch=(4, 4, 4, 4), num_classes=10):
        super().__init__(num_channels, growth_rate, arch, num_classes, stem=64)
