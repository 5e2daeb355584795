"""Section 8.1: Deep convolutional neural networks (AlexNet).

LeNet's plan, deeper and wider: ReLUs, max-pooling, dropout.
"""

import torch
from torch import nn


class AlexNet(nn.Module):
    """AlexNet for grey images of 224 by 224 pixels, as the book has it.

    Args:
        num_classes: int, how many classes to tell apart; 10 unless given.

    Returns:
        Called with a float tensor X of shape (n, 1, 224, 224), not modified: a float tensor
        (n, num_classes) of logits. Gradients flow from it back to X and to every parameter.

    Formula:
        In this order, with the shape that each step leaves:

        convolution, kernel 11, stride 4, padding 1, ReLU   (n, 96, 54, 54)
        max-pooling, window 3, stride 2                     (n, 96, 26, 26)
        convolution, kernel 5, padding 2, ReLU              (n, 256, 26, 26)
        max-pooling, window 3, stride 2                     (n, 256, 12, 12)
        convolution, kernel 3, padding 1, ReLU              (n, 384, 12, 12)
        convolution, kernel 3, padding 1, ReLU              (n, 384, 12, 12)
        convolution, kernel 3, padding 1, ReLU              (n, 256, 12, 12)
        max-pooling, window 3, stride 2                     (n, 256, 5, 5)
        flatten                                             (n, 6400)
        linear, ReLU, dropout with probability 0.5          (n, 4096)
        linear, ReLU, dropout with probability 0.5          (n, 4096)
        linear, nothing after it                            (n, num_classes)

        Convolutions and linear layers have a bias: 46,764,746 parameters for 10 classes. Layers
        whose sizes show with the first input only (lazy ones) are welcome. Dropout works in
        training mode only, as torch.nn.Dropout does.

    Example:
        >>> net = AlexNet()
        >>> net(torch.zeros(1, 1, 224, 224)).shape
        torch.Size([1, 10])
        >>> sum(parameter.numel() for parameter in net.parameters())
        46764746

    Book: 8.1.2
    """

    def __init__(self, num_classes=10):
        super().__init__()
        # BEGIN SOLUTION
        # BLANK: self.first = nn.Sequential(nn.LazyConv2d(96, 11, ____), nn.ReLU(), ____)
        self.first = nn.Sequential(
            nn.LazyConv2d(96, 11, stride=4, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(kernel_size=3, stride=2),
        )
        # BLANK: self.second = ____
        self.second = nn.Sequential(
            nn.LazyConv2d(256, kernel_size=5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(kernel_size=3, stride=2),
        )
        # BLANK: self.third = ____
        self.third = nn.Sequential(
            *(nn.LazyConv2d(384, kernel_size=3, padding=1), nn.ReLU()),
            *(nn.LazyConv2d(384, kernel_size=3, padding=1), nn.ReLU()),
            *(nn.LazyConv2d(256, kernel_size=3, padding=1), nn.ReLU()),
            nn.MaxPool2d(kernel_size=3, stride=2),
        )
        # BLANK: self.hidden = ____
        self.hidden = nn.Sequential(
            *(nn.LazyLinear(4096), nn.ReLU(), nn.Dropout(p=0.5)),
            *(nn.LazyLinear(4096), nn.ReLU(), nn.Dropout(p=0.5)),
        )
        self.last = nn.LazyLinear(num_classes)
        # END SOLUTION

    def forward(self, X):
        # BEGIN SOLUTION
        H = self.third(self.second(self.first(X)))
        # BLANK: return self.last(____)
        return self.last(self.hidden(torch.flatten(H, start_dim=1)))
        # END SOLUTION
