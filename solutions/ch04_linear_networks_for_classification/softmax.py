"""Section 4.4: Softmax regression from scratch.

Scores become probabilities, without overflow; probabilities are judged, by a loss and by counting.
"""

import torch
from torch import nn


def softmax(X):
    """Turn each row of scores into probabilities.

    A row runs along the last axis. Its entries are raised to the power of e and divided by their
    sum, so that they are positive and add up to 1. The same number added to a whole row changes
    nothing.

    Args:
        X: float tensor (..., q) with one axis or more and q >= 1, the scores. Each is at most 1e4
            in size, or -inf for a class that is ruled out; no row is -inf throughout. Not
            modified.

    Returns:
        Float tensor of the shape of X, with its dtype and device. Gradients flow back to X.

    Formula:
        P[..., j] = exp(X[..., j]) / (sum over k of exp(X[..., k]))

        The result is finite for all such scores, though exp(1e4) is not. An entry of -inf gives
        exactly 0. (The book's first version overflows; here it is not enough.)

    Raises:
        ValueError: X has no axis, or does not hold floating-point numbers.

    Rules:
        Write it yourself: do not call PyTorch's softmax, log_softmax or logsumexp, under whatever
        name.

    Example:
        >>> softmax(torch.tensor([[0.0, 0.0], [1e4, -1e4]]))
        tensor([[0.5000, 0.5000],
                [1.0000, 0.0000]])

    Book: 4.4.1, 4.5.2
    """
    # BEGIN SOLUTION
    if not (X.dim() and X.is_floating_point()):
        raise ValueError(
            f"softmax needs rows of floats, not {X.dtype} of shape {tuple(X.shape)}: pass at least "
            "one axis, and convert integers with .float()"
        )
    # A shift leaves the quotient alone. With each row's largest score at 0, no power exceeds 1 and
    # no sum is less than 1.
    # BLANK: shifted = X - X.amax(____)
    shifted = X - X.amax(-1, keepdim=True)
    # BLANK: powers = ____
    powers = torch.exp(shifted)
    # BLANK: return powers / powers.sum(____)
    return powers / powers.sum(-1, keepdim=True)
    # END SOLUTION


def cross_entropy(y_hat, y):
    """Average cross-entropy of probabilities, given the right classes.

    The loss of an example is minus the natural logarithm of the probability that its right class
    was given. Only that one entry of its row counts.

    Args:
        y_hat: float tensor (n, q) with n >= 1, a row of probabilities for each example, as
            `softmax` returns them. Not modified.
        y: int64 tensor (n,), the right class of each example, from 0 to q - 1, on the device of
            y_hat. Not modified.

    Returns:
        Float tensor (), the mean over the n examples, with the dtype and device of y_hat. Gradients
        flow back to y_hat.

    Formula:
        loss = 1 / n * sum over i of -log(y_hat[i, y[i]])

        It is exact for small probabilities too, without anything added to them. A probability of 0
        for a right class makes the loss inf.

    Raises:
        ValueError: y is not an int64 tensor of shape (n,), holds a class below 0 or above q - 1,
            or there is no example.

    Rules:
        Write it yourself: do not call PyTorch's cross_entropy or nll_loss, under whatever name.

    Example:
        >>> y_hat = torch.tensor([[0.1, 0.3, 0.6], [0.5, 0.25, 0.25]])
        >>> cross_entropy(y_hat, torch.tensor([2, 0]))
        tensor(0.6020)

    Book: 4.4.3
    """
    # BEGIN SOLUTION
    n, q = y_hat.shape
    if y.shape != (n,) or y.dtype != torch.int64:
        raise ValueError(
            f"y is {y.dtype} {tuple(y.shape)} where int64 ({n},) is due: give one class number for "
            "each example"
        )
    if not n:
        raise ValueError("there is no example, and so no mean: pass one at least")
    if y.min() < 0 or y.max() >= q:
        raise ValueError(f"classes are numbered from 0 to {q - 1}: correct y")
    # Two lists of indices that go together: one entry of each row.
    # BLANK: of_right_class = y_hat[____, ____]
    of_right_class = y_hat[torch.arange(n, device=y.device), y]
    # BLANK: return ____
    return -torch.log(of_right_class).mean()
    # END SOLUTION


