"""Answers on their way to the judge: values, tensors, the graph behind them, and what changed."""

from __future__ import annotations

from typing import Any

import msgpack
import numpy as np
import torch

from d2lgrade import wire

from .containers import Original
from .graphs import leaves_of
from .holdings import NUMBER, PASSED, Holdings
from .tensors import is_parameter


class Reply:
    """One answer in the making."""

    def __init__(self, holdings: Holdings, shared: bool = False) -> None:
        """`shared`: tensors of the answer are the learner's own, to be known by the judge."""
        self._holdings = holdings
        self._shared = shared
        self._values: list[list[Any]] = []
        self._places: dict[int, int] = {}  # id() of a tensor sent by value → its place
        self._buffers: list[Any] = []
        self._outputs: list[torch.Tensor] = []

    def message(self, kind: str, value: Any, after: list[Any]) -> tuple[bytes, list[Any]]:
        """The whole message: body, tensors by value, changes to shared ones, and the new graph.

        Raises:
            ValueError: the answer cannot be sent; the text says why.
        """
        if not (wire.shallow(value) and wire.shallow(after)):
            raise ValueError(wire.TOO_DEEP)
        try:
            body = wire.pack([kind, value, after], self._extend)
            return wire.pack([body, self._tail()], wire.refuse), self._buffers
        except wire.WireError as error:
            raise ValueError(str(error)) from None

    def _extend(self, value: Any) -> msgpack.ExtType:
        if isinstance(value, torch.Tensor) and _ordinary(value):
            return self._tensor(value)
        if isinstance(value, Original):
            return _reference([PASSED, value.place, "", ""])
        if isinstance(value, np.generic) and value.dtype.kind in "biuf":
            number = value.item()
            if type(number) in (bool, int, float):  # a longdouble stays one
                return _reference([NUMBER, number, "", ""])
        return _reference(self._holdings.handle(value))

    def _tensor(self, value: torch.Tensor) -> msgpack.ExtType:
        tensors = self._holdings.tensors
        number = tensors.number(value)
        leaf = value.requires_grad and value.is_leaf
        if number is None and (
            leaf or is_parameter(value) or (self._shared and not value.requires_grad)
        ):
            number = tensors.show(value)
        if number is not None:
            return msgpack.ExtType(wire.TENSOR, number.to_bytes(8, "little", signed=True))
        place = self._places.get(id(value))
        if place is None:
            place = self._places[id(value)] = len(self._values)
            graph = -1
            if value.requires_grad:
                graph = len(self._outputs)
                self._outputs.append(value)
            shape = list(value.shape)
            self._values.append([wire.DTYPE_NAMES[value.dtype], shape, len(self._buffers), graph])
            self._buffers.append(wire.contents(value))
        return msgpack.ExtType(wire.OBJECT, place.to_bytes(8, "little"))

    def _tail(self) -> list[Any]:
        tensors = self._holdings.tensors
        outputs = [*self._outputs, *tensors.rebased()]
        graph = None
        if outputs:
            leaves = leaves_of(outputs)
            numbers = [self._numbered(leaf) for leaf in leaves]
            dirty = [tensors.number(output) for output in outputs]
            graph = [self._holdings.graphs.add(outputs, leaves), numbers, dirty]
        table, changed, grads = tensors.changes()
        for entry in table:
            entry[-1] += len(self._buffers)
        self._buffers += changed
        return [self._values, table, grads, graph, *self._holdings.states()]

    def _numbered(self, leaf: torch.Tensor) -> int:
        """The number of a leaf: that of the argument it stands behind, or one of its own."""
        number = self._holdings.tensors.behind(leaf)
        return self._holdings.tensors.show(leaf) if number is None else number


def _reference(parts: list[Any]) -> msgpack.ExtType:
    return msgpack.ExtType(wire.REFERENCE, msgpack.packb(parts, unicode_errors="replace"))


def _ordinary(value: torch.Tensor) -> bool:
    """Whether a tensor can cross by value: plain, dense, on the CPU, of a known dtype."""
    return (
        type(value) in (torch.Tensor, torch.nn.Parameter)
        and value.layout is torch.strided
        and value.device.type == "cpu"
        and value.dtype in wire.DTYPE_NAMES
        and not value.is_nested
    )
