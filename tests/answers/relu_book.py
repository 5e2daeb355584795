# expect: relu=passed; loses: ch05/relu/zero
"""In the manner of the book's section: the maximum with a tensor of zeros."""

import torch


def relu(X):
    a = torch.zeros_like(X)
    return torch.max(X, a)
