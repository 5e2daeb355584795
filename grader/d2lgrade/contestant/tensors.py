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

from d2lgrade import wire

# Flags of a tensor in the table of a message.
REQUIRES_GRAD, LEAF, PARAMETER = 1, 2, 4


class Derived(torch.autograd.Function):
    """The identity: makes of a leaf a tensor that is none, in the same memory layout."""

    @staticmethod
    def forward(ctx: Any, leaf: torch.Tensor) -> torch.Tensor:
        """`leaf` under another name."""
        return leaf.view_as(leaf)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> torch.Tensor:
        """The gradient as it came."""
        return grad


@dataclass
class Shared:
    """One tensor that both sides know. `root` is the leaf behind a tensor that is none."""

    tensor: torch.Tensor
    shadow: Any  # its bytes when both sides last agreed
    grad: int | None = None  # id of its gradient when both sides last agreed
    root: torch.Tensor | None = None
    node: Any = None  # its place in the graph when both sides last agreed


class Tensors:
    """The table of shared tensors."""

    def __init__(self) -> None:
        self._table: dict[int, Shared] = {}
        self._ids: dict[int, int] = {}  # id() of a shared tensor → its number; the table keeps it alive
        self._roots: dict[int, int] = {}  # id() of a root → the number of the tensor before it
        self._next = -1

    def __getitem__(self, number: int) -> torch.Tensor:
        return self._table[number].tensor

    def behind(self, leaf: torch.Tensor) -> int | None:
        """The number of the shared tensor that `leaf` stands behind, or is."""
        return self._roots.get(id(leaf), self._ids.get(id(leaf)))

    def rebased(self) -> list[torch.Tensor]:
        """Arguments that an in-place operation has put into the learner's graph since last asked."""
        found = []
        for shared in self._table.values():
            node = shared.tensor.grad_fn
            if node is not shared.node and node is not None:
                shared.node = node
                found.append(shared.tensor)
        return found

    def number(self, tensor: torch.Tensor) -> int | None:
        """The number of a shared tensor; None for one the judge does not know."""
        return self._ids.get(id(tensor))

    def receive(self, table: list[list[Any]], buffers: list[bytearray]) -> None:
        """Take in the tensors of a message: new ones, and new contents of known ones.

        Each entry is [number, dtype, shape, stride, offset, storage, flags, buffer].
        """
        storages: dict[int, torch.Tensor] = {}
        for number, dtype, shape, stride, offset, storage, flags, index in table:
            kind, size = wire.checked(dtype, shape, len(buffers[index]))
            content = wire.tensor_from(kind, size, buffers[index])
            if number in self._table:
                self._update(number, content)
                continue
            if stride is not None:
                content = self._laid_out(content, stride, offset, storage, storages)
            self._add(number, content, flags)

    def _laid_out(
        self,
        content: torch.Tensor,
        stride: list[int],
        offset: int,
        storage: list[int],
        storages: dict[int, torch.Tensor],
    ) -> torch.Tensor:
        """The contents in the caller's memory layout, views of one storage sharing one here too."""
        key, extent = storage
        if key not in storages:
            storages[key] = torch.zeros(extent, dtype=content.dtype)
        base = storages[key]
        view = base.as_strided(tuple(content.shape), tuple(stride), offset)
        # A stride of 0 repeats one element: write it once.
        once = tuple(slice(0, 1) if s == 0 and n > 1 else slice(None) for s, n in zip(stride, content.shape, strict=True))
        if view.numel():
            view[once].copy_(content[once])
        return view

    def _add(self, number: int, tensor: torch.Tensor, flags: int) -> None:
        root = None
        if flags & PARAMETER:
            tensor = torch.nn.Parameter(tensor, requires_grad=bool(flags & REQUIRES_GRAD))
        elif flags & REQUIRES_GRAD:
            tensor.requires_grad_()
            if not flags & LEAF:
                root = tensor
                with torch.enable_grad():
                    tensor = Derived.apply(root)
            if root is not None:
                self._roots[id(root)] = number
        shadow = wire.kept(wire.contents(tensor))
        self._table[number] = Shared(tensor, shadow, None, root, tensor.grad_fn)
        self._ids[id(tensor)] = number

    def _update(self, number: int, content: torch.Tensor) -> None:
        shared = self._table[number]
        with torch.no_grad():
            if shared.tensor.shape == content.shape and shared.tensor.dtype == content.dtype:
                shared.tensor.detach().copy_(content)
            else:
                shared.tensor.data = content
        shared.shadow = wire.kept(wire.contents(shared.tensor))

    def show(self, tensor: torch.Tensor) -> int:
        """The number of a tensor that the judge is to know from now on."""
        number = self._ids.get(id(tensor))
        if number is None:
            number, self._next = self._next, self._next - 1
            self._table[number] = Shared(tensor, None, None, None, tensor.grad_fn)
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
                self._ids.pop(id(shared.tensor), None)
                self._roots.pop(id(shared.root), None)

    def changes(self) -> tuple[list[list[Any]], list[Any], list[list[int | None]]]:
        """What the judge does not know yet: contents, their buffers, and gradients.

        Entries are [number, dtype, shape, flags, buffer].
        """
        grads: list[list[int | None]] = []
        for number, shared in list(self._table.items()):
            tensor = shared.tensor
            if not (tensor.is_leaf or tensor.retains_grad) or isinstance(tensor, _UNMADE):
                continue
            grad = tensor.grad
            now = None if grad is None else self.show(grad)
            if now != shared.grad:
                grads.append([number, now])
                shared.grad = now
        table: list[list[Any]] = []
        buffers: list[Any] = []
        for number, shared in self._table.items():
            tensor = shared.tensor
            if isinstance(tensor, _UNMADE):
                continue
            if shared.shadow is not None and wire.same_contents(tensor, shared.shadow):
                continue
            data = wire.kept(wire.contents(tensor))
            shared.shadow = data
            flags = (
                (REQUIRES_GRAD if tensor.requires_grad else 0)
                | (LEAF if tensor.is_leaf else 0)
                | (PARAMETER if isinstance(tensor, torch.nn.Parameter) else 0)
            )
            table.append([number, wire.DTYPE_NAMES[tensor.dtype], list(tensor.shape), flags, len(buffers)])
            buffers.append(data)
        return table, buffers, grads


_UNMADE = torch.nn.parameter.UninitializedTensorMixin
