"""Wrong answers that people give in section 8.3, and what went wrong in them."""

from torch import nn

from d2lgrade.testkit import misconception

# --- nin_block ------------------------------------------------------------------------------


def _block(
    out_channels, kernel_size, strides, padding, *, inner=1, between=nn.ReLU, last=nn.ReLU, pad=0
):
    """A right block, to be made wrong in one place."""
    return nn.Sequential(
        *(nn.LazyConv2d(out_channels, kernel_size, strides, padding), between()),
        *(nn.LazyConv2d(out_channels, inner, padding=pad), between()),
        *(nn.LazyConv2d(out_channels, inner, padding=pad), last()),
    )


@misconception(
    "nin_block",
    "arguments-of-the-chinese-edition",
    book="8.3.1",
    why="Your block wants the number of input channels first, as in the Chinese edition. Here it "
    "is made from out_channels alone; lazy layers find out the rest at the first call.",
    fails=("parameters", "values", "gradient", "arguments", "dtype", "layout", "empty", "device"),
    signature=lambda calls: (
        "missing" in str(calls[-1].error) and "'padding'" in str(calls[-1].error)
    ),
)
def nin_block_chinese(in_channels, out_channels, kernel_size, strides, padding):
    return _block(out_channels, kernel_size, strides, padding)


@misconception(
    "nin_block",
    "no-last-activation",
    book="8.3.1",
    why="The ReLU after the third convolution is missing.",
)
def nin_block_no_last(out_channels, kernel_size, strides, padding):
    return _block(out_channels, kernel_size, strides, padding, last=nn.Identity)


@misconception(
    "nin_block",
    "one-activation",
    book="8.3.1",
    why="There is a single ReLU, at the end, so that the three convolutions do no more than one. "
    "Each is followed by a ReLU of its own.",
)
def nin_block_linear(out_channels, kernel_size, strides, padding):
    return _block(out_channels, kernel_size, strides, padding, between=nn.Identity)


@misconception(
    "nin_block",
    "one-small-convolution",
    book="8.3.1",
    why="There is one convolution of kernel 1. The block has two of them.",
)
def nin_block_short(out_channels, kernel_size, strides, padding):
    return _block(out_channels, kernel_size, strides, padding)[:4]


@misconception(
    "nin_block",
    "large-inner-kernels",
    book="8.3.1",
    why="The second and third convolution have kernel 3. Theirs is 1: they mix the channels of a "
    "pixel and do not look at its neighbours.",
)
def nin_block_inner(out_channels, kernel_size, strides, padding):
    return _block(out_channels, kernel_size, strides, padding, inner=3, pad=1)


@misconception(
    "nin_block",
    "strides-forgotten",
    book="8.3.1",
    why="The first convolution moves in steps of 1, whatever strides says.",
)
def nin_block_no_strides(out_channels, kernel_size, strides, padding):
    return _block(out_channels, kernel_size, 1, padding)


@misconception(
    "nin_block",
    "padding-forgotten",
    book="8.3.1",
    why="The first convolution does not pad, whatever padding says.",
)
def nin_block_no_padding(out_channels, kernel_size, strides, padding):
    return _block(out_channels, kernel_size, strides, 0)


# --- NiN ------------------------------------------------------------------------------------


class _Net(nn.Sequential):
    """A right network, to be made wrong in one place."""

    def __init__(
        self,
        num_classes=10,
        *,
        pool=lambda: nn.MaxPool2d(3, 2),
        dropout=nn.Dropout,
        classes=lambda n: _block(n, 3, 1, 1),
        end=lambda n: nn.AdaptiveAvgPool2d(1),
        after=(),
    ):
        super().__init__(
            *(_block(96, 11, 4, 0), pool()),
            *(_block(256, 5, 1, 2), pool()),
            *(_block(384, 3, 1, 1), pool(), dropout()),
            *(classes(num_classes), end(num_classes), nn.Flatten(), *after),
        )


@misconception(
    "NiN",
    "linear-layer-at-the-end",
    book="8.3.2",
    why="A linear layer makes the logits. In NiN they are the averages of the last block's maps, "
    "one for each class; that saves AlexNet's most numerous parameters.",
)
class NiN_linear(_Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes, after=[nn.LazyLinear(num_classes)])


@misconception(
    "NiN",
    "average-over-a-fixed-window",
    book="8.3.2",
    why="The last pooling has a window of a fixed size, 5. Average over the whole map instead: "
    "nn.AdaptiveAvgPool2d does.",
)
class NiN_fixed(_Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes, end=lambda n: nn.AvgPool2d(5))


@misconception(
    "NiN",
    "maximum-at-the-end",
    book="8.3.2",
    why="The last maps are reduced to their maximum. Their average is due.",
)
class NiN_maximum(_Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes, end=lambda n: nn.AdaptiveMaxPool2d(1))


@misconception(
    "NiN",
    "no-last-block",
    book="8.3.2",
    why="A single convolution makes the maps of the classes. A whole nin_block is due there too, "
    "with its ReLU at the end.",
)
class NiN_convolution(_Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes, classes=lambda n: nn.LazyConv2d(n, 3, padding=1))


@misconception(
    "NiN",
    "softmax-at-the-end",
    book="8.3.2",
    why="A softmax follows the average. The net gives logits; the loss takes care of the rest.",
)
class NiN_softmax(_Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes, after=[nn.Softmax(dim=1)])


@misconception(
    "NiN",
    "windows-of-two",
    book="8.3.2",
    why="The pooling windows are 2 wide. They are 3 wide here, in steps of 2, so they overlap.",
)
class NiN_windows(_Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes, pool=lambda: nn.MaxPool2d(2))


@misconception(
    "NiN",
    "no-dropout",
    book="8.3.2",
    why="There is no dropout. It comes between the last max-pooling and the last block.",
)
class NiN_no_dropout(_Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes, dropout=nn.Identity)


def _whole_channels(calls):
    """Whether channels were dropped whole: every average is 0 or 2, and both occur."""
    return calls[-1].args[-1] is True and set(calls[-1].result.unique().tolist()) == {0, 2}


@misconception(
    "NiN",
    "channels-dropped-whole",
    book="8.3.2",
    why="nn.Dropout2d drops whole channels. Here each number has a draw of its own: nn.Dropout.",
    fails=("dropout",),
    signature=_whole_channels,
)
class NiN_dropout2d(_Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes, dropout=nn.Dropout2d)
