"""Wrong answers that people give in section 12.10, and what went wrong in them."""

import torch

from d2lgrade.testkit import misconception


@misconception(
    "init_adam_states",
    "flat-weight",
    book="12.10.2",
    why="The states of the weight have the shape (feature_dim,). The weight is a column, "
    "(feature_dim, 1), and against it a flat state would broadcast to a square.",
)
def init_adam_states_flat(feature_dim):
    return tuple((torch.zeros(n), torch.zeros(n)) for n in (feature_dim, 1))


@misconception(
    "init_adam_states",
    "grouped-by-kind",
    book="12.10.2",
    why="The states are grouped as (v_w, v_b), (s_w, s_b). Adam goes through parameters and states "
    "together, so the pairs belong to the parameters: (v_w, s_w), (v_b, s_b).",
)
def init_adam_states_grouped(feature_dim):
    return tuple((torch.zeros(feature_dim, 1), torch.zeros(1)) for _ in range(2))


@misconception(
    "init_adam_states",
    "squares-from-one",
    book="12.10.1",
    why="s starts at 1. The bias correction assumes that both running means start at 0.",
)
def init_adam_states_ones(feature_dim):
    return tuple((torch.zeros(shape), torch.ones(shape)) for shape in ((feature_dim, 1), (1,)))


@misconception(
    "init_adam_states",
    "one-tensor-for-both",
    book="12.10.2",
    why="v and s are one and the same tensor, so an update of the one overwrites the other. Make "
    "a tensor for each.",
)
def init_adam_states_shared(feature_dim):
    w, b = torch.zeros(feature_dim, 1), torch.zeros(1)
    return (w, w), (b, b)


@misconception(
    "init_adam_states",
    "scalar-bias",
    book="12.10.2",
    why="The states of the bias have no axis. The bias has the shape (1,), and so have its states.",
)
def init_adam_states_scalar(feature_dim):
    return tuple((torch.zeros(shape), torch.zeros(shape)) for shape in ((feature_dim, 1), ()))


def _adam(
    params,
    states,
    hyperparams,
    beta1=0.9,
    beta2=0.999,
    correct_v=True,
    correct_s=True,
    root=lambda s: torch.sqrt(s) + 1e-6,
    squared=lambda g, v: g**2,
    keep=lambda state, new: state.copy_(new),
    clear=True,
    ahead=0,
):
    """A right step, to be made wrong in one place."""
    t = hyperparams["t"] + ahead
    if hyperparams["t"] < 1 or len(params) != len(states):
        raise ValueError("t counts from 1, and every parameter has its states")
    with torch.no_grad():
        for p, (v, s) in zip(params, states, strict=True):
            v_new = beta1 * v + (1 - beta1) * p.grad
            s_new = beta2 * s + (1 - beta2) * squared(p.grad, v_new)
            keep(v, v_new)
            keep(s, s_new)
            v_hat = v_new / (1 - beta1**t) if correct_v else v_new
            s_hat = s_new / (1 - beta2**t) if correct_s else s_new
            p -= hyperparams["lr"] * v_hat / root(s_hat)
            if clear:
                p.grad.zero_()
    hyperparams["t"] += 1


@misconception(
    "adam",
    "no-bias-correction",
    book="12.10.1",
    why="The bias correction is missing. Both running means start at zero and are far too small in "
    "the first steps; divide them by 1 - beta^t.",
)
def adam_uncorrected(params, states, hyperparams):
    _adam(params, states, hyperparams, correct_v=False, correct_s=False)


@misconception(
    "adam",
    "only-first-moment-corrected",
    book="12.10.1",
    why="Only v is corrected for its start at zero. Divide s by 1 - beta2^t as well, or the first "
    "steps are about thirty times too long.",
)
def adam_half_corrected(params, states, hyperparams):
    _adam(params, states, hyperparams, correct_s=False)


@misconception(
    "adam",
    "time-a-step-ahead",
    book="12.10.2",
    why="The correction uses t + 1. t is the number of this step: advance it after the step, not "
    "before.",
)
def adam_ahead(params, states, hyperparams):
    _adam(params, states, hyperparams, ahead=1)


@misconception(
    "adam",
    "betas-swapped",
    book="12.10.1",
    why="The two betas are swapped. v follows the gradients quickly, with beta1 = 0.9; s follows "
    "their squares slowly, with beta2 = 0.999.",
)
def adam_swapped(params, states, hyperparams):
    _adam(params, states, hyperparams, beta1=0.999, beta2=0.9)


