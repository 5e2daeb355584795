# expect: synthetic_data=passed, data_iter=passed; loses: ch03/synthetic_data/dtype, ch03/synthetic_data/device, ch03/synthetic_data/refuses, ch03/synthetic_data/generator, ch03/data_iter/refuses, ch03/data_iter/generator
"""In the manner of the book: torch.normal, Python's shuffle of a list of indices, a generator."""

import random

import torch


def synthetic_data(w, b, num_examples, noise=0.01, generator=None):
    X = torch.normal(0, 1, (num_examples, len(w)))
    y = torch.matmul(X, w) + b
    y += torch.normal(0, noise, y.shape)
    return X, y.reshape((-1, 1))


def data_iter(batch_size, features, labels, shuffle=True, generator=None):
    num_examples = len(features)
    indices = list(range(num_examples))
    if shuffle:
        random.shuffle(indices)
    for i in range(0, num_examples, batch_size):
        batch_indices = torch.tensor(indices[i: min(i + batch_size, num_examples)])
        yield features[batch_indices], labels[batch_indices]
