"""Shapes and parameters in words, for messages about networks."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from .beside import Shape


def drawn(shapes: Iterable[Shape]) -> str:
    """Shapes as a reader sees them: "64×28×28 → 128×14×14"."""
    return " → ".join("×".join(map(str, shape)) for shape in shapes)


def counted(shapes: Sequence[Any]) -> str:
    """One parameter, or how many: "a parameter (6, 1, 5, 5)"."""
    first = f"a parameter of shape {tuple(shapes[0])}"
    return first if len(shapes) == 1 else f"{len(shapes)} parameters, first {first}"


def only_in(one: Sequence[Any], other: Sequence[Any]) -> str:
    """How many numbers some parameters hold, and which of them the others lack."""
    count = sum(math.prod(shape) for shape, start in one if shape)
    only = Counter(one) - Counter(other)
    texts = [
        f"{f'{n} of ' if n > 1 else ''}{shape or 'a layer'} {start}".rstrip()
        for (shape, start), n in only.items()
    ]
    return f"{count:,} numbers in {len(one)} parameters; only here: {', '.join(texts) or 'none'}"
