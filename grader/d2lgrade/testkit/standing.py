"""The checks that every exercise gets where they apply, made from one description of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from d2lgrade.student.faults import StudentError

from .compare import Mismatch, assert_same
from .gradient import gradients
from .show import number, numbers
from .source import assert_rules
from .truth import truth

Check = Callable[[Any], None]


@contextmanager
def unchanged(*tensors: torch.Tensor, what: str = "an argument") -> Iterator[None]:
    """Fail where one of `tensors` has other bytes at the end of the block than at its start."""
    before = [tensor.detach().clone() for tensor in tensors]
    yield
    for index, (tensor, copy) in enumerate(zip(tensors, before, strict=True)):
        differs = ~((tensor == copy) | (tensor.isnan() & copy.isnan()))
        if tensor.shape != copy.shape or differs.any():
            raise Mismatch(
                f"Argument {index + 1} was changed in place; the contract says it is left alone.",
                expected=numbers(copy),
                got=numbers(tensor),
            )


def refuses(
    error: type[Exception], function: Callable[..., Any], *args: Any, **kwargs: Any
) -> None:
    """Fail unless the learner's function raises `error`, as its contract says it must."""
    try:
        result = function(*args, **kwargs)
    except error:
        return
    except StudentError as other:
        if other.fault.todo or other.fault.loading:
            raise
        raise Mismatch(
            f"The contract asks for {error.__name__} here; your code raised {other.fault.kind} "
            f"({other.fault.text}).",
            expected=error.__name__,
            got=other.fault.kind,
        ) from None
    shown = (
        numbers(result)
        if isinstance(result, torch.Tensor)
        else number(result)
        if isinstance(result, float)
        else repr(result)
    )
    raise Mismatch(
        f"The contract asks for {error.__name__} here; your code returned a result instead.",
        expected=error.__name__,
        got=shown,
    )


@dataclass(frozen=True)
class Standing:
    """One exercise, described once; each method makes one standing check of it.

    Args:
        exercise: its name.
        oracle: the right answer as a function of the same inputs: PyTorch's operator, or what
            the reference does.
        inputs: draws a fresh tuple of positional inputs (floating tensors, float32, and others).
        call: `(student, *inputs) -> result`; by default `student.<exercise>(*inputs)`. For a
            class: build it, give it fixed weights, call it.

    Use it by naming its checks in the test file:

        corr2d = Standing("corr2d", corr2d_torch, lambda: (torch.randn(4, 5), torch.randn(2, 3)))
        test_corr2d_gradient = corr2d.gradient()
    """

    exercise: str
    oracle: Callable[..., Any]
    inputs: Callable[[], tuple[Any, ...]]
    call: Callable[..., Any] | None = None

    def gradient(self, wrt: tuple[int, ...] | None = None) -> Check:
        """Gradients reach the inputs and equal the oracle's."""

        def check(student: Any) -> None:
            """gradients flow back to the inputs"""
            inputs = self.inputs()
            expected = truth(gradients(self.oracle, wrt), *inputs)
            found = gradients(lambda *a: self._run(student, *a), wrt)(*inputs)
            for index, (one, other) in enumerate(zip(found, expected, strict=True)):
                assert_same(one, other, what=f"the gradient for tensor argument {index + 1}")

        return check

    def keeps_arguments(self) -> Check:
        """No argument is changed in place."""

        def check(student: Any) -> None:
            """leaves its arguments alone"""
            inputs = self.inputs()
            with unchanged(*(value for value in inputs if isinstance(value, torch.Tensor))):
                self._run(student, *inputs)

        return check

    def keeps_dtype(self, dtypes: Iterable[torch.dtype] = (torch.float32, torch.float64)) -> Check:
        """dtype in = dtype out, and the accuracy of that dtype."""

        def check(student: Any) -> None:
            """computes in the dtype it is given"""
            for dtype in dtypes:
                inputs = tuple(_as(value, dtype) for value in self.inputs())
                expected = truth(self.oracle, *inputs)
                assert_same(
                    self._run(student, *inputs), expected, what=f"the result for {_name(dtype)}"
                )

        return check

    def any_layout(self) -> Check:
        """Transposed, expanded and offset views give what contiguous tensors give."""

        def check(student: Any) -> None:
            """takes transposed, expanded and sliced tensors"""
            for layout, change in (
                ("transposed", transposed),
                ("sliced", sliced),
                ("expanded", expanded),
            ):
                inputs = tuple(change(value) for value in self.inputs())
                expected = truth(self.oracle, *inputs)
                assert_same(
                    self._run(student, *inputs), expected, what=f"the result for {layout} inputs"
                )

        return check

    def empty_batch(self, inputs: Callable[[], tuple[Any, ...]]) -> Check:
        """A batch of no examples gives an empty result of the right shape."""

        def check(student: Any) -> None:
            """takes an empty batch"""
            drawn = inputs()
            expected = truth(self.oracle, *drawn)
            assert_same(self._run(student, *drawn), expected)

        return check

    def other_device(self) -> Check:
        """Nothing is made on the CPU when the inputs are elsewhere; shown without a GPU."""

        def check(student: Any) -> None:
            """works on another device than the CPU"""
            inputs = self.inputs()
            with student.other_device():
                self._run(student, *inputs)

        return check

    def refuses(self, error: type[Exception], *cases: Callable[[], tuple[Any, ...]]) -> Check:
        """Each illegal case raises the error that the contract names."""

        def check(student: Any) -> None:
            """refuses illegal input"""
            for case in cases:
                refuses(error, lambda *inputs: self._run(student, *inputs), *case())

        return check

    def rules(self, *forbidden: str) -> Check:
        """The source keeps the Rules of the contract."""

        def check(student: Any) -> None:
            """keeps the Rules: written by hand"""
            assert_rules(student, self.exercise, forbidden)

        return check

    def rules_watched(self, *forbidden: str) -> Check:
        """Nothing forbidden is called at run time either; the learner's process is the witness."""

        def check(student: Any) -> None:
            """keeps the Rules while it runs"""
            from d2lgrade.families import broken

            inputs = self.inputs()
            with student.watched() as seen:
                self._run(student, *inputs)
            found = broken(forbidden, seen)
            if found:
                raise Mismatch(
                    f"While it ran, {self.exercise} called {', '.join(found)}, which its Rules "
                    "rule out."
                )

        return check

    def _run(self, student: Any, *inputs: Any) -> Any:
        if self.call is not None:
            return self.call(student, *inputs)
        return getattr(student, self.exercise)(*inputs)


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _as(value: Any, dtype: torch.dtype) -> Any:
    floating = isinstance(value, torch.Tensor) and value.is_floating_point()
    return value.to(dtype) if floating else value


def transposed(value: Any) -> Any:
    """The same values with the last two axes stored the other way round."""
    if not isinstance(value, torch.Tensor) or value.dim() < 2:
        return value
    return value.transpose(-1, -2).contiguous().transpose(-1, -2)


def sliced(value: Any) -> Any:
    """The same values as a part of a larger tensor: an offset, and gaps between the rows."""
    if not isinstance(value, torch.Tensor) or not value.dim():
        return value
    larger = torch.zeros([n + 2 for n in value.shape], dtype=value.dtype)
    part = larger[tuple(slice(1, n + 1) for n in value.shape)]
    return part.copy_(value)


def expanded(value: Any) -> Any:
    """The first entry along the first axis, repeated by a stride of zero.

    These are other values: ask the oracle anew.
    """
    if not isinstance(value, torch.Tensor) or not value.dim() or not value.numel():
        return value
    return value[:1].expand(value.shape)
