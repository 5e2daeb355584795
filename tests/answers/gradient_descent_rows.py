# expect: gradient_descent=passed, newton=passed; loses:
"""Both walks by one generator, written into the rows of a table made beforehand."""

import torch


def walk(x, step, lr, num_steps):
    if num_steps < 0:
        raise ValueError("how many steps?")
    path = x.new_empty(num_steps + 1, *x.shape)
    path[0] = x
    for row in range(num_steps):
        path[row + 1] = path[row] - step(path[row].clone()).mul(lr)
    return path


def gradient_descent(grad, x, lr, num_steps):
    return walk(x, grad, lr, num_steps)


def newton(grad, hessian, x, lr, num_steps):
    def step(x):
        factors, pivots = torch.linalg.lu_factor(hessian(x))
        return torch.linalg.lu_solve(factors, pivots, grad(x)[:, None])[:, 0]

    return walk(x, step, lr, num_steps)
