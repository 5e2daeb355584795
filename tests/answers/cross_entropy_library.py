# expect: cross_entropy_from_logits=passed, log_softmax=failed, SoftmaxRegression=passed; loses: ch04/cross_entropy_from_logits/rules, ch04/cross_entropy_from_logits/refuses, ch04/log_softmax/rules, ch04/log_softmax/refuses
"""The book's concise version hands the scores to PyTorch, which the Rules rule out here."""

from torch import nn


def cross_entropy_from_logits(logits, y):
    return nn.functional.cross_entropy(logits, y)


def log_softmax(X):
    return nn.LogSoftmax(dim=-1)(X)


class SoftmaxRegression(nn.Sequential):
    def __init__(self, num_outputs):
        super().__init__(nn.Flatten(), nn.LazyLinear(num_outputs))
