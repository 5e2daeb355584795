"""Whole networks, compared with one of PyTorch's layers, whatever their attributes are called.

A learner's network and the check's own get the same parameters, by shape and not by name: those of
one shape are equal. So a network is right in whichever order it defines its layers; one that is
defined and never used shows as a parameter that the output does not depend on. What is put in
depends on the check's id and keeps every layer's output about as large as its input, so that no
layer hides behind another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from .beside import (
    TABLE,
    Shape,
    Undrawn,
    descend,
    fill,
    listed,
    output_of,
    settle,
    shapes_in,
    show_hidden,
    slope,
)
from .compare import Mismatch, assert_same
from .gradient import pattern
from .shapes import counted, drawn, only_in
from .standing import Check, transposed, unchanged
from .statistics import assert_independent, assert_rate
from .truth import Expected, expected


@dataclass(frozen=True)
class Case:
    """One way to build and call a network: the input's shape and the constructor's arguments."""

    shape: Shape
    options: Mapping[str, Any] = field(default_factory=dict)

    def input(self) -> torch.Tensor:
        """A random input."""
        return torch.randn(self.shape)


@dataclass(frozen=True)
class Network:
    """One network or block, described once; each method makes one check of it.

    Args:
        exercise: its name.
        oracle: makes the right network of PyTorch's layers, from the same arguments; lazy ones
            save it the number of input channels.
        cases: what to compare on, from the smallest up. The first serves the checks that need
            no more than one.
        training: whether values and gradients are compared in training mode, with gradients
            enabled, as batch normalization needs it; otherwise in evaluation mode without.
        positional: whether the arguments go by position, as those of functions do.

    Use it as `Standing`: `test_VGG_values = vgg.values()`.
    """

    exercise: str
    oracle: Callable[..., nn.Module]
    cases: Sequence[Case]
    training: bool = False
    positional: bool = False

    # The checks ------------------------------------------------------------------------------

    def parameters(self, *cases: Case) -> Check:
        """The parameters are those of the oracle's layers, in any order."""

        def check(student: Any) -> None:
            """has the parameters of the contract's layers, and no others"""
            for case in cases or self.cases:
                net = self.new(student, case)
                self._compare(case, student.run(listed, net, case.shape))

        return check

    def values(self, *cases: Case) -> Check:
        """With equal parameters the outputs are equal."""

        def check(student: Any) -> None:
            """equals PyTorch's own layers with the same parameters"""
            for case in cases or self.cases:
                self.agrees(student, case, case.input())

        return check

    def evaluation(self, *cases: Case) -> Check:
        """After two batches of training, evaluation mode goes by the running statistics."""

        def check(student: Any) -> None:
            """uses the running statistics in evaluation mode"""
            for case in cases or self.cases[:1]:
                batches = [case.input(), case.input()]
                self.agrees(student, case, case.input(), training=False, before=batches)

        return check

    def hidden_dropout(self, case: Case) -> Check:
        """Two hidden linear layers of 4096 numbers are each followed by dropout at 0.5."""

        def check(student: Any) -> None:
            """drops numbers of both hidden layers with probability 0.5, in training only"""
            many = Case(case.shape, {**case.options, "num_classes": 1024})
            net, x = self.new(student, many), torch.zeros(case.shape)
            student.run(show_hidden, net, x)
            found = student.run(output_of, net, x, False)
            due = torch.full((len(x), 1024), 2.0)
            assert_same(found, due, what="what the hidden layers pass on in evaluation")
            found = student.run(output_of, net, x, True)
            if (found == 2).all():
                raise Mismatch("Nothing is dropped in training mode.")
            kinds = [float(value) for value in found.unique()]
            if not set(kinds) <= {0.0, 2.0, 6.0}:
                raise Mismatch(
                    "Numbers of 1 leave the hidden layers with values that dropout at 0.5 after "
                    "each of them does not give.",
                    expected="0, 2 or 6",
                    got=", ".join(f"{kind:g}" for kind in kinds[:6]),
                )
            dropped, passed = found == 0, found[found != 0] == 6
            told = "Numbers {} in the {} hidden layer"
            assert_rate(int(dropped.sum()), found.numel(), 0.5, told.format("dropped", "second"))
            assert_rate(int(passed.sum()), passed.numel(), 0.5, told.format("kept", "first"))
            assert_independent(dropped.reshape(32, -1), told.format("dropped", "second"))

        return check

    def gradient(self, *cases: Case) -> Check:
        """The input's gradient is the oracle's, and the output depends on every parameter."""

        def check(student: Any) -> None:
            """gradients reach the input and every parameter"""
            for case in cases or self.cases[:1]:
                x, numbers = case.input(), table()

                def differentiated(net: nn.Module, x: torch.Tensor) -> Any:
                    return slope(net, x, pattern, self.training)[0]

                net = self.filled(student, case, numbers)
                due = self.due(case, numbers, x, differentiated)
                found, lost = student.run(slope, net, x, pattern, self.training)
                if lost:
                    raise Mismatch(
                        f"No gradient reaches {counted(lost)}: the result does not depend on it, "
                        "or the forward pass cuts the graph (.data, .detach()).",
                    )
                if found is None:
                    raise Mismatch("No gradient reaches the input: the graph is cut on the way.")
                assert_same(found, due, what="the gradient of the input")

        return check

    def keeps_arguments(self, *cases: Case) -> Check:
        """The input is not changed in place."""

        def check(student: Any) -> None:
            """leaves its input alone"""
            for case in cases or self.cases[:1]:
                x, net = case.input(), self.settled(student, case)
                for training in (True, False):
                    with unchanged(x):
                        student.run(output_of, net, x, training)

        return check

    def keeps_dtype(self, *cases: Case) -> Check:
        """After .double() it computes in float64."""

        def check(student: Any) -> None:
            """computes in float64 after .double()"""
            for case in cases or self.cases[:1]:
                x, numbers = case.input(), table()
                net = self.filled(student, case, numbers)
                due = self.due(case, numbers, x, self._output)
                # An honest order of operations loses as many digits here as there.
                finer = torch.finfo(torch.float64).eps / torch.finfo(torch.float32).eps
                due = Expected(due.truth, due.truth, due.tolerance * finer)
                net.double()
                found = student.run(output_of, net, x.double(), self.training)
                assert_same(found, due, what="the result for float64")

        return check

    def any_layout(self, *cases: Case) -> Check:
        """Transposed images give what contiguous ones give."""

        def check(student: Any) -> None:
            """takes transposed tensors"""
            for case in cases or self.cases[:1]:
                self.agrees(student, case, transposed(case.input()))

        return check

    def empty_batch(self, *cases: Case) -> Check:
        """A batch of no images gives no outputs, in evaluation mode."""

        def check(student: Any) -> None:
            """takes an empty batch in evaluation mode"""
            for case in cases or self.cases[:1]:
                x = torch.randn(0, *case.shape[1:])
                due = output_of(_right(self.oracle, case.options, case.shape), x, False)
                net = self.settled(student, case)
                assert_same(student.run(output_of, net, x, False), due)

        return check

    def other_device(self, *cases: Case) -> Check:
        """Nothing is made on the CPU when net and input are elsewhere; shown without a GPU."""

        def check(student: Any) -> None:
            """works on another device than the CPU"""
            for case in cases or self.cases[:1]:
                x, net = case.input(), self.settled(student, case)
                with student.other_device():
                    student.run(output_of, net, x, self.training)

        return check

    def stages(self, case: Case, due: Sequence[Shape]) -> Check:
        """These shapes, of one example, pass through the layers in this order.

        Looked at are the inputs and outputs of modules that hold parameters, so name none that
        only an activation or a pooling would show. Other shapes may lie between. Nothing is said
        of a network of which functions do the work.
        """

        def check(student: Any) -> None:
            """passes on the shapes of the contract from stage to stage"""
            net = self.settled(student, case)
            seen = [tuple(shape) for shape in student.run(shapes_in, net, case.shape)]
            remaining = iter(seen)
            missing = [shape for shape in due if shape not in remaining]
            if seen and missing:
                raise Mismatch(
                    f"Of the shapes in the contract, {drawn(missing[:1])} never comes in its turn "
                    f"when {self._told(case)} is given an input {drawn([case.shape[1:]])}.",
                    expected=drawn(due),
                    got=drawn(seen),
                )

        return check

    def learns(
        self,
        case: Case,
        data: Callable[[int, int], tuple[torch.Tensor, torch.Tensor]],
        *,
        start: Callable[[Any], None] | None = None,
        goal: float = 0.85,
        seconds: float = 60,
    ) -> Check:
        """A few steps of gradient descent bring the loss on one batch below `goal` of its start.

        Args:
            data: draws images and labels: so many, of so many pixels a side.
            start: changes the parameters beforehand, beside the learner's code.
            goal: where a right network ends at 0.67 or so.
        """

        def check(student: Any) -> None:
            """learns a few real images in a few steps"""
            x, labels = data(case.shape[0], case.shape[-1])
            net = self.filled(student, case, table())
            if start is not None:
                student.run(start, net)
            with student.deadline(seconds):
                losses = student.run(descend, net, x, labels, self.training)
            if not losses[-1] <= goal * losses[0]:
                raise Mismatch(
                    f"{len(losses) - 1} steps of gradient descent on {len(labels)} images hardly "
                    "lower the loss.",
                    expected=f"{goal * losses[0]:.3f} or less at the end",
                    got=" → ".join(f"{loss:.3f}" for loss in losses),
                )

        return check

    # What they are made of -------------------------------------------------------------------

    def new(self, student: Any, case: Case) -> Any:
        """The learner's network, as it starts."""
        exercise = getattr(student, self.exercise)
        if self.positional:
            return exercise(*case.options.values())
        return exercise(**case.options)

    def settled(self, student: Any, case: Case) -> Any:
        """The same, once its lazy layers know their shapes."""
        net = self.new(student, case)
        student.run(settle, net, case.shape)
        return net

    def filled(self, student: Any, case: Case, numbers: torch.Tensor) -> Any:
        """The learner's network with known parameters; fails where they are not the oracle's."""
        net = self.new(student, case)
        self._compare(case, student.run(fill, net, numbers, case.shape))
        return net

    def _compare(self, case: Case, found: Any) -> None:
        """Fail where the learner's parameters are not the oracle's."""
        due = _parameters(self.oracle, tuple(case.options.items()), case.shape[1:])
        if found != due:
            raise Mismatch(
                f"{self._told(case)}, given an input {drawn([case.shape[1:]])}, has not the "
                "parameters of the contract.",
                expected=only_in(due, found),
                got=only_in(found, due),
            )

    def agrees(
        self,
        student: Any,
        case: Case,
        x: torch.Tensor,
        *,
        training: bool | None = None,
        before: Iterable[torch.Tensor] = (),
    ) -> None:
        """The learner's output for x is the oracle's, after training calls on `before`."""
        training = self.training if training is None else training
        batches, numbers = list(before), table()

        def called(net: nn.Module, x: torch.Tensor) -> Any:
            for batch in batches:
                output_of(net, batch.to(x.dtype), True)
            return output_of(net, x, training)

        net = self.filled(student, case, numbers)
        due = self.due(case, numbers, x, called)
        for batch in batches:
            student.run(output_of, net, batch, True)
        assert_same(student.run(output_of, net, x, training), due)

    def due(
        self,
        case: Case,
        numbers: torch.Tensor,
        x: torch.Tensor,
        ask: Callable[[nn.Module, torch.Tensor], torch.Tensor],
    ) -> Expected:
        """What the oracle answers, with the tolerance that its own rounding justifies.

        Not `truth`: the same computation on absolute values grows with every layer, and would
        excuse anything.
        """
        own, exact = (
            ask(self._model(case, dtype, numbers), x.detach().to(dtype))
            for dtype in (torch.float32, torch.float64)
        )
        answer = expected(own, exact, exact)
        assert isinstance(answer, Expected)
        return answer

    def _output(self, net: nn.Module, x: torch.Tensor) -> Any:
        return output_of(net, x, self.training)

    def _model(self, case: Case, dtype: torch.dtype, numbers: torch.Tensor) -> nn.Module:
        """The oracle's network in this dtype, its parameters known."""
        before = torch.get_default_dtype()
        torch.set_default_dtype(dtype)
        try:
            net = _right(self.oracle, case.options, case.shape)
            fill(net, numbers)
        finally:
            torch.set_default_dtype(before)
        return net

    def _told(self, case: Case) -> str:
        values = (repr(v) if self.positional else f"{k}={v!r}" for k, v in case.options.items())
        return f"{self.exercise}({', '.join(values)})"


@cache
def _parameters(
    oracle: Callable[..., nn.Module], options: tuple[tuple[str, Any], ...], shape: Shape
) -> list[tuple[Shape, str]]:
    """What `listed` says of the oracle's network."""
    return listed(_right(oracle, dict(options), (1, *shape)))


def _right(oracle: Callable[..., nn.Module], options: Mapping[str, Any], shape: Shape) -> nn.Module:
    """A network of the oracle's, its shapes known and its weights still to be filled."""
    with Undrawn():
        net = oracle(**options)
    if any(is_lazy(parameter) for parameter in net.parameters()):
        settle(net, shape)
    return net


def table() -> torch.Tensor:
    """Random numbers that parameters are cut from."""
    return torch.randn(TABLE)
