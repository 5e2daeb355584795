"""The contestant's conversation: one request after another, until the judge hangs up.

Whatever the learner's code does to this process, it can at worst send wrong answers: nothing here
decides a verdict or holds anything worth reading.
"""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import io
import pickle
import random
from typing import Any

import msgpack
import numpy as np
import torch

from d2lgrade import wire

from . import book_arguments
from .actions import ACTIONS, kind, type_name
from .fault import describe
from .graphs import Graphs, leaves_of
from .loader import File, Loader, Program
from .probes import device, rules
from .tensors import Tensors

# What a reference on the wire means.
HANDLE, EXERCISE, METHOD, GENERATOR = 1, 2, 3, 4
# Bits of a request's mode.
GRAD, INFERENCE, WATCHED, OTHER_DEVICE = 1, 2, 4, 8

SHARED_NAMES = frozenset({"parameters", "named_parameters", "buffers", "named_buffers"})


class Session:
    """One contestant's state and its answers."""

    def __init__(self, channel: wire.Channel) -> None:
        self._channel = channel
        self._loader: Loader | None = None
        self._paths: frozenset[str] = frozenset()
        self._seen: set[str] = set()
        self._forget()

    def _forget(self) -> None:
        """Drop everything that belongs to one check."""
        self._tensors = Tensors()
        self._graphs = Graphs()
        self._handles: dict[int, Any] = {}
        self._handle_ids: dict[int, int] = {}
        self._objects: dict[int, Any] = {}  # what the judge sent by value and may send again
        self._generators: dict[int, torch.Generator] = {}

    def serve(self) -> None:
        """Answer requests until the judge closes the connection."""
        while True:
            try:
                body, buffers = self._channel.receive()
            except wire.Closed:
                return
            self._answer(body, buffers)

    def _answer(self, packed: bytes, buffers: list[bytearray]) -> None:
        # The tensors must be in the table before the references to them are resolved.
        head, rest = wire.unpack(packed, self._refuse)
        if head[0]:
            self._forget()
        self._tensors.release(head[1])
        self._graphs.release(head[2])
        self._tensors.receive(head[3], buffers)
        self._tensors.set_grads(head[4])
        operation = head[5]
        if operation == "load":
            self._load(rest)
            self._plain(None)
        elif operation == "backward":
            self._backward(rest)
        elif operation == "seen":
            names, self._seen = sorted(self._seen), set()
            self._plain(names)
        else:
            self._request(operation, head[6], head[7], rest)

    @staticmethod
    def _refuse(code: int, payload: bytes) -> Any:
        raise wire.WireError("a reference where none belongs")

    def _load(self, packed: bytes) -> None:
        fields = wire.unpack(packed, self._refuse)
        program = Program(
            files={key: File(key, path, text) for key, path, text in fields["files"]},
            homes=fields["homes"],
            phrases=fields["phrases"],
            judged=tuple(fields["judged"]),
            substitutes=fields["substitutes"],
            bound=tuple(fields["bound"]),
        )
        self._loader = Loader(program, public=True)
        self._paths = frozenset(file.path for file in program.files.values())

    # Requests ------------------------------------------------------------------------------

    def _request(self, operation: str, mode: int, seed: int | None, packed: bytes) -> None:
        call = None
        outputs: list[torch.Tensor] = []
        try:
            if seed is not None:
                seed_all(seed)
            target, name, args, kwargs = wire.unpack(packed, self._resolve)
            obj = self._exercise(target) if operation == "exercise" else target
            args = tuple(args)
            if operation == "exercise" and inspect.isclass(obj):
                kwargs = book_arguments.completed(obj, args, kwargs)
            call = (obj, args, kwargs)
            given = [*args, *kwargs.values()]
            before = [self._imprint(value) for value in given]
            value = self._perform(operation, obj, name, args, kwargs, mode)
            after = [
                [index, container]
                for index, container in enumerate(given)
                if before[index] is not None and self._imprint(container) != before[index]
            ]
            method = operation == "get" and inspect.ismethod(value) and value.__self__ is obj
            shared = operation == "get" or name in SHARED_NAMES
            body = self._packed(["method", None, after] if method else ["ok", value, after], outputs, shared)
        except StopIteration:
            body = self._packed(["stop", None, []], [], False)
        except BaseException as error:
            outputs.clear()
            if isinstance(error, wire.WireError):
                error = ValueError(str(error))
            body = self._packed(["error", describe(error, self._paths, call), []], [], False)
        self._finish(body, outputs)

    def _perform(
        self, operation: str, obj: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], mode: int
    ) -> Any:
        action = ACTIONS[operation]

        def act(*a: Any, **k: Any) -> Any:
            return action(obj, name, a, k)

        with contextlib.ExitStack() as stack:
            if mode & INFERENCE:
                stack.enter_context(torch.inference_mode())
            stack.enter_context(torch.set_grad_enabled(bool(mode & GRAD)))
            if mode & WATCHED:
                seen = stack.enter_context(rules.watching())
                try:
                    return act(*args, **kwargs)
                finally:
                    self._seen.update(seen)
            if mode & OTHER_DEVICE:
                owners = (obj, getattr(obj, "__self__", None))
                modules = [owner for owner in owners if isinstance(owner, torch.nn.Module)]
                return device.run(act, args, kwargs, modules)
            return act(*args, **kwargs)

    @staticmethod
    def _imprint(value: Any) -> bytes | None:
        """What a list or dict holds, to see whether a call changed it; None for other values."""
        if type(value) not in (list, dict):
            return None
        return wire.pack(value, lambda v: msgpack.ExtType(wire.OBJECT, str(id(v)).encode()))

    def _exercise(self, identity: str) -> Any:
        assert self._loader is not None
        return self._loader.exercise(identity)

    def _resolve(self, code: int, payload: bytes) -> Any:
        """What a reference in a request stands for."""
        if code == wire.TENSOR:
            return self._tensors[msgpack.unpackb(payload)]
        if code == wire.OBJECT:
            return self._object(payload)
        kind_of, key, extra = msgpack.unpackb(payload)
        if kind_of == HANDLE:
            return self._handles[key]
        if kind_of == EXERCISE:
            return self._exercise(key)
        if kind_of == METHOD:
            return getattr(self._handles[key], extra)
        if key not in self._generators:
            self._generators[key] = torch.Generator()
        generator = self._generators[key]
        generator.set_state(torch.frombuffer(bytearray(extra), dtype=torch.uint8))
        return generator

    def _object(self, payload: bytes) -> Any:
        """An object that the judge sent by value; sent again, it is the one of before."""
        number, pickled, modes = msgpack.unpackb(payload)
        if number not in self._objects:
            unpickler = _Unpickler(io.BytesIO(pickled), self._tensors)
            self._objects[number] = unpickler.load()
        obj = self._objects[number]
        if modes is not None:
            for module, training in zip(obj.modules(), modes, strict=False):
                module.training = training
        return obj

    def _backward(self, packed: bytes) -> None:
        number, grads, wanted = wire.unpack(packed, self._resolve)
        try:
            found = self._graphs.backward(number, grads, wanted)
            body = self._packed(["ok", found, []], [], False)
        except BaseException as error:
            body = self._packed(["error", describe(error, self._paths), []], [], False)
        self._finish(body, [])

    # Replies -------------------------------------------------------------------------------

    def _packed(self, body: list[Any], outputs: list[torch.Tensor], shared: bool) -> bytes:
        """The reply's body, packed; tensors by value are gathered in `self._values`."""
        self._values: list[list[Any]] = []
        self._buffers: list[Any] = []

        def extend(value: Any) -> msgpack.ExtType:
            if isinstance(value, torch.Tensor) and _ordinary(value):
                return self._tensor(value, outputs, shared)
            if isinstance(value, np.generic) and value.dtype.kind in "biuf":
                return msgpack.ExtType(wire.REFERENCE, msgpack.packb(["plain", value.item(), "", ""]))
            return msgpack.ExtType(wire.REFERENCE, msgpack.packb(self._handle(value)))

        return wire.pack(body, extend)

    def _tensor(self, value: torch.Tensor, outputs: list[torch.Tensor], shared: bool) -> msgpack.ExtType:
        known = self._tensors.number(value)
        parameter = isinstance(value, torch.nn.Parameter) or (value.requires_grad and value.is_leaf)
        if known is not None or parameter or shared:
            return msgpack.ExtType(wire.TENSOR, msgpack.packb(self._tensors.show(value)))
        index = len(self._values)
        graph = -1
        if value.requires_grad:
            graph = len(outputs)
            outputs.append(value)
        self._values.append([wire.DTYPE_NAMES[value.dtype], list(value.shape), len(self._buffers), graph])
        self._buffers.append(wire.contents(value))
        return msgpack.ExtType(wire.OBJECT, msgpack.packb(index))

    def _handle(self, value: Any) -> list[Any]:
        number = self._handle_ids.get(id(value))
        if number is None:
            number = len(self._handles) + 1
            self._handles[number] = value
            self._handle_ids[id(value)] = number
        return ["handle", number, type_name(value)[:200], kind(value)]

    def _finish(self, body: bytes, outputs: list[torch.Tensor]) -> None:
        """Send the reply: body, tensors by value, changes to shared ones, and the new graph."""
        graph = None
        outputs = [*outputs, *self._tensors.rebased()]
        if outputs:
            leaves = leaves_of(outputs)
            numbers = [self._numbered(leaf) for leaf in leaves]
            dirty = [self._tensors.number(output) for output in outputs]
            graph = [self._graphs.add(outputs, leaves), numbers, dirty]
        values, buffers = self._values, self._buffers
        table, changed, grads = self._tensors.changes()
        for entry in table:
            entry[-1] += len(buffers)
        states = [[key, _state(g)] for key, g in self._generators.items()]
        modes = [
            [number, [m.training for m in obj.modules()]]
            for number, obj in self._objects.items()
            if isinstance(obj, torch.nn.Module)
        ]
        tail = [values, table, grads, graph, states, modes]
        self._reply([body, tail], [*buffers, *changed])

    def _numbered(self, leaf: torch.Tensor) -> int:
        """The number of a leaf: that of the argument it stands behind, or one of its own."""
        number = self._tensors.behind(leaf)
        return self._tensors.show(leaf) if number is None else number

    def _plain(self, value: Any) -> None:
        """Reply with a value of closed types and nothing else."""
        self._reply([wire.pack(["ok", value, []], wire.refuse), None], [])

    def _reply(self, message: list[Any], buffers: list[Any]) -> None:
        self._channel.send(wire.pack(message, wire.refuse), buffers)


class _Unpickler(pickle.Unpickler):
    """Loads what the judge sent by value; its tensors are those of the table."""

    def __init__(self, file: io.BytesIO, tensors: Tensors) -> None:
        super().__init__(file)
        self._tensors = tensors

    def persistent_load(self, number: Any) -> torch.Tensor:
        """The shared tensor that an object refers to."""
        return self._tensors[number]


def _ordinary(value: torch.Tensor) -> bool:
    """Whether a tensor can cross by value: plain, dense, on the CPU, of a known dtype."""
    return (
        type(value) in (torch.Tensor, torch.nn.Parameter)
        and value.layout is torch.strided
        and value.device.type == "cpu"
        and not value.is_quantized
        and not value.is_nested
        and value.dtype in wire.DTYPE_NAMES
    )


def _state(generator: torch.Generator) -> bytes:
    state: bytes = generator.get_state().numpy().tobytes()
    return state


def seed_all(seed: int) -> None:
    """Seed torch, NumPy and `random` from a number that says nothing about the judge's own seeds."""
    torch.default_generator.manual_seed(seed)  # torch.manual_seed also asks every accelerator
    np.random.seed(seed % 2**32)
    random.seed(hashlib.blake2b(seed.to_bytes(8, "big")).digest())
