"""The link that runs learner code in a contestant, behind the wire."""

from __future__ import annotations

import hashlib
import io
import sys
import weakref
from typing import Any, Protocol

import cloudpickle
import msgpack
import torch

from d2lgrade import wire
from d2lgrade.contestant.loader import Program
from d2lgrade.contestant.session import (
    EXERCISE,
    GENERATOR,
    GRAD,
    HANDLE,
    INFERENCE,
    METHOD,
    OTHER_DEVICE,
    WATCHED,
)

from .autograd import Graph, Remote
from .faults import BrokenProtocol, exception, fault_from
from .namespace import Context, Exercise, Handle, Method, Student
from .tensors import Outbox, Tensors

SECRET_MODULES = ("d2lgrade_misconceptions_", "d2lgrade_reference_")
# What a contestant may be told to import by name; everything else travels by value.
IMPORTABLE = frozenset({*sys.stdlib_module_names, "torch", "numpy"}) - {"__main__"}


class Connection(Protocol):
    """One running contestant, as the sandbox gives it out."""

    def exchange(
        self, body: bytes, buffers: list[Any], seconds: float | None
    ) -> tuple[bytes, list[bytearray]]:
        """Send a message and receive the answer.

        Raises:
            ContestantLost: it hung, ended, or broke the protocol; the connection is dead.
        """

    def broken(self, reason: str) -> Exception:
        """Give the contestant up because what it sent is no answer; the exception to raise."""


