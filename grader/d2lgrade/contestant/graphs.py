"""The contestant's half of autograd: graphs of learner code, kept as long as the judge's half."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch


class Graphs:
    """Graphs by number: the outputs to start from and the leaves to arrive at."""

    def __init__(self) -> None:
        self._table: dict[int, tuple[list[torch.Tensor], list[torch.Tensor]]] = {}
        self._next = 1

    def add(self, outputs: list[torch.Tensor], leaves: list[torch.Tensor]) -> int:
        """Keep a graph; its number."""
        number, self._next = self._next, self._next + 1
        self._table[number] = (outputs, leaves)
        return number

    def backward(
        self, number: int, grads: list[torch.Tensor | None], wanted: list[bool]
    ) -> list[torch.Tensor | None]:
        """Gradients at the wanted leaves for gradients at the outputs; None where none flows.

        The graph is always retained: whether a second backward is legal is the judge's autograd's
        to say.
        """
        outputs, leaves = self._table[number]
        used = [(o, g) for o, g in zip(outputs, grads, strict=True) if g is not None]
        chosen = [leaf for leaf, want in zip(leaves, wanted, strict=True) if want]
        found: Iterable[torch.Tensor | None] = [None] * len(chosen)
        if used and chosen:
            found = torch.autograd.grad(
                _weighted(used), chosen, retain_graph=True, allow_unused=True
            )
        remaining = iter(found)
        return [next(remaining) if want else None for want in wanted]

    def release(self, numbers: list[int]) -> None:
        """Forget graphs that the judge no longer holds."""
        for number in numbers:
            self._table.pop(number, None)


def leaves_of(outputs: Iterable[torch.Tensor]) -> list[torch.Tensor]:
    """The leaf tensors that require a gradient and that `outputs` depend on, each once."""
    found: dict[int, torch.Tensor] = {}
    seen: set[Any] = set()
    stack: list[Any] = [output.grad_fn for output in outputs if output.grad_fn is not None]
    for output in outputs:
        if output.grad_fn is None and output.requires_grad:
            found[id(output)] = output
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        if node.name() == "torch::autograd::AccumulateGrad":
            found[id(node.variable)] = node.variable
        stack.extend(parent for parent, _ in node.next_functions if parent is not None)
    return list(found.values())


def _weighted(used: list[tuple[torch.Tensor, torch.Tensor]]) -> torch.Tensor:
    """A scalar whose gradient at each output is the one given.

    Handing the gradients to autograd.grad would do the same, but the first such call in a process
    imports all of sympy, and every contestant would pay for it.
    """
    with torch.enable_grad():
        terms = [(output * grad.conj()).sum().real for output, grad in used]
        return torch.stack([term.double() for term in terms]).sum()
