"""Wrong answers that people give in section 8.2, and what went wrong in them."""

from torch import nn

from d2lgrade.testkit import misconception

# --- vgg_block ------------------------------------------------------------------------------


def _block(num_convs, out_channels, *, padding=1, between=nn.ReLU, pool=lambda: nn.MaxPool2d(2)):
    """A right block, to be made wrong in one place."""
    layers = []
    for index in range(num_convs):
        layers.append(nn.LazyConv2d(out_channels, 3, padding=padding))
        layers.append(nn.ReLU() if index == num_convs - 1 else between())
    return nn.Sequential(*layers, pool())


@misconception(
    "vgg_block",
    "arguments-of-the-chinese-edition",
    book="8.2.1",
    why="Your block wants the number of input channels too, as in the Chinese edition. Here it is "
    "made from num_convs and out_channels alone; lazy layers find out the rest at the first call.",
    fails=("parameters", "values", "gradient", "arguments", "dtype", "layout", "empty", "device"),
    signature=lambda calls: (
        "missing" in str(calls[-1].error) and "'out_channels'" in str(calls[-1].error)
    ),
)
def vgg_block_chinese(num_convs, in_channels, out_channels):
    return _block(num_convs, out_channels)


@misconception(
    "vgg_block",
    "one-activation",
    book="8.2.1",
    why="Only the last convolution is followed by a ReLU; without one between them, several "
    "convolutions do no more than a single one.",
)
def vgg_block_linear(num_convs, out_channels):
    return _block(num_convs, out_channels, between=nn.Identity)


@misconception(
    "vgg_block",
    "no-padding",
    book="8.2.1",
    why="The convolutions do not pad, so that each takes two rows and two columns off. With "
    "padding 1 only the pooling changes height and width.",
)
def vgg_block_no_padding(num_convs, out_channels):
    return _block(num_convs, out_channels, padding=0)


@misconception(
    "vgg_block",
    "no-pooling",
    book="8.2.1",
    why="The pooling at the end of the block is missing, so height and width are not halved.",
)
def vgg_block_no_pooling(num_convs, out_channels):
    return _block(num_convs, out_channels, pool=nn.Identity)


@misconception(
    "vgg_block",
    "pooling-after-each",
    book="8.2.1",
    why="A pooling follows each convolution. There is one for the block, at its end.",
)
def vgg_block_pooled(num_convs, out_channels):
    return nn.Sequential(*(_block(1, out_channels) for _ in range(num_convs)))


@misconception(
    "vgg_block",
    "average-pooling",
    book="8.2.1",
    why="The pooling takes averages. VGG takes the maximum.",
)
def vgg_block_average(num_convs, out_channels):
    return _block(num_convs, out_channels, pool=lambda: nn.AvgPool2d(2))


@misconception(
    "vgg_block",
    "windows-of-three",
    book="8.2.1",
    why="The pooling windows are 3 wide, as in AlexNet. Here they are 2 wide, in steps of 2.",
)
def vgg_block_windows(num_convs, out_channels):
    return _block(num_convs, out_channels, pool=lambda: nn.MaxPool2d(3, 2, padding=1))


@misconception(
    "vgg_block",
    "one-convolution",
    book="8.2.1",
    why="There is one convolution, whatever num_convs says.",
)
def vgg_block_once(num_convs, out_channels):
    return _block(1, out_channels)


# --- VGG ------------------------------------------------------------------------------------


class _Net(nn.Sequential):
    """A right network, to be made wrong in one place."""

    def __init__(
        self,
        arch,
        num_classes=10,
        *,
        width=4096,
        activation=nn.ReLU,
        dropouts=(nn.Dropout, nn.Dropout),
        hidden=2,
        after=(),
    ):
        layers = [_block(*pair) for pair in arch] + [nn.Flatten()]
        for _, dropout in zip(range(hidden), dropouts, strict=False):
            layers += [nn.LazyLinear(width), activation(), dropout()]
        super().__init__(*layers, nn.LazyLinear(num_classes), *after)


@misconception(
    "VGG",
    "no-dropout",
    book="8.2.2",
    why="There is no dropout. It follows the ReLU of both hidden linear layers.",
)
class VGG_no_dropout(_Net):
    def __init__(self, arch, num_classes=10):
        super().__init__(arch, num_classes, dropouts=(nn.Identity, nn.Identity))


@misconception(
    "VGG",
    "linear-after-linear",
    book="8.2.2",
    why="There is no activation between the linear layers, so that the three do no more than one.",
)
class VGG_linear(_Net):
    def __init__(self, arch, num_classes=10):
        super().__init__(arch, num_classes, activation=nn.Identity)


@misconception(
    "VGG",
    "one-hidden-layer",
    book="8.2.2",
    why="There is one hidden linear layer. VGG, like AlexNet, has two of 4096 numbers.",
)
class VGG_one_hidden(_Net):
    def __init__(self, arch, num_classes=10):
        super().__init__(arch, num_classes, hidden=1)


@misconception(
    "VGG",
    "softmax-at-the-end",
    book="8.2.2",
    why="A softmax follows the last layer. The net gives logits; the loss takes care of the rest.",
)
class VGG_softmax(_Net):
    def __init__(self, arch, num_classes=10):
        super().__init__(arch, num_classes, after=[nn.Softmax(dim=1)])


@misconception(
    "VGG",
    "pairs-read-backwards",
    book="8.2.2",
    why="The pairs of arch are read as (out_channels, num_convs). The number of convolutions comes "
    "first.",
)
class VGG_backwards(_Net):
    def __init__(self, arch, num_classes=10):
        super().__init__([pair[::-1] for pair in arch], num_classes)


@misconception(
    "VGG",
    "pooled-to-a-point",
    book="8.2.2",
    why="The last maps are averaged to one number each before the linear layers, as later networks "
    "do. VGG keeps all 7 x 7 numbers and flattens them.",
)
class VGG_global(_Net):
    def __init__(self, arch, num_classes=10):
        super().__init__(arch, num_classes)
        self.insert(len(arch), nn.AdaptiveAvgPool2d(1))


def _drops_once(calls):
    """Whether numbers were lost in the first hidden layer alone."""
    return calls[-1].args[-1] is True and set(calls[-1].result.unique().tolist()) == {1, 3}


@misconception(
    "VGG",
    "one-dropout",
    book="8.2.2",
    why="Only the first hidden layer has a dropout. The second has one as well.",
    fails=("dropout",),
    signature=_drops_once,
)
class VGG_one_dropout(_Net):
    def __init__(self, arch, num_classes=10):
        super().__init__(arch, num_classes, dropouts=(nn.Dropout, nn.Identity))
