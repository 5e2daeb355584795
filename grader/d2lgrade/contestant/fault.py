"""An exception of learner code as plain data: what it is, what it says, the learner's own lines."""

from __future__ import annotations

import inspect
import linecache
import traceback
from collections.abc import Collection
from typing import Any

from .loader import LoadFailed, Missing

TEXT_LIMIT = 4000
FRAMES = 12


def describe(
    error: BaseException,
    paths: Collection[str],
    call: tuple[Any, tuple[Any, ...], dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """The fields of a fault (`student.faults.Fault`), in closed types only; never raises.

    Args:
        error: what was raised.
        paths: the file names of the learner's sources; other frames are left out.
        call: function, positional and named arguments of the call, to tell a signature that does
            not fit from a TypeError inside.
    """
    try:
        return _fields(error, paths, call)
    except BaseException:  # an exception class may be as odd as its author likes
        return {"kinds": ("Exception",), "text": "(it cannot be shown)"}


def _fields(
    error: BaseException,
    paths: Collection[str],
    call: tuple[Any, tuple[Any, ...], dict[str, Any]] | None,
) -> dict[str, Any]:
    if isinstance(error, Missing):
        return {"kinds": ("LookupError",), "text": str(error), "missing": error.name}
    loading = isinstance(error, LoadFailed)
    cause = error.__cause__ if loading and error.__cause__ is not None else error
    frames = _frames(cause, paths)
    fields: dict[str, Any] = {
        "kinds": tuple(cls.__name__ for cls in type(cause).__mro__ if cls is not object),
        "text": _text(cause),
        "frames": frames,
        "arguments": tuple(_arguments(cause)),
        "loading": loading,
    }
    if isinstance(cause, TypeError) and not frames and call is not None:
        fields["signature"] = _unfitting(*call)
    return fields


def _text(error: BaseException) -> str:
    try:
        text = str.__str__(str(error))  # of a subclass of str, the plain text
    except BaseException:  # the learner's own __str__ may raise anything
        return "(its message cannot be shown: __str__ raised)"
    return text if len(text) <= TEXT_LIMIT else f"{text[:TEXT_LIMIT]}… ({len(text)} characters)"


def _arguments(error: BaseException) -> list[Any]:
    plain = [a for a in error.args if type(a) in (int, str, bool, float)]
    short = all(len(a) < TEXT_LIMIT if type(a) is str else abs(a) < 1 << 63 for a in plain)
    return plain if short and len(plain) == len(error.args) < 10 else []


def _frames(error: BaseException, paths: Collection[str]) -> tuple[tuple[str, int, str, str], ...]:
    """The learner's frames, outermost first: path, line, function, source line."""
    found = []
    for frame, line in traceback.walk_tb(error.__traceback__):
        code = frame.f_code
        if code.co_filename in paths:
            text = linecache.getline(code.co_filename, line).strip()[:200]
            found.append((code.co_filename, line, code.co_name[:100], text))
    if len(found) > FRAMES:
        half = FRAMES // 2
        skipped = (found[0][0], 0, f"… {len(found) - FRAMES} more calls …", "")
        found = [*found[:half], skipped, *found[-half:]]
    return tuple(found)


def _unfitting(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """The signature of `function` as text, where these arguments do not fit it; else empty."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return ""
    try:
        signature.bind(*args, **kwargs)
    except TypeError:
        return str(signature)[:300]
    return ""
