"""Section 8.5: Batch normalization.

Centre and scale every feature by the statistics of the minibatch, remember those statistics for
prediction, and let the network learn a scale and a shift of its own.
"""

import torch
from torch import nn


def batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum):
    """Normalize each feature over the minibatch, then scale and shift it.

    A feature is a column of a 2-D input and a channel of a 4-D input. Its statistics are taken
    over all other axes: over the examples, and for images over height and width too.

    Training is where gradients are enabled (torch.is_grad_enabled()). There the mean and variance
    of X itself are used, gradients flow through them too, and the running statistics move a step
    towards them. Prediction is where gradients are disabled, as under torch.no_grad(). There the
    running statistics are used, and come back as they are.

    Args:
        X: float tensor (n, d), or (n, c, h, w), in training with at least two values a feature.
            Not modified.
        gamma: float tensor (1, d), or (1, c, 1, 1), the scale. Not modified.
        beta: float tensor with the shape of gamma, the shift. Not modified.
        moving_mean: float tensor with the shape of gamma, the running mean. Not modified: the
            new one is returned.
        moving_var: float tensor with the shape of gamma, the running variance. Not modified.
        eps: float, added to the variance before its root is taken.
        momentum: float, the weight of the new statistics in the running ones.

    Returns:
        Tuple (Y, moving_mean, moving_var). Y has the shape, dtype and device of X, and gradients
        flow from it back to X, gamma and beta. The two running statistics keep their shapes and
        carry no gradient.

    Formula:
        Y = gamma * (X - mean) / sqrt(var + eps) + beta
        var = mean of (X - mean)^2: the sum is divided by the number of values, not by one less
        running <- (1 - momentum) * running + momentum * new
        Both running statistics follow this line with the very mean and var that Y uses. (PyTorch's
        own layer divides by one less for its running variance; this function does not.)
        A feature that does not vary gives beta. One far from zero, say values around 10,000 that
        differ by 1, must still come out right to two decimals in float32.

    Raises:
        ValueError: X has neither 2 nor 4 axes.

    Rules:
        Write it yourself: do not call PyTorch's normalization functions or layers.

    Example:
        >>> X = torch.tensor([[1.0], [3.0]])
        >>> one, zero = torch.ones(1, 1), torch.zeros(1, 1)
        >>> Y, mean, var = batch_norm(X, one, zero, zero, one, 0.0, 0.1)
        >>> Y
        tensor([[-1.],
                [ 1.]])
        >>> mean, var
        (tensor([[0.2000]]), tensor([[1.]]))

    Book: 8.5.2, 8.5.3
    """
    # BEGIN SOLUTION
    if X.dim() not in (2, 4):
        raise ValueError(f"X has {X.dim()} axes: pass (n, d) or (n, c, h, w)")
    if torch.is_grad_enabled():
        # All axes but that of the features, which is axis 1.
        # BLANK: axes = ____ if X.dim() == 2 else ____
        axes = (0,) if X.dim() == 2 else (0, 2, 3)
        # BLANK: mean = X.mean(____)
        mean = X.mean(axes, keepdim=True)
        # From the centred values: mean(X^2) - mean(X)^2 would cancel for features far from zero.
        # BLANK: var = ____
        var = ((X - mean) ** 2).mean(axes, keepdim=True)
        # Detached, or every running statistic would hold on to the graphs of all earlier batches.
        # BLANK: moving_mean = ____
        moving_mean = (1 - momentum) * moving_mean + momentum * mean.detach()
        # BLANK: moving_var = ____
        moving_var = (1 - momentum) * moving_var + momentum * var.detach()
    else:
        # BLANK: mean, var = ____
        mean, var = moving_mean, moving_var
    # BLANK: Y = ____
    Y = gamma * (X - mean) / torch.sqrt(var + eps) + beta
    return Y, moving_mean, moving_var
    # END SOLUTION


