"""Hidden checks for section 4.4: softmax."""

import torch

from d2lgrade.testkit import Standing, assert_same, gradients, truth

LIBRARY = ("torch.softmax", "torch.log_softmax", "torch.logsumexp")
INF = torch.inf


def softmax_torch(X):
    return torch.softmax(X, dim=-1)


rows = Standing("softmax", softmax_torch, lambda: (torch.randn(3, 4),))


def test_softmax_values(student):
    """turns every row of a matrix into probabilities"""
    for shape in [(1, 1), (1, 2), (2, 1), (2, 2), (2, 3), (4, 3), (5, 5)]:
        X = 2 * torch.randn(shape)
        expected = truth(softmax_torch, X)
        assert_same(student.softmax(X), expected)


def test_softmax_axes(student):
    """works along the last axis, however many there are"""
    for shape in [(1,), (2,), (1, 1, 2), (2, 2, 2), (2, 3, 4), (2, 1, 3, 2)]:
        X = 2 * torch.randn(shape)
        expected = truth(softmax_torch, X)
        assert_same(student.softmax(X), expected)


def test_softmax_large(student):
    """takes scores as large as 10000"""
    for scores in [
        [[1e4]],
        [[100.0, 0.0]],
        [[1e4, 1e4]],
        [[1e4, -1e4]],
        [[1e4, 9999.0, 9998.0]],
        [[9999.0, 9998.5], [1e4, 9990.0]],
    ]:
        X = torch.tensor(scores)
        expected = truth(softmax_torch, X)
        assert_same(student.softmax(X), expected)


def test_softmax_small(student):
    """takes rows that lie far below zero, or far below another row"""
    for scores in [
        [[-1e4]],
        [[-200.0, -200.0]],
        [[-1e4, -9999.0]],
        [[0.0, 1.0], [-1e4, -1e4]],
        [[1e4, 9999.0], [-1e4, -9998.0], [3.0, 5.0]],
    ]:
        X = torch.tensor(scores)
        expected = truth(softmax_torch, X)
        assert_same(student.softmax(X), expected)


def test_softmax_ruled_out(student):
    """gives exactly 0 to a score of -inf"""
    for scores in [
        [[0.0, -INF]],
        [[-INF, 1.0, 2.0]],
        [[1.0, 3.0], [-INF, -2.0]],
        [[-INF, 4.0, -INF], [-1.0, -INF, 2.0]],
    ]:
        X = torch.tensor(scores)
        expected = truth(softmax_torch, X)
        P = student.softmax(X)
        assert_same(P, expected)
        assert_same(P[X == -INF], torch.zeros(int((X == -INF).sum())), what="the entries for -inf")


def test_softmax_gradient(student):
    """sends the gradient back, for large scores too"""
    for X in (
        torch.randn(1, 2),
        torch.randn(3, 4),
        torch.tensor([[1e4, 9999.0], [-1e4, -9998.0]]),
        torch.tensor([[1.0, -INF, 2.0]]),
    ):
        expected = truth(gradients(softmax_torch), X)
        assert_same(gradients(student.softmax)(X)[0], expected[0], what="the gradient")


test_softmax_arguments = rows.keeps_arguments()
test_softmax_rules = rows.rules(*LIBRARY)
test_softmax_refuses = rows.refuses(
    ValueError,
    lambda: (torch.tensor(1.0),),
    lambda: (torch.tensor([1, 2]),),
)
test_softmax_dtype = rows.keeps_dtype()
test_softmax_layout = rows.any_layout()
test_softmax_empty = rows.empty_batch(lambda: (torch.zeros(0, 3),))
test_softmax_device = rows.other_device()
