# expect: CenteredLayer=passed, MyLinear=passed; loses:
"""A projection matrix's worth of centring, and parameters in a dictionary."""

import torch
from torch import nn


class CenteredLayer(nn.Identity):
    def forward(self, X):
        flat = X.reshape(-1)
        return (flat - flat.mean(0, keepdim=True)).reshape(X.shape)


class MyLinear(nn.Module):
    def __init__(self, in_units, units):
        super().__init__()
        draws = torch.normal(0.0, 1.0, (in_units + 1, units))
        self.p = nn.ParameterDict({"bias": draws[0].clone(), "weight": draws[1:].clone()})

    def forward(self, X):
        Z = torch.addmm(self.p["bias"], X, self.p["weight"])
        return torch.where(Z > 0, Z, torch.zeros_like(Z))
