# expect: init_adagrad_states=passed, adagrad=passed; loses:
"""A rate for each entry first, as a power of the sum; everything through .data."""

import torch


def init_adagrad_states(feature_dim):
    return tuple(torch.zeros(*shape) for shape in ((feature_dim, 1), (1,)))


def adagrad(params, states, hyperparams):
    if len(params) != len(states):
        raise ValueError("a sum each, please")
    for index, p in enumerate(params):
        gradient = p.grad.detach().clone()
        states[index].copy_(states[index] + gradient * gradient)
        rate = hyperparams["lr"] * torch.pow(states[index] + 0.000001, -0.5)
        p.data.copy_(p.data - gradient * rate)
        p.grad = torch.zeros_like(gradient)
