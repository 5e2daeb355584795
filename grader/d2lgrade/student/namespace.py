"""`student`: what a check sees of the learner's code, whichever process it runs in."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

from d2lgrade.contestant.actions import FETCHED_WHOLE

from .calls import Call, Transcript, snapshot


@dataclass(frozen=True)
class Context:
    """How calls are to be made at the moment; links read it with every request."""

    other_device: bool = False
    watched: bool = False
    seconds: float | None = None  # a deadline of their own for slow calls


class Link(Protocol):
    """Carries requests to wherever the learner's code runs.

    Operations: `exercise` (call it; `target` is its id), `run` (a public function, sent along),
    `call`, `method`, `get`, `set`, `next`, `iter`, `len`, `item`, `bool` on a handle or exercise.
    """

    def request(
        self,
        operation: str,
        target: Any,
        name: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        context: Context,
    ) -> Any:
        """Carry one request out; returns closed values, tensors, Exercise or Handle objects."""

    def seed(self, number: int) -> None:
        """Seed the learner's side, which the judge's own seeding functions do not reach."""

    def seen(self) -> list[str]:
        """Names of the torch functions that calls made with `watched` used, so far."""


class Exercise:
    """A function or class the learner wrote, by its exercise id. Calling it calls theirs."""

    def __init__(self, student: Student, identity: str) -> None:
        self._student = student
        self._identity = identity
        self.__name__ = identity.rpartition("/")[2]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """One round trip: the learner's function runs, or their class makes an object."""
        return self._student._request(
            "exercise", self._identity, "", args, kwargs, self.__name__, self.__name__
        )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._ask("get", name, (), {})

    def _ask(self, operation: str, name: str, args: tuple[Any, ...], kwargs: Any) -> Any:
        label = f"{self.__name__}.{name}"
        return self._student._request(operation, self, name, args, kwargs, label, self.__name__)

    def __repr__(self) -> str:
        return f"<the learner's {self.__name__}>"


class Method:
    """A method of a handle (or of a learner's class), bound; calling it is one round trip."""

    def __init__(self, handle: Handle | Exercise, name: str) -> None:
        self._handle = handle
        self.__name__ = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """One round trip."""
        value = self._handle._ask("method", self.__name__, args, kwargs)
        return iter(value) if self.__name__ in FETCHED_WHOLE else value


class Handle:
    """An object that lives with the learner's code: a module, an optimizer, an iterator.

    Attributes, methods, calls, items and iteration go there. `type_name` says what it is.
    """

    _student: Student
    _token: Any
    type_name: str
    kind: str

    def __init__(self, student: Student, token: Any, type_name: str, kind: str) -> None:
        fields = {"_student": student, "_token": token, "type_name": type_name, "kind": kind}
        self.__dict__.update(fields, _label=type_name, _exercise="")

    def _ask(self, operation: str, name: str, args: tuple[Any, ...], kwargs: Any) -> Any:
        label = f"{self._label}.{name}" if name else self._label
        return self._student._request(
            operation, self, name, args, kwargs, label, self.__dict__["_exercise"]
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """One round trip."""
        return self._ask("call", "", args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._ask("get", name, (), {})

    def __setattr__(self, name: str, value: Any) -> None:
        self._ask("set", name, (value,), {})

    def __iter__(self) -> Iterator[Any]:
        walk = self if self.kind == "iterator" else self._ask("iter", "", (), {})
        while True:
            try:
                yield walk._ask("next", "", (), {})
            except StopIteration:
                return

    def __next__(self) -> Any:
        return self._ask("next", "", (), {})

    def __len__(self) -> int:
        return int(self._ask("len", "", (), {}))

    def __getitem__(self, key: Any) -> Any:
        return self._ask("item", "", (key,), {})

    def __bool__(self) -> bool:
        return bool(self._ask("bool", "", (), {}))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Handle) or other._student is not self._student:
            return NotImplemented
        mine, theirs = self._token, other._token
        return mine is theirs or (type(mine) is int and mine == theirs)

    def __hash__(self) -> int:
        return hash(self._token if type(self._token) is int else id(self._token))

    def __deepcopy__(self, memo: Any) -> Any:
        return self._student.run(copy.deepcopy, self)

    def __repr__(self) -> str:
        return f"<the learner's {self.type_name}>"


def signature_text(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """The call as a reader would write it, with short values only: "LeNet(num_classes=10)"."""

    def short(value: Any) -> str:
        plain = value is None or type(value) in (bool, int, float, str, tuple, list)
        text = repr(value) if plain else "…"
        return text if len(text) <= 24 else "…"

    parts = [short(a) for a in args] + [f"{key}={short(value)}" for key, value in kwargs.items()]
    return f"{name}({', '.join(parts)})"


class Student:
    """The learner's code of one chapter, as attributes: `student.corr2d(X, K)`.

    Args:
        link: carries the requests.
        resolve: exercise name → exercise id; raises KeyError for a name that is none.
        source: exercise name → the text of the file it comes from.
    """

    def __init__(
        self,
        link: Link,
        resolve: Callable[[str], str],
        source: Callable[[str], str] = lambda name: "",
    ) -> None:
        self._link = link
        self._resolve = resolve
        self._context = Context()
        self.transcript = Transcript()
        self.source_of = source

    def __getattr__(self, name: str) -> Exercise:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return Exercise(self, self._resolve(name))
        except KeyError:
            raise AttributeError(f"no exercise is called {name!r} (see chapter.toml)") from None

    def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run a public function beside the learner's code; what it cannot send back is a handle.

        The function travels by value: it must hold no answer. Use it to build a net natively
        (`student.run(lambda: nn.Sequential(nn.LazyLinear(3)))`) or to look at one.
        """
        return self._request("run", function, "", args, kwargs, function.__name__, "")

    @contextmanager
    def other_device(self) -> Iterator[None]:
        """Within this block tensors pretend to live on another device than the CPU."""
        with self._setting(other_device=True):
            yield

    @contextmanager
    def watched(self) -> Iterator[list[str]]:
        """Within this block torch functions used are noted; the list is filled at its end."""
        names: list[str] = []
        with self._setting(watched=True):
            yield names
        names.extend(self._link.seen())

    @contextmanager
    def deadline(self, seconds: float) -> Iterator[None]:
        """Within this block each call may take `seconds` instead of the usual deadline."""
        with self._setting(seconds=seconds):
            yield

    def seeded(self, number: int) -> None:
        """The judge has seeded itself: the learner's side follows."""
        self._link.seed(number)

    @contextmanager
    def _setting(self, **changes: Any) -> Iterator[None]:
        before = self._context
        self._context = replace(before, **changes)
        try:
            yield
        finally:
            self._context = before

    def _request(
        self,
        operation: str,
        target: Any,
        name: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        label: str,
        exercise: str,
    ) -> Any:
        call = Call(label, exercise, snapshot(args), snapshot(kwargs))
        self.transcript.add(call)
        try:
            result = self._link.request(operation, target, name, args, kwargs, self._context)
        except BaseException as error:
            call.error = error
            raise
        finally:
            call.done = True
        if isinstance(result, Method | Handle | Exercise):
            if isinstance(result, Handle) and result._token is not None:
                built = operation in ("exercise", "run", "call", "method")
                text = signature_text(label, args, kwargs) if built else label
                result.__dict__.update(_label=text, _exercise=exercise)
            call.result = result
        else:
            call.result = snapshot(result)
        return result
