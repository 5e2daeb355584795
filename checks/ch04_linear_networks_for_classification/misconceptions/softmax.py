"""Wrong answers to section 4.4 that people really give."""

import torch
from torch import nn

from d2lgrade.testkit import misconception

# --- softmax --------------------------------------------------------------------------------


def legal(X):
    """Refuse what the contract refuses, so that each answer below is wrong in one way only."""
    if not (X.dim() and X.is_floating_point()):
        raise ValueError("softmax needs rows of floats")


def powers(X, axis=-1):
    """Powers of e that cannot overflow."""
    return (X - X.amax(axis, keepdim=True)).exp()


@misconception(
    "softmax",
    "overflow",
    why="You take exp of the scores as they are: from 89 on it is inf in float32, and below -104 "
    "it is 0, so the quotient is nan. Subtract the largest score of each row first.",
    book="4.5.2",
)
def softmax_overflow(X):
    legal(X)
    E = X.exp()
    return E / E.sum(-1, keepdim=True)


@misconception(
    "softmax",
    "one-maximum-for-all",
    why="You subtract the largest score of the whole tensor. In a row far below it every power is "
    "0, and 0 / 0 is nan. Each row needs a maximum of its own.",
    book="4.5.2",
)
def softmax_one_maximum(X):
    legal(X)
    E = (X - X.max()).exp()
    return E / E.sum(-1, keepdim=True)


@misconception(
    "softmax",
    "columns-for-rows",
    why="You add up the first axis, so the columns sum to 1. The scores of one example are a row: "
    "take the last axis.",
    book="4.4.1",
)
def softmax_columns(X):
    legal(X)
    E = powers(X, 0)
    return E / E.sum(0, keepdim=True)


@misconception(
    "softmax",
    "second-axis",
    why="You take axis 1, which is the last one for a matrix only. Write -1.",
    book="4.4.1",
)
def softmax_second_axis(X):
    legal(X)
    E = powers(X, 1)
    return E / E.sum(1, keepdim=True)


@misconception(
    "softmax",
    "one-sum-for-all",
    why="You divide by the sum of all entries; each row is divided by a sum of its own.",
    book="4.4.1",
)
def softmax_one_sum(X):
    legal(X)
    E = powers(X)
    return E / E.sum()


@misconception(
    "softmax",
    "axis-dropped",
    why="sum drops the axis it adds up, so the sums line up with the columns. keepdim=True keeps "
    "the axis, and each row meets its own sum.",
    book="4.4.1",
)
def softmax_axis_dropped(X):
    legal(X)
    E = powers(X)
    return E / E.sum(-1)


@misconception(
    "softmax",
    "clamped",
    why="You clamp the scores before exp. All scores beyond the limit then count alike; subtract "
    "the row's largest score instead, which changes nothing.",
    book="4.5.2",
)
def softmax_clamped(X):
    legal(X)
    E = X.clamp(-50.0, 50.0).exp()
    return E / E.sum(-1, keepdim=True)


@misconception(
    "softmax",
    "digits-lost",
    why="You add the logarithm of the sum to the largest score. Next to 10000 it keeps three "
    "decimals; subtract the largest score from X first, then the logarithm.",
    book="4.5.2",
)
def softmax_digits_lost(X):
    legal(X)
    top = X.amax(-1, keepdim=True)
    return (X - (top + (X - top).exp().sum(-1, keepdim=True).log())).exp()


@misconception(
    "softmax",
    "argument-changed",
    why="`X -= …` writes into the caller's tensor. Write X = X - …, which makes a new one.",
    book="2.1.5",
)
def softmax_in_place(X):
    legal(X)
    with torch.no_grad():
        X -= X.amax(-1, keepdim=True)
    E = X.exp()
    return E / E.sum(-1, keepdim=True)


# --- cross_entropy --------------------------------------------------------------------------


def _known(y_hat, y):
    """Refuse what the contract refuses; the row numbers."""
    n, q = y_hat.shape
    if y.shape != (n,) or y.dtype != torch.int64 or not n or y.min() < 0 or y.max() >= q:
        raise ValueError("a class for each row, from 0 to q - 1")
    return torch.arange(n, device=y.device)


@misconception(
    "cross_entropy",
    "not-averaged",
    book="4.4.3",
    why="You return a loss for each example, as the Chinese edition does. Here they are averaged.",
)
def cross_entropy_each(y_hat, y):
    return -torch.log(y_hat[_known(y_hat, y), y])


