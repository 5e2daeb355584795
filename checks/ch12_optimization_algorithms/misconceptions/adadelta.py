"""Wrong answers that people give in section 12.9, and what went wrong in them."""

import torch

from d2lgrade.testkit import misconception


@misconception(
    "init_adadelta_states",
    "flat-weight",
    book="12.9.2",
    why="The states of the weight have the shape (feature_dim,). The weight is a column, "
    "(feature_dim, 1), and against it a flat state would broadcast to a square.",
)
def init_adadelta_states_flat(feature_dim):
    return tuple((torch.zeros(n), torch.zeros(n)) for n in (feature_dim, 1))


@misconception(
    "init_adadelta_states",
    "grouped-by-kind",
    book="12.9.2",
    why="The states are grouped as (s_w, s_b), (delta_w, delta_b). Parameters and states are gone "
    "through together, so the pairs belong to the parameters: (s_w, delta_w), (s_b, delta_b).",
)
def init_adadelta_states_grouped(feature_dim):
    return tuple((torch.zeros(feature_dim, 1), torch.zeros(1)) for _ in range(2))


@misconception(
    "init_adadelta_states",
    "one-state-each",
    book="12.9.2",
    why="There is one state for each parameter. Adadelta keeps two: s about the gradients, and "
    "delta about the changes.",
)
def init_adadelta_states_single(feature_dim):
    return torch.zeros(feature_dim, 1), torch.zeros(1)


@misconception(
    "init_adadelta_states",
    "one-tensor-for-both",
    book="12.9.2",
    why="s and delta are one and the same tensor, so an update of the one overwrites the other. "
    "Make a tensor for each.",
)
def init_adadelta_states_shared(feature_dim):
    w, b = torch.zeros(feature_dim, 1), torch.zeros(1)
    return (w, w), (b, b)


@misconception(
    "init_adadelta_states",
    "changes-from-one",
    book="12.9.1",
    why="delta starts at 1. It starts at zero like s; the eps in its root sets the walk going.",
)
def init_adadelta_states_ones(feature_dim):
    return tuple((torch.zeros(shape), torch.ones(shape)) for shape in ((feature_dim, 1), (1,)))


def _change(s, new, delta, g):
    return torch.sqrt(delta + 1e-5) / torch.sqrt(new + 1e-5) * g


def _adadelta(
    params,
    states,
    hyperparams,
    change=_change,
    mean=lambda old, new, rho: rho * old + (1 - rho) * new,
    averaged=lambda step, g: step**2,
    keep=lambda state, new: state.copy_(new),
    sign=1,
    clear=True,
):
    """A right step, to be made wrong in one place."""
    if len(params) != len(states):
        raise ValueError("every parameter has its pair")
    rho = hyperparams["rho"]
    with torch.no_grad():
        for p, (s, delta) in zip(params, states, strict=True):
            new = mean(s, p.grad**2, rho)
            step = change(s, new, delta, p.grad)
            p -= sign * step
            keep(s, new)
            keep(delta, mean(delta, averaged(step, p.grad), rho))
            if clear:
                p.grad.zero_()


@misconception(
    "adadelta",
    "no-eps-in-the-numerator",
    book="12.9.1",
    why="The numerator lacks its eps. delta starts at zero, so the first change is zero, and so "
    "are all others: nothing ever moves.",
)
def adadelta_stuck(params, states, hyperparams):
    _adadelta(
        params,
        states,
        hyperparams,
        change=lambda s, new, delta, g: torch.sqrt(delta) / torch.sqrt(new + 1e-5) * g,
    )


@misconception(
    "adadelta",
    "ratio-upside-down",
    book="12.9.1",
    why="The ratio stands on its head. The root of the changes goes above, the root of the "
    "gradients below.",
)
def adadelta_inverted(params, states, hyperparams):
    _adadelta(
        params,
        states,
        hyperparams,
        change=lambda s, new, delta, g: torch.sqrt(new + 1e-5) / torch.sqrt(delta + 1e-5) * g,
    )


