"""Section 12.9: Adadelta.

No learning rate at all: the size of past changes gives the size of the next one.
"""

import torch


def init_adadelta_states(feature_dim):
    """Make the states that Adadelta starts from, for a linear model's weight and bias.

    Adadelta keeps two tensors for each parameter: s, a running mean of its squared gradients, and
    delta, a running mean of its squared changes. All of them start at zero.

    Args:
        feature_dim: int, the number of features: the weight has the shape (feature_dim, 1), the
            bias the shape (1,).

    Returns:
        ((s_w, delta_w), (s_b, delta_b)): a pair for the weight, then one for the bias. Float32
        tensors of zeros with the shape of their parameter. Each is a tensor of its own that shares
        no memory with another, for `adadelta` changes them in place; a second call makes new ones.

    Example:
        >>> init_adadelta_states(2)[0]
        (tensor([[0.],
                [0.]]), tensor([[0.],
                [0.]]))
        >>> init_adadelta_states(2)[1]
        (tensor([0.]), tensor([0.]))

    Book: 12.9.2
    """
    raise NotImplementedError("init_adadelta_states")


def adadelta(params, states, hyperparams):
    """Make one step of Adadelta, for all parameters.

    Args:
        params: list of float tensors of one axis or more that require gradients. Each has its
            gradient in .grad. Changed in place, so that they stay the very tensors of the model.
        states: list or tuple of pairs (s, delta), one for each parameter, in the same order; both
            have the shape, dtype and device of their parameter. Changed in place: afterwards they
            hold the new running means.
        hyperparams: dict with the share 'rho' of the old means that lasts, from 0 to below 1. There
            is no learning rate. Not modified.

    Returns:
        Nothing: everything happens in place. Afterwards no gradient is left for the next
        backward() to add to: each parameter's .grad holds zeros, or is None. Parameters are still
        leaves that require gradients, and the states carry no graph.

    Formula:
        For each parameter p with gradient g, entry by entry and in this order, with eps = 1e-5:
        s <- rho * s + (1 - rho) * g^2
        change = sqrt(delta + eps) / sqrt(s + eps) * g   with the new s and the old delta
        p <- p - change
        delta <- rho * delta + (1 - rho) * change^2
        Both eps are inside their root, and the first sets the walk going: delta starts at zero.
        PyTorch's Adadelta takes the same steps when it is told lr=1 and eps=1e-5; its own eps is
        1e-6.

    Raises:
        ValueError: there are not as many states as parameters.

    Rules:
        Write the step yourself: use nothing of torch.optim.

    Example:
        >>> p = torch.zeros(2, requires_grad=True)
        >>> p.grad = torch.tensor([3.0, -1.0])
        >>> s, delta = torch.tensor([7.0, 1.0]), torch.tensor([4.0, 0.0])
        >>> adadelta([p], [(s, delta)], {"rho": 0.5})
        >>> p
        tensor([-2.1213,  0.0032], requires_grad=True)
        >>> s
        tensor([8., 1.])
        >>> delta[0]
        tensor(4.2500)

    Book: 12.9.1, 12.9.2
    """
    raise NotImplementedError("adadelta")
