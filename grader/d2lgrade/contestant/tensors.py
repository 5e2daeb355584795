"""The contestant's half of the tensors that both sides know: kept in step by comparing bytes.

A tensor that crossed the wire stays the same tensor: passed again it is the same object here,
changed in place by the learner (`.data` included) it changes in the judge, and its `.grad`
travels with it. The judge numbers those it sends (positive ids), this side those it shows
(negative ids).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.parameter import is_lazy

from d2lgrade import wire

# Flags of a tensor in the table of a message.
REQUIRES_GRAD, LEAF, PARAMETER, QUIETLY = 1, 2, 4, 8

Form = tuple[torch.dtype, torch.Size, bool]


def is_parameter(tensor: torch.Tensor) -> bool:
    """Whether it is an nn.Parameter; torch's own test is slow where it is none."""
    return type(tensor) is not torch.Tensor and isinstance(tensor, torch.nn.Parameter)


def is_unmade(tensor: torch.Tensor) -> bool:
    """Whether it is a parameter or buffer of a lazy module that has no contents yet."""
    return type(tensor) not in (torch.Tensor, torch.nn.Parameter) and is_lazy(tensor)


def flags_of(tensor: torch.Tensor) -> int:
    """What the other side must know of a tensor beside its contents."""
    return (
        (REQUIRES_GRAD if tensor.requires_grad else 0)
        | (LEAF if tensor.is_leaf else 0)
        | (PARAMETER if is_parameter(tensor) else 0)
    )


def form_of(tensor: torch.Tensor) -> Form:
    """What may change of a tensor beside its contents."""
    return tensor.dtype, tensor.shape, tensor.requires_grad


def version_of(tensor: torch.Tensor) -> int:
    """How often autograd has noticed a change in place; -1 where it does not count."""
    return -1 if tensor.is_inference() else tensor._version


def follow(tensor: torch.Tensor, content: torch.Tensor, flags: int) -> None:
    """Take over the contents, and for a leaf whether it requires a gradient."""
    required = bool(flags & REQUIRES_GRAD)
    # Where only that has changed, nothing is written: a graph may have saved this tensor.
    if required == tensor.requires_grad or not wire.same_contents(tensor, wire.contents(content)):
        wire.write(tensor, content, bool(flags & QUIETLY))
    if flags & LEAF and tensor.is_leaf and required != tensor.requires_grad:
        tensor.requires_grad_(required)


class Derived(torch.autograd.Function):
    """The identity: a tensor that is no leaf, computed from a leaf of the same contents."""

    @staticmethod
    def forward(ctx: Any, leaf: torch.Tensor, box: list[torch.Tensor]) -> torch.Tensor:
        """The tensor in `box`; boxed, so that autograd takes it for no view of the leaf."""
        return box[0]

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None]:
        """The gradient as it came."""
        return grads[0], None


@dataclass(slots=True)
class Shared:
    """One tensor that both sides know. `root` is the leaf behind a tensor that is none."""

    tensor: torch.Tensor
    shadow: Any  # its bytes when both sides last agreed; None where the judge knows nothing yet
    form: Form
    version: int
    root: torch.Tensor | None = None
    grad: int | None = None  # number of its gradient when both sides last agreed
    node: Any = None  # its place in the graph when both sides last agreed


