"""Sections 12.4 and 12.5: Stochastic gradient descent, one example or one minibatch at a time.

The step that every optimizer of this chapter improves on.
"""

import torch


def sgd(params, states, hyperparams):
    """Make one step of stochastic gradient descent, for all parameters.

    It is the same step for one example, a minibatch or the whole data set: that choice lies in
    the gradient. Here the gradient belongs to the mean loss of the minibatch, so, unlike in 3.4,
    nothing is left to divide by.

    Args:
        params: list of float tensors of one axis or more that require gradients. Each has its
            gradient in .grad. Changed in place, so that they stay the very tensors of the model.
        states: not used, mostly None: plain descent remembers nothing. The argument is there so
            that all optimizers of this chapter are called alike.
        hyperparams: dict with the learning rate 'lr'. Not modified.

    Returns:
        Nothing: everything happens in place. Afterwards no gradient is left for the next
        backward() to add to: each parameter's .grad holds zeros, or is None. Parameters are still
        leaves that require gradients.

    Formula:
        p <- p - lr * g   for each parameter p with gradient g

    Rules:
        Write the step yourself: use nothing of torch.optim.

    Example:
        >>> p = torch.tensor([1.0, 2.0], requires_grad=True)
        >>> p.grad = torch.tensor([10.0, -20.0])
        >>> sgd([p], None, {"lr": 0.1})
        >>> p
        tensor([0., 4.], requires_grad=True)

    Book: 12.4.1, 12.5.2, 12.5.3
    """
    raise NotImplementedError("sgd")
