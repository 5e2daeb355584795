"""Hidden checks of section 12.11: the four schedulers."""

import math

import torch

from d2lgrade.testkit import Mismatch, assert_close_to, assert_same, refuses


def rates(make, settings, numbers):
    """What a new scheduler says, asked for these numbers in turn; runs beside the code."""
    scheduler = make(**settings)
    return [scheduler(number) for number in numbers]


def asked(student, name, settings, numbers, formula, what):
    """Ask a new scheduler and compare; `formula(number)` is the rate that is due.

    Rates are compared to 1e-9 of the largest: repeated products and powers differ by rounding.
    """
    due = [float(formula(number)) for number in numbers]
    found = student.run(rates, getattr(student, name), settings, numbers)
    given = ", ".join(f"{key}={value!r}" for key, value in settings.items())
    for rate in found:
        if not isinstance(rate, int | float) or isinstance(rate, bool):
            raise Mismatch.of_type(rate, "a float", f"the rate of {name}({given})")
    assert_close_to(
        torch.tensor([float(rate) for rate in found], dtype=torch.float64),
        torch.tensor(due, dtype=torch.float64),
        1e-9 * max(due),
        what=f"the row of rates of {name}({given}) for {what}",
    )


def in_turn(student, name, cases, formula, unit="updates"):
    """Ask for 0, 1, 2, ... in turn, with each case's (count, settings)."""
    for count, settings in cases:
        numbers = list(range(count))
        what = f"{unit} 0 to {count - 1}" if count > 1 else f"{unit[:-1]} 0"
        asked(student, name, settings, numbers, lambda t: formula(t, **settings), what)


def any_order(student, name, settings, formula, unit="updates"):
    """Ask for some numbers out of order, some twice, or for a late one at once."""
    for numbers in ([2, 2, 0, 30], [3], [20, 0, 5, 5, 1]):
        what = f"{unit} {', '.join(map(str, numbers))} in this order"
        asked(student, name, settings, numbers, lambda t: formula(t, **settings), what)


# --- SquareRootScheduler --------------------------------------------------------------------


def square_root(t, lr=0.1):
    return lr * (t + 1) ** -0.5


def test_SquareRootScheduler_values(student):
    """falls with the root of the number of updates"""
    cases = [(1, {"lr": 0.5}), (10, {"lr": 0.5}), (40, {"lr": 2.0}), (5, {"lr": 1e-3})]
    in_turn(student, "SquareRootScheduler", cases, square_root)


def test_SquareRootScheduler_defaults(student):
    """starts from 0.1 unless told otherwise"""
    in_turn(student, "SquareRootScheduler", [(4, {})], square_root)


def test_SquareRootScheduler_order(student):
    """depends on the number of the update alone"""
    any_order(student, "SquareRootScheduler", {"lr": 0.3}, square_root)


# --- FactorScheduler ------------------------------------------------------------------------


def factored(t, factor=1, stop_factor_lr=1e-7, base_lr=0.1):
    return max(stop_factor_lr, base_lr * factor ** (t + 1))


def test_FactorScheduler_values(student):
    """shrinks the rate by the factor in every update, the first included"""
    cases = [
        (1, {"factor": 0.5, "base_lr": 1.0}),
        (10, {"factor": 0.5, "base_lr": 1.0}),
        (30, {"factor": 0.9, "base_lr": 2.0}),
    ]
    in_turn(student, "FactorScheduler", cases, factored)


def test_FactorScheduler_floor(student):
    """never falls below the floor"""
    cases = [
        (6, {"factor": 0.5, "stop_factor_lr": 0.2, "base_lr": 1.0}),
        (6, {"factor": 0.5, "stop_factor_lr": 0.25, "base_lr": 1.0}),
        (30, {"factor": 0.9, "stop_factor_lr": 1e-2, "base_lr": 0.1}),
        (3, {"factor": 0.5, "stop_factor_lr": 1.0, "base_lr": 1.0}),
    ]
    in_turn(student, "FactorScheduler", cases, factored)


def test_FactorScheduler_defaults(student):
    """keeps 0.1 by default, and has a floor of 1e-7"""
    in_turn(student, "FactorScheduler", [(4, {})], factored)
    tiny = {"factor": 0.1, "base_lr": 1e-6}
    for number, due in enumerate([1e-7, 1e-7, 1e-7]):
        found = student.run(rates, student.FactorScheduler, tiny, list(range(number + 1)))[-1]
        assert_same(found, due, what=f"the rate of update {number} from base_lr=1e-6 on")


