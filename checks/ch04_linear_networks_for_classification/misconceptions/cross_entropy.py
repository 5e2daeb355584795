"""Wrong answers to section 4.5 that people really give."""

import torch
from torch import nn

from d2lgrade.testkit import misconception


def legal(logits, y):
    """Refuse what the contract refuses, so that each answer below is wrong in one way only."""
    n, q = logits.shape
    if y.shape != (n,) or y.dtype != torch.int64 or not n or y.min() < 0 or y.max() >= q:
        raise ValueError("y holds no class for each example")


def log_probabilities(logits, axis=1):
    """The logarithm of softmax, done right."""
    shifted = logits - logits.amax(axis, keepdim=True)
    return shifted - shifted.exp().sum(axis, keepdim=True).log()


def picked(P, y):
    """For each example the entry of its right class."""
    return P[torch.arange(len(y), device=y.device), y]


@misconception(
    "cross_entropy_from_logits",
    "softmax-then-log",
    why="You make probabilities first and take their logarithm. A probability that rounds to 0 "
    "has the logarithm -inf. Let log and exp cancel: subtract the logarithm of the sum.",
    book="4.5.2",
)
def cross_entropy_from_logits_softmax_first(logits, y):
    legal(logits, y)
    return -picked(log_probabilities(logits).exp(), y).log().mean()


@misconception(
    "cross_entropy_from_logits",
    "overflow",
    why="You take exp of the scores as they are, and from 89 on that is inf in float32. Subtract "
    "the largest score of each row first.",
    book="4.5.2",
)
def cross_entropy_from_logits_overflow(logits, y):
    legal(logits, y)
    return (logits.exp().sum(1).log() - picked(logits, y)).mean()


@misconception(
    "cross_entropy_from_logits",
    "one-maximum-for-all",
    why="You subtract the largest score of the whole batch. In a row far below it every power is "
    "0, and log(0) is -inf. Each row needs a maximum of its own.",
    book="4.5.2",
)
def cross_entropy_from_logits_one_maximum(logits, y):
    legal(logits, y)
    shifted = logits - logits.max()
    return (shifted.exp().sum(1).log() - picked(shifted, y)).mean()


def capped(calls):
    """Whether the loss stops at -log of a small number where the true one is in the thousands."""
    logits, y = calls[-1].args
    due = torch.nn.functional.cross_entropy(logits, y)
    return len(y) == 1 and due > 1000 and 5 < calls[-1].result < 110


@misconception(
    "cross_entropy_from_logits",
    "small-number-added",
    why="You keep log away from 0 by a small number, added or clamped. The loss of a confident "
    "mistake then stops growing, and its gradient vanishes. Let log and exp cancel instead.",
    book="4.5.2",
    fails=("stable", "digits"),
    signature=capped,
)
def cross_entropy_from_logits_capped(logits, y):
    legal(logits, y)
    return -(picked(log_probabilities(logits).exp(), y) + 1e-8).log().mean()


@misconception(
    "cross_entropy_from_logits",
    "sum-for-mean",
    why="You add up the losses of the examples and do not divide by how many there are.",
    book="4.1.2",
)
def cross_entropy_from_logits_sum(logits, y):
    legal(logits, y)
    return -picked(log_probabilities(logits), y).sum()


@misconception(
    "cross_entropy_from_logits",
    "mean-of-all-entries",
    why="You average over all n * q entries of the one-hot product. Only one entry a row counts: "
    "divide by n.",
    book="4.1.2",
)
def cross_entropy_from_logits_all_entries(logits, y):
    legal(logits, y)
    one_hot = torch.nn.functional.one_hot(y, logits.shape[1])
    return -(one_hot * log_probabilities(logits)).mean()


@misconception(
    "cross_entropy_from_logits",
    "sign-missing",
    why="Logarithms of probabilities are negative. The loss is minus their mean.",
    book="4.1.2",
)
def cross_entropy_from_logits_sign(logits, y):
    legal(logits, y)
    return picked(log_probabilities(logits), y).mean()


