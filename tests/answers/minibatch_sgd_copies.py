# expect: sgd=passed; loses:
"""All new values first, then all of them written back; gradients end as None."""

import torch


@torch.no_grad()
def sgd(params, states, hyperparams):
    new = [torch.add(p, p.grad, alpha=-hyperparams["lr"]) for p in params]
    for p, value in zip(params, new, strict=True):
        p.copy_(value)
        p.grad = None
