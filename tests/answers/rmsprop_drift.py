# expect: init_rmsprop_states=passed, rmsprop=passed; loses:
"""The mean drifts towards the square; the rate is a power; everything through .data."""

import torch


def init_rmsprop_states(feature_dim):
    return tuple(torch.zeros(*shape) for shape in ((feature_dim, 1), (1,)))


def rmsprop(params, states, hyperparams):
    if len(params) != len(states):
        raise ValueError("a mean each, please")
    for index, p in enumerate(params):
        gradient = p.grad.detach().clone()
        states[index].add_((1 - hyperparams["gamma"]) * (gradient * gradient - states[index]))
        rate = hyperparams["lr"] * torch.pow(states[index] + 0.000001, -0.5)
        p.data.copy_(p.data - gradient * rate)
        p.grad = torch.zeros_like(gradient)
