"""Hidden checks for section 7.4: multiple input and output channels."""

import torch
from torch.nn import functional as F

from d2lgrade.families import covers
from d2lgrade.testkit import Mismatch, Standing, assert_same, truth

PRODUCTS = (
    "torch.matmul",
    "torch.einsum",
    "torch.tensordot",
    "torch.nn.functional.linear",
    "torch.inner",
)


def multi_in_torch(X, K):
    return F.conv2d(X[None], K[None])[0, 0]


def multi_in_out_torch(X, K):
    return F.conv2d(X[None], K)[0]


def multi_in_case(c_i, h, w, kh, kw):
    return torch.randn(c_i, h, w), torch.randn(c_i, kh, kw)


def multi_in_out_case(c_i, c_o, h, w, kh, kw):
    return torch.randn(c_i, h, w), torch.randn(c_o, c_i, kh, kw)


multi_in = Standing("corr2d_multi_in", multi_in_torch, lambda: multi_in_case(3, 5, 6, 2, 3))
multi_in_out = Standing(
    "corr2d_multi_in_out", multi_in_out_torch, lambda: multi_in_out_case(3, 2, 5, 6, 2, 3)
)
one_by_one = Standing(
    "corr2d_multi_in_out_1x1", multi_in_out_torch, lambda: multi_in_out_case(3, 2, 4, 5, 1, 1)
)


def test_corr2d_multi_in_values(student):
    """adds up what every channel gives"""
    for sizes in [
        (1, 1, 1, 1, 1),
        (2, 1, 1, 1, 1),
        (2, 1, 3, 1, 2),
        (1, 3, 2, 2, 1),
        (3, 3, 3, 3, 3),
        (4, 5, 6, 2, 3),
    ]:
        X, K = multi_in_case(*sizes)
        expected = truth(multi_in_torch, X, K)
        assert_same(student.corr2d_multi_in(X, K), expected)


test_corr2d_multi_in_gradient = multi_in.gradient()
test_corr2d_multi_in_arguments = multi_in.keeps_arguments()
test_corr2d_multi_in_rules = multi_in.rules("torch.conv2d")
test_corr2d_multi_in_refuses = multi_in.refuses(
    ValueError,
    lambda: (torch.randn(1, 2, 2), torch.randn(2, 1, 1)),
    lambda: (torch.randn(3, 4, 4), torch.randn(2, 2, 2)),
    lambda: (torch.randn(2, 4, 4), torch.randn(1, 2, 2)),
)
test_corr2d_multi_in_dtype = multi_in.keeps_dtype()
test_corr2d_multi_in_layout = multi_in.any_layout()
test_corr2d_multi_in_device = multi_in.other_device()


def test_corr2d_multi_in_out_values(student):
    """stacks one map for each output channel on axis 0"""
    for sizes in [
        (2, 2, 1, 1, 1, 1),  # not the smallest, but here the usual mistakes already differ
        (1, 1, 1, 1, 1, 1),
        (1, 2, 1, 1, 1, 1),
        (2, 1, 1, 2, 1, 2),
        (2, 2, 2, 2, 1, 1),
        (2, 3, 3, 4, 2, 3),
        (4, 2, 6, 5, 3, 1),
        (3, 3, 3, 3, 3, 3),
    ]:
        X, K = multi_in_out_case(*sizes)
        expected = truth(multi_in_out_torch, X, K)
        assert_same(student.corr2d_multi_in_out(X, K), expected)


test_corr2d_multi_in_out_gradient = multi_in_out.gradient()
test_corr2d_multi_in_out_arguments = multi_in_out.keeps_arguments()
test_corr2d_multi_in_out_rules = multi_in_out.rules("torch.conv2d")
test_corr2d_multi_in_out_refuses = multi_in_out.refuses(
    ValueError,
    lambda: (torch.randn(1, 2, 2), torch.randn(1, 2, 1, 1)),
    lambda: (torch.randn(3, 4, 4), torch.randn(3, 2, 2, 2)),
)
test_corr2d_multi_in_out_device = multi_in_out.other_device()


def test_corr2d_multi_in_out_1x1_values(student):
    """mixes the channels of every pixel"""
    for sizes in [
        (1, 1, 1, 1),
        (2, 1, 1, 2),
        (1, 2, 2, 1),
        (2, 2, 1, 1),
        (3, 2, 2, 3),
        (2, 4, 5, 3),
    ]:
        X, K = multi_in_out_case(*sizes, 1, 1)
        expected = truth(multi_in_out_torch, X, K)
        assert_same(student.corr2d_multi_in_out_1x1(X, K), expected)


test_corr2d_multi_in_out_1x1_gradient = one_by_one.gradient()
test_corr2d_multi_in_out_1x1_arguments = one_by_one.keeps_arguments()
test_corr2d_multi_in_out_1x1_rules = one_by_one.rules("torch.conv2d")
test_corr2d_multi_in_out_1x1_refuses = one_by_one.refuses(
    ValueError,
    lambda: multi_in_out_case(1, 1, 2, 2, 1, 2),
    lambda: multi_in_out_case(1, 1, 2, 2, 2, 1),
    lambda: (torch.randn(2, 3, 3), torch.randn(4, 3, 1, 1)),
    lambda: (torch.randn(4, 3, 3), torch.randn(4, 2, 1, 1)),
)
test_corr2d_multi_in_out_1x1_dtype = one_by_one.keeps_dtype()
test_corr2d_multi_in_out_1x1_layout = one_by_one.any_layout()
test_corr2d_multi_in_out_1x1_device = one_by_one.other_device()


def test_corr2d_multi_in_out_1x1_product(student):
    """lets a matrix product do the sums"""
    X, K = one_by_one.inputs()
    with student.watched() as seen:
        student.corr2d_multi_in_out_1x1(X, K)
    if not any(covers(product, name) for product in PRODUCTS for name in seen):
        raise Mismatch(
            "While it ran, no matrix product was called. Its point is that one product of a "
            "(c_o, c_i) and a (c_i, h * w) matrix does all the work.",
            expected="a call of @, torch.matmul, torch.einsum or the like",
            got=", ".join(sorted(seen)) or "no call of a torch function",
        )
