"""What a contestant holds for the length of one check, and what references to it stand for."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from typing import Any

import msgpack
import torch

from d2lgrade import wire

from .actions import kind, type_name
from .graphs import Graphs
from .tensors import Tensors

# What a reference of the judge's means.
HANDLE, EXERCISE, GENERATOR = 1, 2, 3
# What a reference of the contestant's means: an object kept here, a number, a container passed.
KEPT, NUMBER, PASSED = 1, 2, 3


class Holdings:
    """Tensors, graphs and objects that both sides refer to by number."""

    def __init__(self, exercise: Callable[[str], Any]) -> None:
        self.tensors = Tensors()
        self.graphs = Graphs()
        self._exercise = exercise
        self._handles: dict[int, Any] = {}
        self._handle_ids: dict[int, int] = {}
        self._objects: dict[int, Any] = {}  # what the judge sent by value and may send again
        self._generators: dict[int, torch.Generator] = {}

    def resolve(self, code: int, payload: bytes) -> Any:
        """What a reference in a request stands for."""
        if code == wire.TENSOR:
            return self.tensors[int.from_bytes(payload, "little", signed=True)]
        if code == wire.OBJECT:
            return self._object(payload)
        return self.referred(*msgpack.unpackb(payload))

    def referred(self, sort: int, key: Any, extra: Any) -> Any:
        """What the parts of a reference stand for."""
        if sort == GENERATOR:
            if key not in self._generators:
                self._generators[key] = torch.Generator()
            if extra:
                state = torch.frombuffer(bytearray(extra), dtype=torch.uint8)
                self._generators[key].set_state(state)
            return self._generators[key]
        obj = self._exercise(key) if sort == EXERCISE else self._handles[key]
        return getattr(obj, extra) if extra else obj

    def _object(self, payload: bytes) -> Any:
        """An object that the judge sent by value; sent again, it is the one of before."""
        number, pickled, modes, states = msgpack.unpackb(payload)
        for state in states:
            self.referred(GENERATOR, *state)
        if pickled:
            self._objects[number] = _Unpickler(io.BytesIO(pickled), self).load()
        obj = self._objects[number]
        if modes is not None:
            for module, training in zip(obj.modules(), modes, strict=False):
                module.training = training
        return obj

    def handle(self, value: Any) -> list[Any]:
        """How an object that stays here is described to the judge."""
        number = self._handle_ids.get(id(value))
        if number is None:
            number = len(self._handles) + 1
            self._handles[number] = value
            self._handle_ids[id(value)] = number
        return [KEPT, number, type_name(value)[:200], kind(value)]

    def states(self) -> tuple[list[Any], list[Any]]:
        """Of what the judge sent by value: states of generators, training flags of modules."""
        if not self._generators and not self._objects:
            return [], []
        states = [
            [key, generator.get_state().numpy().tobytes()]
            for key, generator in self._generators.items()
        ]
        modes = [
            [number, [module.training for module in obj.modules()]]
            for number, obj in self._objects.items()
            if isinstance(obj, torch.nn.Module)
        ]
        return states, modes


class _Unpickler(pickle.Unpickler):
    """Loads what the judge sent by value; shared tensors, handles and exercises are those here."""

    def __init__(self, file: io.BytesIO, holdings: Holdings) -> None:
        super().__init__(file)
        self._holdings = holdings

    def persistent_load(self, reference: Any) -> Any:
        """The shared tensor (by number) or other thing that an object refers to."""
        if isinstance(reference, int):
            return self._holdings.tensors[reference]
        return self._holdings.referred(*reference)
