"""Hidden checks for section 11.3: softmax with a mask."""

import torch

from d2lgrade.testkit import Mismatch, Standing, assert_same, gradients, truth


def left_out(X, valid_lens):
    """Which keys do not count."""
    lens = valid_lens[:, None] if valid_lens.dim() == 1 else valid_lens
    return (torch.arange(X.shape[-1]) >= lens[..., None]).expand(X.shape)


def masked_softmax_torch(X, valid_lens):
    if valid_lens is None:
        return torch.softmax(X, dim=-1)
    return torch.softmax(X.masked_fill(left_out(X, valid_lens), -torch.inf), dim=-1)


LENGTHS = [
    ((1, 1, 1), [1]),
    ((1, 1, 2), [1]),
    ((1, 2, 3), [3]),
    ((2, 1, 2), [1, 2]),
    ((2, 2, 3), [1, 2]),
    ((2, 3, 4), [3, 1]),
    ((3, 2, 3), [3, 2, 1]),
]
PER_QUERY = [
    ((1, 1, 2), [[1]]),
    ((1, 2, 2), [[1, 2]]),
    ((2, 1, 3), [[3], [1]]),
    ((2, 2, 3), [[1, 2], [3, 1]]),
    ((3, 2, 4), [[4, 1], [2, 3], [1, 4]]),
]


def assert_masked(student, cases, draw=torch.randn):
    for shape, lens in cases:
        X, valid_lens = draw(shape), torch.tensor(lens)
        expected = truth(masked_softmax_torch, X, valid_lens)
        assert_same(student.masked_softmax(X, valid_lens), expected)


scores = Standing(
    "masked_softmax",
    masked_softmax_torch,
    lambda: (torch.randn(2, 3, 4), torch.tensor([[4, 1, 2], [3, 3, 1]])),
)


def test_masked_softmax_none(student):
    """is plain softmax over the keys without lengths"""
    for shape in [(1, 1, 1), (1, 1, 2), (1, 2, 1), (2, 3, 4), (3, 3, 3)]:
        X = torch.randn(shape)
        expected = truth(masked_softmax_torch, X, None)
        assert_same(student.masked_softmax(X, None), expected)


def test_masked_softmax_lengths(student):
    """leaves out what lies beyond the length of each example"""
    assert_masked(student, LENGTHS)


def test_masked_softmax_per_query(student):
    """takes a length for each query"""
    assert_masked(student, PER_QUERY)


def test_masked_softmax_zeros(student):
    """gives exactly 0 to what is left out, however large the scores"""
    for valid, hidden in [(0.0, 0.0), (0.0, 100.0), (-1e4, 1e4), (-1e4, -1e4), (1e4, 1e4)]:
        X = torch.tensor([[[valid, valid - 1, hidden], [valid, hidden, hidden]]]).repeat(2, 1, 1)
        for valid_lens in (torch.tensor([[2, 1], [1, 1]]), torch.tensor([1, 1])):
            out = left_out(X, valid_lens)
            expected = truth(masked_softmax_torch, X, valid_lens)
            W = student.masked_softmax(X.clone(), valid_lens)
            assert_same(W, expected)
            assert_same(W[out], torch.zeros(int(out.sum())), what="the weights left out")


NOTHING = [
    ((1, 1, 1), [0]),
    ((1, 1, 2), [[0]]),
    ((2, 2, 3), [0, 2]),
    ((2, 2, 2), [[2, 0], [0, 1]]),
]


def test_masked_softmax_nothing(student):
    """gives finite weights to a query that may attend to nothing"""
    for shape, lens in NOTHING:
        X, valid_lens = torch.randn(shape), torch.tensor(lens)
        known = torch.clamp(valid_lens, min=1)
        expected = masked_softmax_torch(X, known)
        some = (valid_lens > 0).reshape(shape[0], -1).expand(shape[:2])
        W = student.masked_softmax(X, valid_lens)
        if isinstance(W, torch.Tensor) and W.shape == X.shape:
            open_rows = W[~some].detach()
            if not ((open_rows >= 0) & (open_rows <= 1)).all():
                raise Mismatch(
                    "The row of a query of length 0 holds something else than numbers from 0 to 1.",
                    expected="finite numbers from 0 to 1",
                    got=str(open_rows[0].tolist()),
                )
            expected[~some] = W[~some].detach().to(expected.dtype)  # these are free
        assert_same(W, expected)


def on_computed(masked_softmax, X, valid_lens):
    """Scores are computed, not leaves, so they may be changed in place: a product stands for it."""
    return masked_softmax(1.0 * X, valid_lens)


def test_masked_softmax_gradient(student):
    """sends the gradient to the scores that count, and to no others"""

    def weights(X, valid_lens):
        return student.run(on_computed, student.masked_softmax, X, valid_lens)

    for shape, lens in [*LENGTHS[1:], *PER_QUERY]:
        X, valid_lens = torch.randn(shape), torch.tensor(lens)
        expected = truth(gradients(masked_softmax_torch), X, valid_lens)
        (found,) = gradients(weights)(X, valid_lens)
        assert_same(found, expected[0], what="the gradient for X")
        out = left_out(X, valid_lens)
        none = torch.zeros(int(out.sum()))
        assert_same(found[out], none, what="the gradient for the scores left out")
    X = torch.randn(1, 2, 2)
    (found,) = gradients(weights)(X, torch.tensor([[0, 2]]))
    if not found.isfinite().all():
        raise Mismatch(
            "A query of length 0 spoils the gradient.",
            expected="finite numbers",
            got=str(found.tolist()),
        )


test_masked_softmax_arguments = scores.keeps_arguments()
test_masked_softmax_refuses = scores.refuses(
    ValueError,
    lambda: (torch.randn(1, 2, 3), torch.tensor([1, 2])),
    lambda: (torch.randn(2, 1, 3), torch.tensor([1])),
    lambda: (torch.randn(2, 2, 3), torch.tensor([[1, 2]])),
    lambda: (torch.randn(2, 3, 3), torch.tensor([[1, 2], [3, 1]])),
    lambda: (torch.randn(1, 1, 2), torch.tensor([[[1]]])),
    lambda: (torch.randn(1, 1, 2), torch.tensor(1)),
)
test_masked_softmax_dtype = scores.keeps_dtype()
test_masked_softmax_layout = scores.any_layout()
test_masked_softmax_empty = scores.empty_batch(
    lambda: (torch.zeros(0, 2, 3), torch.zeros(0, dtype=torch.int64))
)
test_masked_softmax_device = scores.other_device()
