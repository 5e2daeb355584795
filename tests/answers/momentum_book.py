# expect: init_momentum_states=passed, sgd_momentum=passed; loses: ch12/sgd_momentum/refuses
"""In the manner of the book's section: slices written under no_grad, gradients zeroed by hand."""

import torch


def init_momentum_states(feature_dim):
    v_w = torch.zeros((feature_dim, 1))
    v_b = torch.zeros(1)
    return (v_w, v_b)


def sgd_momentum(params, states, hyperparams):
    for p, v in zip(params, states):
        with torch.no_grad():
            v[:] = hyperparams['momentum'] * v + p.grad
            p[:] -= hyperparams['lr'] * v
        p.grad.data.zero_()
