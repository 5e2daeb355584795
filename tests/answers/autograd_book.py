# expect: grad_of_sum=passed, vjp=passed, jacobian=passed, numerical_gradient=passed, detached_product=passed; loses: ch02/grad_of_sum/others, ch02/grad_of_sum/turned_off, ch02/vjp/refuses, ch02/jacobian/refuses
"""In the manner of the book's section: backward() on a copy, then its .grad."""

import torch


def grad_of_sum(f, x):
    x = x.detach().clone()
    x.requires_grad_(True)
    y = f(x)
    y.sum().backward()
    return x.grad


def vjp(f, x, v):
    x = x.detach().clone()
    x.requires_grad_(True)
    y = f(x)
    y.backward(gradient=v)
    return x.grad


def jacobian(f, x):
    x = x.detach().clone()
    x.requires_grad_(True)
    y = f(x)
    J = torch.zeros(len(y), len(x), dtype=x.dtype, device=x.device)
    for i in range(len(y)):
        x.grad = None
        y[i].backward(retain_graph=True)
        J[i] = x.grad
    return J


def numerical_gradient(f, x, h=1e-4):
    x = x.detach().to(torch.float64)
    grad = torch.zeros(x.shape, dtype=torch.float64, device=x.device)
    for i in range(x.numel()):
        e = torch.zeros(x.numel(), dtype=torch.float64, device=x.device)
        e[i] = h
        e = e.reshape(x.shape)
        grad.reshape(-1)[i] = float((f(x + e) - f(x - e)) / (2 * h))
    return grad


def detached_product(x):
    y = x * x
    u = y.detach()
    z = u * x
    return z
