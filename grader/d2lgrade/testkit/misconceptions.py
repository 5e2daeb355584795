"""How a check author writes down a wrong answer that people really give."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeVar

from d2lgrade.student.calls import Call

T = TypeVar("T", bound=Callable[..., Any])
Signature = Callable[[Sequence[Call]], bool]


@dataclass(frozen=True)
class Misconception:
    """One wrong answer.

    Args:
        exercise: name of the exercise it answers wrongly.
        slug: its short name in reports ("kernel-flipped").
        why: one or two sentences to the learner: what went wrong.
        book: where the book explains it ("7.2.5").
        answer: the wrong implementation itself.
        function: its name in the misconceptions file.
        fails: names of checks that fail under it, where outputs are random or weights private.
        signature: with `fails`: tells from the calls recorded in the failing check whether this
            misconception made them; used instead of replaying the check.
    """

    exercise: str
    slug: str
    why: str
    book: str
    answer: Callable[..., Any]
    function: str
    fails: tuple[str, ...] = ()
    signature: Signature | None = None

    @property
    def explanation(self) -> str:
        """The sentence a learner reads, with the place in the book."""
        return f"{self.why} ({self.book})" if self.book else self.why


def misconception(
    exercise: str,
    slug: str,
    *,
    why: str,
    book: str,
    fails: tuple[str, ...] = (),
    signature: Signature | None = None,
) -> Callable[[T], T]:
    """Mark a function or class as a wrong answer to `exercise`. See `Misconception`."""

    def mark(answer: T) -> T:
        answer.__misconception__ = Misconception(  # type: ignore[attr-defined]
            exercise, slug, why, book, answer, answer.__name__, fails, signature
        )
        return answer

    return mark


def misconceptions_in(module: ModuleType) -> list[Misconception]:
    """The misconceptions that a file defines, in the order written."""
    marked = (
        vars(value).get("__misconception__")
        for value in vars(module).values()
        if callable(value) and hasattr(value, "__dict__")
    )
    return [entry for entry in marked if entry is not None]
