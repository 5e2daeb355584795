"""Hidden checks for section 7.5: pooling."""

import torch
from torch.nn import functional as F

from d2lgrade.testkit import Standing, assert_same, gradients, truth

POOLINGS = (
    "torch.max_pool2d",
    "torch.nn.AvgPool2d",
    "torch.nn.AdaptiveMaxPool2d",
    "torch.nn.AdaptiveAvgPool2d",
)

PLANES = [
    (1, 1, 1, 1),
    (1, 2, 1, 1),
    (2, 2, 2, 2),
    (2, 3, 1, 2),
    (3, 2, 2, 1),
    (4, 5, 3, 2),
    (3, 6, 2, 4),
]  # h, w, ph, pw


def pool2d_torch(X, pool_size, mode="max"):
    return pool2d_multi_torch(X[None, None], pool_size, mode, stride=(1, 1))[0, 0]


def pool2d_multi_torch(X, pool_size, mode="max", padding=(0, 0), stride=None):
    if mode == "max":
        return F.max_pool2d(X, pool_size, stride, padding)
    return F.avg_pool2d(X, pool_size, stride, padding, count_include_pad=True)


def both(pool, *inputs, **options):
    return {mode: pool(*inputs, mode=mode, **options) for mode in ("max", "avg")}


plane = Standing(
    "pool2d",
    lambda X: both(pool2d_torch, X, (2, 3)),
    lambda: (torch.randn(4, 5),),
    lambda student, X: both(student.pool2d, X, (2, 3)),
)


def test_pool2d_max(student):
    """takes the largest entry of every window"""
    for h, w, *pool_size in PLANES:
        X = torch.randn(h, w)
        expected = truth(pool2d_torch, X, tuple(pool_size))
        assert_same(student.pool2d(X, tuple(pool_size)), expected)
    X = torch.randn(4, 4)
    expected = truth(pool2d_torch, X, (2, 2))
    assert_same(student.pool2d(X, (2, 2), mode="max"), expected)


def test_pool2d_average(student):
    """averages every window"""
    for h, w, *pool_size in PLANES:
        X = torch.randn(h, w)
        expected = truth(pool2d_torch, X, tuple(pool_size), mode="avg")
        assert_same(student.pool2d(X, tuple(pool_size), mode="avg"), expected)


def test_pool2d_negative(student):
    """finds the largest entry where all are negative"""
    for h, w, *pool_size in PLANES:
        X = -torch.rand(h, w) - 1
        expected = truth(pool2d_torch, X, tuple(pool_size))
        assert_same(student.pool2d(X, tuple(pool_size)), expected)


def test_pool2d_gradient(student):
    """sends the gradient to the entries that count"""
    for mode in ("max", "avg"):
        X = torch.randn(4, 5)
        expected = truth(gradients(pool2d_torch), X, (2, 3), mode=mode)
        found = gradients(student.pool2d)(X, (2, 3), mode=mode)
        assert_same(found[0], expected[0], what=f"the gradient for X in mode {mode!r}")


test_pool2d_arguments = plane.keeps_arguments()
test_pool2d_dtype = plane.keeps_dtype()
test_pool2d_layout = plane.any_layout()
test_pool2d_device = plane.other_device()
test_pool2d_rules = plane.rules(*POOLINGS)
test_pool2d_refuses = Standing(
    "pool2d", pool2d_torch, tuple, lambda student, X, size, mode: student.pool2d(X, size, mode=mode)
).refuses(
    ValueError,
    lambda: (torch.randn(1, 1), (1, 1), "mean"),
    lambda: (torch.randn(2, 3), (3, 3), "max"),
    lambda: (torch.randn(3, 2), (3, 3), "avg"),
)


batch = Standing(
    "pool2d_multi",
    lambda X: both(pool2d_multi_torch, X, (3, 2), padding=(1, 0), stride=(1, 2)),
    lambda: (torch.randn(2, 3, 4, 5),),
    lambda student, X: both(student.pool2d_multi, X, (3, 2), padding=(1, 0), stride=(1, 2)),
)


def test_pool2d_multi_default(student):
    """pools every channel apart, windows side by side"""
    for shape, pool_size in [
        ((1, 1, 1, 1), (1, 1)),
        ((1, 1, 2, 2), (2, 2)),
        ((1, 2, 1, 1), (1, 1)),
        ((1, 2, 2, 5), (1, 2)),
        ((2, 1, 5, 2), (2, 1)),
        ((2, 3, 6, 4), (3, 2)),
        ((3, 2, 7, 8), (3, 3)),
    ]:
        for mode in ("max", "avg"):
            X = torch.randn(shape)
            expected = truth(pool2d_multi_torch, X, pool_size, mode=mode)
            options = {} if mode == "max" else {"mode": mode}
            assert_same(student.pool2d_multi(X, pool_size, **options), expected)


