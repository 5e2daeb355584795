"""Seeds: the same inputs for everybody, other inputs under another `--seed`."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


def seed_for(check: str, seed: int) -> int:
    """A 63-bit seed from a check's id and the kit's seed."""
    digest = hashlib.blake2b(f"{check}|{seed}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


@contextmanager
def seeded(check: str, seed: int, follow: Callable[[int], None]) -> Iterator[None]:
    """Seed torch, NumPy and `random` for one check, and let the learner's side follow.

    Within the block `follow` is also called whenever the check itself calls `torch.manual_seed`,
    `numpy.random.seed` or `random.seed`, with the number given.
    """
    number = seed_for(check, seed)
    torch.default_generator.manual_seed(number)  # torch.manual_seed also asks every accelerator
    np.random.seed(number % 2**32)
    random.seed(number)
    follow(number)
    places = ((torch, "manual_seed"), (np.random, "seed"), (random, "seed"))
    originals = [getattr(place, name) for place, name in places]

    def telling(original: Callable[..., Any]) -> Callable[..., Any]:
        def seeding(*args: Any, **kwargs: Any) -> Any:
            follow(seed_for(repr((args, kwargs)), 0))
            return original(*args, **kwargs)

        return seeding

    try:
        for (place, name), original in zip(places, originals, strict=True):
            setattr(place, name, telling(original))
        yield
    finally:
        for (place, name), original in zip(places, originals, strict=True):
            setattr(place, name, original)
