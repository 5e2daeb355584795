# expect: dropout_layer=passed, DropoutMLP=passed; loses:
"""Bernoulli draws, filled in where nothing survives."""

import torch


def dropout_layer(X, dropout):
    if dropout < 0 or dropout > 1:
        raise ValueError(dropout)
    survive = 1.0 - dropout
    if survive == 0.0:
        return X * 0.0
    draws = torch.empty(X.shape, dtype=X.dtype, device=X.device).bernoulli_(survive)
    return X.mul(draws.div_(survive))


class DropoutMLP(torch.nn.Sequential):
    def __init__(self, num_outputs, num_hiddens_1, num_hiddens_2, dropout_1, dropout_2):
        nn = torch.nn
        super().__init__(
            nn.Flatten(),
            nn.LazyLinear(num_hiddens_1), nn.Dropout(dropout_1), nn.ReLU(),
            nn.LazyLinear(num_hiddens_2), nn.Dropout(dropout_2), nn.ReLU(),
            nn.LazyLinear(num_outputs),
        )
