"""Hidden checks for section 5.6: dropout.

Statistics fail an honest layer less than once in a million draws of a check, by the bounds that
`assert_rate` and `assert_independent` state; where a check looks several times, the slack in
those bounds (more than tenfold) makes up for it.
"""

import torch

from d2lgrade.testkit import (
    Mismatch,
    Standing,
    assert_independent,
    assert_rate,
    assert_same,
    refuses,
    truth,
)
from d2lgrade.testkit.gradient import pattern
from d2lgrade.testkit.standing import expanded, sliced, transposed

LIBRARY = ("torch.dropout",)


def drawn(*shape):
    """Entries that are not zero, so that zeros in the result have been dropped."""
    signs = torch.randint(2, shape) * 2.0 - 1.0
    return signs * (1.0 + torch.rand(shape))


def scaled(X, dropout):
    """What every entry becomes if it survives."""
    return X / (1 - dropout)


def survivors(got, X):
    """Where the entries of X survived, once the result is known to have its shape."""
    if not isinstance(got, torch.Tensor):
        raise Mismatch.of_type(got)
    if got.shape != X.shape:
        raise Mismatch(
            "The result does not have the shape of X.",
            expected=f"shape {tuple(X.shape)}",
            got=f"shape {tuple(got.shape)}",
        )
    return got.detach() != 0


def assert_dropout(student, X, dropout):
    """Fail unless every entry is 0 or the scaled entry of X as it was before the call."""
    given = X.clone()
    got = student.dropout_layer(X, dropout)
    alive = survivors(got, given)
    due = truth(lambda X: torch.where(alive, scaled(X, dropout), 0.0), given)
    assert_same(got, due)


layer = Standing("dropout_layer", lambda X, p: X, lambda: (drawn(3, 4), 0.5))


def test_dropout_layer_none(student):
    """keeps everything for dropout 0"""
    # Fifteen entries in all: `torch.rand(...) > 0` drops one in 17 million, and may.
    for shape in [(1,), (2, 3), (2, 2, 2)]:
        X = drawn(*shape)
        expected = X.clone()
        assert_same(student.dropout_layer(X, 0.0), expected)


def test_dropout_layer_all(student):
    """drops everything for dropout 1"""
    for shape in [(1,), (3, 4), (2, 3, 4)]:
        X = drawn(*shape)
        expected = torch.zeros(shape)
        assert_same(student.dropout_layer(X, 1.0), expected)


def test_dropout_layer_scale(student):
    """divides the survivors by the probability to survive"""
    for shape, dropout in [((40,), 0.2), ((10, 10), 0.3), ((30, 10), 0.75), ((10, 5, 20), 0.9)]:
        X = drawn(*shape)
        assert_dropout(student, X, dropout)


def test_dropout_layer_rate(student):
    """drops as many as dropout says"""
    for shape, dropout in [
        ((20000,), 0.2),
        ((40, 500), 0.5),
        ((100, 20, 10), 0.75),
        ((10, 20, 10, 10), 0.05),
    ]:
        X = drawn(*shape)
        alive = survivors(student.dropout_layer(X, dropout), X)
        what = f"The share of zeros for dropout {dropout}"
        assert_rate(int((~alive).sum()), alive.numel(), dropout, what)


def test_dropout_layer_independent(student):
    """draws for every entry apart"""
    for shape in [(60, 50), (20, 10, 15)]:
        X = drawn(*shape)
        alive = survivors(student.dropout_layer(X, 0.4), X)
        assert_independent(alive, "The dropped entries")


def test_dropout_layer_calls(student):
    """draws anew in every call"""
    X = drawn(60, 50)
    masks = [survivors(student.dropout_layer(X, 0.5), X) for _ in range(2)]
    agree = int((masks[0] == masks[1]).sum())
    assert_rate(agree, X.numel(), 0.5, "The share of entries with the same fate in two calls")


def test_dropout_layer_share(student):
    """leaves the number of survivors to chance as well"""
    X = drawn(2)
    counts = [int(survivors(student.dropout_layer(X, 0.5), X).sum()) for _ in range(32)]
    if len(set(counts)) == 1:
        raise Mismatch(
            f"In 32 calls on two entries, exactly {counts[0]} survived each time. With a draw for "
            "each entry, now both survive and now neither.",
            expected="0, 1 or 2 survivors, by chance",
            got=f"always {counts[0]}",
        )


def test_dropout_layer_gradient(student):
    """lets the gradient through where an entry survived, equally scaled"""
    for shape, dropout in [((20,), 0.5), ((6, 7), 0.2)]:
        X = drawn(*shape).requires_grad_()
        Y = student.dropout_layer(X, dropout)
        alive = survivors(Y, X)
        if not Y.requires_grad:
            raise Mismatch(
                "The result carries no gradient: something cuts the graph between X and the "
                "result (.data, .detach(), torch.no_grad(), torch.tensor(…) or NumPy)."
            )
        weights = pattern(Y)
        due = truth(
            lambda g, alive, p: torch.where(alive, scaled(g, p), 0.0), weights, alive, dropout
        )
        (found,) = torch.autograd.grad(Y, X, weights)
        assert_same(found, due, what="the gradient for X")


test_dropout_layer_arguments = layer.keeps_arguments()
test_dropout_layer_rules = layer.rules(*LIBRARY)


def test_dropout_layer_refuses(student):
    """refuses what is no probability"""
    for dropout in (-0.5, 1.5, -1.0, 2.0):
        X = drawn(2, 2)
        refuses(ValueError, student.dropout_layer, X, dropout)


def test_dropout_layer_dtype(student):
    """computes in the dtype it is given"""
    for dtype in (torch.float32, torch.float64):
        X = drawn(5, 8).to(dtype)
        assert_dropout(student, X, 0.3)


def test_dropout_layer_layout(student):
    """takes transposed, expanded and sliced tensors"""
    for change in (transposed, sliced, expanded):
        X = change(drawn(5, 8))
        assert_dropout(student, X, 0.5)


def test_dropout_layer_empty(student):
    """takes an empty batch"""
    for dropout in (0.5, 1.0):
        X = torch.zeros(0, 3)
        expected = X.clone()
        assert_same(student.dropout_layer(X, dropout), expected)


test_dropout_layer_device = layer.other_device()
