# expect: softmax=passed; loses:
"""Row by row, with an einsum for the sums and a hand-written backward pass."""

import torch


class Rows(torch.autograd.Function):
    @staticmethod
    def forward(ctx, X):
        rows = [torch.exp(row - max(row)) for row in X]
        P = torch.stack([row / row.sum() for row in rows]) if rows else X.clone()
        ctx.save_for_backward(P)
        return P

    @staticmethod
    def backward(ctx, grad):
        (P,) = ctx.saved_tensors
        return P * (grad - torch.einsum("ij,ij->i", P, grad).unsqueeze(1))


def softmax(X):
    if not X.shape or not torch.is_floating_point(X):
        raise ValueError("no rows of floats")
    return Rows.apply(X.reshape(-1, X.shape[-1])).reshape(X.shape)
