"""Section 12.6: Momentum.

A leaky sum of past gradients carries the walk along a valley and damps its swings across.
"""

import torch


def init_momentum_states(feature_dim):
    """Make the states that momentum starts from, for a linear model's weight and bias.

    Momentum keeps one tensor for each parameter: its velocity v, a leaky sum of its gradients.
    All start at zero.

    Args:
        feature_dim: int, the number of features: the weight has the shape (feature_dim, 1), the
            bias the shape (1,).

    Returns:
        (v_w, v_b): one tensor for the weight, then one for the bias. Float32 tensors of zeros
        with the shape of their parameter. Each is a tensor of its own that shares no memory with
        another, for they are changed in place later; a second call makes new ones.

    Example:
        >>> init_momentum_states(2)
        (tensor([[0.],
                [0.]]), tensor([0.]))

    Book: 12.6.2
    """
    # BEGIN SOLUTION
    # BLANK: v_w = ____
    v_w = torch.zeros(feature_dim, 1)
    # BLANK: v_b = ____
    v_b = torch.zeros(1)
    return v_w, v_b
    # END SOLUTION


def sgd_momentum(params, states, hyperparams):
    """Make one step of gradient descent with momentum, for all parameters.

    Args:
        params: list of float tensors of one axis or more that require gradients. Each has its
            gradient in .grad. Changed in place, so that they stay the very tensors of the model.
        states: list or tuple of tensors v, one for each parameter, in the same order, with the
            shape, dtype and device of their parameter. Changed in place: afterwards they hold
            the new velocities.
        hyperparams: dict with the learning rate 'lr' and the share 'momentum' of the velocity that
            lasts, from 0 to below 1. Not modified.

    Returns:
        Nothing: everything happens in place. Afterwards no gradient is left for the next
        backward() to add to: each parameter's .grad holds zeros, or is None. Parameters are still
        leaves that require gradients, and the states carry no graph.

    Formula:
        v <- momentum * v + g
        p <- p - lr * v   with the new v
        The learning rate is no part of v, and g enters whole: the velocity is a sum, not a mean.
        So has PyTorch's SGD it, whose path this step follows.

    Raises:
        ValueError: there are not as many states as parameters.

    Rules:
        Write the step yourself: use nothing of torch.optim.

    Example:
        >>> p, v = torch.zeros(2, requires_grad=True), torch.tensor([2.0, 0.0])
        >>> p.grad = torch.tensor([1.0, -1.0])
        >>> sgd_momentum([p], [v], {"lr": 0.5, "momentum": 0.5})
        >>> v
        tensor([ 2., -1.])
        >>> p
        tensor([-1.0000,  0.5000], requires_grad=True)

    Book: 12.6.1, 12.6.2
    """
    # BEGIN SOLUTION
    if len(params) != len(states):
        raise ValueError(f"{len(params)} parameters need as many states, not {len(states)}")
    with torch.no_grad():
        for p, v in zip(params, states):  # noqa: B905 - their lengths have been compared
            # The slice writes into the state; v = ... would only rename a local variable.
            # BLANK: v[:] = ____
            v[:] = hyperparams["momentum"] * v + p.grad
            # BLANK: p -= ____
            p -= hyperparams["lr"] * v
            p.grad.zero_()
    # END SOLUTION
