# expect: init_rmsprop_states=passed, rmsprop=passed; loses:
"""In-place operations throughout; gradients end as None."""

import torch


def init_rmsprop_states(feature_dim):
    return [torch.zeros(feature_dim, 1), torch.zeros([1])]


@torch.no_grad()
def rmsprop(params, states, hyperparams):
    share = 1 - hyperparams["gamma"]
    for p, s in zip(list(params), list(states), strict=True):
        s.mul_(hyperparams["gamma"]).addcmul_(p.grad, p.grad, value=share)
        p.addcdiv_(p.grad, s.add(1e-6).sqrt_(), value=-hyperparams["lr"])
        p.grad = None
