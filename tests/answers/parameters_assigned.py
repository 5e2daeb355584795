# expect: tied_mlp=passed; loses:
"""Two layers that are given the same two parameters."""

from torch import nn


def tied_mlp(num_hidden):
    one, other = nn.Linear(num_hidden, num_hidden), nn.Linear(num_hidden, num_hidden)
    other.weight, other.bias = one.weight, one.bias
    hidden = [nn.LazyLinear(num_hidden), one, other]
    layers = [part for layer in hidden for part in (layer, nn.ReLU())]
    return nn.Sequential(*layers, nn.Linear(num_hidden, 1))
