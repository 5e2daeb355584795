"""What the machine says about its GPU while the device check runs.

Replaces, for the time of a session, the questions of `torch.cuda` that learner code asks, random
generators made for the device, and the entry into the autograd engine. All of it is put back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from .placement import CPU, DEVICE

_Plain = torch.Generator
_ABSENT = object()


@contextmanager
def pretended_machine(engine: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Iterator[None]:
    """A machine with one GPU; `engine` wraps the function by which a backward pass starts."""
    replaced = [(owner, name, _replace(owner, name, new)) for owner, name, new in _changes(engine)]
    try:
        yield
    finally:
        for owner, name, old in reversed(replaced):
            if old is _ABSENT:
                delattr(owner, name)
            else:
                setattr(owner, name, old)


def _changes(engine: Callable[..., Any]) -> Iterator[tuple[Any, str, Any]]:
    cuda: dict[str, Any] = {
        "is_available": lambda: True,
        "device_count": lambda: 1,
        "current_device": lambda: 0,
        "get_device_name": lambda device=None: "pretended GPU",
        "set_device": lambda device: None,
        "synchronize": lambda device=None: None,
        "empty_cache": lambda: None,
        "is_current_stream_capturing": lambda: False,
        "get_rng_state": lambda device=None: torch.get_rng_state(),
        "set_rng_state": lambda state, device=None: None,
    }
    # Not `torch.accelerator`: PyTorch's own optimizers ask it, and go on to a real stream.
    yield from ((torch.cuda, name, new) for name, new in cuda.items())
    # Recurrent layers ask cuDNN when they are moved, which would warn that it is missing.
    yield torch.backends.cudnn, "is_acceptable", lambda tensor: False
    yield torch, "Generator", _Generator
    entry = torch.autograd.graph._engine_run_backward
    yield torch.autograd, "_engine_run_backward", engine(entry)


def _replace(owner: Any, name: str, new: Any) -> Any:
    """Set an attribute and return what stood there itself (a proxy may only pass it through)."""
    old = vars(owner).get(name, _ABSENT)
    setattr(owner, name, new)
    return old


class _Kind(type(torch.Generator)):  # type: ignore[misc]
    """Makes `isinstance(g, torch.Generator)` hold for generators made before the session."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, _Plain)


class _Generator(_Plain, metaclass=_Kind):
    """A CPU generator that reports the device it was made for."""

    _place = CPU

    def __new__(cls, device: Any = "cpu") -> _Generator:
        generator: _Generator = _Plain.__new__(cls)
        parsed = DEVICE if isinstance(device, int) else torch.device(device)
        generator._place = DEVICE if parsed.type == "cuda" else CPU
        return generator

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        return self._place
