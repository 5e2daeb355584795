# expect: cross_entropy_from_logits=passed, log_softmax=passed, SoftmaxRegression=passed; loses: ch04/cross_entropy_from_logits/digits, ch04/cross_entropy_from_logits/refuses, ch04/log_softmax/digits
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


def log_softmax(X):
    if X.ndim == 0 or not X.dtype.is_floating_point:
        raise ValueError("rows of floats")
    top = X.detach().amax(-1, keepdim=True)
    return X - (top + torch.log(torch.exp(X - top).sum(-1, keepdim=True)))


class SoftmaxRegression(torch.nn.Module):
    def __init__(self, num_outputs):
        super().__init__()
        self.linear = torch.nn.LazyLinear(num_outputs)

    def forward(self, X):
        return self.linear(X.reshape(X.shape[0], -1) if len(X) else X.flatten(start_dim=1))
