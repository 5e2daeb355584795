"""What can go wrong on the learner's side of a call, as exceptions the judge can tell apart."""

from __future__ import annotations

import builtins
from dataclasses import dataclass
from functools import lru_cache
from typing import Any


@dataclass(frozen=True)
class Frame:
    """One line of the learner's own traceback."""

    path: str
    line: int
    function: str
    source: str = ""


@dataclass(frozen=True)
class Fault:
    """An exception in learner code, as plain data.

    `kinds` holds the names of the exception's class and of its bases, nearest first, so that the
    judge can raise the same kind without importing anything from the learner.
    """

    kinds: tuple[str, ...]
    text: str
    frames: tuple[Frame, ...] = ()
    arguments: tuple[object, ...] = ()
    loading: bool = False  # raised while the file was imported, not during a call
    missing: str = ""  # the exercise's name, where the file does not define it
    signature: str = ""  # the learner's signature, where the call did not fit it

    @property
    def kind(self) -> str:
        """The name of the exception's own class."""
        return self.kinds[0] if self.kinds else "Exception"

    @property
    def todo(self) -> bool:
        """Whether this means "not written yet": NotImplementedError, a blank, or nothing there."""
        blank = "NameError" in self.kinds and "'____'" in self.text
        return "NotImplementedError" in self.kinds or blank or bool(self.missing)


def fault_from(fields: dict[str, Any]) -> Fault:
    """A `Fault` from the plain fields that `contestant.fault.describe` makes.

    Everything is checked and converted: the fields may come from a stranger.

    Raises:
        TypeError, ValueError, AttributeError: they are no such fields.
    """
    frames = tuple(
        Frame(str(path)[:300], int(line), str(function)[:120], str(source)[:300])
        for path, line, function, source in tuple(fields.get("frames", ()))[:40]
    )
    names = [str(kind)[:100] for kind in tuple(fields.get("kinds", ()))[:20]]
    kinds = tuple(name for name in names if name.isidentifier())
    arguments = tuple(a for a in fields.get("arguments", ()) if type(a) in (int, str, bool, float))
    return Fault(
        kinds=kinds or ("Exception",),
        text=str(fields.get("text", ""))[:8000],
        frames=frames,
        arguments=arguments,
        loading=fields.get("loading") is True,
        missing=str(fields.get("missing", ""))[:100],
        signature=str(fields.get("signature", ""))[:400],
    )


class StudentError(Exception):
    """Base of everything the learner's side raises in a check."""

    fault: Fault

    def __str__(self) -> str:
        return self.fault.text


class ContestantLost(Exception):
    """The contestant is gone: it hung, ended, or broke the protocol. `status` is the check's."""

    status = "crashed"

    def __init__(self, message: str, frames: tuple[Frame, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.frames = frames


class Hang(ContestantLost):
    """No answer before the deadline."""

    status = "timeout"


class Crash(ContestantLost):
    """The contestant's process ended."""


class BrokenProtocol(ContestantLost):
    """What came back was no answer."""


def _builtin_base(kinds: tuple[str, ...]) -> type[Exception]:
    """The nearest of `kinds` that is a built-in Exception; Exception itself where none is."""
    for kind in kinds:
        base = getattr(builtins, kind, None)
        if isinstance(base, type) and issubclass(base, Exception):
            return base
    return Exception


@lru_cache(maxsize=256)  # bounded: the names may come from a stranger
def _class(kinds: tuple[str, ...]) -> type[StudentError]:
    """The exception class for a chain of kinds."""
    base = _builtin_base(kinds)
    if base is Exception:
        return type(kinds[0], (StudentError,), {"__module__": "student"})

    def new(cls: type[BaseException], *args: Any) -> BaseException:
        make: Any = cls.__base__.__new__  # whichever of the two decides the object's layout
        if issubclass(cls, BaseExceptionGroup):  # what was in it stays on the other side
            made: BaseException = make(cls, "of the learner's", [Exception()])
        else:
            made = make(cls)
        return made

    # Without these, KeyError would quote its text and UnicodeDecodeError demand five arguments.
    members = {
        "__new__": new,
        "__init__": lambda self, *args: Exception.__init__(self, *args),
        "__str__": StudentError.__str__,
        "__module__": "student",
    }
    return type(kinds[0], (StudentError, base), members)


def exception(fault: Fault) -> StudentError:
    """An exception of the learner's kind: `pytest.raises(ValueError)` sees a ValueError.

    Its class derives from StudentError and from the nearest built-in base; exceptions that are no
    `Exception` (SystemExit, KeyboardInterrupt) arrive as plain StudentError, so that they cannot
    end the judge.
    """
    error = _class(fault.kinds)(*fault.arguments)
    error.fault = fault
    return error
