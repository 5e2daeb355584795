"""Wrong answers that people give in section 12.3, and what went wrong in them."""

import torch

from d2lgrade.testkit import misconception


def _counted(num_steps):
    """The steps to take, so that only the mistake shows."""
    if num_steps < 0:
        raise ValueError("num_steps counts from 0")
    return range(num_steps)


@misconception(
    "gradient_descent",
    "ascends",
    book="12.3.1",
    why="The steps go along the gradient, which points uphill. Subtract them.",
)
def gradient_descent_ascends(grad, x, lr, num_steps):
    path = [x]
    for _ in _counted(num_steps):
        path.append(path[-1] + lr * grad(path[-1]))
    return torch.stack(path)


@misconception(
    "gradient_descent",
    "start-left-out",
    book="12.3.1",
    why="The path begins after the first step. Its first row is the start itself, so that there "
    "are num_steps + 1 points.",
)
def gradient_descent_startless(grad, x, lr, num_steps):
    path = [x]
    for _ in _counted(num_steps):
        path.append(path[-1] - lr * grad(path[-1]))
    return torch.stack(path[1:]) if num_steps else x.new_zeros(0, *x.shape)


@misconception(
    "gradient_descent",
    "end-left-out",
    book="12.3.1",
    why="Each point is noted before its step, so the last one is missing. The start and every step "
    "make num_steps + 1 points.",
)
def gradient_descent_endless(grad, x, lr, num_steps):
    path = []
    for _ in _counted(num_steps):
        path.append(x)
        x = x - lr * grad(x)
    return torch.stack(path) if num_steps else x.new_zeros(0, *x.shape)


@misconception(
    "gradient_descent",
    "last-point-only",
    book="12.3.1",
    why="Only the last point is returned. Collect every point on the way, the start included.",
)
def gradient_descent_last(grad, x, lr, num_steps):
    for _ in _counted(num_steps):
        x = x - lr * grad(x)
    return x


@misconception(
    "gradient_descent",
    "one-tensor-for-all-points",
    book="12.3.1",
    why="x -= … changes one and the same tensor, and the path holds that tensor many times: all "
    "rows show its last value, and the caller's x has moved too. Make a new tensor in each step.",
)
def gradient_descent_alias(grad, x, lr, num_steps):
    path = [x]
    for _ in _counted(num_steps):
        x -= lr * grad(x)
        path.append(x)
    return torch.stack(path)


@misconception(
    "gradient_descent",
    "gradient-of-the-start",
    book="12.3.1",
    why="The gradient is taken once, at the start, and used in every step. It changes on the way: "
    "ask for it anew at each point.",
)
def gradient_descent_frozen(grad, x, lr, num_steps):
    slope = grad(x)
    return torch.stack([x] + [x - (t + 1) * lr * slope for t in _counted(num_steps)])


@misconception(
    "gradient_descent",
    "direction-only",
    book="12.3.1",
    why="Every step has the length lr: the gradient is divided by its norm. Its size belongs to "
    "the step, which so grows shorter near the minimum.",
)
def gradient_descent_normed(grad, x, lr, num_steps):
    path = [x]
    for _ in _counted(num_steps):
        slope = grad(path[-1])
        path.append(path[-1] - lr * slope / slope.norm())
    return torch.stack(path)


def _newton(x, num_steps, step):
    """The walk by a step of one's own."""
    path = [x]
    for _ in _counted(num_steps):
        path.append(path[-1] - step(path[-1]))
    return torch.stack(path)


@misconception(
    "newton",
    "gradient-descent",
    book="12.3.3",
    why="The Hessian is not used: this is plain gradient descent. Multiply the gradient by the "
    "inverse of the Hessian.",
)
def newton_plain(grad, hessian, x, lr, num_steps):
    return _newton(x, num_steps, lambda x: lr * grad(x))


@misconception(
    "newton",
    "hessian-not-inverted",
    book="12.3.3",
    why="The gradient is multiplied by the Hessian itself, so the steps grow where the curve is "
    "sharp. It takes the inverse: solve hessian @ step = grad.",
)
def newton_multiplied(grad, hessian, x, lr, num_steps):
    return _newton(x, num_steps, lambda x: lr * hessian(x) @ grad(x))


@misconception(
    "newton",
    "diagonal-only",
    book="12.3.3",
    why="The gradient is divided by the diagonal of the Hessian. That is the cheaper, "
    "preconditioned walk; Newton's method solves with the whole matrix.",
)
def newton_diagonal(grad, hessian, x, lr, num_steps):
    return _newton(x, num_steps, lambda x: lr * grad(x) / hessian(x).diagonal())


@misconception(
    "newton",
    "reciprocal-of-entries",
    book="12.3.3",
    why="1 / hessian takes the reciprocal of each entry, which is the inverse in one dimension "
    "only. Use torch.linalg.solve, or torch.inverse.",
)
def newton_reciprocal(grad, hessian, x, lr, num_steps):
    return _newton(x, num_steps, lambda x: lr * (1 / hessian(x)) @ grad(x))


@misconception(
    "newton",
    "hessian-of-the-start",
    book="12.3.3",
    why="The Hessian is taken once, at the start. It changes on the way unless the objective is a "
    "quadratic: ask for it anew in each step.",
)
def newton_frozen(grad, hessian, x, lr, num_steps):
    bend = hessian(x)
    return _newton(x, num_steps, lambda x: lr * torch.linalg.solve(bend, grad(x)))


@misconception(
    "newton",
    "undamped",
    book="12.3.3",
    why="The learning rate is not used: every step is Newton's full one.",
)
def newton_undamped(grad, hessian, x, lr, num_steps):
    return _newton(x, num_steps, lambda x: torch.linalg.solve(hessian(x), grad(x)))


@misconception(
    "newton",
    "curvature-without-sign",
    book="12.3.3",
    why="The absolute value of the Hessian is used. That is a repair for negative curvature which "
    "the book only suggests; Newton's own method climbs there.",
)
def newton_absolute(grad, hessian, x, lr, num_steps):
    return _newton(x, num_steps, lambda x: lr * torch.linalg.solve(hessian(x).abs(), grad(x)))
