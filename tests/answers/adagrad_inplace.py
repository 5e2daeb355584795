# expect: init_adagrad_states=passed, adagrad=passed; loses:
"""In-place operations throughout; gradients end as None."""

import torch


def init_adagrad_states(feature_dim):
    return [torch.zeros(feature_dim, 1), torch.zeros([1])]


@torch.no_grad()
def adagrad(params, states, hyperparams):
    for p, s in zip(list(params), list(states), strict=True):
        s.addcmul_(p.grad, p.grad)
        p.addcdiv_(p.grad, s.add(1e-6).sqrt_(), value=-hyperparams["lr"])
        p.grad = None
