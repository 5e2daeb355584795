"""The device check without a GPU: CPU tensors that pretend to be on `cuda:0`.

`run` marks the memory of everything it is given as being on the device (see `placement`), and
calls the function under a mode that sees every torch call made from Python (see `mode`). The mode
answers questions about devices, makes factory calls with `device=` end up where they say, and
refuses what CUDA refuses, with PyTorch's own message. The numbers are computed on the CPU as ever,
so a function that passes has also computed its true result.

Covered: operations, indexing, assignment, factories, `.to` and its kin, NumPy conversion, in-place
operations on CPU scalars, generators, modules (lazy ones too), optimizers, autograd with custom
functions and hooks, `torch.cuda`'s questions. Not covered: dtypes and operators that CUDA lacks,
`torch.jit` and `torch.compile`, a second GPU, streams, memory statistics, `torch.accelerator`, and
a custom backward that makes tensors on the device after `run` has returned.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Mapping
from types import GeneratorType, TracebackType
from typing import Any

import torch

from .mode import DeviceMode
from .placement import DEVICE, Places, WrongDevice, paths_in, tensors_in
from .pretence import pretended_machine

__all__ = ["DEVICE", "Session", "WrongDevice", "owners", "run"]


class Session:
    """One pretence: what is on the device, and the mode that keeps account of it.

    Args:
        values: nested lists, tuples and dicts; every tensor, module and optimizer in them is on
            the device as long as the session lasts.

    A context manager; code that runs inside sees the device. It may be entered again.
    """

    def __init__(self, *values: Any) -> None:
        self.places = Places()
        self._values = values
        self._mode = DeviceMode(self.places)
        self._machine: Any = None
        self._moved = 0

    def __enter__(self) -> Session:
        self._machine = pretended_machine(self._mode.engine)
        self._machine.__enter__()
        try:
            self._moved = 0
            self._settle(self._values, {})
            self._mode.__enter__()  # type: ignore[no-untyped-call]
        except BaseException:
            self._machine.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._mode.__exit__(kind, error, traceback)  # type: ignore[no-untyped-call]
        self._machine.__exit__(kind, error, traceback)

    def check(self, result: Any) -> None:
        """Refuse a result that is not where its inputs are.

        Nothing is asked of a result whose inputs hold no tensor at all.

        Raises:
            WrongDevice: a tensor of it is on the CPU.
        """
        if not self._moved:
            return
        for path, tensor in paths_in(result):
            if not self.places.on_device(tensor):
                what = f"the result at {path}" if path else "the result"
                raise WrongDevice(
                    f"{what} is on cpu, its inputs are on cuda:0; "
                    "make it with device=X.device, X being one of the inputs"
                )

    def _settle(self, value: Any, seen: dict[int, Any]) -> None:
        """Put every tensor of nested values, modules and optimizers on the device."""
        if id(value) in seen:
            return
        seen[id(value)] = value  # held, so that no other object gets its id meanwhile
        if isinstance(value, torch.Tensor):
            self._place(value)
        elif isinstance(value, torch.nn.Module):
            self._settle_module(value)
        elif isinstance(value, torch.optim.Optimizer):
            self._settle([group["params"] for group in value.param_groups], seen)
            for state in value.state.values():  # a step count stays on the CPU, as PyTorch keeps it
                self._settle([t for t in tensors_in(state) if t.dim() > 0], seen)
        elif isinstance(value, Mapping):
            for item in value.values():
                self._settle(item, seen)
        elif isinstance(value, list | tuple | set | frozenset):
            for item in value:
                self._settle(item, seen)

    def _settle_module(self, module: torch.nn.Module) -> None:
        if type(module).to is not torch.nn.Module.to:  # the learner's own way of moving
            with self._mode:
                module.to(DEVICE)
            self._moved += 1
        else:
            # `to` goes this way too, through overrides of `_apply`.
            module._apply(self._place)  # type: ignore[no-untyped-call]

    def _place(self, tensor: torch.Tensor) -> torch.Tensor:
        self.places.put(tensor, True)
        self._moved += 1
        return tensor


def owners(obj: Any) -> list[Any]:
    """The modules and optimizers that move to the device with a call of `obj`: it, or its owner."""
    found = (obj, getattr(obj, "__self__", None))
    return [o for o in found if isinstance(o, torch.nn.Module | torch.optim.Optimizer)]


def run(
    fn: Callable[..., Any],
    args: Iterable[Any],
    kwargs: Mapping[str, Any],
    modules: Iterable[Any] = (),
) -> Any:
    """Call `fn` as if its inputs were on `cuda:0`.

    Args:
        fn: the learner's function, module or bound method of a module.
        args: positional arguments; tensors and modules are found in nested lists, tuples, dicts.
        kwargs: keyword arguments.
        modules: further modules or optimizers to move, such as the owner of a method.

    Returns:
        What `fn` returns, its tensors plain CPU tensors with their graph. A generator comes back
        as a generator that runs, and is checked, in the same way.

    Raises:
        WrongDevice: two devices met (from the learner's line), or the result is on the CPU.
    """
    args, kwargs = tuple(args), dict(kwargs)
    session = Session(args, kwargs, list(modules), [fn, getattr(fn, "__self__", None)])
    try:
        with session:
            result = fn(*args, **kwargs)
    except WrongDevice as error:
        _trim(error)
        raise
    if isinstance(result, GeneratorType):
        return _stream(session, result)
    session.check(result)
    return result


def _stream(session: Session, items: Generator[Any]) -> Generator[Any]:
    """The items of a learner's generator, each made and checked inside the session."""
    while True:
        try:
            with session:
                item = next(items)
        except StopIteration:
            return
        session.check(item)
        yield item


def _trim(error: BaseException) -> None:
    """Cut our frames and torch's off the end, so that the traceback ends in the learner's line."""
    ours = (os.path.dirname(__file__) + os.sep, os.path.dirname(torch.__file__) + os.sep)
    last, link = None, error.__traceback__
    while link is not None:
        if not link.tb_frame.f_code.co_filename.startswith(ours):
            last = link
        link = link.tb_next
    if last is not None:
        last.tb_next = None
