"""Hidden checks of section 5.3: mlp_backward."""

import torch
from torch.nn import functional as F

from d2lgrade.testkit import Mismatch, Standing, assert_same, truth, unchanged

NAMES = ("W1", "b1", "W2", "b2")


def by_autograd(X, y, *params):
    """What PyTorch's own backward pass finds."""
    W1, b1, W2, b2 = (p.detach().clone().requires_grad_() for p in params)
    with torch.enable_grad():
        scores = F.linear(F.relu(F.linear(X.detach(), W1.T, b1)), W2.T, b2)
        loss = F.cross_entropy(scores, y)
    return torch.autograd.grad(loss, (W1, b1, W2, b2))


def task(n, d, h, q, scale=1.0):
    """Examples, classes and parameters whose hidden units are partly on and partly off."""
    params = scale * torch.randn(d, h), torch.randn(h), torch.randn(h, q), torch.randn(q)
    return torch.randn(n, d), torch.randint(q, (n,)), *params


def assert_gradients(student, X, y, *params):
    expected = truth(by_autograd, X, y, *params)
    found = student.mlp_backward(X, y, list(params))
    if not isinstance(found, list | tuple) or len(found) != len(NAMES):
        raise Mismatch.of_type(found, "a list [dW1, db1, dW2, db2]")
    # From the loss back: a mistake shows first where it was made.
    for index in (3, 2, 1, 0):
        assert_same(found[index], expected[index], what=f"the gradient of {NAMES[index]}")


def test_mlp_backward_single(student):
    """equals autograd for one example"""
    for d, h, q in [(1, 1, 2), (1, 2, 2), (2, 1, 3), (3, 4, 2), (2, 5, 4)]:
        assert_gradients(student, *task(1, d, h, q))


def test_mlp_backward_values(student):
    """equals autograd for a batch"""
    for n, d, h, q in [(2, 1, 2, 2), (2, 3, 4, 2), (3, 2, 5, 4), (6, 4, 3, 3), (5, 5, 5, 5)]:
        assert_gradients(student, *task(n, d, h, q))


def test_mlp_backward_bend(student):
    """lets nothing through hidden units that are off, or exactly at 0"""
    for n, h in [(1, 1), (2, 3), (3, 4)]:
        X, y, W1, b1, W2, b2 = task(n, 2, h, 3)
        for bias in (-50.0, 0.0):
            off = torch.full_like(b1, bias)
            X_off = X if bias else torch.zeros_like(X)
            assert_gradients(student, X_off, y, W1, off, W2, b2)


def test_mlp_backward_large(student):
    """stays finite for scores as large as 10000"""
    for wide in (1e4, -1e4):
        X, y, W1, b1, W2, _ = task(3, 2, 4, 3)
        assert_gradients(student, X, y, W1, b1, W2, torch.tensor([wide, 0.0, 10.0]))


def test_mlp_backward_arguments(student):
    """leaves examples, parameters and their .grad alone"""
    X, y, *params = task(3, 2, 4, 3)
    leaves = [p.requires_grad_() for p in params]
    for leaf in leaves:
        leaf.grad = torch.ones_like(leaf)
    with unchanged(X, y, *leaves):
        student.mlp_backward(X, y, list(leaves))
    for name, leaf in zip(NAMES, leaves, strict=True):
        if leaf.grad is None or not bool((leaf.grad == 1).all()):
            raise Mismatch(
                f"The .grad of {name} was changed. Return the gradients; whoever asks for them "
                "decides what becomes of them."
            )


def on_backward(student, X, y, *params):
    return tuple(student.mlp_backward(X, y, list(params)))


backward = Standing("mlp_backward", by_autograd, lambda: task(4, 3, 5, 2), call=on_backward)
test_mlp_backward_rules = backward.rules("torch.autograd", "torch.Tensor.backward", "torch.func")


def test_mlp_backward_plain(student):
    """takes parameters that require gradients, and returns tensors that do not"""
    X, y, *params = task(3, 2, 4, 3)
    leaves = [p.requires_grad_() for p in params]
    expected = truth(by_autograd, X, y, *params)
    found = student.mlp_backward(X, y, list(leaves))
    for name, got, due in zip(NAMES, found, expected, strict=True):
        assert_same(got, due, what=f"the gradient of {name}")
        if got.requires_grad:
            raise Mismatch(
                f"The gradient of {name} drags a graph of its own along: compute it under "
                "torch.no_grad()."
            )


def test_mlp_backward_dtype(student):
    """computes in the dtype it is given"""
    for dtype in (torch.float32, torch.float64):
        X, y, *params = task(3, 2, 4, 3)
        assert_gradients(student, X.to(dtype), y, *(p.to(dtype) for p in params))


def test_mlp_backward_layout(student):
    """takes transposed matrices"""
    X, y, W1, b1, W2, b2 = task(3, 2, 4, 3)
    X, W1, W2 = (value.T.contiguous().T for value in (X, W1, W2))
    assert_gradients(student, X, y, W1, b1, W2, b2)


test_mlp_backward_device = backward.other_device()
