"""Section 8.2: Networks using blocks (VGG).

A network is no longer a list of layers but a list of blocks, all alike.
"""

import torch
from torch import nn


def vgg_block(num_convs, out_channels):
    """Make a VGG block: some convolutions, then a pooling that halves height and width.

    The number of input channels is not told. It is known at the first call, which is what
    PyTorch's lazy layers are for.

    Args:
        num_convs: int, at least 1, how many convolutions there are. Each has kernel 3, padding 1
            and a bias, and is followed by a ReLU.
        out_channels: int, the number of output channels of every convolution.

    Returns:
        An nn.Module. Called with a float tensor X of shape (n, c, h, w), not modified, it gives a
        float tensor (n, out_channels, h // 2, w // 2): what max-pooling with window 2 and stride 2
        makes of the last convolution's output.

    Example:
        >>> block = vgg_block(2, 8)
        >>> block(torch.zeros(1, 3, 6, 5)).shape
        torch.Size([1, 8, 3, 2])

    Book: 8.2.1
    """
    # BEGIN SOLUTION
    layers = []
    # BLANK: for _ in range(____):
    for _ in range(num_convs):
        # BLANK: layers += [____, nn.ReLU()]
        layers += [nn.LazyConv2d(out_channels, kernel_size=3, padding=1), nn.ReLU()]
    # BLANK: layers.append(____)
    layers.append(nn.MaxPool2d(kernel_size=2))  # the stride is the window unless told
    return nn.Sequential(*layers)
    # END SOLUTION


class VGG(nn.Module):
    """A VGG network for grey images of 224 by 224 pixels.

    Args:
        arch: tuple of five pairs (num_convs, out_channels), one for each block, in order.
        num_classes: int, how many classes to tell apart; 10 unless given.

    Returns:
        Called with a float tensor X of shape (n, 1, 224, 224), not modified: a float tensor
        (n, num_classes) of logits. Gradients flow from it back to X and to every parameter.

    Formula:
        In this order, with the shape that each step leaves, c being the last block's out_channels:

        vgg_block(num_convs, out_channels) for each pair of arch    (n, c, 7, 7)
        flatten                                                     (n, 49 c)
        linear, ReLU, dropout with probability 0.5                  (n, 4096)
        linear, ReLU, dropout with probability 0.5                  (n, 4096)
        linear, nothing after it                                    (n, num_classes)

        Dropout works in training mode only, as torch.nn.Dropout does.

    Example:
        >>> net = VGG(arch=((1, 2), (1, 2), (1, 4), (1, 4), (2, 4)), num_classes=3)
        >>> net(torch.zeros(1, 1, 224, 224)).shape
        torch.Size([1, 3])

    Book: 8.2.2
    """

    def __init__(self, arch, num_classes=10):
        super().__init__()
        # BEGIN SOLUTION
        # BLANK: self.blocks = nn.Sequential(____)
        self.blocks = nn.Sequential(*(vgg_block(*pair) for pair in arch))
        # BLANK: self.hidden = ____
        self.hidden = nn.Sequential(
            *(nn.LazyLinear(4096), nn.ReLU(), nn.Dropout(p=0.5)),
            *(nn.LazyLinear(4096), nn.ReLU(), nn.Dropout(p=0.5)),
        )
        self.last = nn.LazyLinear(num_classes)
        # END SOLUTION

    def forward(self, X):
        # BEGIN SOLUTION
        # BLANK: return self.last(____)
        return self.last(self.hidden(torch.flatten(self.blocks(X), start_dim=1)))
        # END SOLUTION
