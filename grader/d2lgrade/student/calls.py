"""The record of what a check asked of the learner's code, kept for reports and diagnosis."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch

from d2lgrade.contestant.tensors import is_unmade

KEEP = 1 << 16  # elements of a tensor kept in the record; larger ones are kept as their summary


@dataclass(frozen=True)
class Large:
    """Stands in the record for a tensor too large to keep."""

    dtype: torch.dtype
    shape: tuple[int, ...]


def snapshot(value: Any) -> Any:
    """A copy of `value` that later in-place changes cannot reach; large tensors become `Large`."""
    kind = type(value)
    if kind is tuple or kind is list:
        return kind([snapshot(item) for item in value])
    if kind is torch.Tensor or isinstance(value, torch.Tensor):
        if is_unmade(value):
            return Large(value.dtype, ())
        if value.numel() > KEEP:
            return Large(value.dtype, tuple(value.shape))
        return value.detach().clone() if value.requires_grad else value.clone()
    if kind is dict:
        return {key: snapshot(item) for key, item in value.items()}
    return value


@dataclass(slots=True)
class Call:
    """One call: what was asked, with what, and what came of it (`result` or `error`)."""

    name: str  # as the reader would write it: "corr2d" or "LeNet(num_classes=10)"
    exercise: str  # name of the exercise it began with
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    result: Any = None
    error: BaseException | None = None
    done: bool = False


@dataclass
class Transcript:
    """The calls of one check in order; `keep` bounds how many are remembered."""

    keep: int = 2000
    calls: list[Call] = field(default_factory=list)

    def add(self, call: Call) -> None:
        """Remember one more call, forgetting the oldest beyond `keep`."""
        if len(self.calls) >= self.keep:
            del self.calls[0]
        self.calls.append(call)

    @property
    def last(self) -> Call | None:
        """The call made most recently."""
        return self.calls[-1] if self.calls else None
