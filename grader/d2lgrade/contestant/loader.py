"""Turns the sources of a submission into modules, each file once and on first use.

The files of one submission see one another (`from conv_layer import corr2d`) and the `d2l`
stand-in through an import function of their own, so that several loaders can live in one process
without sharing anything. Predecessors may be bound to substitutes (no cascade).
"""

from __future__ import annotations

import builtins
import importlib.util
import linecache
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from types import ModuleType
from typing import Any, NoReturn

from d2lgrade.reserved import RESERVED

from . import standin


class Missing(LookupError):
    """The submission does not define an exercise. `name` is the exercise's name."""

    def __init__(self, name: str, path: str) -> None:
        super().__init__(f"{path} does not define {name}")
        self.name = name


class LoadFailed(Exception):
    """A file raised while it was imported; the cause is the learner's own exception."""


@dataclass(frozen=True)
class File:
    """One source file; its learner calls it by `path`.

    `key` is its stem where every other file may import it by that; for a helper, which only the
    files in its own folder may, the folder goes before it.
    """

    key: str
    path: str
    text: str

    @property
    def stem(self) -> str:
        """The name by which it is imported."""
        return self.key.rpartition("/")[2]


@dataclass(frozen=True)
class Program:
    """Everything a contestant is given of a submission, as plain data.

    Args:
        files: by key.
        homes: exercise id → key of the file that defines it.
        phrases: exercise name → how the stand-in names it in its sentence.
        judged: ids of the exercises judged in this run.
        substitutes: source of the functions that stand in for predecessors.
        bound: exercise ids bound to their substitute.
    """

    files: Mapping[str, File]
    homes: Mapping[str, str]
    phrases: Mapping[str, str] = field(default_factory=dict)
    judged: tuple[str, ...] = ()
    substitutes: str = ""
    bound: tuple[str, ...] = ()


def imported(program: Program, name: str, importer: File | None) -> str | None:
    """The key of the file that `import name` means in another; None where it means none of them.

    A file beside the importer goes before others. No file can take a reserved name.
    """
    if name in RESERVED:
        return None
    if importer is not None:
        folder = os.path.dirname(importer.path)
        for key, file in program.files.items():
            if file.stem == name and os.path.dirname(file.path) == folder:
                return key
    return name if name in program.files or name in program.homes.values() else None


