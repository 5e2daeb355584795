# expect: mlp_backward=failed; loses: ch05/mlp_backward/rules
"""PyTorch's own backward pass, which the Rules rule out."""

import torch
from torch.nn import functional as F


def mlp_backward(X, y, params):
    W1, b1, W2, b2 = leaves = [p.detach().requires_grad_() for p in params]
    loss = F.cross_entropy(F.relu(X @ W1 + b1) @ W2 + b2, y)
    return torch.autograd.grad(loss, leaves)
