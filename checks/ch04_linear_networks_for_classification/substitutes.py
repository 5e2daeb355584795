"""Chapter 4: what stands in for a predecessor that fails, built from PyTorch; public."""

import torch


def softmax(X):
    if not (X.dim() and X.is_floating_point()):
        raise ValueError("rows of floats are needed")
    return torch.softmax(X, dim=-1)


def accuracy(y_hat, y):
    if y.shape != y_hat.shape[:1]:
        raise ValueError("a label for each row is needed")
    return float(y_hat.argmax(dim=1).eq(y).sum())


def log_softmax(X):
    if not (X.dim() and X.is_floating_point()):
        raise ValueError("rows of floats are needed")
    return torch.log_softmax(X, dim=-1)
