# expect: cross_entropy_from_logits=passed; loses: ch04/cross_entropy_from_logits/digits, ch04/cross_entropy_from_logits/refuses
"""Log-sum-exp by pairs with logaddexp, and the gradient written by hand."""

from functools import reduce

import torch


class Loss(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, y):
        ctx.save_for_backward(logits, y)
        partition = reduce(torch.logaddexp, logits.unbind(1))
        return torch.mean(partition - logits.gather(1, y[:, None])[:, 0])

    @staticmethod
    def backward(ctx, grad):
        logits, y = ctx.saved_tensors
        P = torch.softmax(logits, 1)
        P[torch.arange(len(y)), y] -= 1
        return grad * P / len(y), None


def cross_entropy_from_logits(logits, y):
    return Loss.apply(logits, y)
