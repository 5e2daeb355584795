"""Section 8.3: Network in network (NiN).

No linear layer at all: 1x1 convolutions mix the channels, and an average makes the logits.
"""

from torch import nn


def nin_block(out_channels, kernel_size, strides, padding):
    """Make a NiN block: a convolution, then two of kernel 1 that look at each pixel alone.

    The number of input channels is not told. It is known at the first call, which is what
    PyTorch's lazy layers are for.

    Args:
        out_channels: int, the number of output channels of all three convolutions.
        kernel_size: int or pair of ints, the kernel of the first convolution.
        strides: int or pair of ints, its steps.
        padding: int or pair of ints, its padding on each side.

    Returns:
        An nn.Module. Called with a float tensor X of shape (n, c, h, w), not modified, it gives a
        float tensor (n, out_channels, …, …), as high and wide as the first convolution leaves it.
        Each of the three convolutions has a bias and is followed by a ReLU.

    Example:
        >>> import torch
        >>> block = nin_block(8, kernel_size=3, strides=2, padding=0)
        >>> block(torch.zeros(1, 3, 7, 5)).shape
        torch.Size([1, 8, 3, 2])

    Book: 8.3.1
    """
    raise NotImplementedError("nin_block")


class NiN(nn.Module):
    """A network of NiN blocks for grey images.

    Args:
        num_classes: int, how many classes to tell apart; 10 unless given.

    Returns:
        Called with a float tensor X of shape (n, 1, h, w), not modified, h and w at least 67: a
        float tensor (n, num_classes) of logits. Gradients flow from it back to X and to every
        parameter.

    Formula:
        In this order, with the shape that each step leaves of images of 224 by 224 pixels:

        nin_block of 96 channels, kernel 11, stride 4, padding 0       (n, 96, 54, 54)
        max-pooling, window 3, stride 2                                (n, 96, 26, 26)
        nin_block of 256 channels, kernel 5, stride 1, padding 2       (n, 256, 26, 26)
        max-pooling, window 3, stride 2                                (n, 256, 12, 12)
        nin_block of 384 channels, kernel 3, stride 1, padding 1       (n, 384, 12, 12)
        max-pooling, window 3, stride 2                                (n, 384, 5, 5)
        dropout with probability 0.5                                   (n, 384, 5, 5)
        nin_block of num_classes channels, kernel 3, stride 1,
            padding 1, with its last ReLU too                          (n, num_classes, 5, 5)
        average over all pixels of a channel                           (n, num_classes)

        There are 1,992,166 parameters for 10 classes. Dropout works in training mode only, each
        number on its own, as torch.nn.Dropout does.

    Example:
        >>> import torch
        >>> net = NiN(num_classes=3)
        >>> net(torch.zeros(1, 1, 67, 80)).shape
        torch.Size([1, 3])

    Book: 8.3.2
    """

    def __init__(self, num_classes=10):
        super().__init__()
        raise NotImplementedError("NiN.__init__")

    def forward(self, X):
        raise NotImplementedError("NiN.forward")