def test_pool2d_multi_stride(student):
    """steps by the stride, and leaves out windows that do not fit"""
    for (h, w), pool_size, stride in [
        ((1, 2), (1, 1), (1, 1)),
        ((1, 3), (1, 1), (1, 2)),
        ((3, 2), (2, 1), (1, 1)),
        ((5, 4), (2, 2), (3, 1)),
        ((6, 8), (2, 3), (1, 4)),
        ((7, 7), (3, 3), (2, 2)),
    ]:
        for mode in ("max", "avg"):
            X = torch.randn(1, 2, h, w)
            expected = truth(pool2d_multi_torch, X, pool_size, mode=mode, stride=stride)
            assert_same(student.pool2d_multi(X, pool_size, mode=mode, stride=stride), expected)


PADDED = [
    ((1, 2), (1, 2), (0, 1), None),
    ((2, 1), (2, 1), (1, 0), None),
    ((1, 1), (2, 2), (1, 1), (1, 1)),
    ((1, 1), (3, 3), (1, 1), None),
    ((3, 4), (2, 3), (0, 1), (1, 2)),
    ((4, 3), (4, 2), (2, 0), (3, 1)),
    ((5, 5), (3, 2), (1, 1), (2, 2)),
    ((3, 2), (6, 7), (3, 3), (2, 1)),
]  # image, window, padding, stride


def test_pool2d_multi_max_padding(student):
    """never lets padding win the maximum"""
    for shape, pool_size, padding, stride in PADDED:
        X = -torch.rand(1, 2, *shape) - 1
        options = {"padding": padding} if stride is None else {"padding": padding, "stride": stride}
        expected = truth(pool2d_multi_torch, X, pool_size, **options)
        assert_same(student.pool2d_multi(X, pool_size, **options), expected)


def test_pool2d_multi_average_padding(student):
    """counts padding as zeros in the average"""
    for shape, pool_size, padding, stride in PADDED:
        X = torch.randn(1, 2, *shape)
        options = {"padding": padding} if stride is None else {"padding": padding, "stride": stride}
        expected = truth(pool2d_multi_torch, X, pool_size, mode="avg", **options)
        assert_same(student.pool2d_multi(X, pool_size, mode="avg", **options), expected)


def test_pool2d_multi_gradient(student):
    """sends the gradient to the entries that count"""
    for mode in ("max", "avg"):
        X = torch.randn(2, 2, 4, 5)
        options = {"mode": mode, "padding": (1, 1), "stride": (2, 1)}
        expected = truth(gradients(pool2d_multi_torch), X, (3, 2), **options)
        found = gradients(student.pool2d_multi)(X, (3, 2), **options)
        assert_same(found[0], expected[0], what=f"the gradient for X in mode {mode!r}")


test_pool2d_multi_arguments = batch.keeps_arguments()
test_pool2d_multi_rules = batch.rules(*POOLINGS)
test_pool2d_multi_dtype = batch.keeps_dtype()
test_pool2d_multi_layout = batch.any_layout()
test_pool2d_multi_empty = batch.empty_batch(lambda: (torch.zeros(0, 3, 4, 5),))
test_pool2d_multi_device = batch.other_device()
test_pool2d_multi_refuses = Standing(
    "pool2d_multi",
    pool2d_multi_torch,
    tuple,
    lambda student, shape, size, mode, padding: student.pool2d_multi(
        torch.randn(shape), size, mode=mode, padding=padding
    ),
).refuses(
    ValueError,
    lambda: ((1, 1, 1, 1), (1, 1), "mean", (0, 0)),
    lambda: ((1, 1, 1, 1), (1, 1), "max", (1, 0)),
    lambda: ((1, 1, 1, 1), (1, 1), "avg", (0, 1)),
    lambda: ((1, 1, 4, 4), (3, 4), "max", (2, 2)),
    lambda: ((1, 1, 4, 4), (4, 3), "max", (2, 2)),
    lambda: ((1, 1, 2, 3), (3, 3), "max", (0, 0)),
    lambda: ((1, 1, 3, 2), (3, 3), "avg", (0, 0)),
    lambda: ((1, 1, 1, 4), (4, 2), "avg", (1, 1)),
    lambda: ((1, 1, 4, 1), (2, 4), "max", (1, 1)),
)
