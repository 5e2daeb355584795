"""Hidden checks of section 11.6: positional encoding."""

import torch

from d2lgrade.testkit import (
    Standing,
    assert_close_to,
    assert_rate,
    assert_same,
    parameter_count,
    refuses,
    truth,
)


def encoded(X):
    """X with the pattern added, computed entry by entry in float64 where X is."""
    _, n, h = X.shape
    j = torch.arange(h)
    exponents = (j - j % 2).to(X.dtype) / h
    angles = torch.arange(n, dtype=X.dtype)[:, None] / torch.pow(10000, exponents)
    return X + torch.where(j % 2 == 0, torch.sin(angles), torch.cos(angles))


def new(student, num_hiddens, dropout=0.0, **options):
    return student.PositionalEncoding(num_hiddens=num_hiddens, dropout=dropout, **options)


def call(student, X):
    return new(student, X.shape[2])(X)


standing = Standing("PositionalEncoding", encoded, lambda: (torch.randn(2, 5, 4),), call)


def agrees(student, *shapes):
    for shape in shapes:
        X = torch.randn(shape)
        expected = truth(encoded, X)
        assert_same(call(student, X), expected)


def test_PositionalEncoding_values(student):
    """adds sines and cosines in turns"""
    agrees(student, (1, 1, 2), (1, 2, 2), (1, 3, 4), (3, 2, 6), (2, 7, 8))


def test_PositionalEncoding_pattern(student):
    """is exact far along the sequence, where nothing else is added"""
    X = torch.zeros(1, 300, 6)
    expected = truth(encoded, X)
    assert_same(call(student, X), expected)


def test_PositionalEncoding_lengths(student):
    """takes 1000 positions, or as many as max_len says"""
    for n, options in [(1, {"max_len": 1}), (3, {"max_len": 3}), (2, {"max_len": 9}), (1000, {})]:
        X = torch.zeros(1, n, 2)
        expected = truth(encoded, X)
        assert_same(new(student, 2, **options)(X), expected)


def test_PositionalEncoding_odd(student):
    """takes odd widths, which end with a sine"""
    agrees(student, (1, 2, 1), (1, 3, 3), (2, 4, 5), (2, 3, 7))


test_PositionalEncoding_gradient = standing.gradient()
test_PositionalEncoding_arguments = standing.keeps_arguments()


def test_PositionalEncoding_nothing(student):
    """has nothing to learn"""
    count = parameter_count(new(student, 4))
    assert_same(count, 0, what="the number of parameters")


def test_PositionalEncoding_dropout(student):
    """drops entries of the sum in training, and scales up the others"""
    dropout, X = 0.3, torch.randn(40, 10, 8)
    expected = encoded(X)
    net = new(student, 8, dropout)
    net.train()
    got = net(X)
    if not isinstance(got, torch.Tensor) or got.shape != X.shape:
        assert_same(got, expected)
    alive = got.detach() != 0
    what = f"The share of entries dropped for dropout {dropout}"
    assert_rate(int((~alive).sum()), alive.numel(), dropout, what)
    due = truth(lambda Y: torch.where(alive, Y / (1 - dropout), 0.0), expected)
    assert_same(got, due, what="what is left of the sum")


def test_PositionalEncoding_eval(student):
    """drops nothing in eval mode"""
    X = torch.randn(2, 5, 4)
    expected = truth(encoded, X)
    net = new(student, 4, 0.5)
    net.eval()
    assert_same(net(X), expected)


def test_PositionalEncoding_refuses(student):
    """refuses a sequence longer than max_len"""
    for max_len, options in [(1, {"max_len": 1}), (3, {"max_len": 3}), (1000, {})]:
        net = new(student, 2, **options)
        refuses(ValueError, net, torch.zeros(1, max_len + 1, 2))


def test_PositionalEncoding_dtype(student):
    """keeps the dtype of X"""
    for dtype in (torch.float32, torch.float64):
        X = torch.randn(2, 5, 4).to(dtype)
        expected = encoded(X)
        # The pattern may be kept in float32; its numbers are at most 1.
        assert_close_to(call(student, X), expected, 1e-5, what=f"the result for {dtype}")


test_PositionalEncoding_layout = standing.any_layout()
test_PositionalEncoding_empty = standing.empty_batch(lambda: (torch.zeros(0, 3, 4),))


def test_PositionalEncoding_device(student):
    """works on another device than the CPU"""
    net, X = new(student, 4, 0.5), torch.randn(2, 5, 4)
    with student.other_device():
        net(X)
