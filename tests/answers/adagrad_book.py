# expect: init_adagrad_states=passed, adagrad=passed; loses: ch12/adagrad/refuses
"""In the manner of the book's section: slices written under no_grad, gradients zeroed by hand."""

import torch
from d2l import torch as d2l


def init_adagrad_states(feature_dim):
    s_w = d2l.zeros((feature_dim, 1))
    s_b = d2l.zeros(1)
    return (s_w, s_b)


def adagrad(params, states, hyperparams):
    eps = 1e-6
    for p, s in zip(params, states):
        with torch.no_grad():
            s[:] += torch.square(p.grad)
            p[:] -= hyperparams['lr'] * p.grad / torch.sqrt(s + eps)
        p.grad.data.zero_()
