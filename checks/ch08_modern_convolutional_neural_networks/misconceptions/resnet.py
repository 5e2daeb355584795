"""Wrong answers that people give in section 8.6, and what went wrong in them."""

import re

import torch
from torch import nn

from d2lgrade.testkit import misconception


class _Block(nn.Module):
    """A right block, to be made wrong in one place."""

    bias = True
    padding = 1

    def __init__(self, num_channels, use_1x1conv=False, strides=1):
        super().__init__()
        options = {"padding": self.padding, "bias": self.bias}
        self.conv1 = nn.LazyConv2d(num_channels, 3, stride=strides, **options)
        self.conv2 = nn.LazyConv2d(num_channels, 3, **options)
        self.bn1, self.bn2 = nn.LazyBatchNorm2d(), nn.LazyBatchNorm2d()
        self.shortcut = nn.Identity()
        if use_1x1conv:
            self.shortcut = nn.LazyConv2d(num_channels, 1, stride=strides, bias=self.bias)

    def main(self, X):
        return self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(X)))))

    def forward(self, X):
        return torch.relu(self.main(X) + self.shortcut(X))


@misconception(
    "Residual",
    "arguments-of-the-chinese-edition",
    book="8.6.2",
    why="Your block wants the number of input channels first, as in the Chinese edition. Here it "
    "is made from num_channels alone; lazy layers find out the rest at the first call.",
    fails=(
        "parameters",
        "identity",
        "projection",
        "strides",
        "evaluation",
        "gradient",
        "arguments",
    ),
    signature=lambda calls: bool(
        re.search(r"missing .*'in(put)?_channels?'", str(calls[-1].error))
    ),
)
class Residual_input_channels(nn.Module):
    def __init__(self, input_channels, num_channels, use_1x1conv=False, strides=1):
        super().__init__()
        self.conv1 = nn.Conv2d(input_channels, num_channels, 3, padding=1, stride=strides)
        self.conv2 = nn.Conv2d(num_channels, num_channels, 3, padding=1)
        self.shortcut = nn.Identity()
        if use_1x1conv:
            self.shortcut = nn.Conv2d(input_channels, num_channels, 1, stride=strides)
        self.bn1, self.bn2 = nn.BatchNorm2d(num_channels), nn.BatchNorm2d(num_channels)

    def forward(self, X):
        Y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(X)))))
        return torch.relu(Y + self.shortcut(X))


@misconception(
    "Residual",
    "no-shortcut",
    book="8.6.2",
    why="The input is never added: these are two plain convolutions. Add it before the last ReLU.",
)
class Residual_plain(_Block):
    def forward(self, X):
        self.shortcut(X)
        return torch.relu(self.main(X))


@misconception(
    "Residual",
    "activation-before-the-sum",
    book="8.6.2",
    why="The last ReLU comes before the sum, so that a block can only ever add to its input. Add "
    "first, then apply the ReLU.",
)
class Residual_early_activation(_Block):
    def forward(self, X):
        return torch.relu(self.main(X)) + self.shortcut(X)


@misconception(
    "Residual",
    "no-last-activation",
    book="8.6.2",
    why="The ReLU after the sum is missing.",
)
class Residual_no_activation(_Block):
    def forward(self, X):
        return self.main(X) + self.shortcut(X)


@misconception(
    "Residual",
    "no-activation-between",
    book="8.6.2",
    why="Between the two convolutions the ReLU is missing, which makes them one linear map.",
)
class Residual_linear(_Block):
    def main(self, X):
        return self.bn2(self.conv2(self.bn1(self.conv1(X))))


@misconception(
    "Residual",
    "activation-before-normalization",
    book="8.6.2",
    why="The ReLU comes before the first batch normalization. The order is convolution, batch "
    "normalization, ReLU.",
)
class Residual_activation_first(_Block):
    def main(self, X):
        return self.bn2(self.conv2(self.bn1(torch.relu(self.conv1(X)))))


