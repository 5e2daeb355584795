"""Which torch functions, layers and optimizers a piece of code calls while it runs.

A teaching rule says "write the convolution yourself"; this sees the calls that reading the source
cannot, through aliases and helpers. What a built-in layer does inside counts as that layer alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn.modules.module import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
)
from torch.optim.optimizer import register_optimizer_step_pre_hook
from torch.overrides import TorchFunctionMode

from d2lgrade.families import broken, canonical

__all__ = ["broken", "canonical", "watching"]

# Where the objects that a mode is handed live, and where a learner knows them from.
_PLACES = {
    "torch._tensor": "torch.Tensor",
    "torch.functional": "torch",
    "torch._C._nn": "torch.nn.functional",
    "torch._C._special": "torch.special",
    "torch._C._linalg": "torch.linalg",
    "torch._C._fft": "torch.fft",
}


@contextmanager
def watching() -> Iterator[set[str]]:
    """Collect the dotted names of what is called inside the block.

    Functions show as "torch.conv2d" or "torch.nn.functional.softmax", methods as
    "torch.Tensor.softmax", layers as "torch.nn.Conv2d", optimizers at their step as
    "torch.optim.Adam". A class of the learner's own shows only where it runs the forward or step
    that it inherits from a built-in one.
    """
    seen: set[str] = set()
    inside: list[bool] = []  # for each module being called, whether it is a built-in one

    def enter(module: torch.nn.Module, _: Any) -> None:
        name = _layer(module)
        if name and not any(inside[-1:]):
            seen.add(name)
        inside.append(bool(name))

    def leave(*_: Any) -> None:
        inside.pop()

    def step(optimizer: torch.optim.Optimizer, *_: Any) -> None:
        name = _optimizer(optimizer)
        if name:
            seen.add(name)

    handles = [
        register_module_forward_pre_hook(enter),
        register_module_forward_hook(leave, always_call=True),
        register_optimizer_step_pre_hook(step),
    ]
    try:
        with _Watch(seen, inside):
            yield seen
    finally:
        for handle in handles:
            handle.remove()


class _Watch(TorchFunctionMode):
    def __init__(self, seen: set[str], inside: list[bool]) -> None:
        super().__init__()
        self._seen = seen
        self._inside = inside

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if not any(self._inside[-1:]):
            name = _function(func)
            if name:
                self._seen.add(name)
        return func(*args, **(kwargs or {}))


def _function(func: Any) -> str:
    """The public dotted name of what a mode is handed; empty for attributes and bookkeeping."""
    name: str = getattr(func, "__name__", "")
    if name in {"", "__get__", "__set__", "__delete__"}:
        return ""
    if getattr(func, "__objclass__", None) is not None:  # a method written in C++
        return f"torch.Tensor.{name}"
    module: str = getattr(func, "__module__", None) or "torch"
    if module == "torch._C":  # switching the grad mode and its like
        return ""
    if module.startswith("torch._ops."):
        return f"torch.ops.{module.removeprefix('torch._ops.')}.{name}"
    place = _PLACES.get(module, module)
    return f"{place}.{name.removeprefix(place.rpartition('.')[2] + '_')}"


def _layer(module: torch.nn.Module) -> str:
    """The built-in class whose forward this module runs; empty if it is the learner's own."""
    home = getattr(type(module).forward, "__module__", None) or ""
    if not home.startswith("torch.nn."):
        return ""
    return next(
        f"torch.nn.{kind.__name__}"
        for kind in type(module).__mro__
        if kind.__module__.startswith("torch.nn.")
    )


def _optimizer(optimizer: torch.optim.Optimizer) -> str:
    # PyTorch wraps `step` on the class itself, but the wrapper keeps the names of what it wraps.
    step = type(optimizer).step
    if not step.__module__.startswith("torch.optim."):
        return ""
    return f"torch.optim.{step.__qualname__.partition('.')[0]}"
