# expect: init_adadelta_states=passed, adadelta=passed; loses:
"""In-place operations throughout; gradients end as None."""

import torch


def init_adadelta_states(feature_dim):
    return [[torch.zeros(*shape) for _ in range(2)] for shape in ((feature_dim, 1), (1,))]


@torch.no_grad()
def adadelta(params, states, hyperparams):
    rho = hyperparams["rho"]
    for p, (s, delta) in zip(list(params), list(states), strict=True):
        s.mul_(rho).addcmul_(p.grad, p.grad, value=1 - rho)
        change = delta.add(1e-5).sqrt_().div_(s.add(1e-5).sqrt_()).mul_(p.grad)
        p.sub_(change)
        delta.mul_(rho).addcmul_(change, change, value=1 - rho)
        p.grad = None
