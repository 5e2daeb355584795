# expect: cross_entropy_from_logits=passed; loses:
"""A one-hot product, and scores shifted so that the right class has 0."""

from torch import nn


def cross_entropy_from_logits(logits, y):
    if y.dim() != 1 or len(y) != len(logits) or len(y) == 0 or y.is_floating_point():
        raise ValueError("one class number for each row of scores")
    if not all(0 <= c < logits.shape[1] for c in y.tolist()):
        raise ValueError("there is no such class")
    one_hot = nn.functional.one_hot(y, logits.shape[1]).to(logits.dtype)
    gaps = logits - (logits * one_hot).sum(1, keepdim=True)
    top = gaps.amax(1)
    return (top + (gaps - top.unsqueeze(1)).exp().sum(1).log()).sum() / len(y)
