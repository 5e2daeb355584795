# expect: cross_entropy_from_logits=passed, log_softmax=passed, SoftmaxRegression=passed; loses:
"""A one-hot product, and scores shifted so that the right class has 0."""

import torch
from torch import nn


def cross_entropy_from_logits(logits, y):
    if y.dim() != 1 or len(y) != len(logits) or len(y) == 0 or y.is_floating_point():
        raise ValueError("one class number for each row of scores")
    if not all(0 <= c < logits.shape[1] for c in y.tolist()):
        raise ValueError("there is no such class")
    one_hot = nn.functional.one_hot(y, logits.shape[1]).to(logits.dtype)
    gaps = logits - (logits * one_hot).sum(1, keepdim=True)
    top = gaps.amax(1)
    return (top + (gaps - top.unsqueeze(1)).exp().sum(1).log()).sum() / len(y)


def log_softmax(X):
    if X.ndim < 1 or not X.is_floating_point():
        raise ValueError("no rows of floats")
    top = X.amax(-1, keepdim=True).detach()
    gaps = X - top
    return gaps.sub(gaps.exp().sum(-1, keepdim=True).log())


class SoftmaxRegression(nn.Module):
    def __init__(self, num_outputs):
        super().__init__()
        self.weight, self.bias = nn.UninitializedParameter(), nn.Parameter(torch.zeros(num_outputs))

    def forward(self, X):
        flat = X.flatten(1)
        if isinstance(self.weight, nn.UninitializedParameter):
            self.weight.materialize((len(self.bias), flat.shape[1]))
            nn.init.normal_(self.weight, std=0.01)
        return nn.functional.linear(flat, self.weight, self.bias)
