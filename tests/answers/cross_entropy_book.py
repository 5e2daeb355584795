# expect: cross_entropy_from_logits=passed; loses: ch04/cross_entropy_from_logits/refuses
"""In the book's manner: its indexing by two lists, and its logarithm of softmax."""

import torch


def cross_entropy_from_logits(logits, y):
    o = logits - logits.max(dim=1, keepdim=True).values
    log_p = o - torch.log(torch.exp(o).sum(dim=1, keepdim=True))
    return -log_p[list(range(len(log_p))), y].mean()
