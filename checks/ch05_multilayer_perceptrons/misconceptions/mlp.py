"""Wrong answers that people give in section 5.2, and what went wrong in them."""

import torch
from torch import nn

from d2lgrade.testkit import misconception

# --- mlp ------------------------------------------------------------------------------------


def _flat(X, W1):
    return X.reshape(-1, W1.shape[0])


def _bent(X):
    return torch.where(X > 0, X, 0.0)


@misconception(
    "mlp",
    "no-activation",
    book="5.1.1",
    why="Nothing bends between the two layers. Together they are then no more than one linear "
    "layer; put a relu between them.",
)
def mlp_linear(X, params):
    W1, b1, W2, b2 = params
    return (_flat(X, W1) @ W1 + b1) @ W2 + b2


@misconception(
    "mlp",
    "activation-at-the-end",
    book="5.2.1",
    why="A relu follows the last layer too, so that no score is negative. Scores stay as they are.",
)
def mlp_bent_twice(X, params):
    W1, b1, W2, b2 = params
    return _bent(_bent(_flat(X, W1) @ W1 + b1) @ W2 + b2)


@misconception(
    "mlp",
    "activation-before",
    book="5.2.1",
    why="The relu comes before the first layer. It belongs after it, on the hidden layer.",
)
def mlp_bent_first(X, params):
    W1, b1, W2, b2 = params
    return (_bent(_flat(X, W1)) @ W1 + b1) @ W2 + b2


@misconception(
    "mlp",
    "bias-after-the-bend",
    book="5.1.1",
    why="The hidden layer's bias is added after the relu. It belongs inside: relu(X @ W1 + b1).",
)
def mlp_late_bias(X, params):
    W1, b1, W2, b2 = params
    return (_bent(_flat(X, W1) @ W1) + b1) @ W2 + b2


@misconception(
    "mlp",
    "sigmoid",
    book="5.1.2",
    why="The hidden layer has a sigmoid. Here it is a relu.",
)
def mlp_sigmoid(X, params):
    W1, b1, W2, b2 = params
    return torch.sigmoid(_flat(X, W1) @ W1 + b1) @ W2 + b2


@misconception(
    "mlp",
    "softmax-at-the-end",
    book="4.5.2",
    why="A softmax follows the last layer. The result is scores; the loss takes care of the rest.",
)
def mlp_softmax(X, params):
    W1, b1, W2, b2 = params
    return torch.softmax(_bent(_flat(X, W1) @ W1 + b1) @ W2 + b2, dim=1)


@misconception(
    "mlp",
    "last-bias-forgotten",
    book="5.2.1",
    why="The bias of the output layer is not added.",
)
def mlp_unbiased(X, params):
    W1, b1, W2, _ = params
    return _bent(_flat(X, W1) @ W1 + b1) @ W2


@misconception(
    "mlp",
    "not-flattened",
    book="5.2.1",
    why="Images go into the matrix product as they are. Reshape each to a row first.",
)
def mlp_images(X, params):
    W1, b1, W2, b2 = params
    return _bent(X @ W1 + b1) @ W2 + b2


# --- MLP ------------------------------------------------------------------------------------


class _Net(nn.Module):
    """A net with one thing wrong."""

    def __init__(self, *layers):
        super().__init__()
        self.net = nn.Sequential(*layers)

    def forward(self, X):
        return self.net(X)


@misconception(
    "MLP",
    "sizes-exchanged",
    book="5.2.2",
    why="num_outputs and num_hiddens are exchanged: the hidden layer has num_hiddens units.",
)
class MLP_exchanged(_Net):
    def __init__(self, num_outputs, num_hiddens):
        first, second = nn.LazyLinear(num_outputs), nn.LazyLinear(num_hiddens)
        super().__init__(nn.Flatten(), first, nn.ReLU(), second)


@misconception(
    "MLP",
    "no-activation",
    book="5.1.1",
    why="Nothing bends between the two layers. Together they are then no more than one linear "
    "layer; put nn.ReLU() between them.",
)
class MLP_linear(_Net):
    def __init__(self, num_outputs, num_hiddens):
        super().__init__(nn.Flatten(), nn.LazyLinear(num_hiddens), nn.LazyLinear(num_outputs))


@misconception(
    "MLP",
    "activation-at-the-end",
    book="5.2.2",
    why="A ReLU follows the last layer too, so that no score is negative. Leave it away.",
)
class MLP_bent_twice(_Net):
    def __init__(self, num_outputs, num_hiddens):
        first, second = nn.LazyLinear(num_hiddens), nn.LazyLinear(num_outputs)
        super().__init__(nn.Flatten(), first, nn.ReLU(), second, nn.ReLU())


@misconception(
    "MLP",
    "softmax-at-the-end",
    book="4.5.2",
    why="A softmax follows the last layer. The result is scores; the loss takes care of the rest.",
)
class MLP_softmax(_Net):
    def __init__(self, num_outputs, num_hiddens):
        first, second = nn.LazyLinear(num_hiddens), nn.LazyLinear(num_outputs)
        super().__init__(nn.Flatten(), first, nn.ReLU(), second, nn.Softmax(dim=1))


@misconception(
    "MLP",
    "sigmoid",
    book="5.1.2",
    why="The hidden layer has a sigmoid. Here it is a ReLU.",
)
class MLP_sigmoid(_Net):
    def __init__(self, num_outputs, num_hiddens):
        first, second = nn.LazyLinear(num_hiddens), nn.LazyLinear(num_outputs)
        super().__init__(nn.Flatten(), first, nn.Sigmoid(), second)


@misconception(
    "MLP",
    "not-flattened",
    book="5.2.2",
    why="Images go into the first layer as they are, which then sees their last axis only. Put "
    "nn.Flatten() first.",
)
class MLP_images(_Net):
    def __init__(self, num_outputs, num_hiddens):
        super().__init__(nn.LazyLinear(num_hiddens), nn.ReLU(), nn.LazyLinear(num_outputs))


@misconception(
    "MLP",
    "second-hidden-layer",
    book="5.2.2",
    why="There are two hidden layers; the contract has one.",
)
class MLP_deeper(_Net):
    def __init__(self, num_outputs, num_hiddens):
        first, second = nn.LazyLinear(num_hiddens), nn.LazyLinear(num_hiddens)
        last = nn.LazyLinear(num_outputs)
        super().__init__(nn.Flatten(), first, nn.ReLU(), second, nn.ReLU(), last)
