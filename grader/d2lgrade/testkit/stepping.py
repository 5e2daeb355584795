"""The checks of an optimizer's step, `name(params, states, hyperparams)`, from one description.

The optimizers of the book all look like this: parameters that hold their gradients, the states
that the optimizer keeps about each of them, and a dict of settings; everything changes in place.
`Stepping` makes the checks of such a step, `Starting` those of the function that makes its first
states. What is special to one optimizer stays in its own file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from .compare import Mismatch, assert_same
from .source import assert_rules
from .standing import Check, refuses, sliced, transposed
from .truth import expected
from .ways import Step, Tensors, Way, leftovers, packed, travel

SHAPES: list[tuple[int, ...]] = [(1,), (2, 1), (3,), (4, 2), (2, 1, 3)]
FAMILIES: list[list[tuple[int, ...]]] = [
    [(1,)],
    [(1,), (1,)],
    [(2, 1), (1,)],
    [(3,), (2, 2), (1,), (4,)],
]


@dataclass(frozen=True)
class State:
    """What an optimizer keeps about a parameter: its name, and whether it is made of squares."""

    name: str
    squares: bool = False


def written(init: Callable[[int], Any], pairs: bool) -> list[tuple[float, float]]:
    """Write another number into each state of two calls, then read all; runs beside the code."""
    states = []
    for _ in range(2):
        for own in init(2):
            states += list(own) if pairs else [own]
    for number, state in enumerate(states):
        state.fill_(number)
    return [(state.min().item(), state.max().item()) for state in states]


def leaf(values: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """A parameter as it is after backward()."""
    p = values.detach().requires_grad_()
    p.grad = gradient.detach()
    return p


@dataclass(frozen=True)
class Starting:
    """The checks of `init_…_states(feature_dim)`: zeros for weight (feature_dim, 1) and bias."""

    exercise: str
    states: tuple[State, ...]

    def values(self) -> Check:
        """Zeros of the right shapes, in the right order."""

        def check(student: Any) -> None:
            for feature_dim in (1, 2, 5):
                zeros = [torch.zeros(feature_dim, 1), torch.zeros(1)]
                due = packed([(z,) * len(self.states) for z in zeros])
                found = getattr(student, self.exercise)(feature_dim)
                assert_same(found, tuple(due), what="the states")

        pairs = "a pair for each" if len(self.states) > 1 else "one for each"
        check.__doc__ = f"makes zeros in the shapes of weight and bias, {pairs}"
        return check

    def apart(self) -> Check:
        """No two states share memory, in one call or in two."""

        def check(student: Any) -> None:
            """gives every state memory of its own, anew in each call"""
            pairs = len(self.states) > 1
            found = student.run(written, getattr(student, self.exercise), pairs)
            due = [(float(number), float(number)) for number in range(4 * len(self.states))]
            if found != due:
                raise Mismatch(
                    "Two of the states share their memory: what is written into one shows in "
                    "another. The optimizer changes them in place, so each needs a tensor of its "
                    "own.",
                    expected=", ".join(f"{low:g}" for low, _ in due),
                    got=", ".join(f"{low:g}" for low, _ in found),
                )

        return check


@dataclass(frozen=True)
class Stepping:
    """What the checks of a step need to know.

    Args:
        exercise: its name.
        oracle: the same step, in place like the exercise: PyTorch's own, or the book's recurrence.
        states: what it keeps about each parameter.
        settings: the dicts of hyperparams to try; the first is used where one is enough.
        ways: the problems of the trajectory.

    Use it by naming its checks in the test file, as with `Standing`:

        momentum = Stepping("sgd_momentum", torch_momentum, (State("v"),), SETTINGS, WAYS)
        test_sgd_momentum_step = momentum.step("makes the step that PyTorch's SGD makes")
    """

    exercise: str
    oracle: Step
    states: tuple[State, ...]
    settings: Sequence[dict[str, Any]]
    ways: Sequence[Way]

    def draw(self, *shape: int, size: float = 1.0, fresh: bool = False) -> Tensors:
        """A parameter, its gradient, and its states: zeros if `fresh`, else of earlier steps."""
        values, gradient = torch.randn(shape), size * torch.randn(shape)
        drawn = [
            size**2 * (0.25 + torch.rand(shape)) if state.squares else size * torch.randn(shape)
            for state in self.states
        ]
        return values, gradient, *(s * 0 if fresh else s for s in drawn)

    def due(self, drawn: Sequence[Tensors], hyperparams: dict[str, Any]) -> list[tuple[Any, ...]]:
        """What the oracle makes of parameters and states, each with its tolerance.

        The size of what is summed is that of the tensor before or after, whichever is larger.
        """
        exact = self._made(self.oracle, [tuple(x.double() for x in d) for d in drawn], hyperparams)
        own = self._made(self.oracle, [tuple(x.clone() for x in d) for d in drawn], hyperparams)
        return [
            tuple(
                expected(o, e, torch.cat([e.flatten(), before.double().flatten()]))
                for o, e, before in zip(owns, exacts, (d[0], *d[2:]), strict=True)
            )
            for owns, exacts, d in zip(own, exact, drawn, strict=True)
        ]

    def made(
        self, student: Any, drawn: Sequence[Tensors], hyperparams: dict[str, Any]
    ) -> list[Tensors]:
        """Parameters and states after the learner's step, which changes `drawn` itself."""
        return self._made(getattr(student, self.exercise), drawn, hyperparams)

    def _made(
        self, step: Step, drawn: Sequence[Tensors], hyperparams: dict[str, Any]
    ) -> list[Tensors]:
        params = [leaf(values, gradient) for values, gradient, *_ in drawn]
        states: list[Tensors] = [tuple(states) for _, _, *states in drawn]
        # A list of its own: ours must be what was there before the step.
        step(list(params), packed(states), dict(hyperparams))
        return [(p.detach(), *own) for p, own in zip(params, states, strict=True)]

    def step(self, title: str) -> Check:
        """The parameter after a step, at the start and later on."""

        def check(student: Any) -> None:
            for drawn, hyperparams in self._situations():
                self._parameter(student, drawn, hyperparams)

        check.__doc__ = title
        return check

    def small(self, title: str, sizes: Iterable[float]) -> Check:
        """The parameter after a step with gradients of these sizes, where eps counts."""

        def check(student: Any) -> None:
            for shape in SHAPES:
                for size in sizes:
                    for fresh in (True, False):
                        drawn = self.draw(*shape, size=size, fresh=fresh)
                        about = f" for gradients of about {size:g}"
                        self._parameter(student, drawn, self.settings[0], about)

        check.__doc__ = title
        return check

    def _situations(self) -> Iterator[tuple[Tensors, dict[str, Any]]]:
        """Every shape, before the first step and after some, the latter with all settings."""
        for shape in SHAPES:
            yield self.draw(*shape, fresh=True), self.settings[0]
            for hyperparams in self.settings:
                yield self.draw(*shape), hyperparams

    def _parameter(
        self, student: Any, drawn: Tensors, hyperparams: dict[str, Any], about: str = ""
    ) -> None:
        [due] = self.due([drawn], hyperparams)
        [found] = self.made(student, [drawn], hyperparams)
        assert_same(found[0], due[0], what=f"the parameter after the step{about}")

    def together(self) -> Check:
        """Several parameters in one call."""

        def check(student: Any) -> None:
            """makes the step for every parameter"""
            for shapes in FAMILIES:
                for hyperparams in self.settings:
                    drawn = [self.draw(*shape) for shape in shapes]
                    expected = self.due(drawn, hyperparams)
                    found = self.made(student, drawn, hyperparams)
                    for index, (one, due) in enumerate(zip(found, expected, strict=True)):
                        what = f"parameter {index + 1} of {len(drawn)} after the step"
                        assert_same(one[0], due[0], what=what)

        if self.states:
            check.__doc__ = "makes the step for every parameter, each with its own states"
        return check

    def kept(self, title: str) -> Check:
        """The states after a step."""

        def check(student: Any) -> None:
            for drawn, hyperparams in self._situations():
                [expected] = self.due([drawn], hyperparams)
                [found] = self.made(student, [drawn], hyperparams)
                rows = zip(self.states, found[1:], expected[1:], strict=True)
                for state, one, due in rows:
                    assert_same(one, due, what=f"the state {state.name} after the step")

        check.__doc__ = title
        return check

    def cleared(self) -> Check:
        """No gradient is left."""

        def check(student: Any) -> None:
            """leaves no gradient for the next backward to add to"""
            for shapes in FAMILIES:
                drawn = [self.draw(*shape) for shape in shapes]
                params = [leaf(values, gradient) for values, gradient, *_ in drawn]
                states = packed([tuple(states) for _, _, *states in drawn])
                getattr(student, self.exercise)(list(params), states, dict(self.settings[0]))
                for p in params:
                    if p.grad is not None:
                        zeros = torch.zeros(p.shape)
                        assert_same(p.grad, zeros, what="the gradient after the step")

        return check

    def trajectory(self, title: str) -> Check:
        """The whole way on several problems."""

        def check(student: Any) -> None:
            count = len(self.states)
            for way in self.ways:
                w, b = torch.randn(way.weights, 1), torch.randn(1)
                rest = (way.hyperparams, way.steps)
                exact = travel(
                    self.oracle, packed, count, way.problem, w.double(), b.double(), *rest
                )
                own = travel(self.oracle, packed, count, way.problem, w, b, *rest)
                learner = getattr(student, self.exercise)
                found = student.run(travel, learner, packed, count, way.problem, w, b, *rest)
                what = f"the path of (w, b), a step a row, on the problem `{way.problem.__name__}`"
                assert_same(found, expected(own, exact, exact), what=what)

        check.__doc__ = title
        return check

    def plain(self) -> Check:
        """Parameters stay leaves, states stay free of graphs."""

        def check(student: Any) -> None:
            drawn = self.draw(3)
            learner = getattr(student, self.exercise)
            found = student.run(leftovers, learner, packed, self.settings[0], *drawn)
            names = ["params holds the tensor", "it is a leaf", "it requires gradients"]
            names += [f"{state.name} requires gradients" for state in self.states]
            due = [True, True, True, *(False for _ in self.states)]
            if list(found) != due:
                raise Mismatch(
                    "After a step with a gradient that has a graph of its own, the tensors are not "
                    "plain any more; make the whole step under torch.no_grad(), in place.",
                    expected=", ".join(f"{n}: {x}" for n, x in zip(names, due, strict=True)),
                    got=", ".join(f"{n}: {x}" for n, x in zip(names, found, strict=True)),
                )

        check.__doc__ = "keeps parameters leaves"
        if self.states:
            check.__doc__ += ", and the states free of any graph"
        return check

    def any_layout(self) -> Check:
        """Transposed and sliced tensors."""

        def check(student: Any) -> None:
            """takes transposed and sliced parameters"""
            for change in (transposed, sliced):
                drawn = self.draw(3, 2)
                [expected] = self.due([drawn], self.settings[0])
                changed = tuple(change(tensor) for tensor in drawn)
                [found] = self.made(student, [changed], self.settings[0])
                names = ("parameter", *(f"state {state.name}" for state in self.states))
                for name, one, due in zip(names, found, expected, strict=True):
                    assert_same(one, due, what=f"the {name}")

        if self.states:
            check.__doc__ = "takes transposed and sliced parameters and states"
        return check

    def keeps_dtype(self) -> Check:
        """float32 and float64, each to its own accuracy."""

        def check(student: Any) -> None:
            """computes in the dtype it is given"""
            for dtype in (torch.float32, torch.float64):
                drawn = tuple(tensor.to(dtype) for tensor in self.draw(3, 4))
                [expected] = self.due([drawn], self.settings[0])
                [found] = self.made(student, [drawn], self.settings[0])
                name = str(dtype).removeprefix("torch.")
                for one, due in zip(found, expected, strict=True):
                    assert_same(one, due, what=f"the step for {name}")

        return check

    def other_device(self) -> Check:
        """Nothing is made on the CPU when the parameters are elsewhere; shown without a GPU."""

        def check(student: Any) -> None:
            """works on another device than the CPU"""
            with student.other_device():
                self.made(student, [self.draw(3, 4)], self.settings[0])

        return check

    def refuses(self, *more: Callable[[Any], None]) -> Check:
        """A ValueError where states and parameters do not match, and in the cases of `more`."""

        def check(student: Any) -> None:
            """refuses states that do not match the parameters"""

            def attempt(pairs: int) -> None:
                values, gradient, *states = self.draw(2)
                own = [tuple(state.clone() for state in states) for _ in range(pairs)]
                step = getattr(student, self.exercise)
                step([leaf(values, gradient)], packed(own) or [], dict(self.settings[0]))

            for pairs in (0, 2):
                refuses(ValueError, attempt, pairs)
            for case in more:
                refuses(ValueError, case, student)

        return check

    def rules(self, *forbidden: str) -> Check:
        """The source keeps the Rules of the contract."""

        def check(student: Any) -> None:
            """keeps the Rules: written by hand"""
            assert_rules(student, self.exercise, forbidden)

        return check
