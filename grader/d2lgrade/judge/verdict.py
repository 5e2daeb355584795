"""From what a check raised to a status and the parts of its failure text."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from d2lgrade.catalog import Exercise
from d2lgrade.contestant import confine
from d2lgrade.results import Argument, CheckStatus, Failure
from d2lgrade.sandbox import endings
from d2lgrade.sandbox.limits import Limits
from d2lgrade.student.calls import Call, Large, Transcript
from d2lgrade.student.faults import ContestantLost, Fault, Frame, StudentError
from d2lgrade.student.namespace import Handle
from d2lgrade.testkit.compare import Mismatch
from d2lgrade.testkit.show import brief, numbers, summary

from .programs import LEFT_OUT


@dataclass(frozen=True)
class Outcome:
    """What one attempt at a check came to."""

    status: CheckStatus
    failure: Failure | None = None


PASSED = Outcome("passed")
FILE_TOO_LARGE, DISK_FULL = f"[Errno {errno.EFBIG}]", f"[Errno {errno.ENOSPC}]"
OUT_OF_MEMORY = ("can't allocate memory", "not enough memory")  # torch says so in a RuntimeError


class Unexplained(Exception):
    """The check itself raised; only a run on the reference can tell whose fault that is."""


def outcome(
    error: BaseException,
    transcript: Transcript,
    exercise: Exercise,
    find: Callable[[str], Exercise],
    limits: Limits | None = None,
) -> Outcome:
    """The status and failure for what a check raised.

    Args:
        error: the exception.
        transcript: the calls made so far; the last one is shown.
        exercise: the one judged.
        find: exercise by name, for the argument names of calls to other exercises.
        limits: what the learner's code may use; None: whatever there is.

    Raises:
        Unexplained: neither the learner's code nor a comparison raised it.
    """
    call = transcript.last
    if isinstance(error, Mismatch):
        failure = Failure(
            error.message,
            **_shown(call, find),
            expected=error.expected,
            got=error.got,
            difference=error.difference,
            map=error.map,
            notes=error.notes,
        )
        return Outcome("failed", failure)
    if isinstance(error, StudentError):
        return _raised(error.fault, call, exercise, find, limits)
    if isinstance(error, ContestantLost):
        return _gone(error, call, find)
    raise Unexplained from error


def misused(
    error: BaseException, transcript: Transcript, find: Callable[[str], Exercise]
) -> Outcome:
    """The check could not go on with what the learner's code returned (the reference passes it)."""
    call = transcript.last
    value = call.result if call else None
    name = getattr(value, "type_name", type(value).__name__)
    if value is None:
        described = "None (is a `return` missing?)"
    elif isinstance(value, torch.Tensor | Large | list | tuple | dict):
        described = summary(value)
    else:  # a handle is named, not asked: what it answers, or raises, is the learner's to choose
        described = name
    return Outcome(
        "failed",
        Failure(
            f"The check could not go on with what {call.name if call else 'your code'} returned: "
            f"{described}.",
            **_shown(call, find),
            got=described,
            notes=(f"{type(error).__name__}: {error}",),
        ),
    )


def grader_error(error: BaseException) -> Outcome:
    """Our own fault."""
    where = ""
    trace = error.__traceback__
    while trace is not None:
        where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
        trace = trace.tb_next
    return Outcome(
        "grader_error",
        Failure(
            f"The check itself failed ({type(error).__name__}: {error}); this costs you nothing.",
            notes=(f"raised at {where}; please report it with the output of --format json",),
        ),
    )


def _gone(error: ContestantLost, call: Call | None, find: Callable[[str], Exercise]) -> Outcome:
    """The learner's process hung or ended."""
    lines = _lines(error.frames)
    if error.status != "timeout":
        return Outcome("crashed", Failure(error.message, **_shown(call, find), traceback=lines))
    if any(frame.function == "<module>" for frame in error.frames):
        message = (
            f"The import of your file never ended ({error.message.rstrip('.').lower()}). "
            "What stands outside functions runs on import; move it into a function."
        )
        return Outcome("timeout", Failure(message, traceback=lines))
    return Outcome("timeout", Failure(error.message, **_shown(call, find), traceback=lines))


def _raised(
    fault: Fault,
    call: Call | None,
    exercise: Exercise,
    find: Callable[[str], Exercise],
    limits: Limits | None,
) -> Outcome:
    """The learner's code raised."""
    shown, lines = _shown(call, find), _lines(fault.frames)
    if fault.missing:
        return Outcome("todo", Failure(f"{fault.text} yet."))
    if fault.todo:
        return Outcome("todo", Failure("Still to do.", traceback=lines))
    if fault.loading:
        limit = _limit_sentence(fault, limits)
        message = f"{limit} It did so on import." if limit else _import_sentence(fault)
        return Outcome("error", Failure(message, traceback=lines))
    if fault.signature:
        message = (
            f"Your {exercise.name} takes {fault.signature}; the contract is {exercise.signature}."
        )
        return Outcome("error", Failure(message, **shown, notes=(fault.text,)))
    if fault.kind == "WrongDevice":
        message = f"With its inputs on a GPU this would fail: {fault.text}"
        return Outcome("failed", Failure(message, **shown, traceback=lines))
    message = _sentence(fault, exercise, limits)
    return Outcome("error", Failure(message, **shown, traceback=lines))


