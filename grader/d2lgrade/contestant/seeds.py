"""The learner's side of seeding."""

from __future__ import annotations

import hashlib
import random

import numpy as np
import torch


def seed_all(seed: int) -> None:
    """Seed torch, NumPy and `random` from a number that does not tell the judge's own seeds."""
    torch.default_generator.manual_seed(seed)  # torch.manual_seed also asks every accelerator
    np.random.seed(seed % 2**32)
    random.seed(hashlib.blake2b(seed.to_bytes(8, "big")).digest())
