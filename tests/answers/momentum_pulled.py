# expect: init_momentum_states=passed, sgd_momentum=passed; loses:
"""The old velocity's pull and the gradient's are two steps of their own, through .data."""

import torch


def init_momentum_states(feature_dim):
    return tuple(torch.zeros(*shape) for shape in ((feature_dim, 1), (1,)))


def sgd_momentum(params, states, hyperparams):
    lr, share = hyperparams["lr"], hyperparams["momentum"]
    if len(params) != len(states):
        raise ValueError("a velocity each, please")
    for index, p in enumerate(params):
        gradient = p.grad.detach().clone()
        p.data -= lr * share * states[index]
        p.data -= lr * gradient
        states[index].copy_(share * states[index] + gradient)
        p.grad = torch.zeros_like(gradient)
