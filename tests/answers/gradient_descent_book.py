# expect: gradient_descent=passed, newton=passed; loses: ch12/gradient_descent/refuses, ch12/newton/refuses
"""In the manner of the book's section: x moves in place, and a list keeps the results."""

import torch
from d2l import torch as d2l


def gradient_descent(grad, x, lr, num_steps):
    x = x.clone()
    results = [x.clone()]
    for i in range(num_steps):
        x -= lr * grad(x)
        results.append(x.clone())
    return torch.stack(results)


def newton(grad, hessian, x, lr, num_steps):
    x = x.clone()
    results = [x.clone()]
    for i in range(num_steps):
        x -= lr * d2l.matmul(torch.inverse(hessian(x)), grad(x))
        results.append(x.clone())
    return torch.stack(results)
