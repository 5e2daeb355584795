"""Section 3.4: Linear regression from scratch.

The step that turns gradients into learning.
"""

import torch


def sgd(params, lr, batch_size):
    """Take one step of minibatch stochastic gradient descent, in place.

    Every parameter moves against its gradient. The gradients come from a loss that was summed
    over the minibatch, so the step divides by the number of examples. Afterwards the gradients
    are cleared, ready for the next minibatch: backward() adds to what is there.

    Args:
        params: list of float tensors that require gradients, of any shapes. Their `.grad` holds
            the gradient of the summed loss. Modified in place: they stay the same tensors, leaves
            that require gradients, and the step leaves no trace in any graph. A parameter whose
            `.grad` is None is left as it is.
        lr: float, the learning rate.
        batch_size: int, the number of examples that the loss was summed over.

    Returns:
        None. After the step each `.grad` is zero (or None, as you like).

    Formula:
        p <- p - lr * p.grad / batch_size

    Rules:
        Write it yourself: do not use torch.optim.

    Example:
        >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
        >>> (w * torch.tensor([10.0, 20.0])).sum().backward()
        >>> sgd([w], lr=0.5, batch_size=10)
        >>> w
        tensor([0.5000, 1.0000], requires_grad=True)

    Book: 3.4.3
    """
    raise NotImplementedError("sgd")
