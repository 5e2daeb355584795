# expect: dropout_layer=passed; loses:
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
