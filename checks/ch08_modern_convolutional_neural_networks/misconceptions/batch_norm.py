"""Wrong answers that people give in section 8.5, and what went wrong in them."""

import torch
from torch import nn

from d2lgrade.testkit import misconception


def _axes(X):
    """The axes to average over; illegal input is refused, so that only the mistake shows."""
    if X.dim() not in (2, 4):
        raise ValueError("X has 2 or 4 axes")
    return (0,) if X.dim() == 2 else (0, 2, 3)


def _mean_and_var(X):
    mean = X.mean(_axes(X), keepdim=True)
    return mean, ((X - mean) ** 2).mean(_axes(X), keepdim=True)


def _scaled(X, mean, var, gamma, beta, eps):
    return gamma * (X - mean) / torch.sqrt(var + eps) + beta


def _moved(running, new, momentum):
    return (1 - momentum) * running + momentum * new.detach()


def _right(X, gamma, beta, moving_mean, moving_var, eps, momentum, mean=None, var=None):
    """The right answer, but for statistics of the minibatch that are given."""
    if not torch.is_grad_enabled():
        return _scaled(X, moving_mean, moving_var, gamma, beta, eps), moving_mean, moving_var
    if mean is None:
        mean, var = _mean_and_var(X)
    Y = _scaled(X, mean, var, gamma, beta, eps)
    return Y, _moved(moving_mean, mean, momentum), _moved(moving_var, var, momentum)


@misconception(
    "batch_norm",
    "unbiased-variance",
    book="8.5.2",
    why="The variance is divided by one less than the number of values, as torch.var does by "
    "default. Batch normalization divides by the number itself.",
)
def batch_norm_unbiased(X, gamma, beta, moving_mean, moving_var, eps, momentum):
    mean, var = X.mean(_axes(X), keepdim=True), X.var(_axes(X), keepdim=True)
    return _right(X, gamma, beta, moving_mean, moving_var, eps, momentum, mean, var)


@misconception(
    "batch_norm",
    "running-variance-unbiased",
    book="8.5.3",
    why="The running variance is PyTorch's, divided by one less than the number of values. Here, "
    "as in the book, it takes up the same variance that the output uses.",
)
def batch_norm_running_unbiased(X, gamma, beta, moving_mean, moving_var, eps, momentum):
    Y, mean, var = _right(X, gamma, beta, moving_mean, moving_var, eps, momentum)
    if torch.is_grad_enabled():
        var = _moved(moving_var, X.var(_axes(X), keepdim=True), momentum)
    return Y, mean, var


@misconception(
    "batch_norm",
    "momentum-the-other-way-round",
    book="8.5.3",
    why="Momentum weights the old statistics here. That is how the Chinese edition writes it; in "
    "the English one, and in this contract, momentum is the weight of the new ones: "
    "(1 - momentum) * running + momentum * new.",
)
def batch_norm_chinese_momentum(X, gamma, beta, moving_mean, moving_var, eps, momentum):
    return _right(X, gamma, beta, moving_mean, moving_var, eps, 1 - momentum)


@misconception(
    "batch_norm",
    "pixels-as-features",
    book="8.5.2",
    why="For images the mean is taken over the examples alone, so that each pixel has statistics "
    "of its own. A feature of an image is a channel: average over axes 0, 2 and 3.",
)
def batch_norm_pixels(X, gamma, beta, moving_mean, moving_var, eps, momentum):
    _axes(X)
    mean = X.mean(0, keepdim=True)
    var = ((X - mean) ** 2).mean(0, keepdim=True)
    return _right(X, gamma, beta, moving_mean, moving_var, eps, momentum, mean, var)


@misconception(
    "batch_norm",
    "each-example-apart",
    book="8.5.2",
    why="Each example is normalized by its own mean and variance. That is layer normalization; "
    "batch normalization takes them over the minibatch, for each feature apart.",
)
def batch_norm_layer(X, gamma, beta, moving_mean, moving_var, eps, momentum):
    axes = _axes(X) and list(range(1, X.dim()))
    mean = X.mean(axes, keepdim=True)
    var = ((X - mean) ** 2).mean(axes, keepdim=True)
    return _right(X, gamma, beta, moving_mean, moving_var, eps, momentum, mean, var)