class RemoteLink:
    """Carries requests to a contestant. One link serves one check; `reset` clears its traces."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.student: Student | None = None
        self._reset = True
        self._seed: int | None = None
        self._clear()

    def _clear(self) -> None:
        self._tensors = Tensors()
        self._released_graphs: list[int] = []
        self._objects: dict[int, tuple[int, Any]] = {}
        self._generators: weakref.WeakValueDictionary[int, torch.Generator] = (
            weakref.WeakValueDictionary()
        )
        self._generator_ids: dict[int, int] = {}

    def load(self, program: Program) -> None:
        """Give a fresh contestant the submission; nothing of it runs before the first call."""
        fields = {
            "files": [[file.key, file.path, file.text] for file in program.files.values()],
            "homes": dict(program.homes),
            "phrases": dict(program.phrases),
            "judged": list(program.judged),
            "substitutes": program.substitutes,
            "bound": list(program.bound),
        }
        self._exchange("load", 0, wire.pack(fields, wire.refuse), Outbox(), None)

    def seed(self, number: int) -> None:
        """Seed the contestant with the next request; it learns a hash, not the judge's seed."""
        digest = hashlib.blake2b(f"contestant|{number}".encode(), digest_size=8).digest()
        self._seed = int.from_bytes(digest, "big") >> 1

    def seen(self) -> list[str]:
        """See `Link.seen`."""
        body = self._exchange("seen", 0, b"", Outbox(), None)[0]
        names = self._opened(body, [], [])[1]
        if type(names) is not list:
            raise self._connection.broken("no list of names")
        return [name for name in names if type(name) is str]

    def request(
        self,
        operation: str,
        target: Any,
        name: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        context: Context,
    ) -> Any:
        """See `Link.request`."""
        outbox = Outbox()
        storages: dict[int, list[int]] = {}
        self._tensors.outgoing(outbox, storages)
        packed = wire.pack(
            [target, name, list(args), kwargs], lambda value: self._extension(value, outbox, storages)
        )
        mode = (
            (GRAD if torch.is_grad_enabled() else 0)
            | (INFERENCE if torch.is_inference_mode_enabled() else 0)
            | (WATCHED if context.watched else 0)
            | (OTHER_DEVICE if context.other_device else 0)
        )
        body, tail, buffers = self._exchange(operation, mode, packed, outbox, context.seconds)
        kind, value = self._understood(body, tail, buffers, [*args, *kwargs.values()])
        if kind == "method":
            return Method(target, name)
        return value

    # Out -----------------------------------------------------------------------------------

    def _extension(self, value: Any, outbox: Outbox, storages: dict[int, list[int]]) -> msgpack.ExtType:
        if isinstance(value, torch.Tensor):
            number = self._tensors.number(value, outbox, storages)
            return msgpack.ExtType(wire.TENSOR, msgpack.packb(number))
        if isinstance(value, Handle):
            return _reference(HANDLE, value.__dict__["_token"], "")
        if isinstance(value, Exercise):
            return _reference(EXERCISE, value._identity, "")
        if isinstance(value, Method):
            return _reference(METHOD, value._handle.__dict__["_token"], value.__name__)
        if isinstance(value, torch.Generator):
            number = self._generator_ids.setdefault(id(value), len(self._generator_ids) + 1)
            self._generators[number] = value
            return _reference(GENERATOR, number, value.get_state().numpy().tobytes())
        return msgpack.ExtType(wire.OBJECT, self._pickled(value, outbox, storages))

    def _pickled(self, value: Any, outbox: Outbox, storages: dict[int, list[int]]) -> bytes:
        """An object by value: public, and the same object on the other side when sent again."""
        known = self._objects.get(id(value))
        modes = [m.training for m in value.modules()] if isinstance(value, torch.nn.Module) else None
        if known is not None:
            return msgpack.packb([known[0], b"", modes])  # type: ignore[no-any-return]
        number = len(self._objects) + 1
        _by_value(value)
        buffer = io.BytesIO()
        _Pickler(buffer, lambda t: self._tensors.number(t, outbox, storages)).dump(value)
        self._objects[id(value)] = (number, value)  # kept alive, so that id() stays its own
        return msgpack.packb([number, buffer.getvalue(), modes])  # type: ignore[no-any-return]

    def _exchange(
        self, operation: str, mode: int, rest: bytes, outbox: Outbox, seconds: float | None
    ) -> tuple[bytes, Any, list[bytearray]]:
        head = [
            self._reset,
            self._tensors.taken(),
            self._released_graphs[:],
            outbox.table,
            outbox.grads,
            operation,
            mode,
            self._seed,
        ]
        self._reset, self._seed = False, None
        self._released_graphs.clear()
        message = wire.pack([head, rest], wire.refuse)
        packed, buffers = self._connection.exchange(message, outbox.buffers, seconds)
        try:
            body, tail = wire.unpack(packed, _nothing)
            if type(body) is not bytes:
                raise wire.WireError("a reply without a body")
        except (wire.WireError, ValueError, TypeError) as error:
            raise self._connection.broken(str(error)) from None
        return body, tail, buffers

    def _backward(
        self, number: int, grads: list[torch.Tensor | None], wanted: list[bool]
    ) -> list[torch.Tensor | None]:
        outbox = Outbox()
        storages: dict[int, list[int]] = {}
        self._tensors.outgoing(outbox, storages)
        packed = wire.pack(
            [number, grads, wanted], lambda value: self._extension(value, outbox, storages)
        )
        body, tail, buffers = self._exchange("backward", 0, packed, outbox, None)
        _, found = self._understood(body, tail, buffers, [])
        if type(found) is not list or len(found) != len(wanted):
            raise self._connection.broken("gradients that do not match the inputs")
        return found

    # In ------------------------------------------------------------------------------------

    def _understood(
        self, body: bytes, tail: Any, buffers: list[bytearray], given: list[Any]
    ) -> tuple[str, Any]:
        """The kind and value of a reply, with everything it changed carried out here.

        Raises:
            StudentError: the learner's code raised.
            StopIteration: the learner's iterator ended.
            ContestantLost: the reply is none.
        """
        try:
            values, table, grads, graph, states, modes = tail
            dirty = {n for n in graph[2] if n is not None} if graph is not None else set()
            changed = self._tensors.incoming(table, grads, buffers, dirty)
            tensors = [
                wire.tensor_from(*wire.checked(dtype, shape, len(buffers[index])), buffers[index])
                for dtype, shape, index, _ in values
            ]
            if graph is not None:
                self._join(graph, values, tensors, changed)
            self._follow(states, modes)
            kind, value, after = self._opened(body, tensors, values)
            for index, container in after:
                _become(given[index], container)
        except (wire.WireError, ValueError, TypeError, IndexError, KeyError, RuntimeError) as error:
            raise self._connection.broken(f"{type(error).__name__}: {error}") from None
        if kind == "stop":
            raise StopIteration
        if kind == "error":
            raise exception(fault_from(value if isinstance(value, dict) else {})) from None
        return kind, value

    def _opened(self, body: bytes, tensors: list[torch.Tensor], values: list[Any]) -> list[Any]:
        """The reply's body with its references resolved."""

        def refer(code: int, payload: bytes) -> Any:
            if code == wire.TENSOR:
                return self._tensors[msgpack.unpackb(payload)]
            if code == wire.OBJECT:
                return tensors[msgpack.unpackb(payload)]
            if code != wire.REFERENCE:
                raise wire.WireError("an unknown reference")
            kind, first, name, sort = msgpack.unpackb(payload)
            if kind == "plain":
                if type(first) not in (bool, int, float):
                    raise wire.WireError("a number that is none")
                return first
            assert self.student is not None
            if type(first) is not int or type(name) is not str or type(sort) is not str:
                raise wire.WireError("a handle that is none")
            return Handle(self.student, first, name, sort)

        opened = wire.unpack(body, refer)
        if type(opened) is not list or len(opened) != 3 or type(opened[0]) is not str:
            raise wire.WireError("a reply of no known kind")
        return opened

    def _join(
        self, graph: Any, values: list[Any], tensors: list[torch.Tensor], changed: dict[int, torch.Tensor]
    ) -> None:
        """Join the learner's graph to ours: outputs in `tensors` are replaced by joined ones."""
        number, leaves, dirty = graph
        positions = [(g, i) for i, (_, _, _, g) in enumerate(values) if g >= 0]
        outputs = [tensors[i] for _, i in sorted(positions)]
        inputs = [self._tensors[leaf] for leaf in leaves]
        moved: dict[int, torch.Tensor] = {}
        for n in dirty:
            if n is None:
                continue
            at = next((i for i, leaf in enumerate(leaves) if leaf == n), None)
            if at is None:
                at = len(inputs)
                inputs.append(self._tensors[n])
            moved[at] = changed.get(n, self._tensors[n].detach().clone())
        released = self._released_graphs

        def backward(number: int, grads: Any, wanted: list[bool]) -> list[torch.Tensor | None]:
            # Arguments that were only changed in place are no leaves of the learner's graph.
            found = self._backward(number, grads, wanted[: len(leaves)])
            return [*found, *[None] * (len(wanted) - len(leaves))]

        keeper = Graph(number, backward, released.append)
        with torch.enable_grad():
            joined = Remote.apply(keeper, outputs, moved, *inputs)
        for (_, index), tensor in zip(sorted(positions), joined, strict=False):
            tensors[index] = tensor

    def _follow(self, states: Any, modes: Any) -> None:
        """Generators and modules that the judge passed by value follow what was done to them."""
        for number, state in states:
            generator = self._generators.get(number)
            if generator is not None:
                generator.set_state(torch.frombuffer(bytearray(state), dtype=torch.uint8))
        passed = dict(self._objects.values())
        for number, training in modes:
            obj = passed.get(number)
            if isinstance(obj, torch.nn.Module):
                for module, mode in zip(obj.modules(), training, strict=False):
                    module.training = mode is True


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    """Pickles by value; tensors stay shared; the course's answers are refused."""

    def __init__(self, file: io.BytesIO, number: Any) -> None:
        super().__init__(file)
        self._number = number

    def persistent_id(self, obj: Any) -> Any:
        """The number of a tensor; None for everything else."""
        if isinstance(obj, torch.Tensor) and not isinstance(obj, _UNMADE):
            return self._number(obj)
        module = getattr(obj, "__module__", None)
        if isinstance(module, str) and module.startswith(SECRET_MODULES):
            raise ValueError(
                f"{getattr(obj, '__name__', obj)!r} belongs to the course's answers and must not "
                "be sent to a contestant"
            )
        return None


