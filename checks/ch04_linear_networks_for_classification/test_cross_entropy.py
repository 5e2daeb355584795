"""Hidden checks for section 4.5: log softmax, cross-entropy from scores, SoftmaxRegression."""

import torch
from torch import nn
from torch.nn import functional as F

from d2lgrade.testkit import (
    Case,
    Network,
    Standing,
    assert_close_to,
    assert_same,
    gradients,
    truth,
)

# --- log_softmax ----------------------------------------------------------------------------

DISTANT = [
    [[1e4]],
    [[-1e4]],
    [[100.0, 0.0]],
    [[-200.0, 0.0]],
    [[1e4, -1e4]],
    [[1e4, 1e4]],
    [[-1e4, -1e4]],
    [[0.0, 1.0], [-1e4, -1e4]],
    [[1e4, 9999.0, 9998.0], [-1e4, -9998.0, 3.0]],
]


def log_softmax_torch(X):
    return torch.log_softmax(X, dim=-1)


logs = Standing("log_softmax", log_softmax_torch, lambda: (torch.randn(3, 4),))


def test_log_softmax_values(student):
    """turns every row of a matrix into logarithms of probabilities"""
    for shape in [(1, 1), (1, 2), (2, 1), (2, 2), (2, 3), (4, 3), (5, 5)]:
        X = 2 * torch.randn(shape)
        expected = truth(log_softmax_torch, X)
        assert_same(student.log_softmax(X), expected)


def test_log_softmax_axes(student):
    """works along the last axis, however many there are"""
    for shape in [(1,), (2,), (1, 1, 2), (2, 2, 2), (2, 3, 4), (2, 1, 3, 2)]:
        X = 2 * torch.randn(shape)
        expected = truth(log_softmax_torch, X)
        assert_same(student.log_softmax(X), expected)


def test_log_softmax_stable(student):
    """stays finite for scores as large as 10000, and as small"""
    for scores in DISTANT:
        X = torch.tensor(scores)
        expected = torch.log_softmax(X, dim=-1)
        # One rounding of a sum of this size; the check `digits` asks for more.
        tolerance = 2 * torch.finfo(torch.float32).eps * 2 * float(X.abs().max())
        assert_close_to(student.log_softmax(X), expected, tolerance)


def test_log_softmax_digits(student):
    """keeps its digits where large scores lie close together"""
    for scores in ([[1e4, 1e4]], [[1e4, 9999.0]], [[-1e4, -9999.0, -9998.0]], [[5e3, 4999.5]]):
        X = torch.tensor(scores)
        expected = truth(log_softmax_torch, X)
        # The size of the result, not that of the scores, says how many digits there are.
        tolerance = 16 * torch.finfo(torch.float32).eps * float(expected.truth.abs().max())
        assert_close_to(student.log_softmax(X), expected.value, tolerance)


def test_log_softmax_gradient(student):
    """sends the gradient back, for large scores too"""
    for X in (torch.randn(1, 2), torch.randn(3, 4), *map(torch.tensor, DISTANT)):
        expected = truth(gradients(log_softmax_torch), X)
        assert_same(gradients(student.log_softmax)(X)[0], expected[0], what="the gradient")


test_log_softmax_arguments = logs.keeps_arguments()
test_log_softmax_rules = logs.rules("torch.softmax", "torch.log_softmax", "torch.logsumexp")
test_log_softmax_refuses = logs.refuses(
    ValueError,
    lambda: (torch.tensor(1.0),),
    lambda: (torch.tensor([1, 2]),),
)
test_log_softmax_dtype = logs.keeps_dtype()
test_log_softmax_layout = logs.any_layout()
test_log_softmax_empty = logs.empty_batch(lambda: (torch.zeros(0, 3),))
test_log_softmax_device = logs.other_device()


# --- cross_entropy_from_logits --------------------------------------------------------------

LIBRARY = (
    "torch.nn.functional.cross_entropy",
    "torch.nn.functional.nll_loss",
    "torch.log_softmax",
    "torch.logsumexp",
)

LARGE = [
    ([[1e4]], [0]),
    ([[1e4, 0.0]], [0]),
    ([[1e4, 0.0]], [1]),
    ([[-1e4, -1e4]], [1]),
    ([[1e4, 1e4]], [0]),
    ([[-1e4, 1e4, 0.0]], [0]),
    ([[1e4, 9998.0], [-1e4, -9999.0]], [1, 0]),
    ([[200.0, 0.0], [0.0, 0.0], [-200.0, 1.0]], [1, 0, 1]),
]  # scores, classes


