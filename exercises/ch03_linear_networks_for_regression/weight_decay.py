"""Section 3.7: Weight decay.

A price on large weights, which keeps a model simple.
"""

import torch


def l2_penalty(w):
    """Half the squared length of a weight tensor.

    Added to a loss, times a factor lambda, it makes each step of gradient descent shrink the
    weights a little: hence weight decay. It looks at the weights alone. A bias that is not handed
    to it does not decay.

    Args:
        w: float tensor of any shape, the weights. Not modified.

    Returns:
        Float tensor (), with the dtype and device of w. Gradients flow back to w.

    Formula:
        penalty = (sum over all entries of w^2) / 2
        Its gradient is w itself, also where w is zero.

    Example:
        >>> w = torch.tensor([[3.0], [-4.0]], requires_grad=True)
        >>> penalty = l2_penalty(w)
        >>> penalty.item()
        12.5
        >>> penalty.backward()
        >>> w.grad
        tensor([[ 3.],
                [-4.]])

    Book: 3.7.3
    """
    raise NotImplementedError("l2_penalty")
