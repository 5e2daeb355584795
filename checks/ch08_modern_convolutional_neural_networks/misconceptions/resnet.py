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


# --- ResNet ---------------------------------------------------------------------------------


class _Net(nn.Sequential):
    """A right network, to be made wrong in one place."""

    def __init__(
        self,
        arch,
        num_classes=10,
        *,
        halves=lambda stage, index: stage > 0 and index == 0,
        block=_Block,
        norm=nn.LazyBatchNorm2d,
        pool=lambda: nn.MaxPool2d(3, 2, 1),
        end=lambda: nn.AdaptiveAvgPool2d(1),
        after=(),
    ):
        layers = [nn.LazyConv2d(64, 7, 2, 3), norm(), nn.ReLU(), pool()]
        for stage, (count, channels) in enumerate(arch):
            for index in range(count):
                half = halves(stage, index)
                layers.append(block(channels, half, 2 if half else 1))
        super().__init__(*layers, end(), nn.Flatten(), nn.LazyLinear(num_classes), *after)


@misconception(
    "ResNet",
    "first-stage-halved",
    book="8.6.3",
    why="The first stage halves the images too. The stem's pooling has done that already; only the "
    "later stages begin with a block of strides 2.",
)
class ResNet_first_halved(_Net):
    def __init__(self, arch, num_classes=10):
        super().__init__(arch, num_classes, halves=lambda stage, index: index == 0)


@misconception(
    "ResNet",
    "every-block-halves",
    book="8.6.3",
    why="Every block of the later stages has a 1x1 convolution and strides 2. Only the first of "
    "each stage has.",
)
class ResNet_all_halved(_Net):
    def __init__(self, arch, num_classes=10):
        super().__init__(arch, num_classes, halves=lambda stage, index: stage > 0)


@misconception(
    "ResNet",
    "never-halved",
    book="8.6.3",
    why="The first block of a later stage has its 1x1 convolution, but moves in steps of 1: height "
    "and width stay. Its strides are 2.",
)
class ResNet_never_halved(_Net):
    def __init__(self, arch, num_classes=10):
        super().__init__(arch, num_classes, block=lambda c, half, strides: _Block(c, half))


@misconception(
    "ResNet",
    "no-normalization-in-the-stem",
    book="8.6.3",
    why="The first convolution is not followed by a batch normalization.",
)
class ResNet_plain_stem(_Net):
    def __init__(self, arch, num_classes=10):
        super().__init__(arch, num_classes, norm=nn.Identity)


@misconception(
    "ResNet",
    "no-pooling-in-the-stem",
    book="8.6.3",
    why="The pooling of the stem is missing: window 3, stride 2, padding 1.",
)
class ResNet_no_pool(_Net):
    def __init__(self, arch, num_classes=10):
        super().__init__(arch, num_classes, pool=nn.Identity)


@misconception(
    "ResNet",
    "maximum-at-the-end",
    book="8.6.3",
    why="The last maps are reduced to their maximum. Their average is due.",
)
class ResNet_maximum(_Net):
    def __init__(self, arch, num_classes=10):
        super().__init__(arch, num_classes, end=lambda: nn.AdaptiveMaxPool2d(1))


@misconception(
    "ResNet",
    "flattened",
    book="8.6.3",
    why="The last maps are flattened whole, so that the linear layer fits one image size only. "
    "Average each map to one number first.",
)
class ResNet_flattened(_Net):
    def __init__(self, arch, num_classes=10):
        super().__init__(arch, num_classes, end=nn.Identity)


@misconception(
    "ResNet",
    "softmax-at-the-end",
    book="8.6.3",
    why="A softmax follows the last layer. The net gives logits; the loss takes care of the rest.",
)
class ResNet_softmax(_Net):
    def __init__(self, arch, num_classes=10):
        super().__init__(arch, num_classes, after=[nn.Softmax(dim=1)])


# --- ResNet18 -------------------------------------------------------------------------------

_EIGHTEEN = ((2, 64), (2, 128), (2, 256), (2, 512))


@misconception(
    "ResNet18",
    "blocks-of-resnet-34",
    book="8.6.4",
    why="The stages have 3, 4, 6 and 3 blocks, those of ResNet-34. ResNet-18 has two in each.",
)
class ResNet18_thirty_four(_Net):
    def __init__(self, num_classes=10):
        super().__init__(((3, 64), (4, 128), (6, 256), (3, 512)), num_classes)


@misconception(
    "ResNet18",
    "one-block-a-stage",
    book="8.6.4",
    why="The stages have one block each, which makes 10 layers. ResNet-18 has two in each.",
)
class ResNet18_ten(_Net):
    def __init__(self, num_classes=10):
        super().__init__(((1, 64), (1, 128), (1, 256), (1, 512)), num_classes)


