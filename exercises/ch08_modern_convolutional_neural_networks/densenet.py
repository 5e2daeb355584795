"""Section 8.7: Densely connected networks (DenseNet).

Every convolution gets what all those before it have made, side by side.
"""

import torch
from torch import nn


def conv_block(num_channels):
    """Make a convolution block: batch normalization, ReLU, convolution, in this order.

    The number of input channels is not told. It is known at the first call, which is what
    PyTorch's lazy layers are for.

    Args:
        num_channels: int, the number of output channels of the convolution, which has kernel 3,
            padding 1 and a bias.

    Returns:
        An nn.Module. Called with a float tensor X of shape (n, c, h, w), not modified, it gives a
        float tensor (n, num_channels, h, w). Training and evaluation mode reach the batch
        normalization as usual.

    Example:
        >>> conv_block(8)(torch.randn(2, 3, 6, 5)).shape
        torch.Size([2, 8, 6, 5])

    Book: 8.7.2
    """
    raise NotImplementedError("conv_block")


class DenseBlock(nn.Module):
    """A dense block: convolution blocks whose outputs are put beside their inputs.

    Args:
        num_convs: int, how many convolution blocks there are.
        num_channels: int, the output channels of each of them, the growth rate.

    Returns:
        Called with a float tensor X of shape (n, c, h, w), not modified: a float tensor
        (n, c + num_convs * num_channels, h, w). Gradients flow from it back to X and to every
        parameter. Training and evaluation mode reach the batch normalizations as usual.

    Formula:
        X[0] = X,  and for i = 1 to num_convs:  X[i] is X[i - 1] and, after it on the channel axis,
        a conv_block(num_channels) of X[i - 1];  the result is X[num_convs]

    Example:
        >>> block = DenseBlock(num_convs=2, num_channels=10)
        >>> block(torch.randn(4, 3, 8, 8)).shape
        torch.Size([4, 23, 8, 8])

    Book: 8.7.2
    """

    def __init__(self, num_convs, num_channels):
        super().__init__()
        raise NotImplementedError("DenseBlock.__init__")

    def forward(self, X):
        raise NotImplementedError("DenseBlock.forward")


def transition_block(num_channels):
    """Make a transition block, which cuts down what a dense block has piled up.

    In this order: batch normalization, ReLU, a convolution of kernel 1 with bias, and an average
    pooling of window 2 and stride 2.

    The number of input channels is not told. It is known at the first call, which is what
    PyTorch's lazy layers are for.

    Args:
        num_channels: int, the number of output channels of the convolution.

    Returns:
        An nn.Module. Called with a float tensor X of shape (n, c, h, w), not modified, it gives a
        float tensor (n, num_channels, h // 2, w // 2). Training and evaluation mode reach the
        batch normalization as usual.

    Example:
        >>> transition_block(10)(torch.randn(4, 23, 8, 6)).shape
        torch.Size([4, 10, 4, 3])

    Book: 8.7.3
    """
    raise NotImplementedError("transition_block")


class DenseNet(nn.Module):
    """A DenseNet for grey images.

    Args:
        num_channels: int, the channels that the stem leaves; 64 unless given.
        growth_rate: int, the channels that each convolution block adds; 32 unless given.
        arch: tuple of ints, how many convolution blocks each dense block has; (4, 4, 4, 4) unless
            given.
        num_classes: int, how many classes to tell apart; 10 unless given.

    Returns:
        Called with a float tensor X of shape (n, 1, h, w), not modified: a float tensor
        (n, num_classes) of logits. Gradients flow from it back to X and to every parameter.
        Training and evaluation mode reach the batch normalizations as usual.

    Formula:
        In this order, with the shapes that the default arguments leave of images of 96 by 96
        pixels:

        convolution, num_channels channels, kernel 7, stride 2,
            padding 3, with bias; batch normalization, ReLU       (n, 64, 48, 48)
        max-pooling, window 3, stride 2, padding 1                (n, 64, 24, 24)
        for each number of arch a DenseBlock, and between two of
            them a transition_block that halves the number of
            channels (rounded down)                               (n, 192, 24, 24), (n, 96, 12, 12),
                                                                  (n, 224, 12, 12), (n, 112, 6, 6),
                                                                  (n, 240, 6, 6), (n, 120, 3, 3),
                                                                  (n, 248, 3, 3)
        batch normalization, ReLU                                 (n, 248, 3, 3)
        average over all pixels of a channel                      (n, 248)
        linear, nothing after it                                  (n, num_classes)

        There are 758,226 parameters with the default arguments.

    Example:
        >>> net = DenseNet(growth_rate=4, arch=(1, 2), num_classes=3)
        >>> net(torch.randn(2, 1, 32, 40)).shape
        torch.Size([2, 3])

    Book: 8.7.4
    """

    def __init__(self, num_channels=64, growth_rate=32, arch=(4, 4, 4, 4), num_classes=10):
        super().__init__()
        raise NotImplementedError("DenseNet.__init__")

    def forward(self, X):
        raise NotImplementedError("DenseNet.forward")
