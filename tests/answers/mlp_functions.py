# expect: mlp=passed, MLP=passed; loses:
"""Layers as attributes with the last one first, einsums, and the book's relu of section 5.1."""

import torch
from d2l import torch as d2l
from torch import nn


def mlp(X, params):
    (W1, b1), (W2, b2) = params[:2], params[2:]
    H = d2l.relu(torch.einsum("nd,dh->nh", X.flatten(1), W1) + b1)
    return torch.einsum("nh,hq->nq", H, W2) + b2


class MLP(nn.Module):
    def __init__(self, num_outputs, num_hiddens, dropout=0.0):
        super().__init__()
        self.out = nn.Linear(num_hiddens, num_outputs)
        self.hidden = nn.LazyLinear(num_hiddens)

    def forward(self, X):
        H = self.hidden(torch.flatten(X, start_dim=1))
        return self.out(H.relu())
