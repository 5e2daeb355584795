"""Section 12.7: Adagrad.

A learning rate for each entry, that shrinks with all the gradients this entry has seen.
"""

import torch


def init_adagrad_states(feature_dim):
    """Make the states that Adagrad starts from, for a linear model's weight and bias.

    Adagrad keeps one tensor for each parameter: s, the sum of its squared gradients so far.
    All start at zero.

    Args:
        feature_dim: int, the number of features: the weight has the shape (feature_dim, 1), the
            bias the shape (1,).

    Returns:
        (s_w, s_b): one tensor for the weight, then one for the bias. Float32 tensors of zeros
        with the shape of their parameter. Each is a tensor of its own that shares no memory with
        another, for they are changed in place later; a second call makes new ones.

    Example:
        >>> init_adagrad_states(2)
        (tensor([[0.],
                [0.]]), tensor([0.]))

    Book: 12.7.4
    """
    # BEGIN SOLUTION
    # BLANK: s_w = ____
    s_w = torch.zeros(feature_dim, 1)
    # BLANK: s_b = ____
    s_b = torch.zeros(1)
    return s_w, s_b
    # END SOLUTION


def adagrad(params, states, hyperparams):
    """Make one step of Adagrad, for all parameters.

    Args:
        params: list of float tensors of one axis or more that require gradients. Each has its
            gradient in .grad. Changed in place, so that they stay the very tensors of the model.
        states: list or tuple of tensors s, one for each parameter, in the same order, with the
            shape, dtype and device of their parameter. Changed in place: afterwards they hold
            the new sums of squares.
        hyperparams: dict with the learning rate 'lr'. Not modified.

    Returns:
        Nothing: everything happens in place. Afterwards no gradient is left for the next
        backward() to add to: each parameter's .grad holds zeros, or is None. Parameters are still
        leaves that require gradients, and the states carry no graph.

    Formula:
        For each parameter p with gradient g, entry by entry, with eps = 1e-6:
        s <- s + g^2
        p <- p - lr * g / sqrt(s + eps)   with the new s
        Mind that eps is inside the root, as the book has it. PyTorch's Adagrad adds its eps, of
        1e-10, to the root instead, so the two part where gradients are small. An entry whose
        gradients have all been zero stays.

    Raises:
        ValueError: there are not as many states as parameters.

    Rules:
        Write the step yourself: use nothing of torch.optim.

    Example:
        >>> p, s = torch.zeros(3, requires_grad=True), torch.tensor([0.0, 9.0, 0.0])
        >>> p.grad = torch.tensor([100.0, -4.0, 0.0])
        >>> adagrad([p], [s], {"lr": 0.5})
        >>> p
        tensor([-0.5000,  0.4000,  0.0000], requires_grad=True)
        >>> s
        tensor([10000.,    25.,     0.])

    Book: 12.7.3, 12.7.4
    """
    # BEGIN SOLUTION
    if len(params) != len(states):
        raise ValueError(f"{len(params)} parameters need as many states, not {len(states)}")
    eps = 1e-6
    with torch.no_grad():
        for p, s in zip(params, states):  # noqa: B905 - their lengths have been compared
            # BLANK: s[:] = ____
            s[:] = s + p.grad**2
            # BLANK: p -= ____
            p -= hyperparams["lr"] * p.grad / torch.sqrt(s + eps)
            p.grad.zero_()
    # END SOLUTION