@misconception(
    "ResNet18",
    "always-ten-classes",
    book="8.6.4",
    why="The last layer gives 10 logits whatever num_classes says: hand it on to ResNet.",
)
class ResNet18_always_ten(_Net):
    def __init__(self, num_classes=10):
        super().__init__(_EIGHTEEN, 10)


@misconception(
    "ResNet18",
    "softmax-at-the-end",
    book="8.6.4",
    why="A softmax follows the last layer. The net gives logits; the loss takes care of the rest.",
)
class ResNet18_softmax(_Net):
    def __init__(self, num_classes=10):
        super().__init__(_EIGHTEEN, num_classes, after=[nn.Softmax(dim=1)])


# --- ResNeXtBlock ---------------------------------------------------------------------------


class _NeXt(nn.Module):
    """A right block, to be made wrong in one place."""

    strides_at = (1, 2, 1)  # a 2 is where the strides go
    activations = (nn.ReLU, nn.ReLU)
    normalized = True

    def __init__(self, num_channels, groups, bot_mul, use_1x1conv=False, strides=1):
        super().__init__()
        b = self.between(num_channels, bot_mul)
        one, two, three = (strides if at == 2 else 1 for at in self.strides_at)
        first, second = self.activations
        self.main = nn.Sequential(
            *(nn.LazyConv2d(b, 1, one), nn.LazyBatchNorm2d(), first()),
            nn.LazyConv2d(b, 3, two, 1, groups=self.count(b, groups)),
            *(nn.LazyBatchNorm2d(), second()),
            *(nn.LazyConv2d(num_channels, 1, three), nn.LazyBatchNorm2d()),
        )
        self.shortcut = nn.Identity()
        if use_1x1conv:
            norm = nn.LazyBatchNorm2d() if self.normalized else nn.Identity()
            self.shortcut = nn.Sequential(nn.LazyConv2d(num_channels, 1, strides), norm)

    def between(self, num_channels, bot_mul):
        return round(num_channels * bot_mul)

    def count(self, b, groups):
        return b // groups

    def forward(self, X):
        return torch.relu(self.main(X) + self.shortcut(X))


@misconception(
    "ResNeXtBlock",
    "groups-as-their-number",
    book="8.6.5",
    why="groups is taken for the number of groups. Here, as in the book's code, it is how many "
    "channels each group has: nn.LazyConv2d gets groups=bot_channels // groups.",
)
class ResNeXtBlock_number(_NeXt):
    def count(self, b, groups):
        return groups


@misconception(
    "ResNeXtBlock",
    "not-grouped",
    book="8.6.5",
    why="The convolution between is not grouped: each output channel sees all inputs.",
)
class ResNeXtBlock_whole(_NeXt):
    def count(self, b, groups):
        return 1


@misconception(
    "ResNeXtBlock",
    "bot-mul-ignored",
    book="8.6.5",
    why="The channels between are as many as those at the end, whatever bot_mul says.",
)
class ResNeXtBlock_straight(_NeXt):
    def between(self, num_channels, bot_mul):
        return num_channels


@misconception(
    "ResNeXtBlock",
    "rounded-down",
    book="8.6.5",
    why="The number of channels between is cut off, not rounded: int(3.5) is 3, round(3.5) is 4.",
)
class ResNeXtBlock_cut(_NeXt):
    def between(self, num_channels, bot_mul):
        return int(num_channels * bot_mul)


@misconception(
    "ResNeXtBlock",
    "strides-in-the-first",
    book="8.6.5",
    why="The first convolution, of kernel 1, moves in steps of `strides`, and skips pixels that no "
    "other sees. The grouped convolution is the one to do it.",
)
class ResNeXtBlock_strides_first(_NeXt):
    strides_at = (2, 1, 1)


@misconception(
    "ResNeXtBlock",
    "plain-shortcut",
    book="8.6.5",
    why="The shortcut's convolution has no batch normalization after it. In this block, unlike in "
    "Residual, it has.",
)
class ResNeXtBlock_plain_shortcut(_NeXt):
    normalized = False


@misconception(
    "ResNeXtBlock",
    "no-second-activation",
    book="8.6.5",
    why="There is no ReLU between the grouped convolution's batch normalization and the last "
    "convolution.",
)
class ResNeXtBlock_linear(_NeXt):
    activations = (nn.ReLU, nn.Identity)


@misconception(
    "ResNeXtBlock",
    "activation-before-the-sum",
    book="8.6.5",
    why="The last ReLU comes before the sum. Add first, then apply the ReLU.",
)
class ResNeXtBlock_early(_NeXt):
    def forward(self, X):
        return torch.relu(self.main(X)) + self.shortcut(X)


@misconception(
    "ResNeXtBlock",
    "no-shortcut",
    book="8.6.5",
    why="The input is never added. Without its shortcut it is no residual block.",
)
class ResNeXtBlock_no_shortcut(_NeXt):
    def forward(self, X):
        self.shortcut(X)
        return torch.relu(self.main(X))
