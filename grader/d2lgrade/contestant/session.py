"""The contestant's conversation: one request after another, until the judge hangs up.

Whatever the learner's code does to this process, it can at worst send wrong answers: nothing here
decides a verdict or holds anything worth reading.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable
from typing import Any

import torch

from d2lgrade import wire

from . import book_arguments
from .actions import ACTIONS
from .containers import Passed
from .fault import describe
from .holdings import Holdings
from .loader import File, Loader, Program
from .output import Output
from .probes import device, rules
from .replies import Reply
from .seeds import seed_all

# Bits of a request's mode.
GRAD, INFERENCE, WATCHED, OTHER_DEVICE = 1, 2, 4, 8

# Methods whose tensors are the object's own, as attributes are.
SHARED_NAMES = frozenset(
    {"parameters", "named_parameters", "buffers", "named_buffers", "state_dict"}
)


class Session:
    """One contestant's state and its answers."""

    def __init__(self, channel: wire.Channel, output: Output | None = None) -> None:
        """`output` is where prints go, to be told when a new check begins."""
        self._channel = channel
        self._output = output
        self._loader: Loader | None = None
        self._paths: frozenset[str] = frozenset()
        self._seen: set[str] = set()
        self._holdings = Holdings(self._exercise)

    def serve(self) -> None:
        """Answer requests until the judge closes the connection."""
        while True:
            try:
                body, buffers = self._channel.receive()
            except wire.Closed:
                return
            answer = self._answer(body, buffers)
            try:
                self._channel.send(*answer)
            except (wire.Closed, wire.Late):
                return
            except wire.WireError as error:  # more tensors than a message may hold: none was sent
                self._channel.send(*self._failed(ValueError(str(error))))

    def _answer(self, packed: bytes, buffers: list[Any]) -> tuple[bytes, list[Any]]:
        reset, tensors, graphs, table, grads, operation, mode, seed, rest = wire.unpack(
            packed, wire.nothing
        )
        if reset:
            self._holdings = Holdings(self._exercise)
            if self._output is not None:
                self._output.renew()
        # The tensors must be in the table before the references to them are resolved.
        shared = self._holdings.tensors
        shared.release(tensors)
        self._holdings.graphs.release(graphs)
        shared.receive(table, buffers)
        shared.set_grads(grads)
        if seed is not None:
            seed_all(seed)
        if operation == "load":
            self._load(rest)
            return self._reply("ok", None)
        if operation == "seen":
            names, self._seen = sorted(self._seen), set()
            return self._reply("ok", names)
        if operation == "backward":
            return self._backward(rest)
        return self._request(operation, mode, rest)

    def _reply(
        self, kind: str, value: Any, after: list[Any] | None = None, shared: bool = False
    ) -> tuple[bytes, list[Any]]:
        """The message for an answer; where it cannot be sent, for the error that says so."""
        try:
            return Reply(self._holdings, shared).message(kind, value, after or [])
        except BaseException as error:  # values and tensors of the learner's may raise anything
            traceback.clear_frames(error.__traceback__)  # they hold what was packed so far
            return self._failed(error)

    def _failed(self, error: BaseException) -> tuple[bytes, list[Any]]:
        """The message for an answer that cannot be sent: why, and nothing else."""
        tail: list[Any] = [[], [], [], None, [], []]
        body = wire.pack(["error", describe(error, self._paths), []], wire.refuse)
        return wire.pack([body, tail], wire.refuse), []

    def _load(self, packed: bytes) -> None:
        fields = wire.unpack(packed, wire.nothing)
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

    def _exercise(self, identity: str) -> Any:
        assert self._loader is not None
        return self._loader.exercise(identity)

    def _request(self, operation: str, mode: int, packed: bytes) -> tuple[bytes, list[Any]]:
        call = passed = None
        shared = False
        try:
            target, name, args, kwargs = wire.unpack(packed, self._holdings.resolve)
            obj = self._exercise(target) if operation == "exercise" else target
            args = tuple(args)
            passed = Passed([*args, *kwargs.values()])
            if operation == "exercise" and inspect.isclass(obj):
                kwargs = book_arguments.completed(obj, args, kwargs)
            call = (obj, args, kwargs)
            value = self._perform(operation, obj, name, args, kwargs, mode)
            kind = "ok"
            if operation == "get" and inspect.ismethod(value) and value.__self__ is obj:
                kind, value = "method", None
            else:
                value = passed.marked(value)
            shared = operation == "get" or name in SHARED_NAMES
        except BaseException as error:
            traceback.clear_frames(error.__traceback__)  # what the call held may be all the memory
            kind, value = "error", describe(error, self._paths, call)
            if operation == "next" and isinstance(error, StopIteration):
                kind, value = "stop", None
        after = passed.changes() if passed else []
        if after and passed and not passed.shallow():
            kind, value, after = "error", describe(ValueError(wire.TOO_DEEP), ()), []
        return self._reply(kind, value, after, shared)

    def _perform(
        self,
        operation: str,
        obj: Any,
        name: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        mode: int,
    ) -> Any:
        action = ACTIONS[operation]
        if not mode & (WATCHED | OTHER_DEVICE):
            return _under(mode, action, (obj, name, args, kwargs))

        def act(*a: Any, **k: Any) -> Any:
            return action(obj, name, a, k)

        if mode & WATCHED:
            return _under(mode, self._watched, (act, args, kwargs))
        return _under(mode, device.run, (act, args, kwargs, device.owners(obj)))

    def _watched(self, act: Callable[..., Any], args: tuple[Any, ...], kwargs: Any) -> Any:
        with rules.watching() as seen:
            try:
                return act(*args, **kwargs)
            finally:
                self._seen.update(seen)

    def _backward(self, packed: bytes) -> tuple[bytes, list[Any]]:
        try:
            number, grads, wanted = wire.unpack(packed, self._holdings.resolve)
            found = self._holdings.graphs.backward(number, grads, wanted)
        except BaseException as error:
            return self._reply("error", describe(error, self._paths))
        return self._reply("ok", found)


def _under(mode: int, act: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Call in the grad mode that the judge is in.

    A short function of its own, because an exception that leaves a `with` notes where: a number
    above 256 needs memory, and with none left the interpreter (3.11) tries for ever.
    """
    with torch.set_grad_enabled(bool(mode & GRAD)):
        if mode & INFERENCE:
            with torch.inference_mode():
                return act(*args)
        return act(*args)
