"""The random state of the learner's side, apart from the judge's and known to neither."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from d2lgrade.contestant.seeds import seed_all


def learners_seed(number: int) -> int:
    """What the learner's side is seeded with where the judge has used `number`: a hash of it."""
    digest = hashlib.blake2b(f"contestant|{number}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


class Draws:
    """The state where both sides are one process, so that a replay draws what a contestant drew.

    Without it, a wrong answer that draws would shift every input that the check draws after it.
    """

    def __init__(self) -> None:
        self._seed: int | None = None
        self._states: tuple[Any, ...] | None = None

    def seed(self, number: int) -> None:
        """Seed the learner's side, from the next call on."""
        self._seed = learners_seed(number)

    @contextmanager
    def own(self) -> Iterator[None]:
        """Within this block draws are the learner's; never seeded, both sides share one state."""
        if self._seed is None and self._states is None:
            yield
            return
        judges = _states()
        if self._seed is not None:
            seed_all(self._seed)
            self._seed = None
        elif self._states is not None:
            _restore(self._states)
        try:
            yield
        finally:
            self._states = _states()
            _restore(judges)


def _states() -> tuple[Any, ...]:
    return torch.get_rng_state(), np.random.get_state(), random.getstate()


def _restore(states: tuple[Any, ...]) -> None:
    torch.set_rng_state(states[0])
    np.random.set_state(states[1])
    random.setstate(states[2])
