# expect: dropout_layer=passed; loses:
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
