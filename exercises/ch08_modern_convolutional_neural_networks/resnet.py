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
