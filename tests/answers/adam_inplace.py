# expect: init_adam_states=passed, adam=passed; loses:
"""In-place operations throughout, the corrections drawn into the step; gradients end as None."""

import torch


def init_adam_states(feature_dim):
    buffer = torch.zeros(2, feature_dim + 1)
    weight, bias = buffer[:, :feature_dim], buffer[:, feature_dim:]
    return tuple((part[0].reshape(shape), part[1].reshape(shape))
                 for part, shape in ((weight, (feature_dim, 1)), (bias, (1,))))


@torch.no_grad()
def adam(params, states, hyperparams):
    t, lr = hyperparams["t"], hyperparams["lr"]
    if t <= 0:
        raise ValueError("t starts at 1")
    for p, (v, s) in zip(params, states, strict=True):
        v.lerp_(p.grad, 0.1)
        s.mul_(0.999).addcmul_(p.grad, p.grad, value=0.001)
        root = (s / (1 - 0.999**t)).sqrt_().add_(1e-6)
        p.addcdiv_(v, root, value=-lr / (1 - 0.9**t))
        p.grad = None
    hyperparams.update(t=t + 1)
