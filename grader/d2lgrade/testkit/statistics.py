"""Judging random layers: bounds that an honest answer exceeds less than once in a million.

Each function states its bound. Seeds are fixed by the check's id, so a regrade draws the same
numbers and gives the same verdict.
"""

from __future__ import annotations

import math

import torch

from .compare import Mismatch

FALSE_ALARM = 1e-6


def assert_rate(successes: int, trials: int, probability: float, what: str) -> None:
    """Fail where `successes` of `trials` is no credible draw at `probability`.

    By the Chernoff bound P(rate this far off) <= 2 exp(-trials × KL(rate, probability)), which
    holds for every number of trials.
    """
    rate = successes / trials
    if 2 * math.exp(-trials * _divergence(rate, probability)) < FALSE_ALARM:
        raise Mismatch(
            f"{what}: {rate:.4f} of {trials} where {probability:g} is due.",
            expected=f"about {probability:g}",
            got=f"{rate:.4f}",
        )


def _divergence(rate: float, probability: float) -> float:
    """Kullback-Leibler divergence of Bernoulli(rate) from Bernoulli(probability)."""

    def term(a: float, b: float) -> float:
        if a == 0:
            return 0.0
        return math.inf if b == 0 else a * math.log(a / b)

    return term(rate, probability) + term(1 - rate, 1 - probability)


def assert_mean(sample: torch.Tensor, mean: float, std: float, what: str) -> None:
    """Fail where the sample's mean is no credible draw, its elements having this mean and std.

    The two-sided normal bound at one in a million, 4.9 standard errors; take at least some
    hundred elements, where the mean of bounded draws is normal to that accuracy.
    """
    found = float(sample.double().mean())
    allowed = 4.9 * std / math.sqrt(sample.numel())
    if not abs(found - mean) <= allowed:
        raise Mismatch(
            f"{what}: the mean of {sample.numel()} is {found:.5g}, "
            f"{mean:.5g} ± {allowed:.2g} is due.",
            expected=f"{mean:.5g} ± {allowed:.2g}",
            got=f"{found:.5g}",
        )


def assert_independent(mask: torch.Tensor, what: str) -> None:
    """Fail where neighbours in a 0/1 mask (n, m) move together, along rows or columns.

    The correlation of neighbours is compared with 5.5 / sqrt(pairs): independent draws exceed
    that less than once in ten million for a thousand pairs or more.
    """
    values = mask.double()
    for axis in range(values.dim()):
        first = values.narrow(axis, 0, values.shape[axis] - 1).reshape(-1)
        second = values.narrow(axis, 1, values.shape[axis] - 1).reshape(-1)
        spread = first.std() * second.std()
        if float(spread) == 0.0:
            raise Mismatch(f"{what}: every element has the same fate along axis {axis}.")
        together = float(((first - first.mean()) * (second - second.mean())).mean() / spread)
        if abs(together) > 5.5 / math.sqrt(first.numel()):
            raise Mismatch(
                f"{what}: neighbours along axis {axis} are correlated ({together:+.2f}); each "
                "element needs a draw of its own."
            )