class Tensors:
    """The table of shared tensors."""

    def __init__(self) -> None:
        self._table: dict[int, Shared] = {}
        self._ids: dict[int, int] = {}  # id() of a shared tensor → number; the table keeps it alive
        self._roots: dict[int, int] = {}  # id() of a root → the number of the tensor before it
        self._next = -1

    def __getitem__(self, number: int) -> torch.Tensor:
        return self._table[number].tensor

    def __len__(self) -> int:
        return len(self._table)

    def behind(self, leaf: torch.Tensor) -> int | None:
        """The number of the shared tensor that `leaf` stands behind, or is."""
        return self._roots.get(id(leaf), self._ids.get(id(leaf)))

    def rebased(self) -> list[torch.Tensor]:
        """Arguments that an in-place operation has put into a graph since last asked."""
        found = []
        for shared in self._table.values():
            node = shared.tensor.grad_fn
            if node is not shared.node:
                shared.node = node
                if node is not None:
                    found.append(shared.tensor)
        return found

    def number(self, tensor: torch.Tensor) -> int | None:
        """The number of a shared tensor; None for one the judge does not know."""
        return self._ids.get(id(tensor))

    def receive(self, table: list[list[Any]], buffers: list[Any]) -> None:
        """Take in the tensors of a message: new ones, and new contents of known ones.

        Each entry is [number, dtype, shape, layout, flags, buffer]; see `student.tensors`.
        """
        for number, dtype, shape, layout, flags, index in table:
            data = buffers[index]
            content = wire.taken(buffers, index, dtype, shape)
            if number in self._table:
                shared = self._table[number]
                follow(shared.tensor, content, flags)
                self._agree(shared)
            else:
                if layout is not None:
                    content = self._laid_out(content, *layout)
                self._add(number, content, flags, wire.kept(data))

    def _agree(self, shared: Shared) -> None:
        shared.shadow = wire.kept(wire.contents(shared.tensor))
        shared.form, shared.version = form_of(shared.tensor), version_of(shared.tensor)

    def _laid_out(
        self, content: torch.Tensor, stride: list[int], offset: int, host: int, extent: int
    ) -> torch.Tensor:
        """The contents in the caller's memory layout, in the storage of the tensor `host`.

        What the judge has not sent of that storage is zero here.
        """
        storage = None
        if host in self._table:
            storage = self._table[host].tensor.untyped_storage()
        if storage is None or storage.nbytes() < extent:
            storage = torch.zeros(extent, dtype=torch.uint8).untyped_storage()
        view = torch.empty(0, dtype=content.dtype)
        view.set_(storage, offset, content.shape, tuple(stride))
        wire.write(view, content)
        return view

    def _add(self, number: int, tensor: torch.Tensor, flags: int, shadow: Any) -> None:
        root = None
        if flags & PARAMETER:
            tensor = torch.nn.Parameter(tensor, requires_grad=bool(flags & REQUIRES_GRAD))
        elif flags & REQUIRES_GRAD:
            if flags & LEAF:
                tensor.requires_grad_()
            else:
                root = tensor.detach().requires_grad_()
                with torch.enable_grad():
                    tensor = Derived.apply(root, [tensor])  # type: ignore[no-untyped-call]
                self._roots[id(root)] = number
        node = tensor.grad_fn if root is not None else None
        version = version_of(tensor)
        self._table[number] = Shared(tensor, shadow, form_of(tensor), version, root, node=node)
        self._ids[id(tensor)] = number

    def show(self, tensor: torch.Tensor) -> int:
        """The number of a tensor that the judge is to know from now on."""
        number = self._ids.get(id(tensor))
        if number is None:
            number, self._next = self._next, self._next - 1
            version = version_of(tensor)
            shared = Shared(tensor, None, form_of(tensor), version, node=tensor.grad_fn)
            self._table[number] = shared
            self._ids[id(tensor)] = number
        return number

    def set_grads(self, grads: list[list[int | None]]) -> None:
        """Follow the judge's `.grad`s: pairs of a tensor's number and its gradient's (or None)."""
        for number, grad in grads:
            assert number is not None
            shared = self._table[number]
            shared.tensor.grad = None if grad is None else self._table[grad].tensor
            shared.grad = grad

    def release(self, numbers: list[int]) -> None:
        """Forget tensors that the judge no longer holds."""
        for number in numbers:
            shared = self._table.pop(number, None)
            if shared is not None:
                if self._ids.get(id(shared.tensor)) == number:
                    del self._ids[id(shared.tensor)]
                self._roots.pop(id(shared.root), None)

    def changes(self) -> tuple[list[list[Any]], list[Any], list[list[int | None]]]:
        """What the judge does not know yet: contents, their buffers, and gradients.

        Entries are [number, dtype, shape, flags, buffer].
        """
        grads: list[list[int | None]] = []
        for number, shared in list(self._table.items()):
            tensor = shared.tensor
            if not tensor.is_leaf or is_unmade(tensor):
                continue
            grad = tensor.grad
            if grad is None and shared.grad is None:
                continue
            now = None if grad is None else self.show(grad)
            if now != shared.grad:
                grads.append([number, now])
                shared.grad = now
        table: list[list[Any]] = []
        buffers: list[Any] = []
        for number, shared in self._table.items():
            tensor = shared.tensor
            if is_unmade(tensor):
                continue
            known = shared.shadow is not None and shared.form == form_of(tensor)
            if known and wire.same_contents(tensor, shared.shadow):
                continue
            flags = flags_of(tensor) | (QUIETLY if shared.version == version_of(tensor) else 0)
            self._agree(shared)
            kind = wire.DTYPE_NAMES[tensor.dtype]
            table.append([number, kind, list(tensor.shape), flags, len(buffers)])
            buffers.append(shared.shadow)
        return table, buffers, grads