@misconception(
    "Residual",
    "sum-before-normalization",
    book="8.6.2",
    why="The input is added before the second batch normalization, which then normalizes the input "
    "along with the rest. Normalize the main path, then add.",
)
class Residual_early_sum(_Block):
    def forward(self, X):
        Y = self.conv2(torch.relu(self.bn1(self.conv1(X))))
        return torch.relu(self.bn2(Y + self.shortcut(X)))


@misconception(
    "Residual",
    "pre-activation",
    book="8.6.2",
    why="Batch normalization and ReLU come before each convolution. That is a later variant of the "
    "block; here they follow the convolution.",
)
class Residual_pre_activation(_Block):
    def forward(self, X):
        Y = self.conv1(torch.relu(self.bn1(X)))
        return self.conv2(torch.relu(self.bn2(Y))) + self.shortcut(X)


@misconception(
    "Residual",
    "one-normalization-for-both",
    book="8.6.2",
    why="One batch normalization serves both convolutions. Each needs its own, with statistics, "
    "scale and shift of its own.",
)
class Residual_shared(_Block):
    def __init__(self, num_channels, use_1x1conv=False, strides=1):
        super().__init__(num_channels, use_1x1conv, strides)
        self.bn2 = self.bn1


@misconception(
    "Residual",
    "normalized-shortcut",
    book="8.6.2",
    why="The 1x1 convolution of the shortcut has a batch normalization after it. Other libraries "
    "build it so; the book's block, and this contract, do not.",
)
class Residual_normalized_shortcut(_Block):
    def __init__(self, num_channels, use_1x1conv=False, strides=1):
        super().__init__(num_channels, use_1x1conv, strides)
        if use_1x1conv:
            self.shortcut = nn.Sequential(self.shortcut, nn.LazyBatchNorm2d())


@misconception(
    "Residual",
    "no-biases",
    book="8.6.2",
    why="The convolutions have no bias. Before a batch normalization it makes no difference, but "
    "the contract, like the book, keeps PyTorch's default.",
)
class Residual_no_biases(_Block):
    bias = False


@misconception(
    "Residual",
    "shortcut-without-strides",
    book="8.6.2",
    why="The 1x1 convolution of the shortcut moves in steps of 1, so its output does not fit that "
    "of the main path. Give it the same strides.",
)
class Residual_wide_shortcut(_Block):
    def __init__(self, num_channels, use_1x1conv=False, strides=1):
        super().__init__(num_channels, use_1x1conv, strides)
        if use_1x1conv:
            self.shortcut = nn.LazyConv2d(num_channels, 1)


@misconception(
    "Residual",
    "strides-twice",
    book="8.6.2",
    why="Both 3x3 convolutions move in steps of `strides`. Only the first does.",
)
class Residual_strides_twice(_Block):
    def __init__(self, num_channels, use_1x1conv=False, strides=1):
        super().__init__(num_channels, use_1x1conv, strides)
        self.conv2 = nn.LazyConv2d(num_channels, 3, padding=1, stride=strides)


@misconception(
    "Residual",
    "strides-in-the-second",
    book="8.6.2",
    why="The second convolution moves in steps of `strides`. The shapes come out right, but it is "
    "the first that should.",
)
class Residual_strides_second(_Block):
    def __init__(self, num_channels, use_1x1conv=False, strides=1):
        super().__init__(num_channels, use_1x1conv, strides)
        self.conv1 = nn.LazyConv2d(num_channels, 3, padding=1)
        self.conv2 = nn.LazyConv2d(num_channels, 3, padding=1, stride=strides)


@misconception(
    "Residual",
    "input-changed",
    book="8.6.2",
    why="The sum is written into the input itself (X += Y), which spoils it for whoever holds it. "
    "Write Y + X, or Y += X.",
)
class Residual_in_place(_Block):
    def forward(self, X):
        Y, Z = self.main(X), self.shortcut(X)
        if Z is X:
            X += Y
            return torch.relu(X)
        return torch.relu(Y + Z)


@misconception(
    "Residual",
    "no-padding",
    book="8.6.2",
    why="The 3x3 convolutions do not pad, so that each takes two rows and two columns off and the "
    "sum with the input does not fit. Pad by 1.",
)
class Residual_no_padding(_Block):
    padding = 0
