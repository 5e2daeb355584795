"""Wrong answers that people give in section 5.4, and what went wrong in them.

The draws differ from process to process, so most are recognised by their spread.
"""

import math

import torch

from d2lgrade.testkit import misconception


def _legal(fan_out, fan_in):
    """Refuse what the contract refuses, so that each answer below is wrong in one way only."""
    if fan_out < 1 or fan_in < 1:
        raise ValueError("both fans are at least 1")


def _uniform(fan_out, fan_in, a, generator):
    return a * (2 * torch.rand(fan_out, fan_in, generator=generator) - 1)


def _spreads(wrong):
    """Recognises a mean square of `wrong(fan_out, fan_in)`, in many weights."""

    def signature(calls):
        fan_out, fan_in = calls[-1].args
        weight = calls[-1].result.double()
        if weight.numel() < 1000:
            return False
        due = wrong(fan_out, fan_in)
        right = 2 / (fan_in + fan_out)
        found = float((weight**2).mean())
        return abs(found / due - 1) < 0.1 and abs(due / right - 1) > 0.1

    return signature


def _is_normal(calls):
    """Whether the variance is right, but some weights lie far out."""
    fan_out, fan_in = calls[-1].args
    weight = calls[-1].result.double()
    beyond = float(weight.abs().max()) > 1.1 * math.sqrt(6 / (fan_in + fan_out))
    ratio = float((weight**2).mean()) * (fan_in + fan_out) / 2
    return weight.numel() > 1000 and beyond and abs(ratio - 1) < 0.1


def _is_positive(calls):
    """Whether no weight is negative."""
    weight = calls[-1].result
    return weight.numel() > 1000 and bool((weight >= 0).all())


@misconception(
    "xavier_uniform",
    "transposed",
    book="5.4.2",
    why="The shape is (fan_in, fan_out). Outputs come first, as in nn.Linear.",
)
def xavier_uniform_transposed(fan_out, fan_in, generator=None):
    _legal(fan_out, fan_in)
    return _uniform(fan_in, fan_out, math.sqrt(6 / (fan_in + fan_out)), generator)


@misconception(
    "xavier_uniform",
    "variance-for-bound",
    book="5.4.2",
    why="sqrt(2 / (fan_in + fan_out)) is the standard deviation. The bound of a uniform draw is "
    "sqrt(3) times that: sqrt(6 / (fan_in + fan_out)).",
    fails=("bound", "variance"),
    signature=_spreads(lambda fan_out, fan_in: 2 / (fan_in + fan_out) / 3),
)
def xavier_uniform_deviation(fan_out, fan_in, generator=None):
    _legal(fan_out, fan_in)
    return _uniform(fan_out, fan_in, math.sqrt(2 / (fan_in + fan_out)), generator)


@misconception(
    "xavier_uniform",
    "root-forgotten",
    book="5.4.2",
    why="The bound is the root of 6 / (fan_in + fan_out), not that number itself.",
    fails=("bound", "variance"),
    signature=_spreads(lambda fan_out, fan_in: (6 / (fan_in + fan_out)) ** 2 / 3),
)
def xavier_uniform_no_root(fan_out, fan_in, generator=None):
    _legal(fan_out, fan_in)
    return _uniform(fan_out, fan_in, 6 / (fan_in + fan_out), generator)


@misconception(
    "xavier_uniform",
    "fan-in-alone",
    book="5.4.2",
    why="The bound goes by the inputs alone, sqrt(6 / fan_in): that is Kaiming's rule for relu. "
    "Xavier's takes both numbers.",
    fails=("bound", "variance"),
    signature=_spreads(lambda fan_out, fan_in: 2 / fan_in),
)
def xavier_uniform_kaiming(fan_out, fan_in, generator=None):
    _legal(fan_out, fan_in)
    return _uniform(fan_out, fan_in, math.sqrt(6 / fan_in), generator)


@misconception(
    "xavier_uniform",
    "normal",
    book="5.4.2",
    why="The variance is right, but the draws are normal. Uniform ones never leave their bound.",
    fails=("bound",),
    signature=_is_normal,
)
def xavier_uniform_normal(fan_out, fan_in, generator=None):
    _legal(fan_out, fan_in)
    return math.sqrt(2 / (fan_in + fan_out)) * torch.randn(fan_out, fan_in, generator=generator)


@misconception(
    "xavier_uniform",
    "positive-only",
    book="5.4.2",
    why="torch.rand draws between 0 and 1, so no weight is negative. Stretch and shift the draws "
    "to lie between -a and a.",
    fails=("bound", "variance"),
    signature=_is_positive,
)
def xavier_uniform_positive(fan_out, fan_in, generator=None):
    _legal(fan_out, fan_in)
    return math.sqrt(6 / (fan_in + fan_out)) * torch.rand(fan_out, fan_in, generator=generator)


def _same_again(calls):
    """Whether two calls with the same sizes gave the same weights."""
    return torch.equal(calls[-1].result, calls[-2].result)


@misconception(
    "xavier_uniform",
    "seeded-inside",
    book="5.4.2",
    why="Every call gives the same weights: a seed is set inside the function. Leave that to the "
    "caller.",
    fails=("independent",),
    signature=_same_again,
)
def xavier_uniform_seeded(fan_out, fan_in, generator=None):
    _legal(fan_out, fan_in)
    generator = torch.Generator().manual_seed(0)
    return _uniform(fan_out, fan_in, math.sqrt(6 / (fan_in + fan_out)), generator)


def _rows_alike(calls):
    """Whether all rows of the last weight are the same."""
    weight = calls[-1].result
    return len(weight) > 1 and bool((weight == weight[:1]).all())


@misconception(
    "xavier_uniform",
    "rows-alike",
    book="5.4.1",
    why="All outputs start from the same row of weights, so that they learn the same thing for "
    "ever. Draw each weight apart.",
    fails=("bound", "variance", "independent"),
    signature=_rows_alike,
)
def xavier_uniform_rows(fan_out, fan_in, generator=None):
    _legal(fan_out, fan_in)
    return _uniform(1, fan_in, math.sqrt(6 / (fan_in + fan_out)), generator).repeat(fan_out, 1)


@misconception(
    "xavier_uniform",
    "generator-ignored",
    book="5.4.2",
    why="The draws do not come from the generator given. Hand it on to torch.rand.",
    fails=("generator",),
    signature=lambda calls: all(call.error is None for call in calls),
)
def xavier_uniform_own_draws(fan_out, fan_in, generator=None):
    _legal(fan_out, fan_in)
    return _uniform(fan_out, fan_in, math.sqrt(6 / (fan_in + fan_out)), None)
