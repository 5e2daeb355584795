"""Wrong answers that people give in section 12.6, and what went wrong in them."""

import torch

from d2lgrade.testkit import misconception


@misconception(
    "init_momentum_states",
    "flat-weight",
    book="12.6.2",
    why="The state of the weight has the shape (feature_dim,). The weight is a column, "
    "(feature_dim, 1), and against it a flat state would broadcast to a square.",
)
def init_momentum_states_flat(feature_dim):
    return torch.zeros(feature_dim), torch.zeros(1)


@misconception(
    "init_momentum_states",
    "scalar-bias",
    book="12.6.2",
    why="The state of the bias has no axis. The bias has the shape (1,), and so has its state.",
)
def init_momentum_states_scalar(feature_dim):
    return torch.zeros(feature_dim, 1), torch.zeros(())


@misconception(
    "init_momentum_states",
    "bias-left-out",
    book="12.6.2",
    why="There is a state for the weight only. The bias is a parameter too, and needs its own.",
)
def init_momentum_states_weight_only(feature_dim):
    return (torch.zeros(feature_dim, 1),)


@misconception(
    "init_momentum_states",
    "starts-at-one",
    book="12.6.2",
    why="The states start at 1. A walk begins at rest: nothing has been summed yet.",
)
def init_momentum_states_ones(feature_dim):
    return torch.ones(feature_dim, 1), torch.ones(1)


def _momentum(
    params,
    states,
    hyperparams,
    velocity=lambda v, g, m, lr: m * v + g,
    change=lambda new, v, g, m, lr: lr * new,
    keep=lambda state, new: state.copy_(new),
    clear=True,
):
    """A right step, to be made wrong in one place."""
    if len(params) != len(states):
        raise ValueError("every parameter has its velocity")
    lr, m = hyperparams["lr"], hyperparams["momentum"]
    with torch.no_grad():
        for p, v in zip(params, states, strict=True):
            new = velocity(v, p.grad, m, lr)
            p -= change(new, v.clone(), p.grad, m, lr)
            keep(v, new)
            if clear:
                p.grad.zero_()


@misconception(
    "sgd_momentum",
    "mean-of-gradients",
    book="12.6.1",
    why="The velocity is a running mean: the gradient enters with 1 - momentum. Here it enters "
    "whole, so that with momentum 0.9 the walk goes up to ten times as far.",
)
def sgd_momentum_mean(params, states, hyperparams):
    _momentum(params, states, hyperparams, velocity=lambda v, g, m, lr: m * v + (1 - m) * g)


@misconception(
    "sgd_momentum",
    "learning-rate-in-the-state",
    book="12.6.1",
    why="The learning rate is multiplied into the velocity. Then the state no longer sums "
    "gradients, and the walk differs as soon as lr changes: v <- momentum * v + g, and lr only in "
    "the step.",
)
def sgd_momentum_scaled(params, states, hyperparams):
    _momentum(
        params,
        states,
        hyperparams,
        velocity=lambda v, g, m, lr: m * v + lr * g,
        change=lambda new, v, g, m, lr: new,
    )


@misconception(
    "sgd_momentum",
    "old-velocity",
    book="12.6.1",
    why="The step is made with the velocity from before the update. Update v first, then step "
    "with the new v.",
)
def sgd_momentum_old(params, states, hyperparams):
    _momentum(params, states, hyperparams, change=lambda new, v, g, m, lr: lr * v)


@misconception(
    "sgd_momentum",
    "nesterov",
    book="12.6.1",
    why="The step looks ahead, as Nesterov's variant does: it goes along g + momentum * v. Here "
    "it goes along v itself.",
)
def sgd_momentum_nesterov(params, states, hyperparams):
    _momentum(params, states, hyperparams, change=lambda new, v, g, m, lr: lr * (g + m * new))


@misconception(
    "sgd_momentum",
    "momentum-on-the-gradient",
    book="12.6.1",
    why="momentum weights the gradient, and the old velocity stays whole. It is the velocity "
    "that leaks: momentum * v + g.",
)
def sgd_momentum_reversed(params, states, hyperparams):
    _momentum(params, states, hyperparams, velocity=lambda v, g, m, lr: v + m * g)


@misconception(
    "sgd_momentum",
    "no-memory",
    book="12.6.1",
    why="The step goes along the gradient alone: the velocity is kept but never used.",
)
def sgd_momentum_plain(params, states, hyperparams):
    _momentum(params, states, hyperparams, change=lambda new, v, g, m, lr: lr * g)


@misconception(
    "sgd_momentum",
    "ascends",
    book="12.6.1",
    why="The step is added to the parameter, so it climbs. Subtract it.",
)
def sgd_momentum_ascends(params, states, hyperparams):
    _momentum(params, states, hyperparams, change=lambda new, v, g, m, lr: -lr * new)


@misconception(
    "sgd_momentum",
    "states-rebound",
    book="12.6.2",
    why="The new v only gets a local name and is lost with the call: v = ... leaves the "
    "caller's tensor alone. Write into the state, as v[:] = ... does.",
)
def sgd_momentum_rebound(params, states, hyperparams):
    _momentum(params, states, hyperparams, keep=lambda state, new: None)


@misconception(
    "sgd_momentum",
    "gradient-left",
    book="12.6.2",
    why="The gradients stay as they are, and the next backward() adds to them. Zero them after "
    "the step.",
)
def sgd_momentum_uncleared(params, states, hyperparams):
    _momentum(params, states, hyperparams, clear=False)
