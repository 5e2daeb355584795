# expect: synthetic_data=passed, data_iter=passed; loses:
"""Sums example by example, sorting by random keys, and a list of batches instead of a generator."""

import torch


def synthetic_data(w, b, num_examples, noise=0.01, generator=None):
    if w.ndim != 1:
        raise ValueError("weights are a vector")
    if noise < 0:
        raise ValueError("a standard deviation is not negative")
    draws = w.new_empty(num_examples, len(w) + 1).normal_(generator=generator)
    X, e = draws[:, :-1], draws[:, -1:]
    return X, torch.einsum("nd,d->n", X, w)[:, None] + b + noise * e


def data_iter(batch_size, features, labels, shuffle=True, generator=None):
    if batch_size <= 0:
        raise ValueError("a batch has one example at least")
    if features.shape[0] != labels.shape[0]:
        raise ValueError("one label for each example")
    order = torch.arange(features.shape[0], device=features.device)
    if shuffle:
        keys = torch.rand(len(order), generator=generator, dtype=torch.float64)
        order = keys.argsort().to(features.device)
    if not len(order):
        return []
    return [
        (features.index_select(0, rows), labels.index_select(0, rows))
        for rows in order.split(batch_size)
    ]
