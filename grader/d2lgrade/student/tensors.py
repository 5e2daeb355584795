"""The judge's half of the tensors that both sides know (see `contestant.tensors`).

Entries on their way out are [number, dtype, shape, layout, flags, buffer]. The layout is None for
a tensor that fills its storage in row-major order, else [stride, offset, host, extent]: `host` is
the number of the tensor first sent of the same storage, `extent` the bytes of it that are needed.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch

from d2lgrade import wire
from d2lgrade.contestant.tensors import (
    LEAF,
    PARAMETER,
    QUIETLY,
    REQUIRES_GRAD,
    Form,
    flags_of,
    follow,
    form_of,
    version_of,
)

RECENT = 256  # tensors of the learner's that are held though nobody else does


@dataclass(slots=True)
class Known:
    """One tensor that both sides know.

    Parameters of the learner's are held until the check ends, so that their `.grad` survives; all
    others weakly, and they are released with their last reference.
    """

    reference: Callable[[], torch.Tensor | None]
    shadow: Any  # its bytes when both sides last agreed
    form: Form
    version: int
    derived: bool = False  # whether it was no leaf of the graph when it was sent
    grad: int | None = None  # number of its gradient when both sides last agreed
    address: int = 0  # of its storage when it was sent


@dataclass(slots=True)
class Host:
    """The first tensor sent of a storage, and how much of the storage was sent with it."""

    number: int
    reference: Callable[[], torch.Tensor | None]
    layout: list[Any]
    message: int  # in which it was sent

    def lies_at(self, address: int) -> bool:
        """Whether the tensor is alive and still in the storage at this address."""
        tensor = self.reference()
        return tensor is not None and tensor.untyped_storage().data_ptr() == address


@dataclass(slots=True)
class Outbox:
    """The tensors of one message on its way out: table, buffers, gradients."""

    table: list[list[Any]] = field(default_factory=list)
    buffers: list[Any] = field(default_factory=list)
    grads: list[list[int | None]] = field(default_factory=list)
    held: list[torch.Tensor] = field(default_factory=list)  # shared ones, until the answer is here


class Tensors:
    """The table of shared tensors."""

    def __init__(self) -> None:
        self._table: dict[int, Known] = {}
        self._ids: dict[int, int] = {}  # id() of a tensor → its number
        self._hosts: dict[int, Host] = {}  # address of a storage → its host
        self._next = 1
        self._message = 0
        self._gone: list[int] = []  # noted by weak references, which may strike at any moment
        self._released: list[int] = []
        # Tensors of the learner's seen last: a change of `net.mean` in passing must not be lost.
        self._recent: deque[torch.Tensor] = deque(maxlen=RECENT)

    def __getitem__(self, number: int) -> torch.Tensor:
        known = self._table.get(number)
        tensor = known.reference() if known is not None else None
        if tensor is None:
            raise wire.WireError("a reference to a tensor that is not shared")
        return tensor

    def __len__(self) -> int:
        return len(self._table)

    # Out -----------------------------------------------------------------------------------

    def number(self, tensor: torch.Tensor, outbox: Outbox) -> int:
        """The number of a tensor to send; a new one is added to the outbox.

        Raises:
            Unsendable: sparse, quantised, of an unknown dtype or not on the CPU.
        """
        number = self._ids.get(id(tensor))
        derived = tensor.requires_grad and not tensor.is_leaf
        if number is not None:
            known = self._table[number]
            if known.reference() is tensor and known.derived == derived:
                return number
            if number > 0:  # it has entered a graph, or left one: another tensor over there
                self._forget(number)
        return self._send_new(tensor, derived, outbox)

    def _forget(self, number: int) -> None:
        known = self._table.pop(number, None)
        self._released.append(number)
        if known is not None and known.address:
            host = self._hosts.get(known.address)
            if host is not None and host.number == number:
                del self._hosts[known.address]

    def _send_new(self, tensor: torch.Tensor, derived: bool, outbox: Outbox) -> int:
        kind = wire.DTYPE_NAMES.get(tensor.dtype)
        if kind is None or tensor.layout is not torch.strided or not tensor.is_cpu:
            raise wire.Unsendable(tensor)
        number, self._next = self._next, self._next + 1
        data = wire.kept(wire.contents(tensor))
        reference = self._weakly(number, tensor)
        layout = self._layout(number, tensor, reference, len(data))
        entry = [number, kind, list(tensor.shape), layout, flags_of(tensor), len(outbox.buffers)]
        outbox.table.append(entry)
        outbox.buffers.append(data)
        outbox.held.append(tensor)
        known = Known(reference, data, form_of(tensor), version_of(tensor), derived)
        known.address = tensor.untyped_storage().data_ptr()
        self._table[number] = known
        if tensor.is_leaf and tensor.grad is not None:
            self._send_grad(number, known, tensor, outbox)
        return number

    def _weakly(self, number: int, tensor: torch.Tensor) -> Callable[[], torch.Tensor | None]:
        """A reference that notes the number as released when the tensor is gone."""
        key, ids = id(tensor), self._ids
        ids[key] = number

        def gone(_: Any) -> None:
            self._gone.append(number)
            if ids.get(key) == number:
                del ids[key]

        return weakref.ref(tensor, gone)

    def _layout(
        self,
        number: int,
        tensor: torch.Tensor,
        reference: Callable[[], torch.Tensor | None],
        size: int,
    ) -> list[Any] | None:
        """The tensor's memory layout, and whose storage it shares.

        What lies outside the tensors sent stays zero on the other side: a view shows nothing of
        what surrounds it.
        """
        if not size:
            return None
        storage = tensor.untyped_storage()
        address, offset = storage.data_ptr(), int(tensor.storage_offset())
        plain = offset == 0 and storage.nbytes() == size and tensor.is_contiguous()
        host = self._hosts.get(address)
        if host is None and plain:
            self._hosts[address] = Host(number, reference, [0, 0, number, size], self._message)
            return None
        last = offset + 1
        for length, step in zip(tensor.shape, tensor.stride(), strict=True):
            last += (int(length) - 1) * int(step)
        extent = last * tensor.element_size()
        layout = [list(tensor.stride()), offset, number, extent]
        fits = host is not None and (host.message == self._message or extent <= host.layout[3])
        if host is not None and fits and host.lies_at(address):
            host.layout[3] = max(host.layout[3], extent)
            layout[2] = host.number
            return layout
        self._hosts[address] = Host(number, reference, layout, self._message)
        return None if plain else layout

    def outgoing(self, outbox: Outbox) -> None:
        """Add to the outbox what the contestant does not know yet of tensors already shared."""
        self._sweep()
        self._message += 1
        for number, known in list(self._table.items()) if self._table else ():
            tensor = known.reference()
            if tensor is None:
                continue
            outbox.held.append(tensor)
            if tensor.is_leaf:
                self._send_grad(number, known, tensor, outbox)
            form = form_of(tensor)
            if known.form == form and wire.same_contents(tensor, known.shadow):
                continue
            known.shadow = data = wire.kept(wire.contents(tensor))
            flags = flags_of(tensor) | (QUIETLY if known.version == version_of(tensor) else 0)
            known.form, known.version = form, version_of(tensor)
            kind = wire.DTYPE_NAMES[tensor.dtype]
            entry = [number, kind, list(tensor.shape), None, flags, len(outbox.buffers)]
            outbox.table.append(entry)
            outbox.buffers.append(data)

    def _send_grad(self, number: int, known: Known, tensor: torch.Tensor, outbox: Outbox) -> None:
        grad = tensor.grad
        now = None if grad is None else self.number(grad, outbox)
        if now != known.grad:
            outbox.grads.append([number, now])
            known.grad = now

    def _sweep(self) -> None:
        while self._gone:
            self._forget(self._gone.pop())

    def taken(self) -> list[int]:
        """The numbers to release with the next message."""
        self._sweep()
        numbers, self._released = self._released, []
        return numbers

    # In ------------------------------------------------------------------------------------

    def incoming(
        self,
        table: list[Any],
        grads: list[Any],
        buffers: list[Any],
        dirty: set[int],
        held: list[torch.Tensor],
    ) -> dict[int, torch.Tensor]:
        """Follow the contestant's changes; new contents of `dirty` ones are returned instead.

        Tensors met for the first time are put in `held`, to live until the answer is understood.
        """
        kept: dict[int, torch.Tensor] = {}
        if not table and not grads:
            return kept
        as_grads = {grad for _, grad in grads}
        for number, dtype, shape, flags, index in table:
            content = wire.taken(buffers, index, dtype, shape)
            known = self._table.get(number)
            if known is None:
                if type(number) is int and number < 0:
                    held.append(self._adopted(number, content, flags))
                    if number not in as_grads:  # those are held by what they are the gradient of
                        self._recent.append(held[-1])
                continue
            tensor = known.reference()
            if tensor is None:
                continue
            if number in dirty:
                kept[number] = content
                known.shadow = wire.kept(wire.contents(content))
            else:
                follow(tensor, content, flags)
                known.shadow = wire.kept(wire.contents(tensor))
                known.form, known.version = form_of(tensor), version_of(tensor)
        for number, grad in grads:
            if number in self._table:
                known = self._table[number]
                known.grad = grad
                tensor = known.reference()
                if tensor is not None:
                    tensor.grad = None if grad is None else self[grad]
        return kept

    def agree(self, number: int) -> None:
        """Note that a tensor which has entered the learner's graph is as the contestant has it."""
        known, tensor = self._table[number], self[number]
        known.form, known.version = form_of(tensor), version_of(tensor)

    def _adopted(self, number: int, content: torch.Tensor, flags: int) -> torch.Tensor:
        """A tensor of the learner's that the judge is to know: parameter, buffer or gradient."""
        if content.is_inference():  # it shall outlive the inference mode we are in
            with torch.inference_mode(False):
                content = content.clone()
        tensor = content
        if flags & PARAMETER:
            tensor = torch.nn.Parameter(content, requires_grad=bool(flags & REQUIRES_GRAD))
        elif flags & REQUIRES_GRAD and flags & LEAF:
            tensor.requires_grad_()
        reference = self._weakly(number, tensor)
        if isinstance(tensor, torch.nn.Parameter) or tensor.requires_grad:

            def reference() -> torch.Tensor:
                return tensor

        shadow = wire.kept(wire.contents(tensor))
        self._table[number] = Known(reference, shadow, form_of(tensor), version_of(tensor))
        return tensor
