"""Section 4.5: Concise implementation of softmax regression.

Logarithms of probabilities and a loss that take scores as they are, however large.
"""

import torch
from torch import nn


def log_softmax(X):
    """The logarithm of softmax, for each row of scores.

    A row runs along the last axis. Softmax alone rounds a small probability to 0, whose logarithm
    is -inf. Taken together the two need no such detour: the logarithm of a quotient is a
    difference, and log undoes exp.

    Args:
        X: float tensor (..., q) with one axis or more and q >= 1, the scores, each at most 1e4 in
            size. Not modified.

    Returns:
        Float tensor of the shape of X, with its dtype and device. Gradients flow back to X.

    Formula:
        L[..., j] = X[..., j] - log(sum over k of exp(X[..., k]))

        It is finite for all such scores, though exp(1e4) is infinite and exp(-1e4) is 0.

        Scores may be large and close together, such as 10000 and 9999. Then subtract the row's
        largest score first and take the logarithm afterwards: 10000 + log(...) has room for three
        decimals only.

    Raises:
        ValueError: X has no axis, or does not hold floating-point numbers.

    Rules:
        Write it yourself: do not call PyTorch's softmax, log_softmax or logsumexp, under whatever
        name.

    Example:
        >>> log_softmax(torch.tensor([[0.0, 0.0], [1e4, -1e4]]))
        tensor([[-6.9315e-01, -6.9315e-01],
                [ 0.0000e+00, -2.0000e+04]])

    Book: 4.5.2
    """
    # BEGIN SOLUTION
    if not (X.dim() and X.is_floating_point()):
        raise ValueError(
            f"log_softmax needs rows of floats, not {X.dtype} of shape {tuple(X.shape)}: pass at "
            "least one axis, and convert integers with .float()"
        )
    # With each row's largest score at 0 the sum lies between 1 and q: nothing to overflow, and no
    # logarithm of 0.
    # BLANK: shifted = ____
    shifted = X - X.amax(-1, keepdim=True)
    # BLANK: return shifted - ____
    return shifted - torch.log(torch.exp(shifted).sum(-1, keepdim=True))
    # END SOLUTION


def cross_entropy_from_logits(logits, y):
    """Average cross-entropy between scores and the right classes.

    The scores (logits) are what softmax would turn into probabilities. The loss of an example is
    minus the logarithm of the probability of its right class. The probabilities themselves are
    never needed: the logarithm of a quotient is a difference, and log undoes exp.

    Args:
        logits: float tensor (n, q) with n >= 1 and q >= 1, the scores, each at most 1e4 in size.
            Not modified.
        y: int64 tensor (n,), the right class of each example, from 0 to q - 1, on the device of
            logits. Not modified.

    Returns:
        Float tensor (), the mean over the n examples, with the dtype and device of logits.
        Gradients flow back to logits.

    Formula:
        loss = 1 / n * sum over i of (log(sum over k of exp(logits[i, k])) - logits[i, y[i]])

        It is finite for all such scores, though their probabilities may round to 0 or 1 and
        exp(1e4) is infinite. Its gradient by logits is (softmax(logits) - one_hot(y)) / n.

        Scores may be large and close together, such as 10000 and 9999. Then subtract the row's
        largest score first and take the logarithm afterwards: 10000 + log(...) has room for three
        decimals only.

    Raises:
        ValueError: y is not an int64 tensor of shape (n,), holds a class below 0 or above q - 1,
            or there is no example.

    Rules:
        Write it yourself: do not call PyTorch's cross_entropy, nll_loss, log_softmax or logsumexp,
        under whatever name.

    Example:
        >>> logits = torch.tensor([[0.0, 0.0], [1e4, -1e4]])
        >>> cross_entropy_from_logits(logits, torch.tensor([0, 0]))
        tensor(0.3466)
        >>> cross_entropy_from_logits(logits, torch.tensor([0, 1]))
        tensor(10000.3467)

    Book: 4.1.2, 4.5.2
    """
    # BEGIN SOLUTION
    n, q = logits.shape
    if y.shape != (n,) or y.dtype != torch.int64:
        raise ValueError(
            f"y is {y.dtype} {tuple(y.shape)} where int64 ({n},) is due: give one class number for "
            "each example"
        )
    if not n:
        raise ValueError("there is no example, and so no mean: pass one at least")
    if y.min() < 0 or y.max() >= q:
        raise ValueError(f"classes are numbered from 0 to {q - 1}: correct y")
    # BLANK: shifted = ____
    shifted = logits - logits.amax(1, keepdim=True)
    # BLANK: log_partition = ____
    log_partition = torch.log(torch.exp(shifted).sum(1))
    # BLANK: of_right_class = shifted.gather(1, ____).squeeze(1)
    of_right_class = shifted.gather(1, y[:, None]).squeeze(1)
    # BLANK: return ____
    return (log_partition - of_right_class).mean()
    # END SOLUTION


class SoftmaxRegression(nn.Module):
    """Softmax regression of PyTorch's layers: flatten, and one linear layer with a bias.

    It gives scores (logits). The softmax is left to the loss, which can do without it.

    Args:
        num_outputs: int, q, the number of classes. How many numbers an example has shows with the
            first input.

    Returns:
        Called with a float tensor X of shape (n, ...), images for instance, not modified: a float
        tensor (n, q) of scores. Gradients flow from it back to X and to every parameter.

    Formula:
        X flattened to (n, d) @ W^T + b,  W of shape (q, d),  b of shape (q,)

    Example:
        >>> net = SoftmaxRegression(10)
        >>> net(torch.zeros(2, 1, 28, 28)).shape
        torch.Size([2, 10])
        >>> sum(parameter.numel() for parameter in net.parameters())
        7850

    Book: 4.5.1
    """

    def __init__(self, num_outputs):
        super().__init__()
        # BEGIN SOLUTION
        # BLANK: self.net = nn.Sequential(____, ____)
        self.net = nn.Sequential(nn.Flatten(), nn.LazyLinear(num_outputs))
        # END SOLUTION

    def forward(self, X):
        # BEGIN SOLUTION
        # BLANK: return ____
        return self.net(X)
        # END SOLUTION
