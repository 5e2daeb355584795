"""Wrong answers to section 4.4 that people really give."""

import torch

from d2lgrade.testkit import misconception


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
