"""Section 8.6: Residual networks.

A block whose layers learn only what is to be added to its input.
"""

import torch
from torch import nn


class Residual(nn.Module):
    """A residual block: two convolutions whose output is added to the block's input.

    The main path is a 3x3 convolution, batch normalization, a ReLU, another 3x3 convolution and
    another batch normalization. The first convolution moves in steps of `strides`, the second in
    steps of 1; both pad by 1, so that with strides 1 height and width stay. The shortcut is the
    input itself, or with use_1x1conv a 1x1 convolution of it, in steps of `strides` and with
    nothing after it. Main path and shortcut are added, and a last ReLU follows the sum.

    The number of input channels is not told. It is known at the first call, which is what
    PyTorch's lazy layers are for.

    Args:
        num_channels: int, the number of output channels of every convolution.
        use_1x1conv: bool, whether the shortcut has its 1x1 convolution. Without it, input and
            output must have the same shape.
        strides: int, the step of the first convolution and of the 1x1 convolution.

    Attributes:
        After the first call, the parameters of these layers of PyTorch in any order, each with
        its usual settings and starting values, and no others: two 3x3 convolutions with bias, two
        batch normalizations, and with use_1x1conv one 1x1 convolution with bias.

    Returns:
        Called with a float tensor X of shape (n, c, h, w), not modified: a float tensor
        (n, num_channels, ceil(h / strides), ceil(w / strides)), with the dtype and device of X.
        Gradients flow from it back to X and to all parameters. Training and evaluation mode reach
        the batch normalizations as usual.

    Formula:
        main = bn2(conv2(relu(bn1(conv1(X)))))
        block(X) = relu(main + X),  or with use_1x1conv  relu(main + conv3(X))

    Example:
        >>> block = Residual(num_channels=6, use_1x1conv=True, strides=2)
        >>> block(torch.randn(4, 3, 6, 5)).shape
        torch.Size([4, 6, 3, 3])

    Book: 8.6.2
    """

    def __init__(self, num_channels, use_1x1conv=False, strides=1):
        super().__init__()
        raise NotImplementedError("Residual.__init__")

    def forward(self, X):
        raise NotImplementedError("Residual.forward")


class ResNet(nn.Module):
    """A residual network for grey images: a stem, stages of residual blocks, and a linear layer.

    Args:
        arch: tuple of pairs (num_residuals, num_channels), one for each stage, in order. The first
            stage has 64 channels.
        num_classes: int, how many classes to tell apart; 10 unless given.

    Returns:
        Called with a float tensor X of shape (n, 1, h, w), not modified: a float tensor
        (n, num_classes) of logits. Gradients flow from it back to X and to every parameter.
        Training and evaluation mode reach the batch normalizations as usual.

    Formula:
        In this order:

        convolution, 64 channels, kernel 7, stride 2, padding 3, with bias
        batch normalization, ReLU
        max-pooling, window 3, stride 2, padding 1
        for each pair of arch: num_residuals blocks Residual(num_channels); the first block of
            every stage but the first has use_1x1conv=True and strides=2
        average over all pixels of a channel
        linear, nothing after it

    Example:
        >>> net = ResNet(arch=((1, 64), (2, 8)), num_classes=3)
        >>> net(torch.randn(2, 1, 32, 40)).shape
        torch.Size([2, 3])

    Book: 8.6.3
    """

    def __init__(self, arch, num_classes=10):
        super().__init__()
        raise NotImplementedError("ResNet.__init__")

    def forward(self, X):
        raise NotImplementedError("ResNet.forward")


class ResNet18(nn.Module):
    """ResNet-18: the ResNet whose four stages of two blocks have 64, 128, 256 and 512 channels.

    Args:
        num_classes: int, how many classes to tell apart; 10 unless given.

    Returns:
        Called with a float tensor X of shape (n, 1, h, w), not modified: a float tensor
        (n, num_classes) of logits. Gradients flow from it back to X and to every parameter.

    Formula:
        The shapes that the parts leave of images of 96 by 96 pixels:

        stem       (n, 64, 24, 24)
        stage 1    (n, 64, 24, 24)
        stage 2    (n, 128, 12, 12)
        stage 3    (n, 256, 6, 6)
        stage 4    (n, 512, 3, 3)
        average    (n, 512)
        linear     (n, num_classes)

        There are 11,178,378 parameters for 10 classes.

    Example:
        >>> net = ResNet18(num_classes=3)
        >>> net(torch.randn(2, 1, 32, 32)).shape
        torch.Size([2, 3])

    Book: 8.6.4
    """

    def __init__(self, num_classes=10):
        super().__init__()
        raise NotImplementedError("ResNet18.__init__")

    def forward(self, X):
        raise NotImplementedError("ResNet18.forward")


class ResNeXtBlock(nn.Module):
    """A ResNeXt block: a residual block with a grouped convolution between two of kernel 1.

    The number of input channels is not told. It is known at the first call, which is what
    PyTorch's lazy layers are for.

    Args:
        num_channels: int, the number of output channels.
        groups: int, how many channels there are in each group of the grouped convolution, as in
            the book's code. It divides the number of channels between, b.
        bot_mul: number, the channels between as a multiple of num_channels: b is
            round(num_channels * bot_mul).
        use_1x1conv: bool, whether the shortcut has a convolution. Without it, input and output
            must have the same shape.
        strides: int, the step of the grouped convolution and of the shortcut's.

    Attributes:
        After the first call, the parameters of these layers of PyTorch in any order, each with
        its usual settings and starting values, and no others: the three convolutions of the main
        path with bias, three batch normalizations, and with use_1x1conv one more of each.

    Returns:
        Called with a float tensor X of shape (n, c, h, w), not modified: a float tensor
        (n, num_channels, ceil(h / strides), ceil(w / strides)). Gradients flow from it back to X
        and to all parameters. Training and evaluation mode reach the batch normalizations as usual.

    Formula:
        main path, each convolution followed by a batch normalization:
            convolution to b channels, kernel 1, ReLU
            convolution to b channels, kernel 3, padding 1, in steps of strides, in b / groups
                groups; ReLU
            convolution to num_channels channels, kernel 1
        shortcut: X, or with use_1x1conv a convolution of X to num_channels channels, kernel 1, in
            steps of strides, and a batch normalization
        block(X) = relu(main path + shortcut)

    Example:
        >>> block = ResNeXtBlock(num_channels=8, groups=4, bot_mul=1, use_1x1conv=True, strides=2)
        >>> block(torch.randn(4, 3, 6, 5)).shape
        torch.Size([4, 8, 3, 3])

    Book: 8.6.5
    """

    def __init__(self, num_channels, groups, bot_mul, use_1x1conv=False, strides=1):
        super().__init__()
        raise NotImplementedError("ResNeXtBlock.__init__")

    def forward(self, X):
        raise NotImplementedError("ResNeXtBlock.forward")