def batch(n, q):
    return 2 * torch.randn(n, q), torch.randint(q, (n,))


loss = Standing("cross_entropy_from_logits", F.cross_entropy, lambda: batch(4, 3))


def test_cross_entropy_from_logits_single(student):
    """is right for one example"""
    for q in (1, 2, 3, 5):
        for right in range(q):
            logits, y = 2 * torch.randn(1, q), torch.tensor([right])
            expected = truth(F.cross_entropy, logits, y)
            assert_same(student.cross_entropy_from_logits(logits, y), expected)


def test_cross_entropy_from_logits_values(student):
    """averages over the examples"""
    for n, q in [(2, 1), (2, 2), (2, 3), (3, 2), (3, 3), (6, 4)]:
        logits, y = batch(n, q)
        expected = truth(F.cross_entropy, logits, y)
        assert_same(student.cross_entropy_from_logits(logits, y), expected)


def test_cross_entropy_from_logits_stable(student):
    """stays finite for scores as large as 10000"""
    for scores, classes in LARGE:
        logits, y = torch.tensor(scores), torch.tensor(classes)
        expected = F.cross_entropy(logits, y)
        # One rounding of a sum of this size; the check `digits` asks for more.
        tolerance = 2 * torch.finfo(torch.float32).eps * float(logits.abs().max())
        assert_close_to(student.cross_entropy_from_logits(logits, y), expected, tolerance)


def test_cross_entropy_from_logits_digits(student):
    """keeps its digits where large scores lie close together"""
    for scores, classes in LARGE:
        logits, y = torch.tensor(scores), torch.tensor(classes)
        expected = truth(F.cross_entropy, logits, y)
        assert_same(student.cross_entropy_from_logits(logits, y), expected)


def test_cross_entropy_from_logits_gradient(student):
    """has the gradient (softmax - one_hot) / n, for large scores too"""
    cases = [batch(1, 2), batch(2, 2), batch(4, 3)]
    cases += [(torch.tensor(scores), torch.tensor(classes)) for scores, classes in LARGE]
    for logits, y in cases:
        expected = truth(gradients(F.cross_entropy), logits, y)
        found = gradients(student.cross_entropy_from_logits)(logits, y)
        assert_same(found[0], expected[0], what="the gradient")


test_cross_entropy_from_logits_arguments = loss.keeps_arguments()
test_cross_entropy_from_logits_rules = loss.rules(*LIBRARY)
test_cross_entropy_from_logits_refuses = loss.refuses(
    ValueError,
    lambda: (torch.randn(1, 2), torch.tensor([2])),
    lambda: (torch.randn(1, 2), torch.tensor([-1])),
    lambda: (torch.randn(2, 1), torch.tensor([1, 0])),
    lambda: (torch.randn(2, 3), torch.tensor([0])),
    lambda: (torch.randn(2, 3), torch.tensor([[0], [1]])),
    lambda: (torch.randn(2, 3), torch.tensor([0.0, 1.0])),
    lambda: (torch.randn(0, 3), torch.zeros(0, dtype=torch.int64)),
)
test_cross_entropy_from_logits_dtype = loss.keeps_dtype()
test_cross_entropy_from_logits_layout = loss.any_layout()
test_cross_entropy_from_logits_device = loss.other_device()


# --- SoftmaxRegression ----------------------------------------------------------------------


def torch_regression(num_outputs):
    """PyTorch's own layers."""
    return nn.Sequential(nn.Flatten(), nn.LazyLinear(num_outputs))


CASES = [
    Case((1, 1), {"num_outputs": 1}),
    Case((1, 3), {"num_outputs": 2}),
    Case((2, 3), {"num_outputs": 4}),
    Case((1, 1, 1, 2), {"num_outputs": 3}),
    Case((3, 2, 3, 2), {"num_outputs": 5}),
]
regression = Network("SoftmaxRegression", torch_regression, CASES)

test_SoftmaxRegression_parameters = regression.parameters(CASES[1], CASES[4])
test_SoftmaxRegression_values = regression.values()
test_SoftmaxRegression_gradient = regression.gradient(CASES[2], CASES[4])
test_SoftmaxRegression_arguments = regression.keeps_arguments(CASES[4])
test_SoftmaxRegression_dtype = regression.keeps_dtype(CASES[4])
test_SoftmaxRegression_layout = regression.any_layout(CASES[4])
test_SoftmaxRegression_empty = regression.empty_batch(CASES[4])
test_SoftmaxRegression_device = regression.other_device(CASES[4])
