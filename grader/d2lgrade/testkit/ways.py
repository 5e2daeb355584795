"""Problems for optimizers to travel on, and what runs beside the learner's code on the way.

A problem is the loss of the weights w (n, 1) and the bias b (1,) in the step of that number.
Everything here is public: it travels to the learner's process, and holds no answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

Step = Callable[[list[torch.Tensor], Any, dict[str, Any]], Any]
Tensors = tuple[torch.Tensor, ...]  # a parameter, its gradient, its states
Problem = Callable[[int, torch.Tensor, torch.Tensor], torch.Tensor]


def bowl(step: int, w: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Every entry has its own slope, all of one scale."""
    target = torch.arange(w.numel()).reshape(w.shape) - 1.5
    return ((w - target) ** 2).sum() + ((b + 2.0) ** 2).sum()


def valley(step: int, w: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Curvatures from 0.02 to 2 along the weights, and a bias that follows their sum."""
    scale = 10.0 ** torch.linspace(-2, 0, w.numel()).reshape(w.shape)
    return (scale * (w - 3.0) ** 2).sum() + 0.5 * ((b - w.sum()) ** 2).sum()


def gorge(step: int, w: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Curvatures from 1e-4 to 1e4, for optimizers that take every scale."""
    scale = 10.0 ** torch.linspace(-4, 4, w.numel()).reshape(w.shape)
    return (scale * (w - 3.0) ** 2).sum() + 100.0 * ((b - w.sum()) ** 2).sum()


def sparse(step: int, w: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """An entry has no gradient at all in most steps, the last one for long at the start."""
    row = (7 * step + step // 5) % w.shape[0] if step >= 15 else step % max(1, w.shape[0] - 1)
    return ((w[row] - 2.0) ** 2).sum() + (step % 3 == 2) * ((b - 1.0) ** 2).sum()


def minibatches(step: int, w: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """A linear regression on twelve examples, four of them a step."""
    count = 12 * w.shape[0]
    examples = torch.sin(1.7 * torch.arange(1, count + 1) ** 1.5).reshape(12, -1)
    y = examples.sum(1, keepdim=True) + torch.cos(3.0 * torch.arange(12)).reshape(12, 1) - 0.5
    rows = torch.arange(4) + 4 * (step % 3)
    return ((examples[rows].to(w) @ w + b - y[rows].to(w)) ** 2).mean() / 2


@dataclass(frozen=True)
class Way:
    """A problem, how many weights it has, the settings, and how many steps to take on it."""

    problem: Problem
    weights: int
    hyperparams: dict[str, Any]
    steps: int


def packed(states: Sequence[Tensors]) -> Any:
    """The states of all parameters as a step takes them: a list of tensors, of tuples, or None."""
    if not states or not states[0]:
        return None
    return [own[0] if len(own) == 1 else own for own in states]


def travel(
    step: Step,
    pack: Callable[[Sequence[Tensors]], Any],
    count: int,
    problem: Problem,
    w: torch.Tensor,
    b: torch.Tensor,
    hyperparams: dict[str, Any],
    steps: int,
) -> torch.Tensor:
    """All parameters on the way, a step a row; runs beside the learner's code."""
    params = [w.clone().requires_grad_(), b.clone().requires_grad_()]
    states = pack([tuple(torch.zeros_like(p) for _ in range(count)) for p in params])
    hyperparams, path = dict(hyperparams), []
    for number in range(steps):
        problem(number, *params).backward()  # type: ignore[no-untyped-call]
        step(list(params), states, hyperparams)
        path.append(torch.cat([p.detach().flatten() for p in params]))
    return torch.stack(path)


def leftovers(
    step: Step,
    pack: Callable[[Sequence[Tensors]], Any],
    hyperparams: dict[str, Any],
    values: torch.Tensor,
    gradient: torch.Tensor,
    *states: torch.Tensor,
) -> list[bool]:
    """What of autograd is left on the tensors after a step; runs beside the learner's code."""
    p = values.clone().requires_grad_()
    # A gradient that is itself part of a graph, as backward(create_graph=True) leaves it.
    p.grad = gradient * p
    params = [p]
    step(params, pack([states]), dict(hyperparams))
    return [params[0] is p, p.is_leaf, p.requires_grad, *(s.requires_grad for s in states)]