@misconception(
    "cross_entropy",
    "summed",
    book="4.4.3",
    why="The losses are summed up, so they grow with the batch. Average them.",
)
def cross_entropy_sum(y_hat, y):
    return -torch.log(y_hat[_known(y_hat, y), y]).sum()


@misconception(
    "cross_entropy",
    "sign",
    book="4.1.2",
    why="The sign is missing. The logarithm of a probability is negative, and a loss is not.",
)
def cross_entropy_negative(y_hat, y):
    return torch.log(y_hat[_known(y_hat, y), y]).mean()


@misconception(
    "cross_entropy",
    "every-pair",
    book="4.4.3",
    why="y_hat[:, y] takes the columns y of every row, n × n entries. Give a row number with each "
    "class: y_hat[range(n), y].",
)
def cross_entropy_pairs(y_hat, y):
    _known(y_hat, y)
    return -torch.log(y_hat[:, y]).mean()


@misconception(
    "cross_entropy",
    "all-classes",
    book="4.1.2",
    why="The logarithms of all classes are averaged. Only that of the right class counts.",
)
def cross_entropy_all(y_hat, y):
    _known(y_hat, y)
    return -torch.log(y_hat).mean()


@misconception(
    "cross_entropy",
    "logarithm-to-base-2",
    book="4.1.2",
    why="The logarithm has base 2. Take the natural one, torch.log.",
)
def cross_entropy_bits(y_hat, y):
    return -torch.log2(y_hat[_known(y_hat, y), y]).mean()


@misconception(
    "cross_entropy",
    "logarithm-last",
    book="4.1.2",
    why="You average the probabilities and take the logarithm of that. Take the logarithms first.",
)
def cross_entropy_log_last(y_hat, y):
    return -torch.log(y_hat[_known(y_hat, y), y].mean())


@misconception(
    "cross_entropy",
    "softmax-again",
    book="4.5.2",
    why="A softmax is applied to what are probabilities already.",
)
def cross_entropy_softmax_again(y_hat, y):
    rows = _known(y_hat, y)
    return -torch.log_softmax(y_hat, dim=1)[rows, y].mean()


@misconception(
    "cross_entropy",
    "something-added",
    book="4.5.2",
    why="Something is added to the probabilities to keep the logarithm finite. Tiny probabilities "
    "then all count alike. Work from scores instead, as section 4.5 does.",
)
def cross_entropy_added(y_hat, y):
    return -torch.log(y_hat[_known(y_hat, y), y] + 1e-8).mean()


# --- accuracy -------------------------------------------------------------------------------


def _fitting(y_hat, y):
    if y.shape != y_hat.shape[:1]:
        raise ValueError("a label for each row")


@misconception(
    "accuracy",
    "share",
    book="4.3.2",
    why="This is the share of right predictions. Return their number; who puts batches together "
    "divides once, at the end.",
)
def accuracy_share(y_hat, y):
    _fitting(y_hat, y)
    return float((y_hat.argmax(dim=1) == y).sum()) / max(1, len(y))


@misconception(
    "accuracy",
    "argmax-over-the-batch",
    book="4.3.2",
    why="argmax runs down the batch (dim=0) and finds the likeliest example of each class. The "
    "likeliest class of each example lies along dim=1.",
)
def accuracy_axis(y_hat, y):
    _fitting(y_hat, y)
    return float((y_hat.argmax(dim=0) == y).sum())


@misconception(
    "accuracy",
    "one-argmax",
    book="4.3.2",
    why="argmax without an axis finds one largest entry of the whole matrix. Each row has its own: "
    "dim=1.",
)
def accuracy_flat(y_hat, y):
    _fitting(y_hat, y)
    return float((y_hat.argmax() == y).sum()) if len(y) else 0.0


@misconception(
    "accuracy",
    "scores-for-classes",
    book="4.3.2",
    why="max() without indices gives the largest scores, which are compared with class numbers. "
    "Take argmax.",
)
def accuracy_scores(y_hat, y):
    _fitting(y_hat, y)
    return float((y_hat.amax(dim=1) == y).sum())


@misconception(
    "accuracy",
    "wrong-ones-counted",
    book="4.3.2",
    why="You count the wrong predictions.",
)
def accuracy_wrong(y_hat, y):
    _fitting(y_hat, y)
    return float((y_hat.argmax(dim=1) != y).sum())


