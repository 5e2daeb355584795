# expect: tied_mlp=passed; loses:
"""In the manner of the book's section."""

from torch import nn


def tied_mlp(num_hidden):
    shared = nn.LazyLinear(num_hidden)
    net = nn.Sequential(nn.LazyLinear(num_hidden), nn.ReLU(),
                        shared, nn.ReLU(),
                        shared, nn.ReLU(),
                        nn.LazyLinear(1))
    return net
