"""Section 8.4: Multi-branch networks (GoogLeNet).

Convolutions of several sizes look at the same images, and their channels are put side by side.
"""

import torch
from torch import nn


class Inception(nn.Module):
    """An Inception block: four branches from the same input, joined on the channel axis.

    The number of input channels is not told. It is known at the first call, which is what
    PyTorch's lazy layers are for.

    Args:
        c1: int, the channels of the first branch.
        c2: pair of ints, the channels of the two convolutions of the second branch.
        c3: pair of ints, the channels of the two convolutions of the third branch.
        c4: int, the channels of the fourth branch.

    Returns:
        Called with a float tensor X of shape (n, c, h, w), not modified: a float tensor
        (n, c1 + c2[1] + c3[1] + c4, h, w). Gradients flow from it back to X and to every parameter.

    Formula:
        Each convolution has a bias and is followed by a ReLU; all steps are of 1.

        branch 1: convolution of kernel 1 to c1 channels
        branch 2: convolution of kernel 1 to c2[0], then of kernel 3, padding 1, to c2[1] channels
        branch 3: convolution of kernel 1 to c3[0], then of kernel 5, padding 2, to c3[1] channels
        branch 4: max-pooling, window 3, padding 1; convolution of kernel 1 to c4 channels

        The channels of branch 1 come first in the result, then those of 2, 3 and 4.

    Example:
        >>> block = Inception(c1=2, c2=(1, 3), c3=(1, 4), c4=5)
        >>> block(torch.zeros(1, 6, 7, 8)).shape
        torch.Size([1, 14, 7, 8])

    Book: 8.4.1
    """

    def __init__(self, c1, c2, c3, c4):
        super().__init__()
        raise NotImplementedError("Inception.__init__")

    def forward(self, X):
        raise NotImplementedError("Inception.forward")


class GoogLeNet(nn.Module):
    """GoogLeNet for grey images, without the auxiliary classifiers of its paper.

    (The book's code spells the class GoogleNet.)

    Args:
        num_classes: int, how many classes to tell apart; 10 unless given.

    Returns:
        Called with a float tensor X of shape (n, 1, h, w), not modified, h and w at least 16: a
        float tensor (n, num_classes) of logits. Gradients flow from it back to X and to every
        parameter.

    Formula:
        In this order, with the shape that each step leaves of images of 96 by 96 pixels. Each
        convolution has a bias and is followed by a ReLU; each max-pooling has window 3, stride 2
        and padding 1.

        convolution, 64 channels, kernel 7, stride 2, padding 3     (n, 64, 48, 48)
        max-pooling                                                 (n, 64, 24, 24)
        convolution, 64 channels, kernel 1                          (n, 64, 24, 24)
        convolution, 192 channels, kernel 3, padding 1              (n, 192, 24, 24)
        max-pooling                                                 (n, 192, 12, 12)
        Inception  64, ( 96, 128), (16,  32),  32                   (n, 256, 12, 12)
        Inception 128, (128, 192), (32,  96),  64                   (n, 480, 12, 12)
        max-pooling                                                 (n, 480, 6, 6)
        Inception 192, ( 96, 208), (16,  48),  64                   (n, 512, 6, 6)
        Inception 160, (112, 224), (24,  64),  64                   (n, 512, 6, 6)
        Inception 128, (128, 256), (24,  64),  64                   (n, 512, 6, 6)
        Inception 112, (144, 288), (32,  64),  64                   (n, 528, 6, 6)
        Inception 256, (160, 320), (32, 128), 128                   (n, 832, 6, 6)
        max-pooling                                                 (n, 832, 3, 3)
        Inception 256, (160, 320), (32, 128), 128                   (n, 832, 3, 3)
        Inception 384, (192, 384), (48, 128), 128                   (n, 1024, 3, 3)
        average over all pixels of a channel                        (n, 1024)
        linear, nothing after it                                    (n, num_classes)

        There are 5,977,530 parameters for 10 classes.

    Example:
        >>> net = GoogLeNet(num_classes=3)
        >>> net(torch.zeros(1, 1, 16, 20)).shape
        torch.Size([1, 3])

    Book: 8.4.2
    """

    def __init__(self, num_classes=10):
        super().__init__()
        raise NotImplementedError("GoogLeNet.__init__")

    def forward(self, X):
        raise NotImplementedError("GoogLeNet.forward")
