# expect: batch_norm=passed, BatchNorm=passed, BNLeNet=passed; loses:
"""The layer goes by its own mode, registers its shift first, and calls its statistics otherwise."""

import torch
from torch import nn


def batch_norm(X, gamma, beta, moving_mean, moving_var, eps, momentum):
    if X.ndim == 2:
        over = [0]
    elif X.ndim == 4:
        over = [0, 2, 3]
    else:
        raise ValueError(f"{X.ndim} axes")
    if not torch.is_grad_enabled():
        return (
            (X - moving_mean) * (gamma * torch.rsqrt(moving_var + eps)) + beta,
            moving_mean,
            moving_var,
        )
    var, mean = torch.var_mean(X, dim=over, unbiased=False, keepdim=True)
    Y = torch.addcmul(beta, (X - mean) / (var + eps).sqrt(), gamma)
    with torch.no_grad():
        return (
            Y,
            moving_mean + momentum * (mean - moving_mean),
            moving_var + momentum * (var - moving_var),
        )


class BatchNorm(nn.Module):
    def __init__(self, num_features, num_dims):
        super().__init__()
        if num_dims != 2 and num_dims != 4:
            raise ValueError("2 or 4")
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.weight = nn.Parameter(torch.ones(num_features))
        self.register_buffer(
            "running", torch.stack([torch.zeros(num_features), torch.ones(num_features)])
        )
        self.register_buffer("seen", torch.tensor(0))
        self.view = [1, num_features] + [1] * (num_dims - 2)

    def forward(self, X):
        weight, bias = self.weight.view(self.view), self.bias.view(self.view)
        mean, var = (row.view(self.view) for row in self.running)
        if not self.training:
            return (X - mean) / torch.sqrt(var + 1e-5) * weight + bias
        Y, mean, var = batch_norm(X, weight, bias, mean, var, 1e-5, 0.1)
        with torch.no_grad():
            self.running.copy_(torch.stack([mean.flatten(), var.flatten()]))
            self.seen += 1
        return Y


class BNLeNet(nn.Sequential):
    def __init__(self, num_classes=10):
        layers = []
        for channels, more in ((1, 6), (6, 16)):
            layers += [nn.Conv2d(channels, more, 5), BatchNorm(more, 4), nn.Sigmoid()]
            layers += [nn.AvgPool2d(2, 2)]
        layers += [nn.Flatten()]
        for width, less in ((256, 120), (120, 84)):
            layers += [nn.Linear(width, less), BatchNorm(less, 2), nn.Sigmoid()]
        super().__init__(*layers, nn.Linear(84, num_classes))
