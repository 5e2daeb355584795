"""Wrong answers that people give in section 8.1, and what went wrong in them."""

from torch import nn

from d2lgrade.testkit import misconception


class _Net(nn.Sequential):
    """A right network, to be made wrong in one place."""

    def __init__(self, num_classes=10, **wrong):
        part = {
            "first": {"kernel_size": 11, "stride": 4, "padding": 1},
            "channels": (96, 256, 384, 384, 256),
            "activation": nn.ReLU,
            "pool": lambda: nn.MaxPool2d(3, 2),
            "width": 4096,
            "between": nn.ReLU,
            "dropout": lambda: nn.Dropout(0.5),
            "second": lambda: nn.Dropout(0.5),
            "after": [],
        } | wrong
        a, b, c, d, e = part["channels"]
        act, pool = part["activation"], part["pool"]
        super().__init__(
            *(nn.LazyConv2d(a, **part["first"]), act(), pool()),
            *(nn.LazyConv2d(b, 5, padding=2), act(), pool()),
            *(nn.LazyConv2d(c, 3, padding=1), act()),
            *(nn.LazyConv2d(d, 3, padding=1), act()),
            *(nn.LazyConv2d(e, 3, padding=1), act(), pool()),
            *(nn.Flatten(), nn.LazyLinear(part["width"]), part["between"](), part["dropout"]()),
            *(nn.LazyLinear(part["width"]), part["between"](), part["second"]()),
            *(nn.LazyLinear(num_classes), *part["after"]),
        )


@misconception(
    "AlexNet",
    "first-padding",
    book="8.1.2",
    why="The first convolution pads by 2, as other libraries do, and leaves 55 pixels of 224. With "
    "padding 1 there are 54.",
)
class AlexNet_padding(_Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes, first={"kernel_size": 11, "stride": 4, "padding": 2})


@misconception(
    "AlexNet",
    "channels-of-another-library",
    book="8.1.2",
    why="The channels are 64, 192, 384, 256 and 256, as in other libraries. The book's are "
    "96, 256, 384, 384 and 256.",
)
class AlexNet_channels(_Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes, channels=(64, 192, 384, 256, 256))


@misconception(
    "AlexNet",
    "windows-of-two",
    book="8.1.2",
    why="The pooling windows are 2 wide, as in LeNet. Here they are 3 wide, in steps of 2, so that "
    "they overlap.",
)
class AlexNet_windows(_Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes, pool=lambda: nn.MaxPool2d(2, 2))


@misconception(
    "AlexNet",
    "default-pooling-stride",
    book="8.1.2",
    why="Pooling moves in steps of its window, 3, which is PyTorch's default. Say stride=2.",
)
class AlexNet_pool_stride(_Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes, pool=lambda: nn.MaxPool2d(3))


@misconception(
    "AlexNet",
    "average-pooling",
    book="8.1.2",
    why="Pooling takes the average, as in LeNet. AlexNet takes the maximum.",
)
class AlexNet_average(_Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes, pool=lambda: nn.AvgPool2d(3, 2))


@misconception(
    "AlexNet",
    "sigmoid",
    book="8.1.2",
    why="The activations are sigmoids, as in LeNet. ReLUs are what makes so deep a network train.",
)
class AlexNet_sigmoid(_Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes, activation=nn.Sigmoid, between=nn.Sigmoid)


@misconception(
    "AlexNet",
    "softmax-at-the-end",
    book="8.1.2",
    why="A softmax follows the last layer. The net gives logits; the loss takes care of the rest.",
)
class AlexNet_softmax(_Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes, after=[nn.Softmax(dim=1)])


@misconception(
    "AlexNet",
    "no-dropout",
    book="8.1.2",
    why="There is no dropout. It follows the ReLU of both hidden linear layers.",
)
class AlexNet_no_dropout(_Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes, dropout=nn.Identity, second=nn.Identity)


class _Always(nn.Module):
    def forward(self, X):
        return nn.functional.dropout(X)


def _drops_in_evaluation(calls):
    """Whether the hidden layers lost numbers when they were asked in evaluation mode."""
    return calls[-1].args[-1] is False and set(calls[-1].result.unique().tolist()) == {0, 2, 6}


@misconception(
    "AlexNet",
    "dropout-in-evaluation",
    book="8.1.2",
    why="Numbers are dropped in evaluation mode too. F.dropout does that unless it is told "
    "training=self.training; nn.Dropout follows the mode by itself.",
    fails=("dropout",),
    signature=_drops_in_evaluation,
)
class AlexNet_always(_Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes, dropout=_Always, second=_Always)


def _drops_once(calls):
    """Whether numbers were lost in the first hidden layer alone."""
    found = calls[-1].result
    return calls[-1].args[-1] is True and set(found.unique().tolist()) == {1, 3}


@misconception(
    "AlexNet",
    "one-dropout",
    book="8.1.2",
    why="Only the first hidden layer has a dropout. The second has one as well.",
    fails=("dropout",),
    signature=_drops_once,
)
class AlexNet_one_dropout(_Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes, second=nn.Identity)


@misconception(
    "AlexNet",
    "no-bias",
    book="8.1.2",
    why="The convolutions are built without a bias. PyTorch's default, and the contract, has one.",
)
class AlexNet_no_bias(_Net):
    def __init__(self, num_classes=10):
        first = {"kernel_size": 11, "stride": 4, "padding": 1, "bias": False}
        super().__init__(num_classes, first=first)


@misconception(
    "AlexNet",
    "cut-off",
    book="8.1.2",
    why="The graph is cut before the linear layers, so the convolutions never learn. Reshape with "
    "torch.flatten or nn.Flatten, not by way of .data.",
)
class AlexNet_cut(_Net):
    def forward(self, X):
        for layer in self:
            X = layer(X.data if isinstance(layer, nn.Flatten) else X)
        return X