# --- evaluate_accuracy ----------------------------------------------------------------------


def _asked(net, data_iter, *, mode=False, graph=False):
    """Hits and sizes of all batches."""
    before = net.training
    net.train(before if mode is None else mode)
    with torch.set_grad_enabled(graph):
        found = [(float((net(X).argmax(dim=1) == y).sum()), len(y)) for X, y in data_iter]
    net.train(before)
    if not sum(size for _, size in found):
        raise ValueError("no examples")
    return found


def _share(found):
    return sum(right for right, _ in found) / sum(size for _, size in found)


@misconception(
    "evaluate_accuracy",
    "mean-of-batches",
    book="4.4.4",
    why="The accuracies of the batches are averaged, so that examples in a small last batch count "
    "for more than others. Count over all batches, and divide once.",
)
def evaluate_accuracy_mean(net, data_iter):
    found = [(right, size) for right, size in _asked(net, data_iter) if size]
    return sum(right / size for right, size in found) / len(found)


@misconception(
    "evaluate_accuracy",
    "divided-by-batches",
    book="4.4.4",
    why="The right predictions are divided by the number of batches. Divide by that of examples.",
)
def evaluate_accuracy_batches(net, data_iter):
    found = _asked(net, data_iter)
    return sum(right for right, _ in found) / len(found)


@misconception(
    "evaluate_accuracy",
    "last-batch-only",
    book="4.4.4",
    why="The counts start again with every batch, so that the last one alone is told. Set them to "
    "zero before the loop.",
)
def evaluate_accuracy_last(net, data_iter):
    return _share(_asked(net, data_iter)[-1:])


@misconception(
    "evaluate_accuracy",
    "number-for-share",
    book="4.4.4",
    why="This is the number of right predictions; divide it by the number of examples.",
)
def evaluate_accuracy_number(net, data_iter):
    return sum(right for right, _ in _asked(net, data_iter))


@misconception(
    "evaluate_accuracy",
    "train-mode",
    book="4.4.4",
    why="The net is asked in whatever mode it is in. In train mode dropout drops: call net.eval() "
    "first.",
)
def evaluate_accuracy_mode(net, data_iter):
    return _share(_asked(net, data_iter, mode=None))


def _right(calls):
    """Whether the last call found the right share all the same."""
    batches, found = calls[-1].args[1], calls[-1].result
    right = sum(int((X.argmax(dim=1) == y).sum()) for X, y in batches)
    return abs(found - right / sum(len(y) for _, y in batches)) < 1e-6


@misconception(
    "evaluate_accuracy",
    "graph-kept",
    book="4.4.4",
    why="Every prediction is recorded for a backward pass that never comes. Ask the net under "
    "torch.no_grad().",
    fails=("graph",),
    signature=_right,
)
def evaluate_accuracy_graph(net, data_iter):
    return _share(_asked(net, data_iter, graph=True))


def _times_asked(calls):
    """How many accuracies were found before a mode was wrong: in train mode, then in eval mode."""
    return sum(type(call.result) is float for call in calls)


@misconception(
    "evaluate_accuracy",
    "left-in-eval-mode",
    book="4.4.4",
    why="The net stays in eval mode, so whoever goes on training trains without dropout. Put it "
    "back as it was.",
    fails=("restores",),
    signature=lambda calls: _times_asked(calls) == 1,
)
def evaluate_accuracy_left(net, data_iter):
    share = _share(_asked(net, data_iter))
    net.eval()
    return share


@misconception(
    "evaluate_accuracy",
    "always-back-to-training",
    book="4.4.4",
    why="The net is put into train mode afterwards, though it may have been in eval mode before. "
    "Keep net.training, and restore that.",
    fails=("restores",),
    signature=lambda calls: _times_asked(calls) == 2,
)
def evaluate_accuracy_trains(net, data_iter):
    share = _share(_asked(net, data_iter))
    net.train()
    return share


# --- SoftmaxRegressionScratch ---------------------------------------------------------------


class _Linear(nn.Module):
    """A linear model of a batch, its start given by a scale."""

    def __init__(self, num_inputs, num_outputs, scale=0.01):
        super().__init__()
        self.W = nn.Parameter(scale * torch.randn(num_inputs, num_outputs))
        self.b = nn.Parameter(torch.zeros(num_outputs))

    def scores(self, X):
        return X.reshape(-1, self.W.shape[0]) @ self.W + self.b

    def forward(self, X):
        return torch.softmax(self.scores(X), dim=1)


