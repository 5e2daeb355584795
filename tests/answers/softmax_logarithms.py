# expect: softmax=passed; loses:
"""By way of log softmax: shift, subtract the logarithm of the sum, and only then exp."""

import torch


def softmax(X):
    if X.dim() == 0 or X.dtype not in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        raise ValueError("rows of floats, please")
    top, _ = X.detach().max(dim=-1, keepdim=True)
    X = X - top
    return torch.exp(X - torch.exp(X).sum(dim=-1, keepdim=True).log())
