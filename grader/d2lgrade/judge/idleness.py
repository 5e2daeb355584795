"""Answers that do nothing, to tell the checks that ask for no work."""

from __future__ import annotations

from typing import Any

from torch import nn


def function(*args: Any, **kwargs: Any) -> None:
    """A function without a body."""


class Layer(nn.Module):
    """A layer without parameters that returns nothing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, *args: Any, **kwargs: Any) -> None:
        """Nothing at all."""


BOTH = (function, Layer)
