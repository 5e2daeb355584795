"""What a check hands to learner code beside closed values and tensors: by reference or by value."""

from __future__ import annotations

import functools
import io
import sys
import types
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cloudpickle
import msgpack
import torch

from d2lgrade import wire
from d2lgrade.contestant.holdings import EXERCISE, GENERATOR, HANDLE
from d2lgrade.contestant.tensors import is_unmade

from .namespace import Exercise, Handle, Method, Student
from .tensors import Outbox, Tensors

SECRET_MODULES = ("d2lgrade_misconceptions_", "d2lgrade_reference_")
# What a contestant may be told to import by name; everything else travels by value.
IMPORTABLE = frozenset({*sys.stdlib_module_names, "torch", "numpy", "cloudpickle"}) - {"__main__"}


@dataclass(frozen=True)
class _Sent:
    """An object that was sent, held so that its id() stays its own, and how it was sent."""

    number: int
    value: Any
    pickled: bytes
    generators: list[torch.Generator]


class Parcels:
    """Objects that have been sent in this check, so that sent again they are the same ones."""

    def __init__(self, tensors: Tensors) -> None:
        self._tensors = tensors
        self._objects: dict[int, _Sent] = {}  # by id()
        self._count = 0
        self._generators: dict[int, tuple[int, weakref.ref[torch.Generator]]] = {}

    def extension(self, value: Any, outbox: Outbox) -> msgpack.ExtType:
        """How a value that is no closed type travels.

        Raises:
            Unsendable: a tensor that is not an ordinary one on the CPU.
            TypeError: an object that cannot be sent; the text says why.
            Secret: one that must not be sent.
        """
        if isinstance(value, torch.Tensor) and not is_unmade(value):
            number = self._tensors.number(value, outbox)
            return msgpack.ExtType(wire.TENSOR, number.to_bytes(8, "little", signed=True))
        reference: tuple[int, Any, Any] | None = _reference(value)
        if isinstance(value, torch.Generator):
            reference = (GENERATOR, *self._state(value))
        if reference is not None:
            return msgpack.ExtType(wire.REFERENCE, msgpack.packb(reference))
        return msgpack.ExtType(wire.OBJECT, self._by_value(value, outbox))

    def _state(self, generator: torch.Generator) -> tuple[int, bytes]:
        """The number and the state of a generator."""
        number, known = self._generators.get(id(generator), (0, None))
        if known is None or known() is not generator:
            self._count += 1
            number = self._count
            self._generators[id(generator)] = (number, weakref.ref(generator))
        return number, generator.get_state().numpy().tobytes()

    def _by_value(self, value: Any, outbox: Outbox) -> bytes:
        """An object by value; sent again unchanged, it is the same object on the other side.

        Modules are known by their identity: their tensors and training flags follow by themselves.
        """
        sent = self._objects.get(id(value))
        modes = None
        if isinstance(value, torch.nn.Module):
            modes = [module.training for module in value.modules()]
        pickled = b""
        if sent is None or modes is None:
            pickled, generators = self._dumped(value, outbox)
            if sent is not None and pickled == sent.pickled:
                pickled = b""
            else:
                self._count += 1
                sent = _Sent(self._count, value, pickled, generators)
                self._objects[id(value)] = sent
        states = [self._state(generator) for generator in sent.generators]
        return msgpack.packb([sent.number, pickled, modes, states])  # type: ignore[no-any-return]

    def _dumped(self, value: Any, outbox: Outbox) -> tuple[bytes, list[torch.Generator]]:
        buffer, generators = io.BytesIO(), list[torch.Generator]()

        def refer(obj: Any) -> Any:
            if isinstance(obj, torch.Tensor):
                return None if is_unmade(obj) else self._tensors.number(obj, outbox)
            if isinstance(obj, torch.Generator):
                generators.append(obj)
                return GENERATOR, self._state(obj)[0], b""
            return _reference(obj)

        try:
            _Pickler(buffer, refer).dump(value)
        except (Secret, wire.Unsendable):
            raise
        except Exception as error:  # what cannot be pickled says so in many ways
            raise TypeError(
                f"a {type(value).__name__} cannot be sent to learner code ({error}); send a list "
                "or another plain object, or make it there with student.run"
            ) from error
        return buffer.getvalue(), generators

    def follow(self, states: Any, modes: Any) -> None:
        """Generators and modules that were sent follow what learner code did to them."""
        if not states and not modes:
            return
        generators = dict(self._generators.values())
        for number, state in states:
            reference = generators.get(number)
            generator = reference() if reference is not None else None
            if generator is not None:
                generator.set_state(torch.frombuffer(bytearray(state), dtype=torch.uint8))
        objects = {sent.number: sent.value for sent in self._objects.values()} if modes else {}
        for number, training in modes:
            obj = objects.get(number)
            if isinstance(obj, torch.nn.Module):
                for module, mode in zip(obj.modules(), training, strict=False):
                    module.training = mode is True


class Secret(Exception):
    """An answer of the course was about to be sent to a contestant."""


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    """Pickles by value; tensors and learner objects stay references; answers are refused."""

    def __init__(self, file: io.BytesIO, refer: Callable[[Any], Any]) -> None:
        super().__init__(file)
        self._refer = refer

    def persistent_id(self, obj: Any) -> Any:
        """The number of a tensor, the reference of an object over there; None for all else."""
        reference = self._refer(obj)
        if reference is not None:
            return reference
        if isinstance(obj, Student):
            raise TypeError("it uses `student`; use `student.<exercise>` kept in a variable")
        if isinstance(obj, types.FunctionType | type):
            module = str(obj.__module__)
            if module.startswith(SECRET_MODULES):
                raise Secret(
                    f"{obj.__name__!r} belongs to the course's answers and must not be sent to a "
                    "contestant"
                )
            _register(module)
        return None


@functools.lru_cache(maxsize=1024)
def _register(name: str) -> None:
    """Let cloudpickle send along whatever the contestant could not or must not import."""
    module = sys.modules.get(name)
    if module is not None and name.partition(".")[0] not in IMPORTABLE:
        cloudpickle.register_pickle_by_value(module)


def _reference(value: Any) -> tuple[int, Any, str] | None:
    """How an object over there is named; None for one that is not there."""
    if isinstance(value, Handle):
        return HANDLE, value.__dict__["_token"], ""
    if isinstance(value, Exercise):
        return EXERCISE, value._identity, ""
    if isinstance(value, Method):
        sort, key, _ = _reference(value._handle) or (0, 0, "")
        return sort, key, value.__name__
    return None