@misconception(
    "cross_entropy_from_logits",
    "every-pair",
    why="[:, y] picks the classes of all examples from every row, n * n entries. Give a row index "
    "too: [torch.arange(n), y].",
    book="4.4.3",
)
def cross_entropy_from_logits_pairs(logits, y):
    legal(logits, y)
    return -log_probabilities(logits)[:, y].mean()


@misconception(
    "cross_entropy_from_logits",
    "columns-for-rows",
    why="You normalise along axis 0, over the examples. The scores of one example are a row.",
    book="4.4.1",
)
def cross_entropy_from_logits_columns(logits, y):
    legal(logits, y)
    return -picked(log_probabilities(logits, 0), y).mean()


@misconception(
    "cross_entropy_from_logits",
    "scores-as-probabilities",
    why="You take the logarithm of the scores themselves. They are no probabilities, and may be "
    "negative: softmax belongs in between.",
    book="4.5.2",
)
def cross_entropy_from_logits_no_softmax(logits, y):
    legal(logits, y)
    return -picked(logits, y).log().mean()


@misconception(
    "cross_entropy_from_logits",
    "digits-lost",
    why="You add the logarithm of the sum to the largest score. Next to 10000 it keeps three "
    "decimals; subtract the largest score from the right one first.",
    book="4.5.2",
)
def cross_entropy_from_logits_digits_lost(logits, y):
    legal(logits, y)
    top = logits.amax(1)
    return (top + (logits - top[:, None]).exp().sum(1).log() - picked(logits, y)).mean()


# --- log_softmax ----------------------------------------------------------------------------


def _rows(X):
    """Refuse what the contract refuses."""
    if not (X.dim() and X.is_floating_point()):
        raise ValueError("rows of floats are needed")


@misconception(
    "log_softmax",
    "softmax-then-log",
    why="You make probabilities first and take their logarithm. A probability that rounds to 0 "
    "has the logarithm -inf. Let log and exp cancel: subtract the logarithm of the sum.",
    book="4.5.2",
)
def log_softmax_softmax_first(X):
    _rows(X)
    powers = (X - X.amax(-1, keepdim=True)).exp()
    return (powers / powers.sum(-1, keepdim=True)).log()


@misconception(
    "log_softmax",
    "overflow",
    why="You take exp of the scores as they are: from 89 on it is inf in float32, and below -104 "
    "it is 0. Subtract the largest score of each row first.",
    book="4.5.2",
)
def log_softmax_overflow(X):
    _rows(X)
    return X - X.exp().sum(-1, keepdim=True).log()


@misconception(
    "log_softmax",
    "one-maximum-for-all",
    why="You subtract the largest score of the whole tensor. In a row far below it every power is "
    "0, and so is their sum. Each row needs a maximum of its own.",
    book="4.5.2",
)
def log_softmax_one_maximum(X):
    _rows(X)
    shifted = X - X.max()
    return shifted - shifted.exp().sum(-1, keepdim=True).log()


@misconception(
    "log_softmax",
    "maximum-not-given-back",
    why="The largest score is subtracted inside the sum only. Subtract it from the score as well, "
    "or add it to the logarithm.",
    book="4.5.2",
)
def log_softmax_unbalanced(X):
    _rows(X)
    return X - (X - X.amax(-1, keepdim=True)).exp().sum(-1, keepdim=True).log()


@misconception(
    "log_softmax",
    "first-axis",
    why="You add up the first axis. The scores of one example are a row: take the last axis.",
    book="4.5.2",
)
def log_softmax_columns(X):
    _rows(X)
    return log_probabilities(X, 0)


@misconception(
    "log_softmax",
    "second-axis",
    why="You take axis 1, which is the last one for a matrix only. Write -1.",
    book="4.5.2",
)
def log_softmax_second_axis(X):
    _rows(X)
    return log_probabilities(X, 1)


