"""Wrong answers to section 4.5 that people really give."""

import torch

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