class Loader:
    """Loads the files of one program on demand."""

    def __init__(self, program: Program, *, public: bool = False, prefix: str = "") -> None:
        """`public` also enters the modules in sys.modules, as a contestant of its own may.

        `prefix` goes before their names, so that answers can be told from a learner's code.
        """
        self.program = program
        self._public = public
        self._prefix = prefix
        self._modules: dict[str, ModuleType] = {}
        self._failures: dict[str, BaseException] = {}
        self._substitutes: dict[str, Any] | None = None
        self._book: ModuleType | None = None

    def exercise(self, identity: str) -> Any:
        """What the submission defines as the exercise with this id (or its substitute).

        Raises:
            Missing: the file does not define it.
            LoadFailed: its file raised while it was imported.
        """
        if identity in self.program.bound:
            return self._substitute(identity.rpartition("/")[2])
        name = identity.rpartition("/")[2]
        key = self.program.homes.get(identity)
        if key is None or key not in self.program.files:
            raise Missing(name, "your submission")
        module = self.module(key)
        try:
            return vars(module)[name]
        except KeyError:
            raise Missing(name, self.program.files[key].path) from None

    def module(self, key: str) -> ModuleType:
        """The module of a file, executed on first use; a failed import is not tried twice."""
        if key in self._failures:
            raise LoadFailed(key) from self._failures[key]
        if key not in self._modules:
            try:
                self._execute(self.program.files[key])
            except (Exception, SystemExit) as error:
                self._modules.pop(key, None)
                self._failures[key] = error
                raise LoadFailed(key) from error
        return self._modules[key]

    def _execute(self, file: File) -> None:
        module = ModuleType(self._prefix + file.stem)
        module.__file__ = file.path
        importing = partial(self._import, file)
        vars(module)["__builtins__"] = dict(vars(builtins), __import__=importing)
        self._modules[file.key] = module  # before running it, so that a circular import ends
        if self._public and _is_free(file.stem):
            sys.modules[file.stem] = module
        lines = file.text.splitlines(keepends=True)
        linecache.cache[file.path] = (len(file.text), None, lines, file.path)
        exec(compile(file.text, file.path, "exec", dont_inherit=True), vars(module))
        self._bind(file.key, module)

    def _bind(self, key: str, module: ModuleType) -> None:
        """Put substitutes in place of the predecessors this file defines."""
        for identity in self.program.bound:
            if self.program.homes.get(identity) == key:
                name = identity.rpartition("/")[2]
                own = vars(module).get(name)
                setattr(module, name, self._substitute(name))
                _adopt(module, own, self._substitute(name))

    def _substitute(self, name: str) -> Any:
        if self._substitutes is None:
            namespace: dict[str, Any] = {"__name__": "substitutes"}
            exec(compile(self.program.substitutes, "substitutes.py", "exec"), namespace)
            self._substitutes = namespace
        return self._substitutes[name]

    def _own(self, name: str) -> Any:
        """What `d2l.<name>` means to this submission: its own definition of that exercise."""
        chapters = [i for i in self.program.homes if i.rpartition("/")[2] == name]
        bound = [i for i in self.program.bound if i.rpartition("/")[2] == name]
        for identity in [*bound, *chapters]:
            try:
                return self.exercise(identity)
            except Missing:
                continue
        raise LookupError(name)

    def _import(
        self,
        importer: File,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: tuple[str, ...] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """`__import__` for learner code: siblings and the stand-in first, then the usual way."""
        if level == 1 and name:
            level = 0  # `from .pooling import pool2d` means the sibling too
        if level == 0:
            key = imported(self.program, name, importer)
            if key is not None:
                return self._sibling(key)
            if name == "d2l" or name.startswith("d2l."):
                return self._standin(name, fromlist)
        return builtins.__import__(name, globals, locals, fromlist or (), level)

    def _sibling(self, key: str) -> ModuleType:
        """A file's module; where it cannot be loaded, its exercises raise what it did when used.

        So that an exercise pays for a broken sibling only where it needs one of its names, and
        not even there once that name is bound to a substitute.
        """
        module = ModuleType(key)
        cause: BaseException
        try:
            if key in self.program.files:
                return self.module(key)
            cause = ImportError(f"{key}.py is missing or cannot be read")
        except LoadFailed as failure:
            cause = failure.__cause__ or failure
        trace = cause.__traceback__

        def fail(*args: Any, **kwargs: Any) -> NoReturn:
            raise cause.with_traceback(trace)

        def lookup(name: str) -> NoReturn:
            raise AttributeError(name) if name.startswith("__") else cause.with_traceback(trace)

        for identity, home in self.program.homes.items():
            if home == key:
                name = identity.rpartition("/")[2]
                setattr(module, name, type(name, (), {"__new__": fail}))
        module.__getattr__ = lookup  # type: ignore[method-assign]
        self._bind(key, module)
        return module

    def _standin(self, name: str, fromlist: tuple[str, ...] | None) -> ModuleType:
        if self._book is None:
            judged = {i.rpartition("/")[2] for i in self.program.judged}
            self._book = standin.build(self.program.phrases, self._own, judged)
        return standin.imported(self._book, name, fromlist)


def _adopt(module: ModuleType, old: Any, new: Any) -> None:
    """Let the classes of a module that derive from a predecessor derive from its substitute."""
    for cls in list(vars(module).values()):
        if isinstance(cls, type) and isinstance(new, type) and old in cls.__bases__:
            cls.__bases__ = tuple(new if base is old else base for base in cls.__bases__)


def _is_free(name: str) -> bool:
    """Whether entering a module by that name takes no other's place, now or later."""
    if not name.isidentifier() or name in RESERVED or name in sys.modules:
        return False
    return importlib.util.find_spec(name) is None
