# expect: cross_entropy_from_logits=passed; loses: ch04/cross_entropy_from_logits/rules, ch04/cross_entropy_from_logits/refuses
"""The book's concise version hands the scores to PyTorch, which the Rules rule out here."""

from torch import nn


def cross_entropy_from_logits(logits, y):
    return nn.functional.cross_entropy(logits, y)
