"""Hidden checks of section 12.3: gradient_descent, newton."""

import torch

from d2lgrade.testkit import Standing, assert_same, unchanged
from d2lgrade.testkit.truth import expected

# Objectives by their gradients and Hessians. Public: they travel to the learner's process.


def square(x):
    """The gradient of the sum of squares."""
    return 2 * x


def valley(x):
    """The gradient of 0.1 x1^2 + 2 x2^2 and so on, the book's long valley."""
    return torch.linspace(0.2, 4.0, len(x)).to(x) * (x + 1.0)


def waves(x):
    """The gradient of x cos(0.5 x), which has many valleys."""
    return torch.cos(0.5 * x) - 0.5 * x * torch.sin(0.5 * x)


def by_autograd(x):
    """The gradient of the sum of (x - 1)^4 / 10, from autograd."""
    x = x.detach().requires_grad_()
    return torch.autograd.grad(((x - 1.0) ** 4).sum() / 10, x)[0]


def cosh(x):
    """The gradient of the sum of cosh(0.5 x)."""
    return 0.5 * torch.sinh(0.5 * x)


def cosh_hessian(x):
    return torch.diag(0.25 * torch.cosh(0.5 * x))


def mixed(x):
    """The gradient of a bowl whose axes are tilted against the coordinates."""
    return mixed_hessian(x) @ (x - 0.5)


def mixed_hessian(x):
    """2 on the diagonal, growing; 0.7 beside it."""
    n = len(x)
    i = torch.arange(n, device=x.device)
    near = ((i[:, None] - i).abs() == 1).to(x.dtype)
    return torch.diag(2.0 + i.to(x.dtype)) + 0.7 * near


def chained(x):
    """The gradient of a quartic chain: the entries pull at their neighbours, more when far off."""
    pull = torch.diff(x) ** 3
    zero = pull.new_zeros(1)
    return x + torch.cat([zero, pull]) - torch.cat([pull, zero])


def chained_hessian(x):
    bend = 3 * torch.diff(x) ** 2
    zero = bend.new_zeros(1)
    across = torch.diag(bend, 1)
    on = 1 + torch.cat([zero, bend]) + torch.cat([bend, zero])
    return torch.diag(on) - across - across.T


def wave_hessian(x):
    """Negative in places, where Newton's method climbs."""
    return torch.diag(-torch.sin(0.5 * x) - 0.25 * x * torch.cos(0.5 * x))


def fourth_by_autograd(x):
    return torch.diag(1.2 * (x.detach().requires_grad_() - 1.0) ** 2).detach()


def due(oracle, x):
    """The expected path from x: the size of what is summed is that of the path itself."""
    exact = oracle(x.double())
    return expected(oracle(x), exact, exact)


# --- gradient_descent -----------------------------------------------------------------------


def descent(grad, x, lr, num_steps):
    """The walk by PyTorch's own multiply-and-add."""
    path = [x]
    for _ in range(num_steps):
        path.append(torch.add(path[-1], grad(path[-1]), alpha=-lr))
    return torch.stack(path)


def test_gradient_descent_path(student):
    """makes every step, and tells all points in order"""
    for grad, shape, lr, num_steps in [
        (square, (1,), 0.25, 1),
        (square, (), 0.2, 3),
        (square, (1,), 0.05, 10),
        (square, (2, 3), 0.4, 4),
        (square, (2,), 1.1, 6),
        (valley, (2,), 0.4, 20),
        (valley, (5,), 0.1, 12),
        (waves, (3,), 0.5, 12),
        (waves, (2, 1, 2), 2.0, 5),
    ]:
        x = 3 * torch.randn(shape)
        expected = due(lambda x: descent(grad, x, lr, num_steps), x)
        found = student.gradient_descent(grad, x, lr, num_steps)
        what = f"the path of {num_steps} steps on `{grad.__name__}`"
        assert_same(found, expected, what=what)


def test_gradient_descent_still(student):
    """tells the start alone where no step is taken"""
    for shape in [(1,), (), (2, 3)]:
        x = torch.randn(shape)
        found = student.gradient_descent(square, x, 0.1, 0)
        assert_same(found, x[None], what="the path of 0 steps")


