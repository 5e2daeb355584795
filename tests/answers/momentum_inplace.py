# expect: init_momentum_states=passed, sgd_momentum=passed; loses:
"""In-place operations throughout; gradients end as None."""

import torch


def init_momentum_states(feature_dim):
    return [torch.zeros(feature_dim, 1), torch.zeros([1])]


@torch.no_grad()
def sgd_momentum(params, states, hyperparams):
    for p, v in zip(list(params), list(states), strict=True):
        v.mul_(hyperparams["momentum"]).add_(p.grad)
        p.add_(v, alpha=-hyperparams["lr"])
        p.grad = None
