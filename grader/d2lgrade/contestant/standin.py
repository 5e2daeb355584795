"""Our stand-in for `from d2l import torch as d2l`, so that code typed along the book runs.

It offers the book's base classes and small helpers (`book`, `book_tools`). A name that is itself
an exercise means the learner's own definition of it; where they have none, a sentence says which
exercise to write. The answer to an exercise that is being judged is never offered.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from . import book_tools

_BOOK = f"{__package__}.book"
# Helpers of the grader's own that happen to live beside the book's.
_PRIVATE = frozenset({"learners", "right", "train_on", "made_up_images", "is_large"})

# Each of a group is most of the answer to the others.
_KIN = (
    frozenset({"accuracy", "evaluate_accuracy", "evaluate_accuracy_gpu"}),
    frozenset({"try_gpu", "try_all_gpus"}),
)


class NotWritten(AttributeError):
    """An exercise is used that the submission does not define yet."""


def install(
    exercises: Mapping[str, str],
    own: Callable[[str], object],
    judged: Collection[str],
) -> None:
    """Put the stand-in into `sys.modules`, over any `d2l` that is installed. See `build`."""
    package = build(exercises, own, judged)
    for name in [name for name in sys.modules if name.startswith("d2l.")]:
        del sys.modules[name]
    sys.modules["d2l"] = package
    sys.modules["d2l.torch"] = package.torch


def build(
    exercises: Mapping[str, str],
    own: Callable[[str], object],
    judged: Collection[str],
) -> ModuleType:
    """A fresh `d2l` package whose attribute `torch` is the module that learners use.

    Args:
        exercises: exercise name → "exercise ch07/corr2d (7.2), conv_layer.py".
        own: gives the submission's own definition of an exercise; LookupError if it has none.
        judged: names of the exercises being judged: no helper answers to these, or nearly does.

    Two packages share no class, so what one submission adds to a class stays its own.
    """
    lookup = _Lookup(exercises, own, frozenset(judged))
    offered = _offered(lookup.judged_own)
    lookup.helpers = {k: v for k, v in offered.items() if not lookup.reveals(k)}
    secret = {*exercises, *judged}  # these go through the look-up, which knows when to refuse
    torch_edition = ModuleType("d2l.torch", "The course's stand-in for the book's module.")
    vars(torch_edition).update({k: v for k, v in offered.items() if k not in secret})
    vars(torch_edition)["__getattr__"] = lookup
    vars(torch_edition)["__dir__"] = lambda: sorted({*vars(torch_edition), *lookup.names()})
    package = ModuleType("d2l", "The course's stand-in for the book's package.")
    vars(package).update(__path__=[], torch=torch_edition, __getattr__=_other_edition)
    return package


def imported(package: ModuleType, name: str, fromlist: Iterable[str] | None) -> ModuleType:
    """What `__import__(name, fromlist=fromlist)` gives, with our sentences kept.

    Python turns an AttributeError during `from d2l.torch import corr2d` into "cannot import
    name"; this raises the sentence itself, as an ImportError.
    """
    module = package.torch if name == "d2l.torch" and fromlist else package
    if name not in {"d2l", "d2l.torch"}:
        raise ImportError(_edition_sentence(name.partition(".")[2]))
    for item in fromlist or ():
        try:
            item == "*" or getattr(module, item)
        except AttributeError as error:
            raise ImportError(str(error)) from None
    return module


def _other_edition(name: str) -> Any:
    raise AttributeError(_edition_sentence(name))


def _edition_sentence(name: str) -> str:
    return f"d2l.{name} is not offered: write `from d2l import torch as d2l`, the PyTorch edition"


def _book_code() -> CodeType:
    # Not by the loader that is in charge: under pytest that may be one which rewrites and has none.
    path = Path(__file__).with_name("book.py")
    code = SourceFileLoader(_BOOK, str(path)).get_code(_BOOK)
    assert isinstance(code, CodeType)
    return code


# Read while this module is imported, as a jailed contestant may not find the file any more.
_CODE = _book_code()


def _offered(learners: Callable[[str], object]) -> dict[str, Any]:
    """Everything the stand-in has, its classes made anew."""
    space: dict[str, Any] = {"__name__": "d2l.torch", "__package__": __package__}
    exec(_CODE, space)
    space["learners"] = learners
    made = {
        name: value
        for source in (vars(book_tools), space)
        for name, value in source.items()
        if getattr(value, "__module__", None) in {book_tools.__name__, "d2l.torch"}
        and not name.startswith("_")
        and name not in _PRIVATE
    }
    return {**space["MODULES"], **space["QUIET"], **space["ALIASES"], **made}


class _Lookup:
    """Answers for a name that is no plain attribute of the stand-in."""

    def __init__(
        self,
        exercises: Mapping[str, str],
        own: Callable[[str], object],
        judged: frozenset[str],
    ) -> None:
        self._exercises = exercises
        self._own = own
        self._judged = judged
        self.helpers: Mapping[str, Any] = {}  # none that `reveals` an answer

    def __call__(self, name: str) -> Any:
        if name in self._exercises or name in self._judged:
            return self._exercise(name)
        if name.startswith("__"):
            raise AttributeError(f"module 'd2l.torch' has no attribute {name!r}")
        near = difflib.get_close_matches(name, self.names(), n=3)
        hint = f"; near to it: {', '.join(near)}" if near else ""
        raise AttributeError(
            f"the course's d2l has no {name!r}{hint}. It holds only what the exercises need: "
            "define the name in your file, or leave out the lines that use it"
        )

    def names(self) -> set[str]:
        """Every name that means something here."""
        return {*self.helpers, *self._exercises}

    def judged_own(self, name: str) -> object | None:
        """The learner's definition of an exercise that is being judged, if there is one."""
        if name not in self._judged:
            return None
        try:
            return self._own(name)
        except LookupError:
            return None

    def reveals(self, helper: str) -> bool:
        """Whether a helper would answer an exercise that is being judged."""
        return any(self._judged & kin for kin in ({helper}, *_KIN) if helper in kin)

    def _exercise(self, name: str) -> Any:
        try:
            return self._own(name)
        except LookupError:
            if name in self.helpers:
                return self.helpers[name]
        phrase = self._exercises.get(name, "an exercise")
        exercise, _, file = phrase.rpartition(", ")
        where = f"{exercise}: write it in {file}" if exercise else f"{phrase}: write it"
        raise NotWritten(f"d2l.{name} is {where} and it will be used here")
