"""Lists and dicts that a check hands over, followed through a call on both sides.

Both sides walk the arguments in the same order, so that a place in the walk names a container.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch

from d2lgrade import wire

_PLAIN = frozenset({torch.Tensor, int, float, bool, str, type(None)})  # hold no containers


class Original:
    """Stands in a reply for the container that the judge passed at this place."""

    __slots__ = ("place",)

    def __init__(self, place: int) -> None:
        self.place = place


def walk(values: Iterable[Any]) -> Iterator[Any]:
    """The lists and dicts among `values` and inside them, outermost first."""
    for value in values:
        kind = type(value)
        if kind is list or isinstance(value, dict):
            yield value
            yield from walk(value if kind is list else value.values())
        elif kind is tuple:
            yield from walk(value)


class Passed:
    """The containers of one call, as they were before it."""

    def __init__(self, values: Sequence[Any]) -> None:
        # Most calls pass none, and a generator costs more than a look.
        plain = all(type(value) in _PLAIN for value in values)
        self._containers = [] if plain else list(walk(values))
        self._places = {id(c): place for place, c in enumerate(self._containers)}
        # The items are held, so that a new object cannot pass for an old one by its id.
        self._before = [_items(container) for container in self._containers]

    def changes(self) -> list[list[Any]]:
        """[place, new content] of each container that holds other objects than before."""
        found = []
        for place, (container, before) in enumerate(
            zip(self._containers, self._before, strict=True)
        ):
            now = _items(container)
            if len(now) != len(before) or any(a is not b for a, b in zip(now, before, strict=True)):
                inner = container.values() if isinstance(container, dict) else container
                marked = [self.marked(item) for item in inner]
                content = (
                    dict(zip(container, marked, strict=True)) if _is_dict(container) else marked
                )
                found.append([place, content])
        return found

    def shallow(self) -> bool:
        """Whether none of them holds itself or goes too deep by now (see `wire.shallow`)."""
        return wire.shallow(self._containers)

    def marked(self, value: Any) -> Any:
        """`value` with `Original` in place of each container that was passed."""
        kind = type(value)
        if not self._places or kind not in (list, dict, tuple):
            return value
        place = self._places.get(id(value))
        if place is not None:
            return Original(place)
        if kind is dict:
            return {key: self.marked(item) for key, item in value.items()}
        return kind(self.marked(item) for item in value)


def become(containers: list[Any], place: Any, content: Any) -> None:
    """Make the container at this place hold `content`.

    Raises:
        ValueError: there is none, or it is of another type.
    """
    if type(place) is not int or not 0 <= place < len(containers):
        raise ValueError("a change of a container that was not passed")
    mine = containers[place]
    if isinstance(mine, list) and type(content) is list:
        mine[:] = content
    elif isinstance(mine, dict) and type(content) is dict:
        mine.clear()
        mine.update(content)
    else:
        raise ValueError("a container that became another type")


def _is_dict(container: Any) -> bool:
    return isinstance(container, dict)


def _items(container: Any) -> list[Any]:
    if isinstance(container, dict):
        return [part for pair in container.items() for part in pair]
    return list(container)
