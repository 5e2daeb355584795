"""Tensors and values as a reader wants to see them: short, rounded, aligned."""

from __future__ import annotations

from typing import Any

import torch

ROWS, COLUMNS = 8, 8  # the largest part of a tensor that is spelled out
MAP_ROWS, MAP_COLUMNS = 16, 48


def shape_text(tensor: torch.Tensor) -> str:
    """The shape as Python writes it: "(2, 3)"."""
    return str(tuple(tensor.shape))


def summary(value: Any) -> str:
    """What a value is, in a few words: "float32 (2, 3)", "int 3", "list of 4"."""
    dtype, shape = getattr(value, "dtype", None), getattr(value, "shape", None)
    if isinstance(dtype, torch.dtype) and shape is not None:
        text = f"{str(dtype).removeprefix('torch.')} {tuple(shape)}"
        stride = getattr(value, "is_contiguous", lambda: True)
        return text if stride() else f"{text}, not contiguous"
    if isinstance(value, list | tuple | dict):
        return f"{type(value).__name__} of {len(value)}"
    return ""


def brief(value: Any, limit: int = 60) -> str:
    """A value in at most `limit` characters; tensors by their summary."""
    if isinstance(value, torch.Tensor):
        return summary(value)
    if hasattr(value, "type_name"):
        return ""
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def number(value: Any) -> str:
    """One entry: four significant digits, never -0."""
    if isinstance(value, bool | int):
        return str(value)
    if isinstance(value, complex):
        return f"{value:.4g}"
    return f"{value + 0.0:.4g}" if value % 1 or abs(value) >= 1e5 else f"{value + 0.0:.1f}"


def numbers(tensor: torch.Tensor, wrong: torch.Tensor | None = None) -> str:
    """The entries of a tensor, nested as Python would; of a large one the part that is wrong.

    Two-dimensional parts take a line a row.
    """
    tensor = tensor.detach()
    if not tensor.numel():
        return "[]"
    note = ""
    if tensor.dim() > 2 or any(
        n > m for n, m in zip(tensor.shape[-2:], _limits(tensor), strict=True)
    ):
        tensor, note = _part(tensor, wrong)
    if tensor.dim() < 2:
        return _row(tensor) + note
    rows = [_row(row) for row in tensor]
    width = len(rows)
    return (
        "\n".join(
            f"{'[' if i == 0 else ' '}{row}{']' if i == width - 1 else ','}"
            for i, row in enumerate(rows)
        )
        + note
    )


def _limits(tensor: torch.Tensor) -> tuple[int, ...]:
    return (
        (ROWS, COLUMNS)[-tensor.dim() :]
        if 0 < tensor.dim() < 2
        else (ROWS, COLUMNS)[: tensor.dim()]
    )


def _row(values: torch.Tensor) -> str:
    if not values.dim():
        return number(values.item())
    return f"[{', '.join(number(v) for v in values.tolist())}]"


def _part(tensor: torch.Tensor, wrong: torch.Tensor | None) -> tuple[torch.Tensor, str]:
    """A window of at most ROWS × COLUMNS around the first wrong entry, and the words for it."""
    first = [0] * tensor.dim()
    if wrong is not None and wrong.any():
        first = [int(i) for i in wrong.nonzero()[0]]
    leading, corner = first[:-2], first[-2:]
    window = tensor[tuple(leading)]
    slices = []
    for size, limit, at in zip(window.shape, (ROWS, COLUMNS)[-window.dim() :], corner, strict=True):
        start = max(0, min(at - limit // 2, size - limit))
        slices.append(slice(start, min(size, start + limit)))
    where = [str(i) for i in leading] + [f"{s.start}:{s.stop}" for s in slices]
    return window[tuple(slices)], f"   at [{', '.join(where)}] of {shape_text(tensor)}"


def difference_map(wrong: torch.Tensor) -> tuple[str, ...]:
    """Rows of "·" and "#" for a two-dimensional result; empty where it would tell nothing.

    Of a result with more dimensions, the first slice (over the last two) that holds a difference.
    """
    if wrong.dim() < 2 or wrong.numel() < 4:
        return ()
    lead = tuple(int(i) for i in wrong.nonzero()[0][:-2])
    plane = wrong[lead]
    if min(plane.shape) < 2 or plane.shape[0] > MAP_ROWS or plane.shape[1] > MAP_COLUMNS:
        return ()
    return tuple(" ".join("#" if cell else "·" for cell in row) for row in plane.tolist())
