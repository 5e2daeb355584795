# expect: linreg=passed, squared_loss=passed, sgd=passed, train_linreg=passed; loses:
"""Through .data, with a multiply-and-add; gradients of the loop worked out by hand, no autograd."""

import torch
from torch.nn import functional as F


def linreg(X, w, b):
    if X.ndim != 2 or w.ndim != 2 or w.shape[0] != X.shape[1] or w.shape[1] != 1:
        raise ValueError("shapes do not fit")
    return F.linear(X, w.mT, b)


def squared_loss(y_hat, y):
    if torch.numel(y_hat) != torch.numel(y):
        raise ValueError("a label for each prediction")
    difference = y_hat - y.view_as(y_hat) if y.is_contiguous() else y_hat - y.reshape(y_hat.size())
    return 0.5 * difference * difference


def sgd(params, lr, batch_size):
    for p in filter(lambda p: p.grad is not None, params):
        p.data.add_(p.grad, alpha=-lr / batch_size)
        p.grad = None


def train_linreg(features, labels, lr, num_epochs, batch_size, generator=None):
    n, d = features.shape
    if len(labels) != n or batch_size < 1:
        raise ValueError("no minibatches can be made")
    w, b = features.new_empty(d, 1).normal_(0, 0.01, generator=generator), features.new_zeros(1)
    y = labels.reshape(n, 1)
    for _ in range(num_epochs):
        rows = torch.randperm(n, generator=generator).to(features.device)
        for chunk in rows.split(batch_size):
            error = (features[chunk] @ w + b - y[chunk]) / len(chunk)
            w -= lr * features[chunk].T @ error
            b -= lr * error.sum()
    return w, b
