"""Wrong answers that people give in section 3.7, and what went wrong in them."""

import torch

from d2lgrade.testkit import misconception


@misconception(
    "l2_penalty",
    "not-halved",
    book="3.7.1",
    why="The sum of the squares is not halved, so its gradient is 2w instead of w.",
)
def l2_penalty_whole(w):
    return (w**2).sum()


@misconception(
    "l2_penalty",
    "norm-not-squared",
    book="3.7.1",
    why="This is half the norm. Square it: the penalty is half the squared norm, without a root.",
)
def l2_penalty_norm(w):
    return (w**2).sum().sqrt() / 2


@misconception(
    "l2_penalty",
    "averaged",
    book="3.7.1",
    why="The squares are averaged, so that large layers pay no more than small ones. Sum them.",
)
def l2_penalty_mean(w):
    return (w**2).mean() / 2


@misconception(
    "l2_penalty",
    "absolute-values",
    book="3.7.1",
    why="This adds up absolute values: the l1 penalty, which makes weights sparse. Square them.",
)
def l2_penalty_l1(w):
    return w.abs().sum()


@misconception(
    "l2_penalty",
    "halves-squared",
    book="3.7.1",
    why="The weights are halved before they are squared, which makes a quarter. Square first.",
)
def l2_penalty_quarter(w):
    return ((w / 2) ** 2).sum()


@misconception(
    "l2_penalty",
    "row-by-row",
    book="3.7.1",
    why="The squares are summed along one axis only. The penalty is a single number.",
)
def l2_penalty_rows(w):
    return (w**2).sum(0) / 2 if w.dim() else w**2 / 2


@misconception(
    "l2_penalty",
    "root-and-square",
    book="3.7.1",
    why="You take the root and square it again. The root has no gradient at zero: weights of zero "
    "get nan. Leave the root out.",
)
def l2_penalty_root(w):
    return (w**2).sum().sqrt() ** 2 / 2


@misconception(
    "l2_penalty",
    "graph-cut",
    book="3.7.3",
    why="The penalty is computed outside the graph (.data, .detach() or .item()), so it has no "
    "gradient and nothing decays.",
)
def l2_penalty_cut(w):
    return (w.data**2).sum() / 2


@misconception(
    "l2_penalty",
    "squared-in-place",
    book="3.7.3",
    why="The caller's weights themselves are squared. Write w**2, which makes new ones.",
)
def l2_penalty_in_place(w):
    square = w.clone() ** 2
    with torch.no_grad():
        w *= w
    return square.sum() / 2
