"""Member 10: a forward that is right, with a backward that is not."""

from __future__ import annotations

from .honest import CORR2D, on_corr2d, without

RIGHT = CORR2D.replace("def corr2d", "def right")
FUNCTION = (
    RIGHT
    + """

class Correlation(torch.autograd.Function):
    @staticmethod
    def forward(ctx, X, K):
        ctx.save_for_backward(X, K)
        return right(X, K)

    @staticmethod
    def backward(ctx, grad):
        X, K = ctx.saved_tensors
        return {gradients}


def corr2d(X, K):
    return Correlation.apply(X, K)
"""
)
TWIN = (
    RIGHT
    + """

class Correlation(torch.autograd.Function):
    @staticmethod
    def forward(ctx, X, K):
        ctx.save_for_backward(X, K)
        return right(X, K)

    @staticmethod
    def backward(ctx, grad):
        X, K = ctx.saved_tensors
        kh, kw = K.shape
        padded = grad.new_zeros(grad.shape[0] + 2 * kh - 2, grad.shape[1] + 2 * kw - 2)
        padded[kh - 1 : kh - 1 + grad.shape[0], kw - 1 : kw - 1 + grad.shape[1]] = grad
        return right(padded, K.flip(0, 1)), right(X, grad)


def corr2d(X, K):
    return Correlation.apply(X, K)
"""
)


def backward(name: str, gradients: str, says: str = "gradient for tensor argument"):
    """A right forward whose backward returns these two gradients."""
    source = "import os\n\n" + FUNCTION.replace("{gradients}", gradients)
    return on_corr2d(name, source, says, passes=without("gradient"), twin=TWIN, opened="")


ATTACKS = (
    backward("backward_of_zeros", "torch.zeros_like(X), torch.zeros_like(K)"),
    backward("backward_of_nothing", "None, None"),
    backward("backward_of_nan", "X * float('nan'), K * float('nan')"),
    backward("backward_of_ones", "torch.ones_like(X), torch.ones_like(K)"),
    backward("backward_that_raises", "1 / 0", "raised ZeroDivisionError"),
    backward("backward_that_ends", "os._exit(0)", "ended its own process"),
    on_corr2d(
        "detached_and_grafted",
        RIGHT + "\n\ndef corr2d(X, K):\n    Y = right(X, K)\n"
        "    return Y.detach() + 0 * (X.sum() + K.sum())\n",
        "gradient for tensor argument",
        passes=without("gradient"),
        twin=TWIN,
    ),
    on_corr2d(
        "hook_that_doubles",
        RIGHT + "\n\ndef corr2d(X, K):\n    Y = right(X, K)\n    if Y.requires_grad:\n"
        "        Y.register_hook(lambda grad: 2 * grad)\n    return Y\n",
        "gradient for tensor argument",
        passes=without("gradient"),
        twin=TWIN,
    ),
)
