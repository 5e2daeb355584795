# expect: init_adam_states=passed, adam=passed; loses:
"""Works on .data, and rescales eps instead of correcting the second moment."""

import math

import torch


def init_adam_states(feature_dim):
    return [[torch.zeros(*shape) for _ in "vs"] for shape in ((feature_dim, 1), (1,))]


def moved(average, value, share):
    average.copy_(average - share * (average - value))


def adam(params, states, hyperparams):
    count = hyperparams["t"]
    if count < 1:
        raise ValueError("count steps from 1")
    if len(list(params)) != len(list(states)):
        raise ValueError("as many states as parameters, please")
    weight = math.sqrt(1 - 0.999**count)
    for index in range(len(params)):
        gradient = params[index].grad.detach().clone()
        moved(states[index][0], gradient, 1 - 0.9)
        moved(states[index][1], gradient.square(), 1 - 0.999)
        top = states[index][0] * (weight / (1 - 0.9**count))
        params[index].data -= hyperparams["lr"] * top / (states[index][1].sqrt() + weight * 1e-6)
        params[index].grad = torch.zeros_like(gradient)
    hyperparams["t"] = count + 1