def accuracy(y_hat, y):
    """How many predictions are right.

    The class predicted for an example is the one with the largest score in its row. This is a
    number of examples, not a share of them: shares of batches cannot be put together, numbers can.

    Args:
        y_hat: float tensor (n, q) with q >= 2, scores or probabilities. Not modified.
        y: int64 tensor (n,), the right classes. Not modified.

    Returns:
        float, from 0.0 to n: the number of examples whose predicted class is the right one.

    Raises:
        ValueError: y is not of shape (n,).

    Example:
        >>> y_hat = torch.tensor([[0.1, 0.3, 0.6], [0.5, 0.25, 0.25]])
        >>> accuracy(y_hat, torch.tensor([2, 1]))
        1.0

    Book: 4.3.2, 4.4.4
    """
    # BEGIN SOLUTION
    if y.shape != y_hat.shape[:1]:
        raise ValueError(
            f"labels {tuple(y.shape)} do not fit scores {tuple(y_hat.shape)}: one for each row"
        )
    # BLANK: predicted = y_hat.____
    predicted = y_hat.argmax(dim=1)
    # BLANK: return float(____)
    return float((predicted == y).sum())
    # END SOLUTION


def evaluate_accuracy(net, data_iter):
    """The share of examples that a network classifies rightly.

    Every example counts alike, also those of a last batch that is smaller than the others.

    The net is asked in eval mode (so that dropout, say, is off), and is afterwards in the mode it
    was in before. No graph is built: it is asked under torch.no_grad().

    Args:
        net: an nn.Module: a batch X gives scores (n, q). Its parameters are not modified.
        data_iter: iterable of batches (X, y), gone through once. X: float tensor (n, ...). y: int64
            tensor (n,), the right classes. Not modified.

    Returns:
        float, from 0 to 1: the number of right predictions, as `accuracy` counts them, divided by
        the number of examples.

    Raises:
        ValueError: data_iter has no examples.

    Example:
        >>> net = nn.Flatten()
        >>> X = torch.tensor([[3.0, 1.0], [0.0, 2.0]])
        >>> evaluate_accuracy(net, [(X, torch.tensor([0, 1])), (X[:1], torch.tensor([1]))])
        0.6666666666666666

    Book: 4.4.4
    """
    # BEGIN SOLUTION
    was_training = net.training
    # BLANK: net.____()
    net.eval()
    correct, count = 0.0, 0
    # BLANK: with ____:
    with torch.no_grad():
        for X, y in data_iter:
            # BLANK: correct += ____
            correct += accuracy(net(X), y)
            # BLANK: count += ____
            count += len(y)
    net.train(was_training)
    if count == 0:
        raise ValueError("there are no examples to evaluate on: pass at least one batch")
    return correct / count
    # END SOLUTION


class SoftmaxRegressionScratch(nn.Module):
    """Softmax regression with parameters of its own making: a linear model and a softmax.

    The weights W start from normal draws with mean 0 and standard deviation 0.01, the bias b from
    zeros. Both are parameters of the module: an optimizer finds them in `parameters()`,
    `state_dict()` holds them, `.to` moves them.

    Args:
        num_inputs: int, d, how many numbers an example has.
        num_outputs: int, q, the number of classes.

    Returns:
        Called with a float tensor X of shape (n, ...) with d numbers an example, images for
        instance, not modified: a float tensor (n, q) of probabilities. Gradients flow from it back
        to X and to both parameters.

    Formula:
        softmax(X flattened to (n, d) @ W + b),  W of shape (d, q),  b of shape (q,)

    Rules:
        Make the parameters yourself: do not use nn.Linear.

    Example:
        >>> net = SoftmaxRegressionScratch(6, 4)
        >>> P = net(torch.zeros(2, 1, 2, 3))
        >>> P.shape
        torch.Size([2, 4])
        >>> bool(torch.allclose(P.sum(dim=1), torch.ones(2)))
        True

    Book: 4.4.2
    """

    def __init__(self, num_inputs, num_outputs):
        super().__init__()
        # BEGIN SOLUTION
        # BLANK: self.W = ____
        self.W = nn.Parameter(0.01 * torch.randn(num_inputs, num_outputs))
        # BLANK: self.b = ____
        self.b = nn.Parameter(torch.zeros(num_outputs))
        # END SOLUTION

    def forward(self, X):
        # BEGIN SOLUTION
        # BLANK: flat = X.reshape(____)
        flat = X.reshape(-1, self.W.shape[0])
        # BLANK: return ____
        return softmax(flat @ self.W + self.b)
        # END SOLUTION
