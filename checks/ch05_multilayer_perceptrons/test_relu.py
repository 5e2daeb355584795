"""Hidden checks of section 5.1: relu."""

import torch

from d2lgrade.testkit import Standing, assert_same, gradients, truth

SHAPES = [(1,), (2,), (1, 1), (2, 3), (), (2, 1, 3, 2)]


def bent(X):
    return torch.relu(X)


def away_from_zero(*shape):
    """Entries of both signs, none of them near the bend."""
    X = torch.randn(shape)
    return X + 0.1 * X.sign()


unit = Standing("relu", bent, lambda: (away_from_zero(3, 4),))


def test_relu_values(student):
    """keeps what is positive, and makes the rest 0"""
    cases = [torch.tensor([value]) for value in (2.0, -2.0, 0.0, 1e30, -1e30, 1e-30, -1e-30)]
    cases += [3 * torch.randn(shape) for shape in SHAPES]
    for X in cases:
        expected = bent(X)
        assert_same(student.relu(X), expected)


def test_relu_gradient(student):
    """lets the gradient through where the input is positive, and nowhere else"""
    for X in (
        torch.tensor([2.0]),
        torch.tensor([-2.0]),
        *(away_from_zero(*shape) for shape in SHAPES),
    ):
        expected = truth(gradients(bent), X)
        assert_same(gradients(student.relu)(X)[0], expected[0], what="the gradient")


test_relu_arguments = unit.keeps_arguments()
test_relu_rules = unit.rules("torch.relu", "torch.threshold")


def test_relu_zero(student):
    """has a gradient of 0 at 0"""
    for X in (torch.zeros(1), torch.tensor([0.0, 1.0, -1.0]), torch.zeros(2, 3)):
        expected = truth(gradients(bent), X)
        assert_same(gradients(student.relu)(X)[0], expected[0], what="the gradient")


test_relu_dtype = unit.keeps_dtype()
test_relu_layout = unit.any_layout()
test_relu_empty = unit.empty_batch(lambda: (torch.zeros(0, 3),))
test_relu_device = unit.other_device()
