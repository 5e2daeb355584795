"""The judge's defences against forgery, each as a context in which it is switched off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import torch

from d2lgrade import testkit
from d2lgrade.judge import examiner
from d2lgrade.testkit import compare, standing
from d2lgrade.testkit.truth import truth


@contextmanager
def idle_answers() -> Iterator[None]:
    """Checks that ask for no work count as work."""
    with mock.patch.object(examiner.Examiner, "idle", return_value=False):
        yield


@contextmanager
def finite_comparison() -> Iterator[None]:
    """A comparison that asks only whether the difference is too large; of NaN it never is."""

    def careless(got: torch.Tensor, expected: torch.Tensor, tolerance: float) -> torch.Tensor:
        return (got - expected).abs() > tolerance

    with mock.patch.object(compare, "differing", careless):
        yield


@contextmanager
def values_alone() -> Iterator[None]:
    """A comparison that asks for no dtype."""
    strict = compare._tensors

    def careless(got: Any, expected: torch.Tensor, *rest: Any) -> None:
        strict(got.to(expected.dtype) if isinstance(got, torch.Tensor) else got, expected, *rest)

    with mock.patch.object(compare, "_tensors", careless):
        yield


class Later:
    """An expected value that is computed when it is first looked at."""

    def __init__(self, compute: Callable[[], Any]) -> None:
        self._compute = compute

    def now(self) -> Any:
        """The value, from what the inputs are by now."""
        return self._compute()

    def __iter__(self) -> Iterator[Any]:
        return iter(self.now())

    def __getitem__(self, index: int) -> Any:
        return self.now()[index]


@contextmanager
def expected_before_the_call() -> Iterator[None]:
    """Expected values are computed after the call, from what it has made of its inputs."""
    same = compare.assert_same

    def late(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Later:
        return Later(lambda: truth(function, *args, **kwargs))

    def compared(got: Any, expected: Any, **kwargs: Any) -> None:
        same(got, expected.now() if isinstance(expected, Later) else expected, **kwargs)

    changes = {"truth": late, "assert_same": compared}
    with mock.patch.multiple(testkit, **changes), mock.patch.multiple(standing, **changes):
        yield


@contextmanager
def testimony() -> Iterator[None]:
    """What the contestant observes of itself is believed, whatever its code reaches for."""
    with mock.patch.object(examiner, "spoils_testimony", return_value=""):
        yield
