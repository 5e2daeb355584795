# expect: mlp_backward=passed; loses:
"""Example by example, with outer products that add up."""

import torch


@torch.no_grad()
def mlp_backward(X, y, params):
    W1, b1, W2, b2 = params
    totals = [torch.zeros_like(p) for p in params]
    for x, label in zip(X, y.tolist()):
        z = x @ W1 + b1
        h = torch.where(z > 0, z, 0)
        o = h @ W2 + b2
        p = (o - o.max()).exp()
        d_o = p / p.sum()
        d_o[label] = d_o[label] - 1
        d_z = torch.where(z > 0, W2 @ d_o, 0)
        for total, part in zip(totals, (torch.outer(x, d_z), d_z, torch.outer(h, d_o), d_o)):
            total += part / len(X)
    return totals
