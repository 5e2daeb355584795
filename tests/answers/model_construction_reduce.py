# expect: MySequential=passed, FixedHiddenMLP=passed; loses:
"""A fold over attributes, parameters made by hand, and the number of halvings worked out."""

from functools import reduce

import torch
from torch import nn


class MySequential(nn.Module):
    def __init__(self, *modules):
        super().__init__()
        self.count = len(modules)
        for number, module in enumerate(modules):
            setattr(self, f"step{number}", module)

    def forward(self, X):
        steps = (getattr(self, f"step{number}") for number in range(self.count))
        return reduce(lambda value, step: step(value), steps, X)


class FixedHiddenMLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(20, 20) / 20**0.5)
        self.bias = nn.Parameter(torch.zeros(20))
        self.register_buffer("rand_weight", torch.empty(20, 20).uniform_())

    def forward(self, X):
        A = torch.addmm(self.bias, X, self.weight.T)
        C = nn.functional.linear((A @ self.rand_weight).add(1).clamp(min=0), self.weight, self.bias)
        size, halvings = C.detach().abs().sum().item(), 0
        while size / 2**halvings > 1:
            halvings += 1
        return (C / 2**halvings).sum()