def test_gradient_descent_arguments(student):
    """leaves the start where it is"""
    for shape in [(1,), (), (2, 3)]:
        x = torch.randn(shape)
        with unchanged(x):
            student.gradient_descent(square, x, 0.1, 3)


def test_gradient_descent_autograd(student):
    """lets the gradient come from autograd"""
    for shape in [(1,), (2, 2)]:
        x = torch.randn(shape)
        expected = due(lambda x: descent(by_autograd, x, 0.1, 4), x)
        found = student.gradient_descent(by_autograd, x, 0.1, 4)
        assert_same(found.detach(), expected, what="the path by a gradient from autograd")


gradient_descent = Standing(
    "gradient_descent", descent, lambda: (valley, torch.randn(3, 3) + 4.0, 0.1, 3)
)
test_gradient_descent_refuses = gradient_descent.refuses(
    ValueError, lambda: (square, torch.randn(2), 0.1, -1)
)
test_gradient_descent_dtype = gradient_descent.keeps_dtype()
test_gradient_descent_layout = gradient_descent.any_layout()
test_gradient_descent_device = gradient_descent.other_device()
test_gradient_descent_rules = gradient_descent.rules("torch.optim")

# --- newton ---------------------------------------------------------------------------------


def newton_walk(grad, hessian, x, lr, num_steps):
    """The walk by the inverse, as the formula has it."""
    path = [x]
    for _ in range(num_steps):
        path.append(path[-1] - lr * torch.inverse(hessian(path[-1])) @ grad(path[-1]))
    return torch.stack(path)


def test_newton_path(student):
    """makes every step, and tells all points in order"""
    for grad, hessian, d, lr, num_steps in [
        (cosh, cosh_hessian, 1, 0.5, 1),
        (cosh, cosh_hessian, 1, 1.0, 4),
        (mixed, mixed_hessian, 2, 0.5, 1),
        (mixed, mixed_hessian, 4, 1.0, 2),
        (chained, chained_hessian, 2, 1.0, 4),
        (chained, chained_hessian, 3, 0.5, 6),
        (cosh, cosh_hessian, 5, 0.3, 8),
    ]:
        x = torch.rand(d) + torch.arange(1, d + 1) % 3
        expected = due(lambda x: newton_walk(grad, hessian, x, lr, num_steps), x)
        found = student.newton(grad, hessian, x, lr, num_steps)
        what = f"the path of {num_steps} steps on `{grad.__name__}` in {d} dimensions"
        assert_same(found, expected, what=what)


def test_newton_uphill(student):
    """climbs where the curvature is negative, as Newton's method does"""
    x = torch.tensor([3.0])
    expected = due(lambda x: newton_walk(waves, wave_hessian, x, 0.5, 2), x)
    found = student.newton(waves, wave_hessian, x, 0.5, 2)
    assert_same(found, expected, what="the path from a point of negative curvature")


def test_newton_still(student):
    """tells the start alone where no step is taken"""
    for d in (1, 3):
        x = torch.randn(d)
        found = student.newton(mixed, mixed_hessian, x, 1.0, 0)
        assert_same(found, x[None], what="the path of 0 steps")


def test_newton_arguments(student):
    """leaves the start where it is"""
    for d in (1, 3):
        x = torch.randn(d)
        with unchanged(x):
            student.newton(mixed, mixed_hessian, x, 0.5, 3)


def test_newton_autograd(student):
    """lets gradient and Hessian come from autograd"""
    x = torch.tensor([3.0, -1.0])
    expected = due(lambda x: newton_walk(by_autograd, fourth_by_autograd, x, 1.0, 3), x)
    found = student.newton(by_autograd, fourth_by_autograd, x, 1.0, 3)
    assert_same(found.detach(), expected, what="the path by derivatives from autograd")


newton = Standing(
    "newton", newton_walk, lambda: (mixed, mixed_hessian, torch.rand(3) + 2.0, 0.5, 3)
)
test_newton_refuses = newton.refuses(
    ValueError, lambda: (mixed, mixed_hessian, torch.randn(2), 1.0, -1)
)
test_newton_dtype = newton.keeps_dtype()
test_newton_layout = newton.any_layout()
test_newton_device = newton.other_device()
test_newton_rules = newton.rules("torch.optim")
