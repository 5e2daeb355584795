"""Jailed sandboxes for tests, and what a machine without bubblewrap does instead."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from d2lgrade.sandbox import proof, syscalls
from d2lgrade.sandbox.limits import Limits
from d2lgrade.sandbox.strict import StrictSandbox


def needs_jail() -> None:
    """Skip where bubblewrap cannot be had; in CI, which installs it, that is a failure."""
    if sys.platform == "linux" and shutil.which("bwrap"):
        return
    if os.environ.get("CI"):
        pytest.fail("CI must install bubblewrap: the strict sandbox would go untested")
    pytest.skip("bubblewrap is not installed")


@dataclass
class Weakness:
    """Which defences are taken away from a jail.

    Args:
        walls: changes bubblewrap's arguments.
        confinement: fields that replace the usual ones.
        unfiltered: system calls that the filter lets through; None: there is no filter.
        unlimited: resource limits that are not set.
    """

    walls: Callable[[list[str]], list[str]] = lambda arguments: arguments
    confinement: dict[str, Any] = field(default_factory=dict)
    unfiltered: frozenset[str] | None = frozenset()
    unlimited: frozenset[str] = frozenset()


class WeakSandbox(StrictSandbox):
    """A jail with defences taken away: what a promise is worth shows only there."""

    def __init__(self, weakness: Weakness, **options: Any) -> None:
        super().__init__(Limits(seconds=30.0), **options)
        self.weakness = weakness

    def weaken(self, weakness: Weakness) -> None:
        """Take other defences away from later contestants; the walls stay as they are."""
        self.weakness = weakness
        self._confine()

    def walls(self) -> list[str]:
        return self.weakness.walls(super().walls())

    def confinement(self) -> dict[str, Any]:
        return super().confinement() | self.weakness.confinement

    def filter(self) -> bytes:
        if self.weakness.unfiltered is None:
            return b""
        return syscalls.program(self.weakness.unfiltered)

    def _resources(self) -> dict[str, int]:
        found = super()._resources()
        return {n: v for n, v in found.items() if n not in self.weakness.unlimited}

    def prove(self) -> tuple[proof.Promise, ...]:
        return ()

    def broken(self) -> dict[str, str]:
        """Promises that do not hold, each with what a probe managed."""
        return {p.name: p.detail for p in proof.prove(self) if not p.held}


@contextmanager
def weak(weakness: Weakness, **options: Any) -> Iterator[WeakSandbox]:
    """A jail of its own with defences taken away."""
    sandbox = WeakSandbox(weakness, **options)
    try:
        sandbox.contestant().close()
        yield sandbox
    finally:
        sandbox.close()