@misconception(
    "batch_norm",
    "eps-outside-the-root",
    book="8.5.2",
    why="eps is added to the standard deviation, after the root. Add it to the variance.",
)
def batch_norm_eps_outside(X, gamma, beta, moving_mean, moving_var, eps, momentum):
    _, mean, var = _right(X, gamma, beta, moving_mean, moving_var, eps, momentum)
    used = _mean_and_var(X) if torch.is_grad_enabled() else (moving_mean, moving_var)
    return gamma * (X - used[0]) / (torch.sqrt(used[1]) + eps) + beta, mean, var


@misconception(
    "batch_norm",
    "no-eps",
    book="8.5.2",
    why="eps is missing: a feature that does not vary is divided by zero and becomes nan.",
)
def batch_norm_no_eps(X, gamma, beta, moving_mean, moving_var, eps, momentum):
    return _right(X, gamma, beta, moving_mean, moving_var, 0.0, momentum)


@misconception(
    "batch_norm",
    "divided-by-the-variance",
    book="8.5.2",
    why="The centred values are divided by the variance. Divide by its "
    "root, the standard deviation.",
)
def batch_norm_no_root(X, gamma, beta, moving_mean, moving_var, eps, momentum):
    _, mean, var = _right(X, gamma, beta, moving_mean, moving_var, eps, momentum)
    used = _mean_and_var(X) if torch.is_grad_enabled() else (moving_mean, moving_var)
    return gamma * (X - used[0]) / (used[1] + eps) + beta, mean, var


@misconception(
    "batch_norm",
    "minibatch-in-prediction",
    book="8.5.2",
    why="Prediction uses the statistics of the minibatch too, so that an answer depends on which "
    "examples are asked about together. Where gradients are disabled, use the running ones.",
)
def batch_norm_always_training(X, gamma, beta, moving_mean, moving_var, eps, momentum):
    mean, var = _mean_and_var(X)
    Y = _scaled(X, mean, var, gamma, beta, eps)
    return Y, _moved(moving_mean, mean, momentum), _moved(moving_var, var, momentum)


@misconception(
    "batch_norm",
    "new-statistics-in-training",
    book="8.5.2",
    why="In training the output is made with the running statistics, after they were updated. They "
    "are for prediction; training uses the minibatch's own.",
)
def batch_norm_running_in_training(X, gamma, beta, moving_mean, moving_var, eps, momentum):
    _, mean, var = _right(X, gamma, beta, moving_mean, moving_var, eps, momentum)
    return _scaled(X, mean, var, gamma, beta, eps), mean, var


@misconception(
    "batch_norm",
    "statistics-detached",
    book="8.5.2",
    why="The values are right, but mean and variance are cut out of the graph. They depend on X, "
    "and the gradient must flow through them as well.",
)
def batch_norm_detached(X, gamma, beta, moving_mean, moving_var, eps, momentum):
    mean, var = _mean_and_var(X.detach())
    return _right(X, gamma, beta, moving_mean, moving_var, eps, momentum, mean, var)


@misconception(
    "batch_norm",
    "running-statistics-in-place",
    book="8.5.3",
    why="The running statistics given are overwritten. The contract returns new ones and leaves "
    "its arguments alone.",
)
def batch_norm_in_place(X, gamma, beta, moving_mean, moving_var, eps, momentum):
    Y, mean, var = _right(X, gamma, beta, moving_mean, moving_var, eps, momentum)
    return Y, moving_mean.copy_(mean), moving_var.copy_(var)


@misconception(
    "batch_norm",
    "variance-by-difference",
    book="8.5.2",
    why="The variance is computed as the mean of the squares less the square of the mean. For "
    "features far from zero these are two large numbers that cancel; average (X - mean)^2.",
)
def batch_norm_difference(X, gamma, beta, moving_mean, moving_var, eps, momentum):
    mean = X.mean(_axes(X), keepdim=True)
    var = (X**2).mean(_axes(X), keepdim=True) - mean**2
    return _right(X, gamma, beta, moving_mean, moving_var, eps, momentum, mean, var)


@misconception(
    "batch_norm",
    "graph-kept",
    book="8.5.3",
    why="The running statistics are returned with their graph, and each call adds to it: memory "
    "grows with every minibatch. Detach the statistics before they are mixed in.",
)
def batch_norm_graph(X, gamma, beta, moving_mean, moving_var, eps, momentum):
    if not torch.is_grad_enabled():
        return _right(X, gamma, beta, moving_mean, moving_var, eps, momentum)
    mean, var = _mean_and_var(X)
    moving_mean = (1 - momentum) * moving_mean + momentum * mean
    moving_var = (1 - momentum) * moving_var + momentum * var
    return _scaled(X, mean, var, gamma, beta, eps), moving_mean, moving_var


