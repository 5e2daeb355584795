# expect: dropout_layer=passed; loses: ch05/dropout_layer/refuses, ch05/dropout_layer/device
"""Along the book: an assertion, a mask of floats drawn on the CPU."""

import torch


def dropout_layer(X, dropout):
    assert 0 <= dropout <= 1
    if dropout == 1:
        return torch.zeros_like(X)
    keep = (torch.rand(X.shape) > dropout).float()
    return keep * X / (1.0 - dropout)
