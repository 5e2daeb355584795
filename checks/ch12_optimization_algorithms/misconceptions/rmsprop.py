"""Wrong answers that people give in section 12.8, and what went wrong in them."""

import torch

from d2lgrade.testkit import misconception


@misconception(
    "init_rmsprop_states",
    "flat-weight",
    book="12.8.2",
    why="The state of the weight has the shape (feature_dim,). The weight is a column, "
    "(feature_dim, 1), and against it a flat state would broadcast to a square.",
)
def init_rmsprop_states_flat(feature_dim):
    return torch.zeros(feature_dim), torch.zeros(1)


@misconception(
    "init_rmsprop_states",
    "scalar-bias",
    book="12.8.2",
    why="The state of the bias has no axis. The bias has the shape (1,), and so has its state.",
)
def init_rmsprop_states_scalar(feature_dim):
    return torch.zeros(feature_dim, 1), torch.zeros(())


@misconception(
    "init_rmsprop_states",
    "bias-left-out",
    book="12.8.2",
    why="There is a state for the weight only. The bias is a parameter too, and needs its own.",
)
def init_rmsprop_states_weight_only(feature_dim):
    return (torch.zeros(feature_dim, 1),)


@misconception(
    "init_rmsprop_states",
    "starts-at-one",
    book="12.8.2",
    why="The states start at 1. They are means of what has been seen, and nothing has been yet.",
)
def init_rmsprop_states_ones(feature_dim):
    return torch.ones(feature_dim, 1), torch.ones(1)


def _rmsprop(
    params,
    states,
    hyperparams,
    mean=lambda s, g, gamma: gamma * s + (1 - gamma) * g**2,
    rooted=lambda new, s: torch.sqrt(new + 1e-6),
    keep=lambda state, new: state.copy_(new),
    clear=True,
):
    """A right step, to be made wrong in one place."""
    if len(params) != len(states):
        raise ValueError("every parameter has its mean")
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            new = mean(s, p.grad, hyperparams["gamma"])
            p -= hyperparams["lr"] * p.grad / rooted(new, s.clone())
            keep(s, new)
            if clear:
                p.grad.zero_()


@misconception(
    "rmsprop",
    "gamma-reversed",
    book="12.8.1",
    why="gamma weights the new square and 1 - gamma the old mean. gamma is the share that "
    "lasts: gamma * s + (1 - gamma) * g^2.",
)
def rmsprop_reversed(params, states, hyperparams):
    _rmsprop(params, states, hyperparams, mean=lambda s, g, gamma: (1 - gamma) * s + gamma * g**2)


@misconception(
    "rmsprop",
    "leaky-sum",
    book="12.8.1",
    why="The square enters whole, so s is a leaky sum, 1 / (1 - gamma) times too large. A mean "
    "weights it with 1 - gamma.",
)
def rmsprop_sum(params, states, hyperparams):
    _rmsprop(params, states, hyperparams, mean=lambda s, g, gamma: gamma * s + g**2)


@misconception(
    "rmsprop",
    "adagrad",
    book="12.8.1",
    why="s adds up all squares, as in Adagrad, so that the steps shrink for ever. Let the old "
    "mean fade by gamma.",
)
def rmsprop_adagrad(params, states, hyperparams):
    _rmsprop(params, states, hyperparams, mean=lambda s, g, gamma: s + g**2)


@misconception(
    "rmsprop",
    "mean-of-gradients",
    book="12.8.1",
    why="s averages the gradients themselves. It is to average their squares; else they cancel, "
    "and the root of a negative mean is nan.",
)
def rmsprop_unsquared(params, states, hyperparams):
    _rmsprop(params, states, hyperparams, mean=lambda s, g, gamma: gamma * s + (1 - gamma) * g)


@misconception(
    "rmsprop",
    "eps-outside-the-root",
    book="12.8.1",
    why="eps is added to the root instead of under it. That is PyTorch's RMSprop; the book has "
    "sqrt(s + eps), and so has the contract.",
)
def rmsprop_eps_outside(params, states, hyperparams):
    _rmsprop(params, states, hyperparams, rooted=lambda new, s: torch.sqrt(new) + 1e-6)


@misconception(
    "rmsprop",
    "no-root",
    book="12.8.1",
    why="The gradient is divided by s itself. Take the root, or steps grow where gradients shrink.",
)
def rmsprop_rootless(params, states, hyperparams):
    _rmsprop(params, states, hyperparams, rooted=lambda new, s: new + 1e-6)


@misconception(
    "rmsprop",
    "old-mean",
    book="12.8.1",
    why="The step is made with the mean from before the update. At the first step that is zero, "
    "and the step enormous: update first, then step.",
)
def rmsprop_old(params, states, hyperparams):
    _rmsprop(params, states, hyperparams, rooted=lambda new, s: torch.sqrt(s + 1e-6))


@misconception(
    "rmsprop",
    "ascends",
    book="12.8.1",
    why="The step is added to the parameter, so it climbs. Subtract it.",
)
def rmsprop_ascends(params, states, hyperparams):
    _rmsprop(params, states, hyperparams, rooted=lambda new, s: -torch.sqrt(new + 1e-6))


@misconception(
    "rmsprop",
    "states-rebound",
    book="12.8.2",
    why="The new s only gets a local name and is lost with the call: s = ... leaves the "
    "caller's tensor alone. Write into the state, as s[:] = ... does.",
)
def rmsprop_rebound(params, states, hyperparams):
    _rmsprop(params, states, hyperparams, keep=lambda state, new: None)


@misconception(
    "rmsprop",
    "gradient-left",
    book="12.8.2",
    why="The gradients stay as they are, and the next backward() adds to them. Zero them after "
    "the step.",
)
def rmsprop_uncleared(params, states, hyperparams):
    _rmsprop(params, states, hyperparams, clear=False)
