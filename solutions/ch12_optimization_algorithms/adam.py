"""Section 12.10: Adam.

Two running means of every gradient, of its values and of its squares, make steps of one size for
parameters of every scale.
"""

import torch


def init_adam_states(feature_dim):
    """Make the states that Adam starts from, for a linear model's weight and bias.

    Adam keeps two tensors for each parameter: v, a running mean of its gradients, and s, a running
    mean of their squares. All of them start at zero.

    Args:
        feature_dim: int, the number of features: the weight has the shape (feature_dim, 1), the
            bias the shape (1,).

    Returns:
        ((v_w, s_w), (v_b, s_b)): a pair for the weight, then one for the bias. Float32 tensors of
        zeros with the shape of their parameter. Each is a tensor of its own that shares no memory
        with another, for `adam` changes them in place; a second call makes new ones.

    Example:
        >>> init_adam_states(2)[0]
        (tensor([[0.],
                [0.]]), tensor([[0.],
                [0.]]))
        >>> init_adam_states(2)[1]
        (tensor([0.]), tensor([0.]))

    Book: 12.10.2
    """
    # BEGIN SOLUTION
    # BLANK: v_w, s_w = ____
    v_w, s_w = torch.zeros(feature_dim, 1), torch.zeros(feature_dim, 1)
    # BLANK: v_b, s_b = ____
    v_b, s_b = torch.zeros(1), torch.zeros(1)
    # BLANK: return ____
    return (v_w, s_w), (v_b, s_b)
    # END SOLUTION


def adam(params, states, hyperparams):
    """Make one step of Adam, for all parameters.

    Args:
        params: list of float tensors of one axis or more that require gradients. Each has its
            gradient in .grad. Changed in place, so that they stay the very tensors of the model.
        states: list or tuple of pairs (v, s), one for each parameter, in the same order; v and s
            have the shape, dtype and device of their parameter. Changed in place: afterwards they
            hold the new running means, uncorrected.
        hyperparams: dict with the learning rate 'lr' and the number 't' of this step, an int that
            counts from 1. Changed in place: 't' is one more afterwards, however many parameters
            there are.

    Returns:
        Nothing: everything happens in place. Afterwards no gradient is left for the next
        backward() to add to: each parameter's .grad holds zeros, or is None. Parameters are still
        leaves that require gradients, and the states carry no graph.

    Formula:
        For each parameter p with gradient g, entry by entry, with beta1 = 0.9, beta2 = 0.999 and
        eps = 1e-6:
        v <- beta1 * v + (1 - beta1) * g
        s <- beta2 * s + (1 - beta2) * g^2
        p <- p - lr * v_hat / (sqrt(s_hat) + eps)
        where v_hat = v / (1 - beta1^t) and s_hat = s / (1 - beta2^t) correct for the start at zero.
        Mind that eps is outside the root. An entry whose gradients have all been zero stays.

    Raises:
        ValueError: 't' is less than 1 (the correction would divide by zero), or there are not as
            many pairs of states as parameters.

    Rules:
        Write the step yourself: use nothing of torch.optim.

    Example:
        >>> p, v, s = torch.zeros(2, requires_grad=True), torch.zeros(2), torch.zeros(2)
        >>> p.grad = torch.tensor([3.0, -0.03])
        >>> hyperparams = {"lr": 0.1, "t": 1}
        >>> adam([p], [(v, s)], hyperparams)
        >>> p
        tensor([-0.1000,  0.1000], requires_grad=True)
        >>> v, hyperparams["t"]
        (tensor([ 0.3000, -0.0030]), 2)

    Book: 12.10.1, 12.10.2
    """
    # BEGIN SOLUTION
    beta1, beta2, eps = 0.9, 0.999, 1e-6
    t = hyperparams["t"]
    if t < 1:
        raise ValueError(f"steps count from 1: start with hyperparams['t'] = 1, not {t}")
    if len(params) != len(states):
        raise ValueError(f"{len(params)} parameters need as many pairs (v, s), not {len(states)}")
    with torch.no_grad():
        for p, (v, s) in zip(params, states):  # noqa: B905 - their lengths have been compared
            # The slices write into the states; v = ... would only rename a local variable.
            # BLANK: v[:] = ____
            v[:] = beta1 * v + (1 - beta1) * p.grad
            # BLANK: s[:] = ____
            s[:] = beta2 * s + (1 - beta2) * p.grad**2
            # BLANK: v_hat, s_hat = ____
            v_hat, s_hat = v / (1 - beta1**t), s / (1 - beta2**t)
            # BLANK: p -= ____
            p -= hyperparams["lr"] * v_hat / (torch.sqrt(s_hat) + eps)
            p.grad.zero_()
    # BLANK: hyperparams["t"] = ____
    hyperparams["t"] = t + 1
    # END SOLUTION
