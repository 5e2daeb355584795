# expect: sgd=passed; loses:
"""All new values first, then all of them written back."""

import torch


@torch.no_grad()
def sgd(params, lr, batch_size):
    moving = [p for p in params if p.grad is not None]
    targets = [p - (p.grad / batch_size) * lr for p in moving]
    for p, target in zip(moving, targets):
        p[...] = target
        p.grad *= 0
