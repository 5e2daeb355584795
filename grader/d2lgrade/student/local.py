"""The link that runs learner code in this very process.

For code that we trust: references and misconceptions in the judge, and a learner's own file in
debug mode, where `breakpoint()` and a debugger must work.
"""

from __future__ import annotations

import inspect
import io
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from typing import Any

import numpy as np
import torch

from d2lgrade import wire
from d2lgrade.contestant import book_arguments
from d2lgrade.contestant.actions import ACTIONS, Action, kind, type_name
from d2lgrade.contestant.fault import describe
from d2lgrade.contestant.loader import Loader
from d2lgrade.contestant.probes import device, rules

from .draws import Draws
from .faults import StudentError, exception, fault_from
from .namespace import Context, Exercise, Handle, Method, Student

CLOSED = (type(None), bool, int, float, complex, str, bytes, torch.device, torch.dtype)


class LocalLink:
    """Carries requests out by calling the code right here."""

    def __init__(self, loader: Loader, output: io.StringIO | None = None) -> None:
        """`output` takes what the code prints; without it prints go where they usually go."""
        self._loader = loader
        self._output = output
        self._seen: set[str] = set()
        self._draws = Draws()
        self.student: Student | None = None

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
        call = None
        try:
            with ExitStack() as stack:
                stack.enter_context(self._draws.own())
                if self._output is not None:
                    stack.enter_context(redirect_stdout(self._output))
                    stack.enter_context(redirect_stderr(self._output))
                obj = self._target(operation, target)
                positional = tuple(self._far(arg) for arg in args)
                named = {key: self._far(value) for key, value in kwargs.items()}
                if operation == "exercise" and inspect.isclass(obj):
                    named = book_arguments.completed(obj, positional, named)
                call = (obj, positional, named)
                value = self._act(ACTIONS[operation], obj, name, positional, named, context)
                return self._near(value, obj, operation, name, target)
        except StudentError:
            raise
        except (Exception, SystemExit, GeneratorExit) as error:
            if operation == "next" and isinstance(error, StopIteration):
                raise
            paths = [file.path for file in self._loader.program.files.values()]
            fault = fault_from(describe(error, paths, call))
            # The learner's own traceback stays on it, for a debugger to enter.
            raise exception(fault).with_traceback(error.__traceback__) from None

    def _act(
        self,
        action: Action,
        obj: Any,
        name: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        context: Context,
    ) -> Any:
        def act(*a: Any, **k: Any) -> Any:
            return action(obj, name, a, k)

        if context.watched:
            with rules.watching() as seen:
                value = act(*args, **kwargs)
            self._seen.update(seen)
            return value
        if context.other_device:
            return device.run(act, args, kwargs, device.owners(obj))
        return act(*args, **kwargs)

    def seed(self, number: int) -> None:
        """See `Link.seed`."""
        self._draws.seed(number)

    def seen(self) -> list[str]:
        """See `Link.seen`."""
        names, self._seen = sorted(self._seen), set()
        return names

    def _target(self, operation: str, target: Any) -> Any:
        if operation == "run":
            return target
        if operation == "exercise":
            return self._loader.exercise(target)
        return self._far(target)

    def _far(self, value: Any) -> Any:
        """Handles and exercises become the objects they stand for, also inside containers."""
        if isinstance(value, Handle):
            return value.__dict__["_token"]
        if isinstance(value, Exercise):
            return self._loader.exercise(value._identity)
        if isinstance(value, Method):
            return getattr(self._far(value._handle), value.__name__)
        if type(value) in (list, tuple) and any(_stands_for(item) for item in value):
            return type(value)(self._far(item) for item in value)
        if type(value) is dict and any(_stands_for(item) for item in value.values()):
            return {key: self._far(item) for key, item in value.items()}
        return value

    def _near(self, value: Any, obj: Any, operation: str, name: str, target: Any) -> Any:
        if operation == "get" and inspect.ismethod(value) and value.__self__ is obj:
            return Method(target, name)
        if not wire.shallow(value):
            raise ValueError(wire.TOO_DEEP)
        return self._wrapped(value)

    def _wrapped(self, value: Any) -> Any:
        if isinstance(value, torch.Tensor) or type(value) in CLOSED:
            return value
        if isinstance(value, np.generic) and type(value.item()) in (bool, int, float):
            return value.item()
        if type(value) is torch.Size:
            return tuple(value)
        if type(value) in (list, tuple):
            items = [self._wrapped(item) for item in value]
            same = all(a is b for a, b in zip(items, value, strict=True))
            return value if same else type(value)(items)
        if isinstance(value, dict):
            pairs = {key: self._wrapped(item) for key, item in value.items()}
            same = type(value) is dict and all(pairs[key] is value[key] for key in pairs)
            return value if same else pairs
        assert self.student is not None
        return Handle(self.student, value, type_name(value), kind(value))


def _stands_for(value: Any) -> bool:
    if type(value) in (list, tuple):
        return any(_stands_for(item) for item in value)
    if type(value) is dict:
        return any(_stands_for(item) for item in value.values())
    return isinstance(value, Handle | Exercise | Method)
