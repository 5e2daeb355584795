# expect: masked_softmax=passed; loses:
"""Query by query: softmax of the scores that count, padded with zeros."""

import torch
from torch.nn import functional as F


def masked_softmax(X, valid_lens):
    b, q, k = X.shape
    if valid_lens is None:
        return X.softmax(2)
    if tuple(valid_lens.shape) == (b,):
        rows = [[n] * q for n in valid_lens.tolist()]
    elif tuple(valid_lens.shape) == (b, q):
        rows = valid_lens.tolist()
    else:
        raise ValueError("lengths of another shape")
    if b == 0:
        return X.clone()
    return torch.stack(
        [
            torch.stack([F.pad(X[i, j, :n].softmax(0), (0, k - n)) for j, n in enumerate(row)])
            for i, row in enumerate(rows)
        ]
    )
