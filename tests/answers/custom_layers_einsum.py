# expect: CenteredLayer=passed, MyLinear=passed; loses:
"""Sums over counts, an einsum, the bias registered first."""

import torch
from torch import nn


class CenteredLayer(nn.Module):
    def forward(self, X):
        return X - X.sum() / max(X.numel(), 1)


class MyLinear(nn.Module):
    def __init__(self, in_units, units):
        super().__init__()
        self.register_parameter("b", nn.Parameter(torch.empty(units).normal_()))
        self.register_parameter("w", nn.Parameter(torch.empty(in_units, units).normal_()))

    def forward(self, X):
        return (torch.einsum("nd,dh->nh", X, self.w) + self.b).clamp(min=0)
