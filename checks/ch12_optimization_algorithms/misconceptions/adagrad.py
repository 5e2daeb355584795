"""Wrong answers that people give in section 12.7, and what went wrong in them."""

import torch

from d2lgrade.testkit import misconception


@misconception(
    "init_adagrad_states",
    "flat-weight",
    book="12.7.4",
    why="The state of the weight has the shape (feature_dim,). The weight is a column, "
    "(feature_dim, 1), and against it a flat state would broadcast to a square.",
)
def init_adagrad_states_flat(feature_dim):
    return torch.zeros(feature_dim), torch.zeros(1)


@misconception(
    "init_adagrad_states",
    "scalar-bias",
    book="12.7.4",
    why="The state of the bias has no axis. The bias has the shape (1,), and so has its state.",
)
def init_adagrad_states_scalar(feature_dim):
    return torch.zeros(feature_dim, 1), torch.zeros(())


@misconception(
    "init_adagrad_states",
    "bias-left-out",
    book="12.7.4",
    why="There is a state for the weight only. The bias is a parameter too, and needs its own.",
)
def init_adagrad_states_weight_only(feature_dim):
    return (torch.zeros(feature_dim, 1),)


@misconception(
    "init_adagrad_states",
    "starts-at-one",
    book="12.7.4",
    why="The states start at 1. They are sums, and nothing has been summed yet.",
)
def init_adagrad_states_ones(feature_dim):
    return torch.ones(feature_dim, 1), torch.ones(1)


def _adagrad(
    params,
    states,
    hyperparams,
    total=lambda s, g: s + g**2,
    rooted=lambda new, s: torch.sqrt(new + 1e-6),
    keep=lambda state, new: state.copy_(new),
    clear=True,
):
    """A right step, to be made wrong in one place."""
    if len(params) != len(states):
        raise ValueError("every parameter has its sum")
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            new = total(s, p.grad)
            p -= hyperparams["lr"] * p.grad / rooted(new, s.clone())
            keep(s, new)
            if clear:
                p.grad.zero_()


@misconception(
    "adagrad",
    "eps-outside-the-root",
    book="12.7.3",
    why="eps is added to the root instead of under it. That is PyTorch's Adagrad; the book has "
    "sqrt(s + eps), and so has the contract.",
)
def adagrad_eps_outside(params, states, hyperparams):
    _adagrad(params, states, hyperparams, rooted=lambda new, s: torch.sqrt(new) + 1e-6)


@misconception(
    "adagrad",
    "no-root",
    book="12.7.3",
    why="The gradient is divided by s itself. Take the root, or steps grow where gradients shrink.",
)
def adagrad_rootless(params, states, hyperparams):
    _adagrad(params, states, hyperparams, rooted=lambda new, s: new + 1e-6)


@misconception(
    "adagrad",
    "running-mean",
    book="12.7.3",
    why="s fades like a running mean, as in RMSProp. Adagrad adds up: nothing is ever forgotten.",
)
def adagrad_mean(params, states, hyperparams):
    _adagrad(params, states, hyperparams, total=lambda s, g: 0.9 * s + 0.1 * g**2)


@misconception(
    "adagrad",
    "sum-of-gradients",
    book="12.7.3",
    why="The gradients themselves are added up, not their squares. They cancel, and a root of a "
    "negative sum is nan.",
)
def adagrad_unsquared(params, states, hyperparams):
    _adagrad(params, states, hyperparams, total=lambda s, g: s + g)


@misconception(
    "adagrad",
    "last-square-only",
    book="12.7.3",
    why="s is only the last square: the sum over the past is missing, so that every step has "
    "the length lr.",
)
def adagrad_forgetful(params, states, hyperparams):
    _adagrad(params, states, hyperparams, total=lambda s, g: g**2)


@misconception(
    "adagrad",
    "old-sum",
    book="12.7.3",
    why="The step is made with the sum from before the update. At the first step that is zero, "
    "and the step enormous: add first, then step.",
)
def adagrad_old(params, states, hyperparams):
    _adagrad(params, states, hyperparams, rooted=lambda new, s: torch.sqrt(s + 1e-6))


@misconception(
    "adagrad",
    "one-rate-for-all-entries",
    book="12.7.3",
    why="The root is taken of the mean over all entries, so all get one learning rate. Adagrad "
    "keeps one for each entry: that is its point.",
)
def adagrad_pooled(params, states, hyperparams):
    _adagrad(params, states, hyperparams, rooted=lambda new, s: torch.sqrt(new.mean() + 1e-6))


@misconception(
    "adagrad",
    "ascends",
    book="12.7.3",
    why="The step is added to the parameter, so it climbs. Subtract it.",
)
def adagrad_ascends(params, states, hyperparams):
    _adagrad(params, states, hyperparams, rooted=lambda new, s: -torch.sqrt(new + 1e-6))


@misconception(
    "adagrad",
    "states-rebound",
    book="12.7.4",
    why="The new s only gets a local name and is lost with the call: s = ... leaves the "
    "caller's tensor alone. Write into the state, as s[:] = ... does.",
)
def adagrad_rebound(params, states, hyperparams):
    _adagrad(params, states, hyperparams, keep=lambda state, new: None)


@misconception(
    "adagrad",
    "gradient-left",
    book="12.7.4",
    why="The gradients stay as they are, and the next backward() adds to them. Zero them after "
    "the step.",
)
def adagrad_uncleared(params, states, hyperparams):
    _adagrad(params, states, hyperparams, clear=False)
