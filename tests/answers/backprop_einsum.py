# expect: mlp_backward=passed; loses:
"""Einsums over detached parameters, and a bias as one more row of weights."""

import torch


def mlp_backward(X, y, params):
    W1, b1, W2, b2 = (p.detach() for p in params)
    ones = X.new_ones(len(X), 1)
    A = torch.hstack([X.detach(), ones])
    Z = torch.einsum("nd,dh->nh", A, torch.vstack([W1, b1]))
    on = Z.sign().clamp(min=0)
    B = torch.hstack([on * Z, ones])
    O = torch.einsum("nh,hq->nq", B, torch.vstack([W2, b2]))
    classes = torch.arange(O.shape[1], device=O.device)
    G = (O.softmax(1) - (y[:, None] == classes).to(O.dtype)).div(len(X))
    second = torch.einsum("nh,nq->hq", B, G)
    first = torch.einsum("nd,nh->dh", A, on * torch.einsum("nq,hq->nh", G, W2))
    return first[:-1], first[-1], second[:-1], second[-1]
