"""The judge's half of autograd across the wire.

One autograd Function joins the learner's outputs to the arguments and to judge-side leaves for
the learner's parameters. The forward pass has happened by the time it is applied; its backward is
a round trip. So `.grad` accumulation, `autograd.grad` and hooks behave as they do locally.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

Backward = Callable[[int, list[torch.Tensor | None], list[bool]], list[torch.Tensor | None]]


class Graph:
    """A graph of the learner's, as the judge holds it; its end releases theirs."""

    def __init__(self, number: int, backward: Backward, release: Callable[[int], None]) -> None:
        self.number = number
        self.backward = backward
        self._release = release

    def __del__(self) -> None:
        self._release(self.number)


class Remote(torch.autograd.Function):
    """Outputs that the contestant computed, as a function of inputs and parameters here."""

    @staticmethod
    def forward(
        ctx: Any,
        graph: Graph,
        outputs: list[torch.Tensor],
        changed: dict[int, torch.Tensor],
        *inputs: torch.Tensor,
    ) -> Any:
        """Args: `changed` maps positions among `inputs` to their new contents (in place)."""
        ctx.graph = graph
        ctx.save_for_backward(torch.empty(0))  # so that autograd itself refuses a second backward
        ctx.set_materialize_grads(False)
        dirty = []
        for position, content in changed.items():
            inputs[position].copy_(content)
            dirty.append(inputs[position])
        ctx.mark_dirty(*dirty)
        return (*outputs, *dirty)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor | None) -> Any:
        """One round trip: gradients at the outputs there, gradients at the inputs back."""
        _ = ctx.saved_tensors
        if torch.is_grad_enabled():
            raise RuntimeError(
                "double backward through a submission's code is not supported: call backward "
                "without create_graph=True"
            )
        wanted = list(ctx.needs_input_grad[3:])
        return (None, None, None, *ctx.graph.backward(ctx.graph.number, list(grads), wanted))
