# expect: batch_norm=passed, BatchNorm=passed, BNLeNet=passed; loses:
"""Features brought to the front: one row each, whatever the number of axes."""

import torch
from torch import nn


def rows(X):
    if X.dim() not in {2, 4}:
        raise ValueError("expected a batch of vectors or of images")
    return X.transpose(0, 1).reshape(X.shape[1], -1)


def batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum):
    values = rows(X)
    if torch.is_grad_enabled():
        count = values.shape[1]
        mean = values.sum(1) / count
        centred = values - mean[:, None]
        var = (centred * centred).sum(1) / count
        moving_mean, moving_var = (
            old * (1 - momentum) + new.detach().reshape(old.shape) * momentum
            for old, new in ((moving_mean, mean), (moving_var, var))
        )
    else:
        mean, var = moving_mean.flatten(), moving_var.flatten()
        centred = values - mean[:, None]
    scale = gamma.flatten() * (var + eps) ** -0.5
    out = centred * scale[:, None] + beta.reshape(-1, 1)
    back = (X.shape[1], X.shape[0], *X.shape[2:])
    return out.reshape(back).transpose(0, 1), moving_mean, moving_var


class BatchNorm(nn.Module):
    def __init__(self, num_features, num_dims):
        if num_dims not in (2, 4):
            raise ValueError(f"no layer for {num_dims} axes")
        super().__init__()
        ones = torch.ones(1, num_features, *[1] * (num_dims - 2))
        self.scale, self.shift = nn.Parameter(ones), nn.Parameter(ones - 1)
        self.register_buffer("mean", ones - 1)
        self.register_buffer("var", ones.clone())

    def forward(self, X):
        out, mean, var = batch_norm(X, self.scale, self.shift, self.mean, self.var, 1e-5, 0.1)
        if self.training:
            self.mean, self.var = mean, var
        return out


class BNLeNet(nn.Module):
    def __init__(self, num_classes=10):
        super().__init__()
        self.norms = nn.ModuleList([BatchNorm(84, 2), BatchNorm(120, 2)])
        self.channel_norms = nn.ModuleList([BatchNorm(16, 4), BatchNorm(6, 4)])
        self.linears = nn.ModuleList([nn.Linear(84, num_classes), nn.Linear(120, 84)])
        self.linears.append(nn.Linear(256, 120))
        self.kernels = nn.ModuleList([nn.Conv2d(6, 16, 5), nn.Conv2d(1, 6, 5)])

    def forward(self, X):
        for conv, norm in zip(reversed(self.kernels), reversed(self.channel_norms)):
            X = norm(conv(X)).sigmoid().unflatten(3, (-1, 2)).unflatten(2, (-1, 2)).mean((3, 5))
        X = X.reshape(len(X), 256)
        X = torch.sigmoid(self.norms[1](self.linears[2](X)))
        X = torch.sigmoid(self.norms[0](self.linears[1](X)))
        return self.linears[0](X)
