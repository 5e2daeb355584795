"""Modules that take several inputs, compared with ones built of PyTorch's parts.

The learner's module and the check's own get the same parameters, by shape and not by name, so
that a module is right whatever its attributes are called and in whichever order it makes them.
One that is made and never used shows as a parameter that the result does not depend on. Dropout
with probability 1 leaves nothing to chance: `dropped` sees with it what is dropped, and where.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import nn

from .compare import Mismatch, assert_same
from .forward import Call, Shape, differentiate, fill, run
from .gradient import pattern
from .standing import Check, expanded, sliced, transposed, unchanged
from .truth import Expected, expected

NUMBERS = 4099  # that parameters are cut from; a prime, so that no two rows are alike


def plainly(net: Any, *inputs: Any) -> Any:
    """Call a module with its inputs."""
    return net(*inputs)


@dataclass(frozen=True)
class Setting:
    """One way to build and call a module.

    Args:
        draw: draws a fresh tuple of inputs: tensors, batch first, and plain values.
        options: the constructor's arguments.
    """

    draw: Callable[[], tuple[Any, ...]]
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Oracle:
    """The right module for a setting, its parameters known; and what they are cut from."""

    net: nn.Module
    parameters: list[tuple[Shape, str]]
    numbers: torch.Tensor

    def due(self, inputs: tuple[Any, ...], ask: Callable[[nn.Module, tuple[Any, ...]], Any]) -> Any:
        """What the oracle answers, with the tolerance that its own rounding justifies.

        Not `truth`: the same computation on absolute values grows with every layer, and would
        excuse anything.
        """
        own = ask(self.net, inputs)
        exact = ask(self.net.double(), _double(inputs))
        self.net.float()  # back without loss: its numbers were float32
        if isinstance(own, list):
            return [expected(one, other, other) for one, other in zip(own, exact, strict=True)]
        return expected(own, exact, exact)


@dataclass(frozen=True)
class Layer:
    """One module, described once; each method makes one check of it.

    Args:
        exercise: its name.
        oracle: makes the right module of PyTorch's parts, from the same arguments.
        settings: what to compare on, from the smallest up. The last serves the checks that need
            no more than one.
        call: how to call a module on inputs, where that is more than `net(*inputs)`; it runs
            beside the learner's code and returns a tensor.
        training: whether modules are compared in training mode. Dropout is 0 then.

    Use it as `Standing`: `test_AddNorm_values = add_norm.values()`.
    """

    exercise: str
    oracle: Callable[..., nn.Module]
    settings: Sequence[Setting]
    call: Call = plainly
    training: bool = False

    # The checks ------------------------------------------------------------------------------

    def values(self, *settings: Setting, title: str = "", call: Call | None = None) -> Check:
        """With equal parameters the results are equal."""

        def check(student: Any) -> None:
            """equals PyTorch's own layers with the same parameters"""
            layer = self if call is None else replace(self, call=call)
            for setting in settings or self.settings:
                layer.agrees(student, setting, setting.draw(), self.training)

        return _titled(check, title)

    def dropped(self, *settings: Setting, title: str = "") -> Check:
        """In training what the oracle drops is dropped; give probabilities of 1. None in eval."""

        def check(student: Any) -> None:
            """drops what the contract says, in training only"""
            for setting in settings:
                for training in (False, True):
                    what = "the result in training mode" if training else "the result in eval mode"
                    self.agrees(student, setting, setting.draw(), training, what)

        return _titled(check, title)

    def gradient(self, *settings: Setting) -> Check:
        """The inputs' gradients are the oracle's, and the result depends on every parameter."""

        def check(student: Any) -> None:
            """gradients reach every input and every parameter"""
            for setting in settings or self.settings[-1:]:
                inputs = setting.draw()
                answer = self.answer(setting, inputs)

                def differentiated(net: nn.Module, inputs: tuple[Any, ...]) -> Any:
                    return differentiate(net, self.call, inputs, pattern, self.training)[0]

                due = answer.due(inputs, differentiated)
                net = self.filled(student, setting, inputs, answer)
                found, lost = student.run(
                    differentiate, net, self.call, inputs, pattern, self.training
                )
                if lost:
                    raise Mismatch(
                        f"No gradient reaches {_counted(lost)}: the result does not depend on it, "
                        "or the forward pass cuts the graph (.data, .detach())."
                    )
                for index, (one, other) in enumerate(zip(found, due, strict=True), 1):
                    if one is None:
                        raise Mismatch(f"No gradient reaches floating input {index}.")
                    assert_same(one, other, what=f"the gradient of floating input {index}")

        return check

    def keeps_arguments(self, *settings: Setting) -> Check:
        """No input is changed in place."""

        def check(student: Any) -> None:
            """leaves its arguments alone"""
            for setting in settings or self.settings[-1:]:
                inputs = setting.draw()
                net = self.filled(student, setting, inputs, self.answer(setting, inputs))
                for training in (True, False):
                    with unchanged(*(x for x in inputs if isinstance(x, torch.Tensor))):
                        student.run(run, net, self.call, inputs, training)

        return check

    def keeps_dtype(self, *settings: Setting) -> Check:
        """After .double() it computes in float64."""

        def check(student: Any) -> None:
            """computes in float64 after .double()"""
            for setting in settings or self.settings[-1:]:
                inputs = setting.draw()
                answer = self.answer(setting, inputs)
                due = answer.due(inputs, self._result)
                # An honest order of operations loses as many digits here as there.
                finer = torch.finfo(torch.float64).eps / torch.finfo(torch.float32).eps
                due = Expected(due.truth, due.truth, due.tolerance * finer)
                net = self.filled(student, setting, inputs, answer)
                net.double()
                found = student.run(run, net, self.call, _double(inputs), self.training)
                assert_same(found, due, what="the result for float64")

        return check

    def any_layout(self, *settings: Setting) -> Check:
        """Transposed, sliced and expanded inputs give what contiguous ones give."""

        def check(student: Any) -> None:
            """takes transposed, expanded and sliced tensors"""
            for setting in settings or self.settings[-1:]:
                for change in (transposed, sliced, expanded):
                    inputs = tuple(change(value) for value in setting.draw())
                    what = f"the result for {change.__name__} inputs"
                    self.agrees(student, setting, inputs, self.training, what)

        return check

    def empty_batch(self, *settings: Setting) -> Check:
        """A batch of no examples gives no results."""

        def check(student: Any) -> None:
            """takes an empty batch"""
            for setting in settings or self.settings[-1:]:
                inputs = setting.draw()
                answer = self.answer(setting, inputs)
                none = tuple(x[:0] if isinstance(x, torch.Tensor) else x for x in inputs)
                due = self._result(answer.net, none)
                net = self.filled(student, setting, inputs, answer)
                assert_same(student.run(run, net, self.call, none, self.training), due)

        return check

    def other_device(self, *settings: Setting) -> Check:
        """Nothing is made on the CPU when module and inputs are elsewhere; shown without a GPU."""

        def check(student: Any) -> None:
            """works on another device than the CPU"""
            for setting in settings or self.settings[-1:]:
                inputs = setting.draw()
                net = self.filled(student, setting, inputs, self.answer(setting, inputs))
                with student.other_device():
                    student.run(run, net, self.call, inputs, self.training)

        return check

    # What they are made of -------------------------------------------------------------------

    def answer(self, setting: Setting, inputs: tuple[Any, ...]) -> Oracle:
        """The right module, with parameters drawn for this check."""
        net, numbers = self.oracle(**setting.options), torch.randn(NUMBERS)
        return Oracle(net, fill(net, self.call, inputs, numbers), numbers)

    def filled(
        self, student: Any, setting: Setting, inputs: tuple[Any, ...], answer: Oracle
    ) -> Any:
        """The learner's module with the same parameters; fails where they are not the oracle's."""
        net = getattr(student, self.exercise)(**setting.options)
        found, due = student.run(fill, net, self.call, inputs, answer.numbers), answer.parameters
        if found != due:
            told = ", ".join(f"{name}={value!r}" for name, value in setting.options.items())
            raise Mismatch(
                f"{self.exercise}({told}) has not the parameters of the contract.",
                expected=_beside(due, found),
                got=_beside(found, due),
            )
        return net

    def agrees(
        self,
        student: Any,
        setting: Setting,
        inputs: tuple[Any, ...],
        training: bool,
        what: str = "the result",
    ) -> None:
        """The learner's result for these inputs is the oracle's."""
        answer = self.answer(setting, inputs)

        def result(net: nn.Module, inputs: tuple[Any, ...]) -> Any:
            return run(net, self.call, inputs, training)

        due = answer.due(inputs, result)
        net = self.filled(student, setting, inputs, answer)
        assert_same(student.run(run, net, self.call, inputs, training), due, what=what)

    def _result(self, net: nn.Module, inputs: tuple[Any, ...]) -> Any:
        return run(net, self.call, inputs, self.training)


def _titled(check: Check, title: str) -> Check:
    if title:
        check.__doc__ = title
    return check


def _double(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(
        x.double() if isinstance(x, torch.Tensor) and x.is_floating_point() else x for x in inputs
    )


def _counted(shapes: Sequence[Shape]) -> str:
    """One parameter, or how many: "a parameter of shape (4, 4)"."""
    first = f"a parameter of shape {tuple(shapes[0])}"
    return first if len(shapes) == 1 else f"{len(shapes)} parameters, first {first}"


def _beside(one: Sequence[tuple[Shape, str]], other: Sequence[tuple[Shape, str]]) -> str:
    """How many parameters there are, and which of them the others lack."""
    only = Counter(tuple(p) for p in one) - Counter(tuple(p) for p in other)
    texts = [
        f"{f'{n} of ' if n > 1 else ''}{tuple(shape) or 'a layer'} {start}".rstrip()
        for (shape, start), n in only.items()
    ]
    return f"{len(one)} parameters; only here: {', '.join(texts) or 'none'}"
