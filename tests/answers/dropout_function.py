# expect: dropout_layer=passed, DropoutMLP=passed; loses:
"""A function of autograd's own that keeps the mask for the way back; draws with NumPy."""

import numpy as np
import torch


class Drop(torch.autograd.Function):
    @staticmethod
    def forward(ctx, X, dropout):
        dead = torch.as_tensor(np.random.uniform(size=tuple(X.shape)) < dropout).to(X.device)
        ctx.save_for_backward(dead)
        ctx.scale = 1 / (1 - dropout)
        return (X * ctx.scale).masked_fill(dead, 0)

    @staticmethod
    def backward(ctx, grad):
        (dead,) = ctx.saved_tensors
        return (grad * ctx.scale).masked_fill(dead, 0), None


def dropout_layer(X, dropout):
    if not (dropout >= 0 and dropout <= 1):
        raise ValueError("not a probability")
    if dropout == 1:
        return torch.full_like(X, 0)
    return Drop.apply(X, dropout)


class DropoutMLP(torch.nn.Module):
    def __init__(self, num_outputs, num_hiddens_1, num_hiddens_2, dropout_1, dropout_2):
        super().__init__()
        self.rates = dropout_1, dropout_2
        self.out = torch.nn.Linear(num_hiddens_2, num_outputs)
        self.middle = torch.nn.Linear(num_hiddens_1, num_hiddens_2)
        self.first = torch.nn.LazyLinear(num_hiddens_1)

    def forward(self, X):
        H = X.flatten(1)
        for layer, rate in zip((self.first, self.middle), self.rates):
            H = layer(H).clamp(min=0)
            H = dropout_layer(H, rate) if self.training else H
        return self.out(H)
