# expect: mlp_backward=passed; loses: ch05/mlp_backward/plain
"""In the manner of the book's derivation, step by step, with one-hot labels and plain operators."""

import torch
from torch.nn import functional as F


def mlp_backward(X, y, params):
    W1, b1, W2, b2 = params
    z = torch.matmul(X, W1) + b1
    h = torch.max(z, torch.zeros_like(z))
    o = torch.matmul(h, W2) + b2
    dJ_do = (F.softmax(o, dim=1) - F.one_hot(y, o.shape[1])) / X.shape[0]
    dJ_dW2 = torch.matmul(h.T, dJ_do)
    dJ_dh = torch.matmul(dJ_do, W2.T)
    dJ_dz = dJ_dh * (z > 0).type(z.dtype)
    dJ_dW1 = torch.matmul(X.T, dJ_dz)
    return [dJ_dW1, dJ_dz.sum(dim=0), dJ_dW2, dJ_do.sum(dim=0)]
