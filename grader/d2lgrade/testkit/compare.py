"""Comparing an answer with what is expected, and saying where they part.

In this order: type, shape, dtype, device, finiteness, values. The first that differs is reported.
"""

from __future__ import annotations

from typing import Any

import torch

from .show import brief, difference_map, numbers, shape_text
from .truth import Expected, default_tolerance


class Mismatch(AssertionError):
    """An answer that is not as expected, in parts for the report (see `results.Failure`)."""

    def __init__(
        self,
        message: str,
        *,
        expected: str = "",
        got: str = "",
        difference: str = "",
        map: tuple[str, ...] = (),
        notes: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.expected = expected
        self.got = got
        self.difference = difference
        self.map = map
        self.notes = notes

    @classmethod
    def of_type(
        cls, got: Any, wanted: str = "a torch.Tensor", what: str = "the result"
    ) -> Mismatch:
        """The answer has the wrong type altogether."""
        if got is None:
            return cls(
                f"{_start(what)} is None where {wanted} is due: is a `return` missing?",
                expected=wanted,
                got="None",
            )
        name = getattr(got, "type_name", type(got).__name__)
        return cls(
            f"{_start(what)} is {_article(name)} where {wanted} is due.",
            expected=wanted,
            got=f"{name} {brief(got)}".strip(),
        )


def _start(what: str) -> str:
    return what[:1].upper() + what[1:]


def _article(name: str) -> str:
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def assert_same(got: Any, expected: Any, *, what: str = "the result") -> None:
    """Fail with a `Mismatch` unless `got` is what is expected.

    Args:
        got: the learner's answer.
        expected: from `truth`, or a tensor of hand-computed numbers, or a plain value, or a
            list, tuple or dict of these. Integers, booleans and strings must be equal; a float
            may be off by rounding, and a 0-dim tensor or NumPy number will do for it.
        what: what is compared, for the message.
    """
    if isinstance(expected, Expected):
        _tensors(got, expected.value, expected.tolerance, what, expected.truth)
    elif isinstance(expected, torch.Tensor):
        _tensors(got, expected, default_tolerance(expected), what)
    elif isinstance(expected, list | tuple):
        _sequence(got, expected, what)
    elif isinstance(expected, dict):
        _mapping(got, expected, what)
    else:
        _plain(got, expected, what)


def assert_close_to(
    got: Any, expected: torch.Tensor, tolerance: float, what: str = "the result"
) -> None:
    """Like `assert_same`, with an absolute tolerance that the check states and explains itself."""
    _tensors(got, expected, tolerance, what)


def assert_finite(got: torch.Tensor, what: str = "the result") -> None:
    """Fail where `got` holds nan or inf.

    For answers that are held against one another only: nan would equal nan, and differ from it.
    """
    if got.isfinite().all():
        return
    name = "nan" if got.isnan().any() else "inf"
    raise Mismatch(f"{_start(what)} holds {name} where finite numbers are due.", got=numbers(got))


def _sequence(got: Any, expected: list[Any] | tuple[Any, ...], what: str) -> None:
    if not isinstance(got, list | tuple):
        raise Mismatch.of_type(got, f"a {type(expected).__name__} of {len(expected)}", what)
    if len(got) != len(expected):
        raise Mismatch(
            f"{_start(what)} has {len(got)} items where {len(expected)} are due.",
            expected=f"{len(expected)} items",
            got=f"{len(got)} items",
        )
    for index, (one, other) in enumerate(zip(got, expected, strict=True)):
        assert_same(one, other, what=f"item {index} of {what}")


def _mapping(got: Any, expected: dict[Any, Any], what: str) -> None:
    if not isinstance(got, dict):
        raise Mismatch.of_type(got, "a dict", what)
    if set(got) != set(expected):
        raise Mismatch(
            f"{_start(what)} has other keys than are due.",
            expected=", ".join(map(str, expected)),
            got=", ".join(map(str, got)),
        )
    for key, value in expected.items():
        assert_same(got[key], value, what=f"{key!r} of {what}")


def _plain(got: Any, expected: Any, what: str) -> None:
    if isinstance(got, torch.Tensor) and got.numel() == 1 and isinstance(expected, float):
        got = got.item()
    number = isinstance(expected, float) and type(got) in (int, float)
    if type(got) is not type(expected) and not number:
        raise Mismatch.of_type(got, f"{_article(type(expected).__name__)} ({expected!r})", what)
    allowed = 1e-6 * abs(expected) if isinstance(expected, float) else 0
    same = abs(got - expected) <= allowed if number else got == expected
    if not same:
        raise Mismatch(
            f"{_start(what)} is {brief(got)} where {expected!r} is due.",
            expected=repr(expected),
            got=brief(got),
        )


def _tensors(
    got: Any,
    expected: torch.Tensor,
    tolerance: float,
    what: str,
    truth: torch.Tensor | None = None,
) -> None:
    if not isinstance(got, torch.Tensor):
        raise Mismatch.of_type(got, "a torch.Tensor", what)
    got = got.detach()
    if got.shape != expected.shape:
        raise Mismatch(
            f"{_start(what)} has the wrong shape.",
            expected=f"shape {shape_text(expected)}",
            got=f"shape {shape_text(got)}",
        )
    for aspect in ("dtype", "device"):
        due, found = getattr(expected, aspect), getattr(got, aspect)
        if due != found:
            raise Mismatch(
                f"{_start(what)} has the wrong {aspect}.",
                expected=str(due).removeprefix("torch."),
                got=str(found).removeprefix("torch."),
            )
    if not got.numel():
        return
    wrong = differing(got, expected if truth is None else truth, tolerance)
    if not wrong.any():
        return
    raise Mismatch(
        _sentence(got, expected, wrong, what),
        expected=numbers(expected, wrong),
        got=numbers(got, wrong),
        difference=_difference(got, expected, wrong),
        map=difference_map(wrong),
    )


def differing(got: torch.Tensor, expected: torch.Tensor, tolerance: float) -> torch.Tensor:
    """Where the two differ by more than `tolerance`; nan equals nan and inf its own sign's inf."""
    if not (got.is_floating_point() or got.is_complex()):
        return got != expected
    exact = torch.complex128 if got.is_complex() else torch.float64
    got, expected = got.to(exact), expected.to(exact)
    same = (got == expected) | (got.isnan() & expected.isnan())
    near = (got - expected).abs() <= tolerance
    return ~(same | (near & got.isfinite() & expected.isfinite()))


def _sentence(got: torch.Tensor, expected: torch.Tensor, wrong: torch.Tensor, what: str) -> str:
    if got.is_floating_point():
        for name, found, due in (
            ("nan", got.isnan(), expected.isnan()),
            ("inf", got.isinf(), expected.isinf()),
        ):
            stray = found & ~due
            if stray.any():
                return f"{_start(what)} holds {name} where finite numbers are due."
    if not got.dim():
        return f"{_start(what)} has the wrong value."
    return f"{_start(what)} has wrong values."


def _difference(got: torch.Tensor, expected: torch.Tensor, wrong: torch.Tensor) -> str:
    count = int(wrong.sum())
    parts = [f"{count} of {wrong.numel()} differ"]
    if wrong.dim():
        first = tuple(int(i) for i in wrong.nonzero()[0])
        parts.append(f"first at {first[0] if len(first) == 1 else first}")
    if got.is_floating_point():
        gap = (got.double() - expected.double()).abs()[wrong]
        gap = gap[gap.isfinite()]
        if gap.numel():
            parts.append(f"worst by {float(gap.max()):.3g}")
    return ", ".join(parts)
