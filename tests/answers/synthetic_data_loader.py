# expect: synthetic_data=passed, data_iter=passed; loses: ch03/synthetic_data/device, ch03/synthetic_data/refuses, ch03/data_iter/empty
"""torch.distributions' way of scaling a standard normal draw, and PyTorch's own DataLoader."""

import torch
from torch.utils.data import DataLoader, TensorDataset


def synthetic_data(w, b, num_examples, noise=0.01, generator=None):
    X = torch.empty((num_examples, w.shape[0]), dtype=w.dtype).normal_(generator=generator)
    e = torch.empty((num_examples, 1), dtype=w.dtype).normal_(0.0, max(noise, 0), generator=generator)
    return X, torch.addmm(b + e, X, w.unsqueeze(1))


def data_iter(batch_size, features, labels, shuffle=True, generator=None):
    if len(features) != len(labels):
        raise ValueError("features and labels differ in number")
    data = TensorDataset(features, labels)
    return DataLoader(data, batch_size, shuffle=shuffle, generator=generator)
