"""Hidden checks for section 4.5: cross-entropy from scores."""

import torch
from torch.nn import functional as F

from d2lgrade.testkit import Standing, assert_close_to, assert_same, gradients, truth

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
