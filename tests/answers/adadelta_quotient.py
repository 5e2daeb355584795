# expect: init_adadelta_states=passed, adadelta=passed; loses:
"""One root of the quotient; the means drift; everything through .data."""

import torch


def init_adadelta_states(feature_dim):
    table = torch.zeros(2, feature_dim + 1)
    weight, bias = table[:, :feature_dim, None], table[:, feature_dim:]
    return (weight[0], weight[1]), (bias[0], bias[1])


def drift(mean, value, share):
    mean.add_(share * (value - mean))


def adadelta(params, states, hyperparams):
    if len(params) != len(states):
        raise ValueError("a pair each, please")
    share = 1 - hyperparams["rho"]
    for index, p in enumerate(params):
        squares, changes = states[index]
        gradient = p.grad.detach().clone()
        drift(squares, gradient * gradient, share)
        change = gradient * ((changes + 1e-5) / (squares + 1e-5)) ** 0.5
        p.data.copy_(p.data - change)
        drift(changes, change * change, share)
        p.grad = torch.zeros_like(gradient)
