"""Hidden checks of section 3.7: l2_penalty."""

import torch
from torch.nn import functional as F

from d2lgrade.testkit import Standing, assert_same, gradients, truth

SHAPES = [(1,), (1, 1), (2,), (2, 1), (2, 3), (), (2, 1, 3, 2)]


def half_square(w):
    return F.mse_loss(w, torch.zeros_like(w), reduction="sum") / 2


penalty = Standing("l2_penalty", half_square, lambda: (torch.randn(3, 2),))


def test_l2_penalty_values(student):
    """is half the sum of the squares"""
    for shape in SHAPES:
        w = 2 * torch.randn(shape)
        expected = truth(half_square, w)
        assert_same(student.l2_penalty(w), expected, what="the penalty")


def test_l2_penalty_gradient(student):
    """has the weights themselves as its gradient, at zero too"""
    for w in (
        *(torch.randn(shape) for shape in SHAPES),
        torch.zeros(2, 1),
        torch.tensor([0.0, 2.0]),
    ):
        expected = truth(gradients(half_square), w)
        assert_same(gradients(student.l2_penalty)(w)[0], expected[0], what="the gradient")


def decayed(penalise, X, y, w, b, lr, factor, steps):
    """Fit a line at a price on its weights; runs beside the learner's code."""
    w, b = (value.clone().requires_grad_() for value in (w, b))
    for _ in range(steps):
        loss = F.mse_loss(X @ w + b, y) / 2 + factor * penalise(w)
        steps_back = torch.autograd.grad(loss, (w, b))
        with torch.no_grad():
            for parameter, gradient in zip((w, b), steps_back, strict=True):
                parameter -= lr * gradient
    return w.detach(), b.detach()


def test_l2_penalty_decay(student):
    """shrinks the weights of a model in training, and leaves its bias alone"""
    for n, d in [(1, 1), (4, 2), (3, 5)]:
        X, y = torch.randn(n, d), torch.randn(n, 1) + 3.0
        w, b = torch.randn(d, 1), torch.zeros(1)
        expected = truth(lambda *a: decayed(half_square, *a, 0.1, 3.0, 5), X, y, w, b)
        found = student.run(decayed, student.l2_penalty, X, y, w, b, 0.1, 3.0, 5)
        assert_same(list(found), list(expected), what="the pair of weights and bias after training")


test_l2_penalty_arguments = penalty.keeps_arguments()
test_l2_penalty_dtype = penalty.keeps_dtype()
test_l2_penalty_layout = penalty.any_layout()
test_l2_penalty_empty = penalty.empty_batch(lambda: (torch.zeros(0, 2),))
test_l2_penalty_device = penalty.other_device()
