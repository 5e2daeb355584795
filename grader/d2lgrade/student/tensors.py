"""The judge's half of the tensors that both sides know (see `contestant.tensors`)."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Any

import torch

from d2lgrade import wire
from d2lgrade.contestant.tensors import LEAF, PARAMETER, REQUIRES_GRAD


@dataclass
class Known:
    """One tensor that both sides know.

    Tensors that the judge made are held weakly and released with their last reference; those of
    the learner's (parameters) are held until the check ends, so that their `.grad` survives.
    """

    reference: Any  # a weakref, or a function that returns the tensor
    shadow: Any
    grad: int | None = None


class Outbox:
    """The tensors of one message on its way out: table and buffers."""

    def __init__(self) -> None:
        self.table: list[list[Any]] = []
        self.buffers: list[Any] = []
        self.grads: list[list[int | None]] = []


class Tensors:
    """The table of shared tensors."""

    def __init__(self) -> None:
        self._table: dict[int, Known] = {}
        self._ids: dict[int, int] = {}
        self._next = 1
        self.released: list[int] = []

    def __getitem__(self, number: int) -> torch.Tensor:
        known = self._table.get(number)
        tensor = known.reference() if known is not None else None
        if tensor is None:
            raise wire.WireError("a reference to a tensor that is not shared")
        return tensor  # type: ignore[no-any-return]

    def number(self, tensor: torch.Tensor, outbox: Outbox, storages: dict[int, list[int]]) -> int:
        """The number of a tensor to send; a new one is added to the outbox."""
        number = self._ids.get(id(tensor))
        if number is not None and self._table[number].reference() is tensor:
            return number
        number, self._next = self._next, self._next + 1
        self._send_new(number, tensor, outbox, storages)
        if tensor.is_leaf and tensor.grad is not None:
            grad = self.number(tensor.grad, outbox, storages)
            outbox.grads.append([number, grad])
            self._table[number].grad = grad
        return number

    def _send_new(
        self, number: int, tensor: torch.Tensor, outbox: Outbox, storages: dict[int, list[int]]
    ) -> None:
        if tensor.layout is not torch.strided or tensor.device.type != "cpu":
            raise wire.Unsendable(tensor)
        data = wire.kept(wire.contents(tensor))
        flags = (
            (REQUIRES_GRAD if tensor.requires_grad else 0)
            | (LEAF if tensor.is_leaf else 0)
            | (PARAMETER if isinstance(tensor, torch.nn.Parameter) else 0)
        )
        stride: list[int] | None = list(tensor.stride())
        offset = tensor.storage_offset()
        storage = None
        if offset == 0 and tensor.is_contiguous() and tensor.untyped_storage().nbytes() == len(data):
            stride = None
        else:
            storage = _storage(tensor, storages)
        shape = list(tensor.shape)
        entry = [number, wire.DTYPE_NAMES[tensor.dtype], shape, stride, offset, storage, flags]
        outbox.table.append([*entry, len(outbox.buffers)])
        outbox.buffers.append(data)
        key = id(tensor)
        released, ids = self.released, self._ids

        def gone(_: Any) -> None:
            released.append(number)
            if ids.get(key) == number:
                del ids[key]

        self._table[number] = Known(weakref.ref(tensor, gone), data)
        ids[key] = number

    def outgoing(self, outbox: Outbox, storages: dict[int, list[int]]) -> None:
        """Add to the outbox what the contestant does not know yet of tensors already shared."""
        for number in self.released:
            self._table.pop(number, None)
        for number, known in list(self._table.items()):
            tensor = known.reference()
            if tensor is None:
                continue
            if tensor.is_leaf:
                grad = tensor.grad
                now = None if grad is None else self.number(grad, outbox, storages)
                if now != known.grad:
                    outbox.grads.append([number, now])
                    known.grad = now
            if wire.same_contents(tensor, known.shadow):
                continue
            known.shadow = data = wire.kept(wire.contents(tensor))
            shape = list(tensor.shape)
            entry = [number, wire.DTYPE_NAMES[tensor.dtype], shape, None, 0, None, 0]
            outbox.table.append([*entry, len(outbox.buffers)])
            outbox.buffers.append(data)

    def incoming(
        self, table: list[Any], grads: list[Any], buffers: list[bytearray], dirty: set[int]
    ) -> dict[int, torch.Tensor]:
        """Follow the contestant's changes; new contents of `dirty` ones are returned instead."""
        kept: dict[int, torch.Tensor] = {}
        for number, dtype, shape, flags, index in table:
            kind, size = wire.checked(dtype, shape, len(buffers[index]))
            content = wire.tensor_from(kind, size, buffers[index])
            if number in dirty and number in self._table:
                kept[number] = content
                self._table[number].shadow = wire.kept(wire.contents(content))
            elif number in self._table:
                self._change(self._table[number], content)
            elif type(number) is int and number < 0:
                self._adopt(number, content, flags)
        for number, grad in grads:
            if number not in self._table:
                continue
            known = self._table[number]
            tensor = known.reference()
            known.grad = grad
            if tensor is not None:
                tensor.grad = None if grad is None else self[grad]
        return kept

    @staticmethod
    def _change(known: Known, content: torch.Tensor) -> None:
        tensor = known.reference()
        if tensor is None:
            return
        with torch.no_grad():
            if tensor.shape == content.shape and tensor.dtype == content.dtype:
                tensor.copy_(content)
            else:
                tensor.data = content
        known.shadow = wire.kept(wire.contents(tensor))

    def _adopt(self, number: int, content: torch.Tensor, flags: int) -> None:
        """A tensor of the learner's that the judge is to know: a parameter, a buffer, a gradient."""
        tensor = content
        if flags & PARAMETER:
            tensor = torch.nn.Parameter(content, requires_grad=bool(flags & REQUIRES_GRAD))
        elif flags & REQUIRES_GRAD and flags & LEAF:
            tensor.requires_grad_()
        self._table[number] = Known(lambda: tensor, wire.kept(wire.contents(tensor)))
        self._ids[id(tensor)] = number

    def taken(self) -> list[int]:
        """The numbers to release with the next message."""
        numbers = self.released[:]
        self.released.clear()
        for number in numbers:
            self._table.pop(number, None)
        return numbers


def _storage(tensor: torch.Tensor, storages: dict[int, list[int]]) -> list[int]:
    """A key for the tensor's storage within this message, and how many elements of it are needed.

    What lies outside the tensors sent stays zero on the other side: a view shows nothing of what
    surrounds it.
    """
    last = tensor.storage_offset() + 1
    for size, stride in zip(tensor.shape, tensor.stride(), strict=True):
        last += (size - 1) * stride if size else 0
    key = tensor.untyped_storage().data_ptr()
    whole = tensor.untyped_storage().nbytes() // tensor.element_size()
    entry = storages.setdefault(key, [key & 0xFFFFFFFF, max(last, min(whole, 4 * last))])
    entry[1] = max(entry[1], last)
    return entry