def _sentence(fault: Fault, exercise: Exercise, limits: Limits | None) -> str:
    """What a learner should know about an exception in a call."""
    if fault.kind in ("SystemExit", "KeyboardInterrupt"):
        return f"Your code ended the program ({fault.kind}); a function returns its answer."
    if fault.kind == "RecursionError":
        return "Your code calls itself without end (RecursionError)."
    if limit := _limit_sentence(fault, limits):
        return limit
    if fault.text.endswith("object is not callable") and not fault.frames:
        return f"Your {exercise.name} is no function: {fault.text}. Give that name to nothing else."
    return f"Your code raised {fault.kind}{': ' if fault.text else '.'}{fault.text}"


def _limit_sentence(fault: Fault, limits: Limits | None) -> str:
    """What a learner should know about a limit that was reached; empty where none was."""
    if "MemoryError" in fault.kinds or any(sign in fault.text for sign in OUT_OF_MEMORY):
        limit = f" It may take {limits.memory >> 20} MB beside torch itself." if limits else ""
        return f"Your code ran out of memory.{limit}"
    if limits and fault.text.startswith(FILE_TOO_LARGE):
        return endings.wrote_too_much(limits.file_size)
    if limits and limits.scratch and fault.text.startswith(DISK_FULL):
        return endings.wrote_too_much(limits.scratch)
    if confine.NO_NETWORK in fault.text:
        return confine.NO_NETWORK
    return ""


def _import_sentence(fault: Fault) -> str:
    if any(frame.path.endswith(LEFT_OUT) for frame in fault.frames):
        return f"Your file could not be imported: {fault.text}."
    if fault.kind in ("ModuleNotFoundError", "ImportError"):
        return (
            f"Your file could not be imported: {fault.text}. The exercises need torch, numpy and "
            "Python's own library only; install the package or remove the import."
        )
    return f"Your file could not be imported: it raised {fault.kind}: {fault.text}"


def _lines(frames: tuple[Frame, ...]) -> tuple[str, ...]:
    lines = []
    for frame in frames:
        if frame.path.endswith(LEFT_OUT):
            continue
        lines.append(
            f"{frame.path}:{frame.line}, in {frame.function}" if frame.line else frame.function
        )
        if frame.source:
            lines.append(f"    {frame.source}")
    return tuple(lines)


def _shown(call: Call | None, find: Callable[[str], Exercise]) -> dict[str, Any]:
    """The parts `called` and `arguments` of a failure."""
    if call is None or call.name.startswith("<"):
        return {}
    names = _parameter_names(call, find)
    written: list[str] = []
    arguments: list[Argument] = []
    for index, value in enumerate(call.args):
        name = names[index] if index < len(names) else _unnamed(index, len(call.args))
        written.append(_written(name, value, arguments))
    for key, value in call.kwargs.items():
        text = _written(key, value, arguments)
        written.append(text if text == key else f"{key}={text}")
    return {"called": f"{call.name}({', '.join(written)})", "arguments": tuple(arguments)}


def _unnamed(index: int, count: int) -> str:
    return "input" if count == 1 else f"input{index + 1}"


def _parameter_names(call: Call, find: Callable[[str], Exercise]) -> list[str]:
    if call.name != call.exercise or not call.exercise:
        return []
    signature = find(call.exercise).signature
    inside = signature[signature.find("(") + 1 : signature.rfind(")")]
    depth, current, names = 0, "", []
    for char in inside + ",":
        depth += (char in "([") - (char in ")]")
        if char == "," and depth == 0:
            names.append(current.split("=")[0].strip())
            current = ""
        else:
            current += char
    return names


def _written(name: str, value: Any, arguments: list[Argument]) -> str:
    """How one argument is written inside the call; tensors also get a line of their own."""
    if isinstance(value, torch.Tensor | Large):
        small = isinstance(value, torch.Tensor) and value.numel() <= 24
        text = numbers(value) if small and isinstance(value, torch.Tensor) else ""
        arguments.append(Argument(name, _summary(value), text))
        return name
    if type(value) in (list, tuple, dict) and value and not _plain(value):
        arguments.append(Argument(name, summary(value), _items(value)))
        return name
    if _plain(value):
        return brief(value, 40)
    if isinstance(value, Handle):  # as it was made: "LeNet()"
        return str(vars(value)["_label"])
    return name


def _summary(value: torch.Tensor | Large) -> str:
    if isinstance(value, Large):
        return f"{str(value.dtype).removeprefix('torch.')} {value.shape}"
    return summary(value)


def _items(value: Any) -> str:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    texts = [
        f"{key}: {_summary(v) if isinstance(v, torch.Tensor | Large) else brief(v, 30)}"
        for key, v in items
    ]
    return ", ".join(texts[:6]) + (", …" if len(texts) > 6 else "")


def _plain(value: Any) -> bool:
    if type(value) in (list, tuple):
        return all(_plain(item) for item in value)
    if type(value) is dict:
        return all(_plain(item) for item in value.values())
    return value is None or type(value) in (bool, int, float, str)