class BatchNorm(nn.Module):
    """A layer that normalizes its input over the minibatch, with a learned scale and shift.

    It has one scale and one shift for each feature, and remembers running statistics: a mean that
    starts at 0 and a variance that starts at 1. It uses eps = 1e-5 and momentum = 0.1, as in
    `batch_norm`.

    While it trains, in training mode and with gradients enabled, it uses the statistics of the
    minibatch and updates the running ones. For prediction, in evaluation mode and with gradients
    disabled, it uses the running ones and leaves them alone. It is only ever called in one of
    these two ways, so you may tell them apart by either sign.

    Args:
        num_features: int, the number of features d or of channels c.
        num_dims: int, 2 for inputs (n, d), 4 for inputs (n, c, h, w).

    Attributes:
        The scale: a parameter of num_features numbers, all 1 at the start.
        The shift: a parameter of num_features numbers, all 0 at the start.
        No further parameters. The running statistics belong to the module's state: they are in
        state_dict() and follow .to(), as registered buffers do.

    Returns:
        Called with a float tensor X, not modified: a float tensor with the shape, dtype and device
        of X. Gradients flow from it back to X, to the scale and to the shift.

    Formula:
        In training:   Y = batch_norm(X, scale, shift, running mean, running variance, 1e-5, 0.1)[0]

    Raises:
        ValueError: num_dims is neither 2 nor 4.

    Example:
        >>> layer = BatchNorm(num_features=1, num_dims=2)
        >>> Y = layer(torch.tensor([[1.0], [5.0]]))
        >>> [round(y, 3) for y in Y.flatten().tolist()]
        [-1.0, 1.0]
        >>> with torch.no_grad():
        ...     Y = layer.eval()(torch.tensor([[0.3], [1.3]]))
        >>> [round(y, 3) for y in Y.flatten().tolist()]
        [0.0, 0.877]

    Book: 8.5.3
    """

    def __init__(self, num_features, num_dims):
        super().__init__()
        # BEGIN SOLUTION
        if num_dims not in (2, 4):
            raise ValueError(f"num_dims is 2 or 4, not {num_dims}")
        shape = (1, num_features) if num_dims == 2 else (1, num_features, 1, 1)
        # BLANK: self.gamma = ____
        self.gamma = nn.Parameter(torch.ones(shape))
        # BLANK: self.beta = ____
        self.beta = nn.Parameter(torch.zeros(shape))
        # Buffers: state that is saved and moved with the module, but not learned.
        # BLANK: self.register_buffer("moving_mean", ____)
        self.register_buffer("moving_mean", torch.zeros(shape))
        # BLANK: self.register_buffer("moving_var", ____)
        self.register_buffer("moving_var", torch.ones(shape))
        # END SOLUTION

    def forward(self, X):
        # BEGIN SOLUTION
        # BLANK: Y, self.moving_mean, self.moving_var = ____
        Y, self.moving_mean, self.moving_var = batch_norm(
            X, self.gamma, self.beta, self.moving_mean, self.moving_var, eps=1e-5, momentum=0.1
        )
        return Y
        # END SOLUTION


class BNLeNet(nn.Module):
    """LeNet with batch normalization: between each layer that is followed by a sigmoid, and it.

    Args:
        num_classes: int, how many classes to tell apart; 10 unless given.

    Returns:
        Called with a float tensor X of shape (n, 1, 28, 28), not modified: a float tensor
        (n, num_classes) of logits. Gradients flow from it back to X and to every parameter. For
        training it is called in training mode and with gradients enabled, for prediction in
        evaluation mode and with gradients disabled, as BatchNorm is.

    Formula:
        In this order, with the shape that each step leaves; BN is BatchNorm, or one of PyTorch's
        batch normalizations with their usual settings:

        convolution, kernel 5, no padding, BN, sigmoid     (n, 6, 24, 24)
        average pooling, window 2, stride 2                (n, 6, 12, 12)
        convolution, kernel 5, no padding, BN, sigmoid     (n, 16, 8, 8)
        average pooling, window 2, stride 2                (n, 16, 4, 4)
        flatten                                            (n, 256)
        linear, BN, sigmoid                                (n, 120)
        linear, BN, sigmoid                                (n, 84)
        linear, nothing after it                           (n, num_classes)

        Convolutions and linear layers have a bias.

    Example:
        >>> net = BNLeNet(num_classes=3)
        >>> net(torch.randn(2, 1, 28, 28)).shape
        torch.Size([2, 3])

    Book: 8.5.4
    """

    def __init__(self, num_classes=10):
        super().__init__()
        # BEGIN SOLUTION
        # BLANK: self.first = nn.Sequential(nn.Conv2d(1, 6, kernel_size=5), ____)
        self.first = nn.Sequential(
            *(nn.Conv2d(1, 6, kernel_size=5), BatchNorm(6, num_dims=4), nn.Sigmoid()),
            nn.AvgPool2d(2),
        )
        # BLANK: self.second = ____
        self.second = nn.Sequential(
            *(nn.Conv2d(6, 16, kernel_size=5), BatchNorm(16, num_dims=4), nn.Sigmoid()),
            nn.AvgPool2d(2),
        )
        # BLANK: self.hidden = nn.Sequential(nn.Flatten(), nn.Linear(____, 120), ____)
        self.hidden = nn.Sequential(
            nn.Flatten(),
            *(nn.Linear(16 * 4 * 4, 120), BatchNorm(120, num_dims=2), nn.Sigmoid()),
            *(nn.Linear(120, 84), BatchNorm(84, num_dims=2), nn.Sigmoid()),
        )
        self.last = nn.Linear(84, num_classes)
        # END SOLUTION

    def forward(self, X):
        # BEGIN SOLUTION
        # BLANK: return ____
        return self.last(self.hidden(self.second(self.first(X))))
        # END SOLUTION
