"""The link that runs learner code in a contestant, behind the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgpack
import torch

from d2lgrade import wire
from d2lgrade.contestant.containers import become, walk
from d2lgrade.contestant.holdings import KEPT, NUMBER, PASSED
from d2lgrade.contestant.loader import Program
from d2lgrade.contestant.session import GRAD, INFERENCE, OTHER_DEVICE, WATCHED

from .autograd import Graph, Remote
from .draws import learners_seed
from .faults import exception, fault_from
from .namespace import Context, Handle, Method, Student
from .parcels import Parcels
from .tensors import Outbox, Tensors


class Connection(Protocol):
    """One running contestant, as the sandbox gives it out."""

    sources: Mapping[str, str]  # path → text of the learner's files, to name lines of theirs

    def exchange(
        self, body: bytes, buffers: list[Any], seconds: float | None
    ) -> tuple[bytes, list[Any]]:
        """Send a message and receive the answer.

        Raises:
            ContestantLost: it hung, ended, or broke the protocol; the connection is dead.
        """

    def broken(self, reason: str) -> Exception:
        """Give the contestant up because what it sent is no answer; the exception to raise."""


class RemoteLink:
    """Carries requests to a contestant. One link serves one check and begins with a clean slate."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.student: Student | None = None
        self._reset = True
        self._seed: int | None = None
        self._tensors = Tensors()
        self._parcels = Parcels(self._tensors)
        self._released_graphs: list[int] = []

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
        self._connection.sources = {file.path: file.text for file in program.files.values()}
        self._exchange("load", 0, wire.pack(fields, wire.refuse), Outbox(), None)

    def seed(self, number: int) -> None:
        """Seed the contestant with the next request; it learns a hash, not the judge's seed."""
        self._seed = learners_seed(number)

    def seen(self) -> list[str]:
        """See `Link.seen`."""
        reply = self._exchange("seen", 0, b"", Outbox(), None)
        names = self._understood(*reply, [])[1]
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
        """See `Link.request`.

        Raises:
            Unsendable, WireError, TypeError, ValueError: an argument that cannot be sent; the
                check's own fault.
        """
        outbox = Outbox()
        self._tensors.outgoing(outbox)
        packed = wire.pack(
            [target, name, list(args), kwargs],
            lambda value: self._parcels.extension(value, outbox),
        )
        mode = (
            (GRAD if torch.is_grad_enabled() else 0)
            | (INFERENCE if torch.is_inference_mode_enabled() else 0)
            | (WATCHED if context.watched else 0)
            | (OTHER_DEVICE if context.other_device else 0)
        )
        reply = self._exchange(operation, mode, packed, outbox, context.seconds)
        kind, value = self._understood(*reply, [*args, *kwargs.values()])
        if kind == "method":
            return Method(target, name)
        return value

    def _exchange(
        self, operation: str, mode: int, rest: bytes, outbox: Outbox, seconds: float | None
    ) -> tuple[bytes, Any, list[Any]]:
        released = self._tensors.taken()
        table, grads = outbox.table, outbox.grads
        if released:  # some were given another number while this message was made
            gone = set(released)
            table = [entry for entry in table if entry[0] not in gone]
            grads = [pair for pair in grads if pair[0] not in gone]
        graphs = self._released_graphs[:]
        head = [self._reset, released, graphs, table, grads, operation, mode, self._seed, rest]
        self._reset, self._seed = False, None
        del self._released_graphs[: len(graphs)]
        message = wire.pack(head, wire.refuse)
        packed, buffers = self._connection.exchange(message, outbox.buffers, seconds)
        try:
            body, tail = wire.unpack(packed, wire.nothing)
            if type(body) is not bytes:
                raise wire.WireError("a reply without a body")
        except (wire.WireError, ValueError, TypeError) as error:
            raise self._connection.broken(str(error)) from None
        return body, tail, buffers

    def _backward(
        self,
        number: int,
        grads: list[torch.Tensor | None],
        wanted: list[bool],
        shapes: list[torch.Size],
    ) -> list[torch.Tensor | None]:
        outbox = Outbox()
        self._tensors.outgoing(outbox)
        packed = wire.pack(
            [number, grads, wanted], lambda value: self._parcels.extension(value, outbox)
        )
        seconds = self.student._context.seconds if self.student is not None else None
        _, found = self._understood(*self._exchange("backward", 0, packed, outbox, seconds), [])
        if type(found) is not list or len(found) != len(wanted):
            raise self._connection.broken("gradients that do not match the inputs")
        for grad, shape in zip(found, shapes, strict=True):
            if grad is not None and (not isinstance(grad, torch.Tensor) or grad.shape != shape):
                raise self._connection.broken("a gradient that does not fit its tensor")
        return found

    # In ------------------------------------------------------------------------------------

    def _understood(
        self, body: bytes, tail: Any, buffers: list[Any], given: list[Any]
    ) -> tuple[str, Any]:
        """The kind and value of a reply, with everything it changed carried out here.

        Raises:
            StudentError: the learner's code raised.
            StopIteration: the learner's iterator ended.
            ContestantLost: the reply is none.
        """
        held: list[torch.Tensor] = []
        try:
            values, table, grads, graph, states, modes = tail
            dirty = {n for n in graph[2] if n is not None} if graph is not None else set()
            changed = self._tensors.incoming(table, grads, buffers, dirty, held)
            tensors = [wire.taken(buffers, i, dtype, shape) for dtype, shape, i, _ in values]
            if graph is not None:
                self._join(graph, [entry[3] for entry in values], tensors, changed)
            self._parcels.follow(states, modes)
            kind, value, after = self._opened(body, tensors, given)
            fault = fault_from(value) if kind == "error" else None
            if after:
                containers = list(walk(given))
                for place, content in after:
                    become(containers, place, content)
                if not wire.shallow(given):
                    raise wire.WireError("an argument that was made to hold itself")
        except Exception as error:  # whatever we stumble over is no answer
            raise self._connection.broken(f"{type(error).__name__}: {error}") from None
        if fault is not None:
            raise exception(fault) from None
        if kind == "stop":
            raise StopIteration
        return kind, value

    def _opened(self, body: bytes, tensors: list[torch.Tensor], given: list[Any]) -> list[Any]:
        """The reply's body with its references resolved."""

        def refer(code: int, payload: bytes) -> Any:
            if code == wire.TENSOR:
                return self._tensors[int.from_bytes(payload[:8], "little", signed=True)]
            if code == wire.OBJECT:
                return tensors[int.from_bytes(payload[:8], "little")]
            if code != wire.REFERENCE:
                raise wire.WireError("an unknown reference")
            sort, first, name, kind = msgpack.unpackb(payload)
            if sort == NUMBER and type(first) in (bool, int, float):
                return first
            if sort == PASSED and type(first) is int and first >= 0:
                return list(walk(given))[first]
            if sort != KEPT or (type(first), type(name), type(kind)) != (int, str, str):
                raise wire.WireError("a handle that is none")
            assert self.student is not None
            return Handle(self.student, first, name, kind)

        opened = wire.unpack(body, refer)
        if type(opened) is not list or len(opened) != 3 or type(opened[0]) is not str:
            raise wire.WireError("a reply of no known kind")
        if not wire.shallow(opened):
            raise wire.WireError("a value nested too deeply")
        return opened

    def _join(
        self,
        graph: Any,
        places: list[int],
        tensors: list[torch.Tensor],
        changed: dict[int, torch.Tensor],
    ) -> None:
        """Join the learner's graph to ours: outputs in `tensors` are replaced by joined ones.

        Args:
            graph: its number, its leaves, and for each output the argument it is (or None).
            places: for each of `tensors` its place among the outputs, -1 for none.
            changed: new contents of arguments that are outputs.
        """
        number, leaves, dirty = graph
        positions = sorted((place, i) for i, place in enumerate(places) if place >= 0)
        outputs = [tensors[i] for _, i in positions]
        inputs = [self._tensors[leaf] for leaf in leaves]
        moved: dict[int, torch.Tensor] = {}
        for n in dirty:
            if n is None:
                continue
            at = leaves.index(n) if n in leaves else len(inputs)
            if at == len(inputs):
                inputs.append(self._tensors[n])
            moved[at] = changed.get(n, self._tensors[n].detach().clone())
        shapes = [tensor.shape for tensor in inputs[: len(leaves)]]

        def backward(number: int, grads: Any, wanted: list[bool]) -> list[torch.Tensor | None]:
            # Arguments that were only changed in place are no leaves of the learner's graph.
            found = self._backward(number, grads, wanted[: len(leaves)], shapes)
            return [*found, *[None] * (len(wanted) - len(leaves))]

        keeper = Graph(number, backward, self._released_graphs.append)
        with torch.enable_grad():
            joined = Remote.apply(keeper, outputs, moved, *inputs)  # type: ignore[no-untyped-call]
        for (_, index), tensor in zip(positions, joined, strict=False):
            tensors[index] = tensor
        for n in dirty:
            if n is not None:
                self._tensors.agree(n)


__all__ = ["Connection", "RemoteLink"]
