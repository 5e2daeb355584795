"""Where a tensor pretends to be: marks on storages, and copies between the pretended devices.

A device belongs to memory, not to a tensor object: views, `.data`, `.detach()`, saved tensors and
in-place results all share a storage. So the mark sits on the storage, and all of these follow by
themselves. The data stay on the CPU throughout; nothing is wrapped, copied or subclassed, which
is why identity, autograd and in-place changes need no care at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch.nn.parameter import is_lazy

DEVICE = torch.device("cuda:0")
CPU = torch.device("cpu")
_MARK = "_d2lgrade_place"


class WrongDevice(RuntimeError):
    """Tensors of two devices met, or a result is not where its inputs are."""


class Places:
    """The pretended place of every tensor seen.

    A storage is classified once, when it is first seen: marked by `put`, or else on the CPU. Only
    while the autograd engine runs do unknown tensors count as being on the device, because there
    they are gradients that C++ made from tensors of the device.

    The mark lives as long as the storage, over all sessions: an optimizer's state or a running
    mean made on the device by one call is still there for the next.
    """

    def __init__(self) -> None:
        self.in_engine = 0

    def known(self, tensor: torch.Tensor) -> bool | None:
        """True on the device, False on the CPU, None if never seen."""
        return getattr(_holder(tensor), _MARK, None)

    def put(self, tensor: torch.Tensor, on_device: bool) -> None:
        """Say where a tensor (and all that shares its memory) is from now on."""
        setattr(_holder(tensor), _MARK, on_device)

    def on_device(self, tensor: torch.Tensor) -> bool:
        """Whether a tensor pretends to be on the device."""
        place = self.known(tensor)
        if place is None:
            place = self.in_engine > 0
            self.put(tensor, place)
        return place

    def device(self, tensor: torch.Tensor) -> torch.device:
        """The device a tensor reports."""
        return DEVICE if self.on_device(tensor) else CPU

    def move(self, tensor: torch.Tensor, on_device: bool) -> torch.Tensor:
        """A copy on the other side, as `.to` makes it; the tensor itself if it is there already."""
        if self.on_device(tensor) == on_device:
            return tensor
        if is_lazy(tensor):  # holds no data yet: nothing to copy
            self.put(tensor, on_device)
            return tensor
        # An autograd Function only where there is a gradient to bring back to this side:
        # functorch's wrappers (vmap, grad) take the plain copy.
        if tensor.requires_grad and torch.is_grad_enabled() and not _wrapped(tensor):
            moved = _Crossing.apply(tensor, self, on_device)  # type: ignore[no-untyped-call]
            copy: torch.Tensor = moved
        else:
            copy = tensor.clone()
        self.put(copy, on_device)
        return copy


class _Crossing(torch.autograd.Function):
    """A copy to the other side whose gradient is copied back."""

    @staticmethod
    def forward(ctx: Any, tensor: torch.Tensor, places: Places, on_device: bool) -> torch.Tensor:
        ctx.places, ctx.back = places, not on_device
        return tensor.clone()

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        copy = grad.clone()
        ctx.places.put(copy, ctx.back)
        return copy, None, None


def _wrapped(tensor: torch.Tensor) -> bool:
    return bool(torch._C._functorch.is_functorch_wrapped_tensor(tensor))


def _holder(tensor: torch.Tensor) -> Any:
    """The object that carries the mark: the storage, or a tensor that has none (sparse)."""
    # Without this a mode of another probe would count the look-up as the learner's call.
    with torch._C.DisableTorchFunction():
        while _wrapped(tensor):
            tensor = torch._C._functorch.get_unwrapped(tensor)
        try:
            return tensor.untyped_storage()
        except NotImplementedError:
            return tensor


def tensors_in(value: Any) -> Iterator[torch.Tensor]:
    """Every tensor in nested lists, tuples, sets and dicts."""
    for _, tensor in paths_in(value):
        yield tensor


def paths_in(value: Any, path: str = "") -> Iterator[tuple[str, torch.Tensor]]:
    """Like `tensors_in`, each with the way to it: `[1]['weight']`."""
    if isinstance(value, torch.Tensor):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from paths_in(item, f"{path}[{key!r}]")
    elif isinstance(value, list | tuple | set | frozenset):
        for index, item in enumerate(value):
            yield from paths_in(item, f"{path}[{index}]")
