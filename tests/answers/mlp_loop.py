# expect: mlp=passed, MLP=passed; loses:
"""A loop over layers of any number, and a Sequential with a relu of its own."""

import torch
from torch import nn


def mlp(X, params):
    H = X.view(len(X), -1) if X.is_contiguous() and len(X) else X.flatten(1)
    pairs = list(zip(params[::2], params[1::2]))
    for depth, (W, b) in enumerate(pairs, 1):
        H = torch.addmm(b, H, W)
        if depth < len(pairs):
            H = H.clamp_min(0)
    return H


class Bend(nn.Module):
    def forward(self, X):
        return torch.where(X > 0, X, torch.zeros_like(X))


class MLP(nn.Sequential):
    def __init__(self, num_outputs, num_hiddens):
        super().__init__()
        self.add_module("rows", nn.Flatten())
        self.add_module("hidden", nn.LazyLinear(num_hiddens))
        self.add_module("bend", Bend())
        self.add_module("scores", nn.Linear(num_hiddens, num_outputs))
