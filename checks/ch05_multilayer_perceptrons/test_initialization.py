"""Hidden checks of section 5.4: xavier_uniform.

Statistics fail an honest draw less than once in a million runs of a check, by the bounds that
`assert_rate` and `assert_mean` state.
"""

import math

import torch

from d2lgrade.testkit import (
    Mismatch,
    Standing,
    assert_finite,
    assert_independent,
    assert_mean,
    assert_rate,
    assert_same,
)

SIZES = [(200, 100), (10, 2000), (3000, 5)]  # outputs, inputs


def limit(fan_out, fan_in):
    return math.sqrt(6 / (fan_in + fan_out))


def drawn(student, fan_out, fan_in, **more):
    """The learner's weights, of the right shape."""
    weight = student.xavier_uniform(fan_out, fan_in, **more)
    if not isinstance(weight, torch.Tensor):
        raise Mismatch.of_type(weight)
    if weight.shape != (fan_out, fan_in):
        raise Mismatch(
            f"xavier_uniform({fan_out}, {fan_in}) has the wrong shape.",
            expected=f"shape {(fan_out, fan_in)}",
            got=f"shape {tuple(weight.shape)}",
        )
    assert_finite(weight, "the weight")
    return weight.detach()


def test_xavier_uniform_shape(student):
    """gives a row for each output"""
    for fan_out, fan_in in [(1, 1), (2, 1), (1, 3), (4, 2)]:
        drawn(student, fan_out, fan_in)


def test_xavier_uniform_bound(student):
    """stays between the two bounds, and fills what lies between"""
    for fan_out, fan_in in [(1, 1), (1, 2), (2, 1), *SIZES]:
        weight, a = drawn(student, fan_out, fan_in).double(), limit(fan_out, fan_in)
        largest = float(weight.abs().max())
        if not largest <= a * (1 + 1e-6):
            raise Mismatch(
                f"For {fan_in} inputs and {fan_out} outputs a weight lies beyond "
                "sqrt(6 / (fan_in + fan_out)).",
                expected=f"at most {a:.5f}",
                got=f"{largest:.5f}",
            )
        if weight.numel() > 1000:
            for part in (-0.5, 0.0, 0.5):
                what = f"The share of weights below {part:g} times the bound"
                assert_rate(int((weight < part * a).sum()), weight.numel(), (1 + part) / 2, what)


def test_xavier_uniform_variance(student):
    """has mean 0 and variance 2 / (fan_in + fan_out)"""
    for fan_out, fan_in in SIZES:
        weight, a = drawn(student, fan_out, fan_in).double(), limit(fan_out, fan_in)
        told = f"For {fan_in} inputs and {fan_out} outputs a weight"
        assert_mean(weight, 0.0, a / math.sqrt(3), told)
        # The square of a draw from U(-a, a) has mean a^2 / 3 and variance 4 a^4 / 45.
        assert_mean(weight**2, a**2 / 3, a**2 * math.sqrt(4 / 45), f"{told}, squared,")


def test_xavier_uniform_independent(student):
    """draws every weight apart, and anew in every call"""
    weight, again = (drawn(student, 200, 100) for _ in range(2))
    assert_independent(weight > 0, "The signs of the weights")
    agree = int(((weight > 0) == (again > 0)).sum())
    assert_rate(agree, weight.numel(), 0.5, "The share of weights of the same sign in two calls")


weights = Standing("xavier_uniform", None, lambda: (2, 3))
test_xavier_uniform_rules = weights.rules("torch.nn.init")
test_xavier_uniform_refuses = weights.refuses(
    ValueError, lambda: (0, 3), lambda: (3, 0), lambda: (-1, 3), lambda: (3, -1)
)


def test_xavier_uniform_generator(student):
    """draws with the generator given, and with nothing else"""
    found = []
    for seed in (1, 1, 2):
        torch.manual_seed(len(found))  # PyTorch's own generator is never in the same state
        generator = torch.Generator().manual_seed(seed)
        found += [drawn(student, 4, 3, generator=generator) for _ in range(2)]
    for index in (0, 1):
        assert_same(found[2 + index], found[index], what="the draw with the same generator")
    for other in (1, 4):
        if torch.equal(found[0], found[other]):
            raise Mismatch("Generators in different states gave the same weights.")


def test_xavier_uniform_dtype(student):
    """returns float32"""
    weight = drawn(student, 2, 3)
    if weight.dtype != torch.float32:
        raise Mismatch(
            "The weights have the wrong dtype.", expected="float32", got=f"{weight.dtype}"
        )
