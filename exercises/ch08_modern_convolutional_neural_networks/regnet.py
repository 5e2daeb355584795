"""Section 8.8: Designing convolution network architectures.

A family of networks that a few numbers describe, and one member that a search has found.
"""

from resnet import ResNeXtBlock
from torch import nn


class AnyNet(nn.Module):
    """A network of the AnyNet family for grey images: a stem, stages of ResNeXt blocks, and a head.

    Args:
        arch: tuple of stages (depth, num_channels, groups, bot_mul), in order. depth is the number
            of blocks; the others are what ResNeXtBlock takes under these names.
        stem_channels: int, the channels that the stem leaves.
        num_classes: int, how many classes to tell apart; 10 unless given.

    Returns:
        Called with a float tensor X of shape (n, 1, h, w), not modified: a float tensor
        (n, num_classes) of logits. Gradients flow from it back to X and to every parameter.
        Training and evaluation mode reach the batch normalizations as usual.

    Formula:
        In this order:

        stem: convolution, stem_channels channels, kernel 3, stride 2, padding 1, with bias;
            batch normalization, ReLU
        for each stage of arch: depth blocks ResNeXtBlock(num_channels, groups, bot_mul); the first
            block of every stage has use_1x1conv=True and strides=2
        head: average over all pixels of a channel; linear, nothing after it

    Example:
        >>> import torch
        >>> net = AnyNet(arch=((1, 8, 4, 1), (2, 12, 4, 1)), stem_channels=6, num_classes=3)
        >>> net(torch.randn(2, 1, 32, 40)).shape
        torch.Size([2, 3])

    Book: 8.8.1
    """

    def __init__(self, arch, stem_channels, num_classes=10):
        super().__init__()
        raise NotImplementedError("AnyNet.__init__")

    def forward(self, X):
        raise NotImplementedError("AnyNet.forward")


class RegNetX32(nn.Module):
    """RegNetX-32: a small member of the family that the book arrives at, regular in its numbers.

    It is the AnyNet with 32 stem channels and these stages, whose blocks all have groups of 16
    channels and bot_mul 1: first 4 blocks of 32 channels, then 6 blocks of 80 channels.

    Args:
        num_classes: int, how many classes to tell apart; 10 unless given.

    Returns:
        Called with a float tensor X of shape (n, 1, h, w), not modified: a float tensor
        (n, num_classes) of logits. Gradients flow from it back to X and to every parameter.

    Formula:
        The shapes that the parts leave of images of 96 by 96 pixels:

        stem       (n, 32, 48, 48)
        stage 1    (n, 32, 24, 24)
        stage 2    (n, 80, 12, 12)
        average    (n, 80)
        linear     (n, num_classes)

        There are 179,290 parameters for 10 classes.

    Example:
        >>> import torch
        >>> net = RegNetX32(num_classes=3)
        >>> net(torch.randn(2, 1, 32, 32)).shape
        torch.Size([2, 3])

    Book: 8.8.3
    """

    def __init__(self, num_classes=10):
        super().__init__()
        raise NotImplementedError("RegNetX32.__init__")

    def forward(self, X):
        raise NotImplementedError("RegNetX32.forward")