def _become(mine: Any, theirs: Any) -> None:
    """Make a list or dict of the judge's hold what the learner's call left in it, in place."""
    if type(mine) is not type(theirs):
        raise wire.WireError("a container that became another type")
    if type(mine) is list:
        mine[:] = [_merged(a, b) for a, b in zip(mine, theirs, strict=False)] + theirs[len(mine) :]
    elif type(mine) is dict:
        merged = {key: _merged(mine.get(key), value) for key, value in theirs.items()}
        mine.clear()
        mine.update(merged)


def _merged(mine: Any, theirs: Any) -> Any:
    """`theirs`, by way of changing `mine` where both are containers of one type."""
    if type(mine) is type(theirs) and type(mine) in (list, dict):
        _become(mine, theirs)
        return mine
    return theirs


_UNMADE = torch.nn.parameter.UninitializedTensorMixin


def _by_value(value: Any) -> None:
    """Let cloudpickle send along whatever the contestant could not or must not import."""
    name = getattr(value, "__module__", None) or type(value).__module__
    package = str(name).partition(".")[0]
    module = sys.modules.get(str(name))
    if module is not None and package not in IMPORTABLE:
        cloudpickle.register_pickle_by_value(module)


def _reference(kind: int, key: Any, extra: Any) -> msgpack.ExtType:
    return msgpack.ExtType(wire.REFERENCE, msgpack.packb([kind, key, extra]))


def _nothing(code: int, payload: bytes) -> Any:
    raise wire.WireError("a reference where none belongs")


__all__ = ["BrokenProtocol", "Connection", "RemoteLink"]
