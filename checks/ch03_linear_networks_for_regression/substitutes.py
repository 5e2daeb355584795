"""Chapter 3: what stands in for a predecessor that fails, built from PyTorch; public."""

import torch
from torch.nn import functional as F


def data_iter(batch_size, features, labels, shuffle=True, generator=None):
    """Minibatches of rows that belong together, the last one maybe shorter."""
    n = len(features)
    if batch_size < 1 or len(labels) != n:
        raise ValueError("batches need an example at least, and examples a label each")
    rows = torch.randperm(n, generator=generator) if shuffle else torch.arange(n)
    for batch in rows.split(batch_size) if n else ():
        yield features[batch], labels[batch]


def linreg(X, w, b):
    if X.dim() != 2 or w.shape != (X.shape[1], 1):
        raise ValueError(f"X {tuple(X.shape)} and w {tuple(w.shape)} do not fit")
    return F.linear(X, w.T, b)


def squared_loss(y_hat, y):
    if y_hat.numel() != y.numel():
        raise ValueError("predictions and labels differ in number")
    return F.mse_loss(y_hat, y.reshape(y_hat.shape), reduction="none") / 2


@torch.no_grad()
def sgd(params, lr, batch_size):
    for param in params:
        if param.grad is not None:
            param.sub_(param.grad, alpha=lr / batch_size)
            param.grad = None