# --- BatchNorm ------------------------------------------------------------------------------


class _Layer(nn.Module):
    """A right layer, to be made wrong in one place."""

    momentum = 0.1

    def __init__(self, num_features, num_dims):
        super().__init__()
        if num_dims not in (2, 4):
            raise ValueError("num_dims is 2 or 4")
        shape = self.shape(num_features, num_dims)
        self.gamma = nn.Parameter(torch.ones(shape))
        self.beta = nn.Parameter(torch.zeros(shape))
        self.register_buffer("moving_mean", torch.zeros(shape))
        self.register_buffer("moving_var", torch.ones(shape))

    def shape(self, num_features, num_dims):
        return (1, num_features) if num_dims == 2 else (1, num_features, 1, 1)

    def normalized(self, X):
        running = self.moving_mean, self.moving_var
        return _right(X, self.gamma, self.beta, *running, 1e-5, self.momentum)

    def forward(self, X):
        Y, self.moving_mean, self.moving_var = self.normalized(X)
        return Y


@misconception(
    "BatchNorm",
    "running-statistics-not-kept",
    book="8.5.3",
    why="The running statistics that batch_norm returns are dropped, so the layer predicts as if "
    "it had seen no data. Store them back.",
)
class BatchNorm_forgetful(_Layer):
    def forward(self, X):
        return self.normalized(X)[0]


@misconception(
    "BatchNorm",
    "minibatch-in-prediction",
    book="8.5.2",
    why="The layer predicts with the statistics of the minibatch in front of it. In prediction it "
    "must use the running ones.",
)
class BatchNorm_always_training(_Layer):
    def forward(self, X):
        with torch.enable_grad():
            Y, mean, var = self.normalized(X)
        if torch.is_grad_enabled():
            self.moving_mean, self.moving_var = mean, var
        return Y


@misconception(
    "BatchNorm",
    "learns-while-predicting",
    book="8.5.2",
    why="The running statistics also take in the inputs that the layer only predicts for. Update "
    "them in training alone.",
)
class BatchNorm_curious(_Layer):
    def forward(self, X):
        Y = self.normalized(X)[0]
        mean, var = _mean_and_var(X)
        self.moving_mean = _moved(self.moving_mean, mean, self.momentum)
        self.moving_var = _moved(self.moving_var, var, self.momentum)
        return Y


@misconception(
    "BatchNorm",
    "momentum-of-the-chinese-edition",
    book="8.5.3",
    why="The running statistics move by 0.9 instead of 0.1. In the Chinese edition momentum = 0.9 "
    "weights the old statistics; here it weights the new ones, so pass 0.1.",
)
class BatchNorm_chinese_momentum(_Layer):
    momentum = 0.9


@misconception(
    "BatchNorm",
    "starts-from-nothing",
    book="8.5.3",
    why="The running variance starts at 0, so an untrained layer divides by almost nothing. Start "
    "it at 1.",
)
class BatchNorm_zero_variance(_Layer):
    def __init__(self, num_features, num_dims):
        super().__init__(num_features, num_dims)
        self.moving_var.zero_()


@misconception(
    "BatchNorm",
    "not-parameters",
    book="8.5.3",
    why="Scale and shift are plain tensors, so the layer has no parameters and no optimizer will "
    "ever see them. Wrap them in nn.Parameter.",
)
class BatchNorm_plain(_Layer):
    def __init__(self, num_features, num_dims):
        super().__init__(num_features, num_dims)
        shape = self.moving_mean.shape
        del self.gamma, self.beta
        self.gamma = torch.ones(shape, requires_grad=True)
        self.beta = torch.zeros(shape, requires_grad=True)


@misconception(
    "BatchNorm",
    "running-statistics-as-parameters",
    book="8.5.3",
    why="The running statistics are parameters too. An optimizer would change them; they follow "
    "the data alone. Make them buffers.",
)
class BatchNorm_four_parameters(_Layer):
    def __init__(self, num_features, num_dims):
        super().__init__(num_features, num_dims)
        mean, var = self.moving_mean, self.moving_var
        del self.moving_mean, self.moving_var
        self.moving_mean, self.moving_var = nn.Parameter(mean), nn.Parameter(var)

    def forward(self, X):
        Y, mean, var = self.normalized(X)
        self.moving_mean.data, self.moving_var.data = mean.detach(), var.detach()
        return Y


