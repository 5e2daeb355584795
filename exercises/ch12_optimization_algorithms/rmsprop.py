"""Section 12.8: RMSProp.

Adagrad with a memory that fades: the learning rate need not shrink for ever.
"""

import torch


def init_rmsprop_states(feature_dim):
    """Make the states that RMSProp starts from, for a linear model's weight and bias.

    RMSProp keeps one tensor for each parameter: s, a running mean of its squared gradients.
    All start at zero.

    Args:
        feature_dim: int, the number of features: the weight has the shape (feature_dim, 1), the
            bias the shape (1,).

    Returns:
        (s_w, s_b): one tensor for the weight, then one for the bias. Float32 tensors of zeros
        with the shape of their parameter. Each is a tensor of its own that shares no memory with
        another, for they are changed in place later; a second call makes new ones.

    Example:
        >>> init_rmsprop_states(2)
        (tensor([[0.],
                [0.]]), tensor([0.]))

    Book: 12.8.2
    """
    raise NotImplementedError("init_rmsprop_states")


def rmsprop(params, states, hyperparams):
    """Make one step of RMSProp, for all parameters.

    Args:
        params: list of float tensors of one axis or more that require gradients. Each has its
            gradient in .grad. Changed in place, so that they stay the very tensors of the model.
        states: list or tuple of tensors s, one for each parameter, in the same order, with the
            shape, dtype and device of their parameter. Changed in place: afterwards they hold
            the new running means of squares.
        hyperparams: dict with the learning rate 'lr' and the share 'gamma' of the old mean that
            lasts, from 0 to below 1. Not modified.

    Returns:
        Nothing: everything happens in place. Afterwards no gradient is left for the next
        backward() to add to: each parameter's .grad holds zeros, or is None. Parameters are still
        leaves that require gradients, and the states carry no graph.

    Formula:
        For each parameter p with gradient g, entry by entry, with eps = 1e-6:
        s <- gamma * s + (1 - gamma) * g^2
        p <- p - lr * g / sqrt(s + eps)   with the new s
        Mind that eps is inside the root, as the book has it. PyTorch's RMSprop calls gamma alpha
        and adds its eps, of 1e-8, to the root instead, so the two part where gradients are small.
        The mean is not corrected for its start at zero. An entry whose gradients have all been
        zero stays.

    Raises:
        ValueError: there are not as many states as parameters.

    Rules:
        Write the step yourself: use nothing of torch.optim.

    Example:
        >>> p, s = torch.zeros(2, requires_grad=True), torch.tensor([0.0, 32.0])
        >>> p.grad = torch.tensor([100.0, -4.0])
        >>> rmsprop([p], [s], {"lr": 0.5, "gamma": 0.75})
        >>> s
        tensor([2500.,   28.])
        >>> p
        tensor([-1.0000,  0.3780], requires_grad=True)

    Book: 12.8.1, 12.8.2
    """
    raise NotImplementedError("rmsprop")