@misconception(
    "log_softmax",
    "logarithm-forgotten",
    why="You subtract the sum itself, not its logarithm.",
    book="4.5.2",
)
def log_softmax_sum(X):
    _rows(X)
    shifted = X - X.amax(-1, keepdim=True)
    return shifted - shifted.exp().sum(-1, keepdim=True)


@misconception(
    "log_softmax",
    "something-added",
    why="Something is added to the probabilities to keep the logarithm finite, so that all small "
    "ones count alike. Let log and exp cancel instead.",
    book="4.5.2",
)
def log_softmax_added(X):
    _rows(X)
    powers = (X - X.amax(-1, keepdim=True)).exp()
    return (powers / powers.sum(-1, keepdim=True) + 1e-9).log()


@misconception(
    "log_softmax",
    "digits-lost",
    why="You add the logarithm of the sum to the largest score. Next to 10000 it keeps three "
    "decimals; subtract the largest score from X first, then the logarithm.",
    book="4.5.2",
)
def log_softmax_digits_lost(X):
    _rows(X)
    top = X.amax(-1, keepdim=True)
    return X - (top + (X - top).exp().sum(-1, keepdim=True).log())


# --- SoftmaxRegression ----------------------------------------------------------------------


class _Layers(nn.Module):
    """A net with one thing wrong; not indexable, as few learners' are."""

    def __init__(self, *layers):
        super().__init__()
        self.net = nn.Sequential(*layers)

    def forward(self, X):
        return self.net(X)


@misconception(
    "SoftmaxRegression",
    "softmax-at-the-end",
    why="A softmax follows the linear layer. The net gives scores; the loss takes care of the rest "
    "and would apply softmax once more.",
    book="4.5.2",
)
class SoftmaxRegression_softmax(_Layers):
    def __init__(self, num_outputs):
        super().__init__(nn.Flatten(), nn.LazyLinear(num_outputs), nn.Softmax(dim=1))


@misconception(
    "SoftmaxRegression",
    "log-softmax-at-the-end",
    why="A log softmax follows the linear layer. The net gives scores as they are.",
    book="4.5.2",
)
class SoftmaxRegression_log_softmax(_Layers):
    def __init__(self, num_outputs):
        super().__init__(nn.Flatten(), nn.LazyLinear(num_outputs), nn.LogSoftmax(dim=1))


@misconception(
    "SoftmaxRegression",
    "activation-at-the-end",
    why="A ReLU follows the linear layer, so that no score is negative. Leave it away.",
    book="4.5.1",
)
class SoftmaxRegression_relu(_Layers):
    def __init__(self, num_outputs):
        super().__init__(nn.Flatten(), nn.LazyLinear(num_outputs), nn.ReLU())


@misconception(
    "SoftmaxRegression",
    "not-flattened",
    why="Images go into the linear layer as they are, which then sees their last axis only. Put "
    "nn.Flatten() first.",
    book="4.5.1",
)
class SoftmaxRegression_images(_Layers):
    def __init__(self, num_outputs):
        super().__init__(nn.LazyLinear(num_outputs))


@misconception(
    "SoftmaxRegression",
    "no-bias",
    why="The linear layer has no bias.",
    book="4.5.1",
)
class SoftmaxRegression_unbiased(_Layers):
    def __init__(self, num_outputs):
        super().__init__(nn.Flatten(), nn.LazyLinear(num_outputs, bias=False))


@misconception(
    "SoftmaxRegression",
    "hidden-layer",
    why="There is a second linear layer. Softmax regression has one; with two it is a multilayer "
    "perceptron, the next chapter's subject.",
    book="4.5.1",
)
class SoftmaxRegression_two(_Layers):
    def __init__(self, num_outputs):
        super().__init__(nn.Flatten(), nn.LazyLinear(num_outputs), nn.LazyLinear(num_outputs))
