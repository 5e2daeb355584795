# expect: grad_of_sum=passed, vjp=passed, jacobian=passed, numerical_gradient=passed, detached_product=passed; loses:
"""One backward pass for all rows, one batch of points for all differences, a context for no_grad."""

import torch


def pulled(f, x, weigh):
    with torch.enable_grad():
        own = torch.empty_like(x, requires_grad=True)
        own.data.copy_(x)
        return torch.autograd.grad(weigh(f(own)), (own,))[0]


def grad_of_sum(f, x):
    return pulled(f, x, torch.sum)


def vjp(f, x, v):
    def weigh(y):
        if tuple(y.shape) != tuple(v.shape):
            raise ValueError("one weight for each entry")
        return torch.dot(y.reshape(-1), v.reshape(-1))

    return pulled(f, x, weigh)


def jacobian(f, x):
    if x.ndim != 1 or f(x).ndim != 1:
        raise ValueError("vectors only")
    rows = []
    for i in range(f(x).numel()):
        rows.append(pulled(f, x, lambda y: y[i]).unsqueeze(0))
    return torch.cat(rows)


@torch.no_grad()
def numerical_gradient(f, x, h=1e-4):
    centre = x.to(torch.float64, copy=True).reshape(-1)
    steps = torch.diag(torch.full_like(centre, h))
    ends = [[f((centre + side * s).reshape(x.shape)).reshape(()) for s in steps] for side in (1, -1)]
    above, below = map(torch.stack, ends)
    return ((above - below) / 2 / h).reshape(x.shape)


def detached_product(x):
    with torch.no_grad():
        constant = x.square()
    return torch.mul(x, constant)