def _start_scale(calls):
    """The spread of the weights that a net started from."""
    return float(max(calls[-1].result, key=lambda value: value.dim()).std())


@misconception(
    "SoftmaxRegressionScratch",
    "scores-for-probabilities",
    book="4.4.2",
    why="The net returns scores. Here the softmax belongs to the net, since cross_entropy takes "
    "probabilities.",
)
class SoftmaxRegressionScratch_scores(_Linear):
    def forward(self, X):
        return self.scores(X)


@misconception(
    "SoftmaxRegressionScratch",
    "softmax-over-the-batch",
    book="4.4.1",
    why="The softmax runs down the batch, so that the examples of a class share one probability "
    "among them. Each row needs its own.",
)
class SoftmaxRegressionScratch_columns(_Linear):
    def forward(self, X):
        return torch.softmax(self.scores(X), dim=0)


@misconception(
    "SoftmaxRegressionScratch",
    "bias-forgotten",
    book="4.4.2",
    why="The bias is there but is never added.",
)
class SoftmaxRegressionScratch_unbiased(_Linear):
    def forward(self, X):
        return torch.softmax(X.reshape(-1, self.W.shape[0]) @ self.W, dim=1)


@misconception(
    "SoftmaxRegressionScratch",
    "not-flattened",
    book="4.4.2",
    why="Images go into the matrix product as they are. Reshape each to a row first.",
)
class SoftmaxRegressionScratch_images(_Linear):
    def forward(self, X):
        return torch.softmax(X @ self.W + self.b, dim=-1)


@misconception(
    "SoftmaxRegressionScratch",
    "graph-cut",
    book="6.5.2",
    why="The parameters are used through .data, so that no gradient reaches them.",
)
class SoftmaxRegressionScratch_cut(_Linear):
    def forward(self, X):
        flat = X.reshape(-1, self.W.shape[0])
        return torch.softmax(flat @ self.W.data + self.b.data, dim=1)


@misconception(
    "SoftmaxRegressionScratch",
    "wide-start",
    book="4.4.2",
    why="The weights start from draws of standard deviation 1. Multiply them by 0.01.",
    fails=("start",),
    signature=lambda calls: 0.5 < _start_scale(calls) < 2,
)
class SoftmaxRegressionScratch_wide(_Linear):
    def __init__(self, num_inputs, num_outputs):
        super().__init__(num_inputs, num_outputs, 1.0)


@misconception(
    "SoftmaxRegressionScratch",
    "variance-for-deviation",
    book="4.4.2",
    why="The weights start with variance 0.01. It is the standard deviation that is 0.01.",
    fails=("start",),
    signature=lambda calls: 0.05 < _start_scale(calls) < 0.2,
)
class SoftmaxRegressionScratch_variance(_Linear):
    def __init__(self, num_inputs, num_outputs):
        super().__init__(num_inputs, num_outputs, 0.1)


@misconception(
    "SoftmaxRegressionScratch",
    "start-at-zero",
    book="4.4.2",
    why="The weights start from zero. Draw them from a normal distribution, with 0.01.",
    fails=("start",),
    signature=lambda calls: _start_scale(calls) == 0,
)
class SoftmaxRegressionScratch_zero(_Linear):
    def __init__(self, num_inputs, num_outputs):
        super().__init__(num_inputs, num_outputs, 0.0)


@misconception(
    "SoftmaxRegressionScratch",
    "plain-tensors",
    book="6.2.1",
    why="The weights are tensors that require gradients, handed out by a parameters() of your own, "
    "as in the book. So they are neither saved nor moved; make them nn.Parameter.",
)
class SoftmaxRegressionScratch_tensors(nn.Module):
    def __init__(self, num_inputs, num_outputs):
        super().__init__()
        self.W = torch.normal(0, 0.01, size=(num_inputs, num_outputs), requires_grad=True)
        self.b = torch.zeros(num_outputs, requires_grad=True)

    def parameters(self, recurse=True):
        return [self.W, self.b]

    def forward(self, X):
        return torch.softmax(X.reshape(-1, self.W.shape[0]) @ self.W + self.b, dim=1)