@misconception(
    "adadelta",
    "delta-of-gradients",
    book="12.9.1",
    why="delta averages the squared gradients, as s does. It is to average the squares of the "
    "changes that were made.",
)
def adadelta_same_mean(params, states, hyperparams):
    _adadelta(params, states, hyperparams, averaged=lambda step, g: g**2)


def _adadelta_early(params, states, hyperparams):
    """delta first: the raw change goes into the mean that then scales it."""
    if len(params) != len(states):
        raise ValueError("every parameter has its pair")
    rho = hyperparams["rho"]
    with torch.no_grad():
        for p, (s, delta) in zip(params, states, strict=True):
            s.copy_(rho * s + (1 - rho) * p.grad**2)
            step = _change(s, s, delta, p.grad)
            delta.copy_(rho * delta + (1 - rho) * step**2)
            p -= _change(s, s, delta, p.grad)
            p.grad.zero_()


@misconception(
    "adadelta",
    "delta-before-the-step",
    book="12.9.1",
    why="delta is updated before the parameter moves, and the move uses the new one. It uses "
    "the old delta; update it afterwards.",
)
def adadelta_delta_first(params, states, hyperparams):
    _adadelta_early(params, states, hyperparams)


@misconception(
    "adadelta",
    "old-s",
    book="12.9.1",
    why="The change is made with s from before the update. Update s first, then make the change.",
)
def adadelta_old(params, states, hyperparams):
    _adadelta(
        params, states, hyperparams, change=lambda s, new, delta, g: _change(new, s, delta, g)
    )


@misconception(
    "adadelta",
    "rho-reversed",
    book="12.9.1",
    why="rho weights the new squares and 1 - rho the old means. rho is the share that lasts: "
    "rho * s + (1 - rho) * g^2.",
)
def adadelta_reversed(params, states, hyperparams):
    _adadelta(params, states, hyperparams, mean=lambda old, new, rho: (1 - rho) * old + rho * new)


@misconception(
    "adadelta",
    "eps-outside-the-roots",
    book="12.9.1",
    why="eps is added to the roots instead of under them, where it is worth less: sqrt(1e-5) is "
    "3e-3.",
)
def adadelta_eps_outside(params, states, hyperparams):
    _adadelta(
        params,
        states,
        hyperparams,
        change=lambda s, new, delta, g: (torch.sqrt(delta) + 1e-5) / (torch.sqrt(new) + 1e-5) * g,
    )


@misconception(
    "adadelta",
    "eps-of-pytorch",
    book="12.9.2",
    why="eps is 1e-6, as PyTorch has it by default. The book's Adadelta has 1e-5, and as eps "
    "sets the walk going, the paths differ from the first step.",
)
def adadelta_eps_pytorch(params, states, hyperparams):
    _adadelta(
        params,
        states,
        hyperparams,
        change=lambda s, new, delta, g: torch.sqrt(delta + 1e-6) / torch.sqrt(new + 1e-6) * g,
    )


@misconception(
    "adadelta",
    "ascends",
    book="12.9.1",
    why="The change is added to the parameter, so it climbs. Subtract it.",
)
def adadelta_ascends(params, states, hyperparams):
    _adadelta(params, states, hyperparams, sign=-1)


@misconception(
    "adadelta",
    "states-rebound",
    book="12.9.2",
    why="The new means only get local names and are lost with the call: s = ... leaves the "
    "caller's tensor alone. Write into the states, as s[:] = ... does.",
)
def adadelta_rebound(params, states, hyperparams):
    _adadelta(params, states, hyperparams, keep=lambda state, new: None)


@misconception(
    "adadelta",
    "gradient-left",
    book="12.9.2",
    why="The gradients stay as they are, and the next backward() adds to them. Zero them after "
    "the step.",
)
def adadelta_uncleared(params, states, hyperparams):
    _adadelta(params, states, hyperparams, clear=False)