@misconception(
    "adam",
    "square-of-the-mean",
    book="12.10.1",
    why="s averages the squares of v, the running mean. It is to average the squares of the "
    "gradients themselves.",
)
def adam_squared_mean(params, states, hyperparams):
    _adam(params, states, hyperparams, squared=lambda g, v: v**2)


@misconception(
    "adam",
    "no-root",
    book="12.10.1",
    why="The step is divided by s_hat itself. Take its root, or the step grows as the gradient "
    "shrinks.",
)
def adam_rootless(params, states, hyperparams):
    _adam(params, states, hyperparams, root=lambda s: s + 1e-6)


@misconception(
    "adam",
    "weights-of-the-mean-reversed",
    book="12.10.1",
    why="The running means take beta of the new value and 1 - beta of the old one. beta weights "
    "the past: beta * v + (1 - beta) * g.",
)
def adam_reversed(params, states, hyperparams):
    t = hyperparams["t"]
    if t < 1 or len(params) != len(states):
        raise ValueError("t counts from 1, and every parameter has its states")
    with torch.no_grad():
        for p, (v, s) in zip(params, states, strict=True):
            v.mul_(0.1).add_(p.grad, alpha=0.9)
            s.mul_(0.001).add_(p.grad**2, alpha=0.999)
            p -= hyperparams["lr"] * (v / (1 - 0.9**t)) / (torch.sqrt(s / (1 - 0.999**t)) + 1e-6)
            p.grad.zero_()
    hyperparams["t"] += 1


@misconception(
    "adam",
    "ascends",
    book="12.10.1",
    why="The step is added to the parameter, so it climbs. Subtract it.",
)
def adam_ascends(params, states, hyperparams):
    _adam(params, states, hyperparams, root=lambda s: -(torch.sqrt(s) + 1e-6))


@misconception(
    "adam",
    "states-rebound",
    book="12.10.2",
    why="The new running means only get a local name and are lost with the call: v = ... leaves "
    "the caller's tensor alone. Write into the states, as v[:] = ... does.",
)
def adam_rebound(params, states, hyperparams):
    _adam(params, states, hyperparams, keep=lambda state, new: None)


@misconception(
    "adam",
    "corrected-means-kept",
    book="12.10.1",
    why="The corrected means are written back into the states, so the next step corrects them "
    "again. Keep v and s as they are; v_hat and s_hat are for this step alone.",
)
def adam_keeps_corrected(params, states, hyperparams):
    t = hyperparams["t"]
    _adam(params, states, hyperparams)
    for v, s in states:
        v /= 1 - 0.9**t
        s /= 1 - 0.999**t


@misconception(
    "adam",
    "time-stands-still",
    book="12.10.2",
    why="hyperparams['t'] is never advanced, so every step is corrected as if it were the first.",
)
def adam_timeless(params, states, hyperparams):
    t = hyperparams["t"]
    _adam(params, states, hyperparams)
    hyperparams["t"] = t


@misconception(
    "adam",
    "time-of-its-own-for-each-parameter",
    book="12.10.2",
    why="t advances with every parameter instead of every step: its line is inside the loop. Move "
    "it behind the loop.",
)
def adam_hasty(params, states, hyperparams):
    if len(params) != len(states):
        raise ValueError("every parameter has its states")
    for p, pair in zip(params, states, strict=True):
        _adam([p], [pair], hyperparams)


@misconception(
    "adam",
    "gradient-left",
    book="12.10.2",
    why="The gradients stay as they are, and the next backward() adds to them. Zero them after the "
    "step.",
)
def adam_uncleared(params, states, hyperparams):
    _adam(params, states, hyperparams, clear=False)


@misconception(
    "adam",
    "eps-inside-the-root",
    book="12.10.1",
    why="eps is added under the root, where 1e-6 becomes 1e-3. In Adam it is added to the root.",
)
def adam_eps_inside(params, states, hyperparams):
    _adam(params, states, hyperparams, root=lambda s: torch.sqrt(s + 1e-6))


@misconception(
    "adam",
    "eps-of-pytorch",
    book="12.10.2",
    why="eps is 1e-8, as PyTorch has it by default. The book's Adam has 1e-6.",
)
def adam_eps_pytorch(params, states, hyperparams):
    _adam(params, states, hyperparams, root=lambda s: torch.sqrt(s) + 1e-8)