@misconception(
    "BatchNorm",
    "features-on-the-last-axis",
    book="8.5.3",
    why="The tensors of the layer have the shape (num_features,), which meets the last axis of the "
    "input. For images that is the width; the channels need the shape (1, num_features, 1, 1).",
)
class BatchNorm_flat(_Layer):
    def shape(self, num_features, num_dims):
        return (num_features,)


@misconception(
    "BatchNorm",
    "data-in-forward",
    book="8.5.3",
    why="The forward pass reads .data, which cuts scale and shift off: they get no gradient and "
    "never learn. Use the parameters themselves.",
)
class BatchNorm_data(_Layer):
    def normalized(self, X):
        running = self.moving_mean, self.moving_var
        return _right(X, self.gamma.data, self.beta.data, *running, 1e-5, self.momentum)


@misconception(
    "BatchNorm",
    "running-statistics-not-in-state",
    book="8.5.3",
    why="The running statistics are plain attributes: state_dict() does not hold them, so a "
    "network that is saved and loaded predicts as if it were untrained. Use register_buffer.",
)
class BatchNorm_attributes(_Layer):
    def __init__(self, num_features, num_dims):
        super().__init__(num_features, num_dims)
        mean, var = self.moving_mean, self.moving_var
        del self.moving_mean, self.moving_var
        self.moving_mean, self.moving_var = mean, var

    def normalized(self, X):
        self.moving_mean, self.moving_var = self.moving_mean.to(X), self.moving_var.to(X)
        return super().normalized(X)


# --- BNLeNet --------------------------------------------------------------------------------


class _Net(nn.Sequential):
    """A right network, to be made wrong in one place."""

    def __init__(
        self,
        num_classes=10,
        *,
        order=lambda norm: (norm, nn.Sigmoid()),
        padding=0,
        pool=nn.AvgPool2d,
        norms=(nn.BatchNorm2d, nn.BatchNorm1d),
        after=(),
        **options,
    ):
        images, rows = (lambda n, norm=norm: order(norm(n, **options)) for norm in norms)
        super().__init__(
            *(nn.Conv2d(1, 6, 5, padding=padding), *images(6), pool(2)),
            *(nn.Conv2d(6, 16, 5), *images(16), pool(2)),
            *(nn.Flatten(), nn.LazyLinear(120), *rows(120)),
            *(nn.Linear(120, 84), *rows(84)),
            *(nn.Linear(84, num_classes), *after),
        )


@misconception(
    "BNLeNet",
    "normalized-after-the-sigmoid",
    book="8.5.4",
    why="The batch normalizations follow the sigmoids. They come before them, where they keep the "
    "inputs of the sigmoids in the range where these are steep.",
)
class BNLeNet_after(_Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes, order=lambda norm: (nn.Sigmoid(), norm))


@misconception(
    "BNLeNet",
    "no-sigmoid",
    book="8.5.4",
    why="The sigmoids are gone. Batch normalization does not replace the activations.",
)
class BNLeNet_linear(_Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes, order=lambda norm: (norm,))


@misconception(
    "BNLeNet",
    "relu",
    book="8.5.4",
    why="The activations are ReLUs. This LeNet keeps its sigmoids.",
)
class BNLeNet_relu(_Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes, order=lambda norm: (norm, nn.ReLU()))


@misconception(
    "BNLeNet",
    "padded-as-lenet",
    book="8.5.4",
    why="The first convolution pads by 2, as in 7.6. Here it does not, so that 256 numbers reach "
    "the first linear layer.",
)
class BNLeNet_padded(_Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes, padding=2)


@misconception(
    "BNLeNet",
    "convolutions-only",
    book="8.5.4",
    why="Only the convolutions are followed by a batch normalization. The two hidden linear layers "
    "are as well.",
)
class BNLeNet_images(_Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes, norms=(nn.BatchNorm2d, lambda n: nn.Identity()))


@misconception(
    "BNLeNet",
    "normalized-logits",
    book="8.5.4",
    why="The logits are normalized too. Nothing follows the last layer.",
)
class BNLeNet_logits(_Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes, after=[nn.BatchNorm1d(num_classes)])


@misconception(
    "BNLeNet",
    "batch-statistics-for-prediction",
    book="8.5.4",
    why="In evaluation mode the statistics of the batch at hand are used, so what the net says of "
    "one image depends on the others. Use the running statistics there.",
)
class BNLeNet_batch(_Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes, track_running_stats=False)


@misconception(
    "BNLeNet",
    "max-pooling",
    book="8.5.4",
    why="Pooling takes the maximum. LeNet takes the average.",
)
class BNLeNet_maximum(_Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes, pool=nn.MaxPool2d)
