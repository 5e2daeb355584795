# expect: linreg=passed, squared_loss=passed, sgd=passed, train_linreg=passed; loses:
"""Einsums, the loss by PyTorch, all new values of a step first and then written back."""

import torch
from synthetic_data import data_iter


def linreg(X, w, b):
    if X.dim() != 2 or tuple(w.shape) != (X.size(1), 1):
        raise ValueError(f"X {X.shape}, w {w.shape}")
    return torch.einsum("nd,do->no", X, w).add(b)


def squared_loss(y_hat, y):
    if y_hat.numel() != y.numel():
        raise ValueError("different numbers of entries")
    return torch.nn.functional.mse_loss(y_hat, y.reshape(y_hat.shape), reduction="none").div(2)


@torch.no_grad()
def sgd(params, lr, batch_size):
    moving = [p for p in params if p.grad is not None]
    targets = [p - (p.grad / batch_size) * lr for p in moving]
    for p, target in zip(moving, targets):
        p[...] = target
        p.grad *= 0


def train_linreg(features, labels, lr, num_epochs, batch_size, generator=None):
    w = torch.zeros(features.shape[1], 1, dtype=features.dtype, device=features.device)
    b = torch.zeros(1, dtype=features.dtype, device=features.device)
    w.requires_grad_(), b.requires_grad_()
    for _ in range(num_epochs):
        for X, y in data_iter(batch_size, features, labels, True, generator):
            loss = squared_loss(linreg(X, w, b), y).mean()
            w.grad, b.grad = torch.autograd.grad(loss, (w, b))
            sgd((w, b), lr, 1)
    return w, b
