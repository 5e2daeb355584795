# expect: gaussian=passed, boxcar=passed, constant=passed, epanechikov=passed, nadaraya_watson=passed; loses:
"""Query by query, with the weighted mean written out; kernels by cases."""

import torch


def gaussian(x):
    return torch.pow(torch.e, -0.5 * x.square())


def boxcar(x):
    return torch.where((-1 < x) & (x < 1), torch.ones_like(x), torch.zeros_like(x))


def constant(x):
    return x.new_ones(x.shape)


def epanechikov(x):
    return torch.where(x.abs() < 1, 1 - x.abs(), 0.0)


def nadaraya_watson(x_train, y_train, x_val, kernel):
    if x_train.numel() == 0 or x_train.shape != y_train.shape:
        raise ValueError("a label for each example, please, and one at least")
    columns = []
    for query in x_val:
        votes = kernel(query - x_train) * torch.ones_like(y_train)
        total = votes.sum()
        columns.append(votes / total if total > 0 else torch.ones_like(y_train) / len(y_train))
    if not columns:
        return x_val.clone(), y_train.new_zeros(len(y_train), 0)
    weights = torch.stack(columns, dim=1)
    return (y_train[:, None] * weights).sum(0), weights
