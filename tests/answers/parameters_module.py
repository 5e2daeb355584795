# expect: tied_mlp=passed; loses:
"""A module that calls its middle layer twice."""

import torch
from torch import nn


class Tied(nn.Module):
    def __init__(self, h):
        super().__init__()
        self.enter = nn.LazyLinear(h)
        self.middle = nn.Linear(h, h)
        self.leave = nn.Linear(h, 1)

    def forward(self, X):
        H = torch.relu(self.enter(X))
        for _ in range(2):
            H = torch.relu(self.middle(H))
        return self.leave(H)


def tied_mlp(num_hidden):
    return Tied(num_hidden)
