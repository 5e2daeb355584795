"""Section 12.10: Adam.

Two running means of every gradient, of its values and of its squares, make steps of one size for
parameters of every scale. Yogi lets the second grow less abruptly, and as a class of its own Adam
drives any PyTorch training loop.
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


def yogi(params, states, hyperparams):
    """Make one step of Yogi, for all parameters.

    Yogi is Adam with another rule for s. Where Adam takes a share of the distance to the new
    square, however large, Yogi only asks for its direction and moves by a share of the square
    itself: a run of small gradients no longer makes s forget the large ones at once.

    Args:
        params: list of float tensors of one axis or more that require gradients. Each has its
            gradient in .grad. Changed in place, so that they stay the very tensors of the model.
        states: list or tuple of pairs (v, s), one for each parameter, in the same order; v and s
            have the shape, dtype and device of their parameter. Changed in place: afterwards they
            hold their new values, uncorrected.
        hyperparams: dict with the learning rate 'lr' and the number 't' of this step, an int that
            counts from 1. Changed in place: 't' is one more afterwards, however many parameters
            there are.

    Returns:
        Nothing: everything happens in place. Afterwards no gradient is left for the next
        backward() to add to: each parameter's .grad holds zeros, or is None. Parameters are still
        leaves that require gradients, and the states carry no graph.

    Formula:
        For each parameter p with gradient g, entry by entry, with beta1 = 0.9, beta2 = 0.999 and
        eps = 1e-3:
        v <- beta1 * v + (1 - beta1) * g
        s <- s + (1 - beta2) * sign(g^2 - s) * g^2
        p <- p - lr * v_hat / (sqrt(s_hat) + eps)
        where v_hat = v / (1 - beta1^t) and s_hat = s / (1 - beta2^t).
        sign is 1, 0 or -1. Mind that eps is outside the root, and larger than Adam's. An entry
        whose gradients have all been zero stays. PyTorch has no Yogi.

    Raises:
        ValueError: 't' is less than 1 (the correction would divide by zero), or there are not as
            many pairs of states as parameters.

    Rules:
        Write the step yourself: use nothing of torch.optim.

    Example:
        >>> p, v, s = torch.zeros(2, requires_grad=True), torch.zeros(2), torch.tensor([0.0, 9.0])
        >>> p.grad = torch.tensor([3.0, 1.0])
        >>> hyperparams = {"lr": 0.1, "t": 1}
        >>> yogi([p], [(v, s)], hyperparams)
        >>> s
        tensor([0.0090, 8.9990])
        >>> p
        tensor([-0.1000, -0.0011], requires_grad=True)

    Book: 12.10.3
    """
    # BEGIN SOLUTION
    beta1, beta2, eps = 0.9, 0.999, 1e-3
    t = hyperparams["t"]
    if t < 1:
        raise ValueError(f"steps count from 1: start with hyperparams['t'] = 1, not {t}")
    if len(params) != len(states):
        raise ValueError(f"{len(params)} parameters need as many pairs (v, s), not {len(states)}")
    with torch.no_grad():
        for p, (v, s) in zip(params, states):  # noqa: B905 - their lengths have been compared
            square = p.grad**2
            v[:] = beta1 * v + (1 - beta1) * p.grad
            # BLANK: s[:] = ____
            s[:] = s + (1 - beta2) * torch.sign(square - s) * square
            # BLANK: v_hat, s_hat = ____
            v_hat, s_hat = v / (1 - beta1**t), s / (1 - beta2**t)
            # BLANK: p -= ____
            p -= hyperparams["lr"] * v_hat / (torch.sqrt(s_hat) + eps)
            p.grad.zero_()
    hyperparams["t"] = t + 1
    # END SOLUTION


class Adam(torch.optim.Optimizer):
    """Adam as a PyTorch optimizer, for any model and any training loop.

    What the base class gives stays as it is: param groups with settings of their own, zero_grad,
    add_param_group, state_dict and load_state_dict. It saves and restores what is in self.state
    and in the groups, and nothing else; so that is where all must be kept that a step needs.

    Args:
        params: tensors to optimize, or dicts of 'params' and settings that hold for this group
            only, as every PyTorch optimizer takes them.
        lr: float, the learning rate of groups that do not name their own.
        betas: pair of floats (beta1, beta2), likewise.
        eps: float, likewise. It is added to the root.

    Returns:
        An optimizer. Its step(closure=None) makes one step of Adam in place for every parameter
        that has a gradient, with the settings that its group has at that moment. A parameter
        without a gradient (.grad is None) is passed over: it does not move, and its own count of
        steps stands still. Gradients are left as they are; zero_grad clears them. A closure is
        called once before the step, with gradients turned on, and step returns what it returns;
        without one step returns None.

    Formula:
        As in `adam`, with the group's lr, betas and eps; t counts the steps of this parameter.

    Raises:
        ValueError: lr or eps is negative, or a beta is outside [0, 1).

    Rules:
        Write the step yourself: use neither torch.optim.Adam nor its relatives.

    Example:
        >>> w = torch.tensor([1.0, -1.0], requires_grad=True)
        >>> optimizer = Adam([w], lr=0.25)
        >>> (w * torch.tensor([5.0, -0.05])).sum().backward()
        >>> optimizer.step()
        >>> w
        tensor([ 0.7500, -0.7500], requires_grad=True)

    Book: 12.10.2
    """

    def __init__(self, params, lr=0.001, betas=(0.9, 0.999), eps=1e-6):
        # BEGIN SOLUTION
        if lr < 0 or eps < 0:
            raise ValueError(f"lr and eps must not be negative: {lr}, {eps}")
        if not all(0 <= beta < 1 for beta in betas):
            raise ValueError(f"both betas must be at least 0 and less than 1: {betas}")
        # BLANK: super().__init__(params, ____)
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})
        # END SOLUTION

    @torch.no_grad()
    def step(self, closure=None):
        """Make one step; see above."""
        # BEGIN SOLUTION
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            # BLANK: (beta1, beta2), eps = ____
            (beta1, beta2), eps = group["betas"], group["eps"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    # BLANK: state.update(t=0, v=____, s=____)
                    state.update(t=0, v=torch.zeros_like(p), s=torch.zeros_like(p))
                # BLANK: state["t"] = ____
                state["t"] += 1
                t, v, s = state["t"], state["v"], state["s"]
                v[:] = beta1 * v + (1 - beta1) * p.grad
                s[:] = beta2 * s + (1 - beta2) * p.grad**2
                v_hat, s_hat = v / (1 - beta1**t), s / (1 - beta2**t)
                # BLANK: p -= ____
                p -= group["lr"] * v_hat / (torch.sqrt(s_hat) + eps)
        return loss
        # END SOLUTION
