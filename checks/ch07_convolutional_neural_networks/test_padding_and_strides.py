"""Hidden checks of section 7.3: conv_output_shape, corr2d_strided."""

import torch
from torch.nn import functional as F

from d2lgrade.testkit import Standing, assert_same, refuses, truth

BY_HAND = ("torch.conv2d", "torch.nn.Conv2d")


# --- conv_output_shape ----------------------------------------------------------------------


def places(n, k, p, s):
    """Where the kernel starts along the axis, counted one by one."""
    return len(range(0, n + p - k + 1, s))


def counts(student, cases):
    """Compare the learner's formula with counting."""
    for n, k, p, s in cases:
        expected = places(n, k, p, s)
        assert_same(student.conv_output_shape(n, k, p, s), expected)


def test_conv_output_shape_values(student):
    """counts the places of the kernel"""
    counts(student, [(1, 1, 0, 1), (2, 1, 0, 1), (2, 2, 0, 1), (3, 2, 0, 1), (8, 3, 0, 1)])


def test_conv_output_shape_padding(student):
    """takes p as the padding of both sides together"""
    counts(
        student,
        [(1, 1, 1, 1), (1, 2, 1, 1), (1, 3, 2, 1), (8, 3, 2, 1), (8, 5, 4, 1), (8, 2, 1, 1)],
    )


def test_conv_output_shape_stride(student):
    """rounds down where the last step does not fit"""
    counts(
        student,
        [
            (1, 1, 0, 2),
            (2, 1, 0, 3),
            (3, 1, 0, 3),
            (2, 2, 0, 3),
            (4, 2, 0, 2),
            (5, 2, 0, 2),
            (8, 3, 0, 2),
            (8, 3, 2, 2),
            (8, 5, 1, 4),
            (3, 2, 2, 7),
            (224, 11, 2, 4),
        ],
    )


def test_conv_output_shape_refuses(student):
    """refuses a kernel that does not fit, and strides below 1"""
    for case in [
        (1, 2, 0, 1),
        (2, 3, 0, 4),
        (2, 5, 2, 1),
        (1, 8, 1, 2),
        (3, 1, 0, 0),
        (3, 1, 0, -1),
        (3, 2, 2, -2),
    ]:
        refuses(ValueError, student.conv_output_shape, *case)


# --- corr2d_strided -------------------------------------------------------------------------


def strided(X, K, padding=(0, 0), stride=(1, 1)):
    """PyTorch's own cross-correlation of one image with one kernel."""
    return F.conv2d(X[None, None], K[None, None], padding=padding, stride=stride)[0, 0]


def on_strided(student, X, K, padding, stride):
    """The learner's function, its optional arguments by keyword."""
    return student.corr2d_strided(X, K, padding=padding, stride=stride)


corr2d_strided = Standing(
    "corr2d_strided",
    strided,
    lambda: (torch.randn(5, 6), torch.randn(3, 2), (2, 1), (2, 3)),
    call=on_strided,
)


def test_corr2d_strided_values(student):
    """is plain cross-correlation without padding and stride"""
    for h, w, kh, kw in [(1, 1, 1, 1), (2, 2, 1, 2), (2, 3, 2, 2), (5, 4, 3, 3)]:
        X, K = torch.randn(h, w), torch.randn(kh, kw)
        expected = truth(strided, X, K)
        assert_same(student.corr2d_strided(X, K), expected)


def test_corr2d_strided_padding(student):
    """pads every side, rows by the first number and columns by the second"""
    for h, w, kh, kw, padding in [
        (1, 1, 1, 1, (1, 1)),
        (1, 1, 1, 1, (0, 1)),
        (1, 1, 2, 1, (1, 0)),
        (1, 1, 3, 3, (1, 1)),
        (2, 2, 2, 2, (1, 1)),
        (2, 3, 2, 2, (2, 0)),
        (3, 2, 1, 3, (1, 3)),
        (4, 5, 5, 3, (2, 1)),
    ]:
        X, K = torch.randn(h, w), torch.randn(kh, kw)
        expected = truth(strided, X, K, padding=padding)
        assert_same(student.corr2d_strided(X, K, padding=padding), expected)


def test_corr2d_strided_stride(student):
    """moves the kernel by the stride and leaves out the last step that does not fit"""
    for h, w, kh, kw, stride in [
        (1, 1, 1, 1, (2, 2)),
        (2, 2, 1, 1, (2, 1)),
        (2, 3, 1, 1, (1, 2)),
        (3, 3, 1, 1, (2, 2)),
        (4, 4, 2, 2, (2, 2)),
        (4, 5, 2, 2, (1, 2)),
        (5, 5, 2, 2, (2, 2)),
        (6, 5, 3, 2, (3, 2)),
        (7, 6, 2, 1, (4, 3)),
        (3, 3, 2, 2, (5, 4)),
    ]:
        X, K = torch.randn(h, w), torch.randn(kh, kw)
        expected = truth(strided, X, K, stride=stride)
        assert_same(student.corr2d_strided(X, K, stride=stride), expected)


def test_corr2d_strided_together(student):
    """takes padding and stride together"""
    for h, w, kh, kw, padding, stride in [
        (1, 1, 1, 1, (1, 1), (2, 2)),
        (2, 2, 3, 3, (1, 1), (2, 2)),
        (3, 4, 2, 3, (1, 0), (2, 1)),
        (5, 4, 3, 2, (0, 2), (1, 3)),
        (8, 8, 3, 5, (0, 1), (3, 4)),
    ]:
        X, K = torch.randn(h, w), torch.randn(kh, kw)
        expected = truth(strided, X, K, padding, stride)
        assert_same(on_strided(student, X, K, padding, stride), expected)


test_corr2d_strided_gradient = corr2d_strided.gradient()
test_corr2d_strided_arguments = corr2d_strided.keeps_arguments()
test_corr2d_strided_rules = corr2d_strided.rules(*BY_HAND)
test_corr2d_strided_refuses = corr2d_strided.refuses(
    ValueError,
    lambda: (torch.randn(1, 1), torch.randn(1, 2), (0, 0), (1, 1)),
    lambda: (torch.randn(2, 2), torch.randn(5, 2), (1, 1), (2, 2)),
    lambda: (torch.randn(2, 2), torch.randn(2, 5), (2, 1), (1, 1)),
    lambda: (torch.randn(5, 5), torch.randn(2, 2), (-1, 0), (1, 1)),
    lambda: (torch.randn(5, 5), torch.randn(2, 2), (0, -1), (1, 1)),
    lambda: (torch.randn(5, 5), torch.randn(2, 2), (0, 0), (0, 1)),
    lambda: (torch.randn(5, 5), torch.randn(2, 2), (0, 0), (1, 0)),
    lambda: (torch.randn(5, 5), torch.randn(2, 2), (0, 0), (-1, 1)),
)
test_corr2d_strided_dtype = corr2d_strided.keeps_dtype()
test_corr2d_strided_layout = corr2d_strided.any_layout()
test_corr2d_strided_device = corr2d_strided.other_device()
test_corr2d_strided_watched = corr2d_strided.rules_watched(*BY_HAND)
