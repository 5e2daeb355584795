"""What a request may do to an object of the learner's, and how the object is named to the judge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

# Methods whose generators are fetched whole: one round trip instead of one for each item.
FETCHED_WHOLE = frozenset(
    {"parameters", "named_parameters", "buffers", "named_buffers", "modules", "children"}
)


def type_name(value: object) -> str:
    """The name of a value's type as a reader knows it: "LeNet", "numpy.ndarray"."""
    cls = type(value)
    module = cls.__module__.partition(".")[0]
    return f"{module}.{cls.__qualname__}" if module in ("numpy", "torch") else cls.__qualname__


def kind(value: object) -> str:
    """What sort of handle a value makes: module, optimizer, iterator, function or object."""
    if isinstance(value, torch.nn.Module):
        return "module"
    if isinstance(value, torch.optim.Optimizer):
        return "optimizer"
    if hasattr(type(value), "__next__"):
        return "iterator"
    return "function" if callable(value) else "object"


def _call(obj: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return obj(*args, **kwargs)


def _method(obj: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    value = getattr(obj, name)(*args, **kwargs)
    return list(value) if name in FETCHED_WHOLE else value


def _set(obj: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    setattr(obj, name, args[0])


Action = Callable[[Any, str, tuple[Any, ...], dict[str, Any]], Any]

ACTIONS: Mapping[str, Action] = {
    "exercise": _call,
    "run": _call,
    "call": _call,
    "method": _method,
    "get": lambda obj, name, args, kwargs: getattr(obj, name),
    "set": _set,
    "next": lambda obj, name, args, kwargs: next(obj),
    "iter": lambda obj, name, args, kwargs: iter(obj),
    "len": lambda obj, name, args, kwargs: len(obj),
    "item": lambda obj, name, args, kwargs: obj[args[0]],
    "bool": lambda obj, name, args, kwargs: bool(obj),
}