def test_FactorScheduler_order(student):
    """depends on the number of the update alone"""
    settings = {"factor": 0.8, "stop_factor_lr": 1e-2, "base_lr": 1.0}
    any_order(student, "FactorScheduler", settings, factored)


# --- MultiFactorScheduler -------------------------------------------------------------------


def stepped(t, step, factor, base_lr):
    return base_lr * math.prod(factor for drop in step if drop <= t)


def test_MultiFactorScheduler_values(student):
    """drops in the very epochs that are named"""
    cases = [
        (1, {"step": [5], "factor": 0.5, "base_lr": 1.0}),
        (8, {"step": [5], "factor": 0.5, "base_lr": 1.0}),
        (40, {"step": [15, 30], "factor": 0.5, "base_lr": 0.5}),
        (9, {"step": [2, 3, 7], "factor": 0.1, "base_lr": 2.0}),
    ]
    in_turn(student, "MultiFactorScheduler", cases, stepped, "epochs")


def test_MultiFactorScheduler_never(student):
    """keeps the rate where no epoch is named"""
    cases = [(4, {"step": [], "factor": 0.5, "base_lr": 0.3})]
    in_turn(student, "MultiFactorScheduler", cases, stepped, "epochs")


def test_MultiFactorScheduler_order(student):
    """depends on the epoch alone"""
    settings = {"step": [2, 5, 20], "factor": 0.5, "base_lr": 1.0}
    any_order(student, "MultiFactorScheduler", settings, stepped, "epochs")


# --- CosineScheduler ------------------------------------------------------------------------


def cosine(t, max_update, base_lr=0.01, final_lr=0, warmup_steps=0, warmup_begin_lr=0):
    """By the half-angle: (1 + cos x) / 2 is the square of cos(x / 2)."""
    if t < warmup_steps:
        share = t / warmup_steps
        return (1 - share) * warmup_begin_lr + share * base_lr
    share = min(1.0, (t - warmup_steps) / (max_update - warmup_steps))
    weight = math.cos(math.pi / 2 * share) ** 2
    return weight * base_lr + (1 - weight) * final_lr


def test_CosineScheduler_values(student):
    """falls along half a cosine, from base_lr to final_lr"""
    cases = [
        (1, {"max_update": 4, "base_lr": 0.5, "final_lr": 0.1}),
        (2, {"max_update": 1, "base_lr": 0.5, "final_lr": 0.1}),
        (5, {"max_update": 4, "base_lr": 0.5, "final_lr": 0.1}),
        (21, {"max_update": 20, "base_lr": 0.3, "final_lr": 0.01}),
    ]
    in_turn(student, "CosineScheduler", cases, cosine, "epochs")


def test_CosineScheduler_after(student):
    """stays at final_lr after max_update"""
    cases = [
        (9, {"max_update": 4, "base_lr": 0.5, "final_lr": 0.1}),
        (40, {"max_update": 20, "base_lr": 0.3, "final_lr": 0.01}),
    ]
    in_turn(student, "CosineScheduler", cases, cosine, "epochs")


def test_CosineScheduler_warmup(student):
    """rises in a straight line in the warm-up, then falls in the rest"""
    cases = [
        (1, {"max_update": 4, "base_lr": 0.5, "warmup_steps": 2, "warmup_begin_lr": 0.1}),
        (6, {"max_update": 4, "base_lr": 0.5, "warmup_steps": 1}),
        (8, {"max_update": 6, "base_lr": 0.5, "warmup_steps": 5, "warmup_begin_lr": 0.1}),
        (25, {"max_update": 20, "base_lr": 0.3, "final_lr": 0.01, "warmup_steps": 5}),
    ]
    in_turn(student, "CosineScheduler", cases, cosine, "epochs")


def test_CosineScheduler_defaults(student):
    """falls from 0.01 to 0 without warm-up unless told otherwise"""
    in_turn(student, "CosineScheduler", [(7, {"max_update": 5})], cosine, "epochs")


def test_CosineScheduler_order(student):
    """depends on the epoch alone"""
    settings = {"max_update": 10, "base_lr": 0.3, "final_lr": 0.01, "warmup_steps": 3}
    settings["warmup_begin_lr"] = 0.05
    any_order(student, "CosineScheduler", settings, cosine, "epochs")


def test_CosineScheduler_refuses(student):
    """refuses a warm-up that leaves no room for the cosine"""
    for max_update, warmup_steps in [(5, 5), (5, 6), (0, 0)]:
        make = student.CosineScheduler
        refuses(ValueError, make, max_update=max_update, warmup_steps=warmup_steps)
