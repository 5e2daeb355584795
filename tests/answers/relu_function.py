# expect: relu=passed; loses:
"""An operator of its own, whose backward pass is written by hand."""

import torch


class Bend(torch.autograd.Function):
    @staticmethod
    def forward(ctx, X):
        ctx.save_for_backward(X)
        return (X + X.abs()) / 2

    @staticmethod
    def backward(ctx, grad):
        (X,) = ctx.saved_tensors
        return grad.masked_fill(X <= 0, 0)


def relu(X):
    return Bend.apply(X)
