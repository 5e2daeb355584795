"""What in a submission's source deserves a human look, or spoils its own testimony.

Flags are information for the instructor, never points: most have honest reasons. Each says what
and where: "line 12: walks frames (sys._getframe)". Only some have a consequence: source that
reaches for torch's dispatch machinery, or into the interpreter around it, could change what the
probes inside its process observe, so checks that rest on such testimony are not awarded.

Reading source finds what is written plainly. Code that hides what it does is flagged for hiding.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from . import suspects

MOST = 20  # flags told of one file; the rest are counted
LARGEST = 16_000  # nodes of a syntax tree that is looked through: ten times a long answer


@dataclass(frozen=True)
class Sight:
    """One thing seen: the line, what it is in words, by which name, whether it spoils testimony."""

    line: int
    words: str
    name: str
    spoils: bool = False


@lru_cache(maxsize=32)  # the files of one submission, not of a whole class
def flags(text: str) -> tuple[str, ...]:
    """The flags of one source file, each thing where it is first seen; none where it is no Python.

    At most `MOST` of them; what is left out is counted.
    """
    found = [f"line {s.line}: {s.words} ({s.name})" for s in _sights(text)]
    extra = len(found) - MOST
    return tuple(found) if extra <= 0 else (*found[:MOST], f"… and {extra} more")


@lru_cache(maxsize=32)  # the files of one submission, not of a whole class
def spoils_testimony(text: str) -> str:
    """The name by which a file could change what is observed beside it; empty where none could."""
    return next((sight.name for sight in _sights(text) if sight.spoils), "")


@lru_cache(maxsize=32)  # the files of one submission, not of a whole class
def _sights(text: str) -> tuple[Sight, ...]:
    """Everything seen in a file, by line; the same thing once."""
    try:
        tree = ast.parse(text)
        if sum(1 for _ in islice(ast.walk(tree), LARGEST + 1)) > LARGEST:  # it would take minutes
            return (Sight(1, "is too long to be looked through", "so much code", spoils=True),)
        seen = sorted(_seen(tree), key=lambda sight: sight.line)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    first: dict[tuple[str, str], Sight] = {}
    for sight in seen:
        first.setdefault((sight.words, sight.name), sight)
    return tuple(first.values())


def _seen(tree: ast.Module) -> Iterator[Sight]:
    imported = _imported(tree)
    docstrings = _docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _module(node.lineno, alias.name)
        elif isinstance(node, ast.ImportFrom):
            yield from _module(node.lineno, node.module or "")
            for alias in node.names:
                yield from _name(node.lineno, f"{node.module or ''}.{alias.name}")
        elif isinstance(node, ast.Attribute):
            yield from _name(node.lineno, _dotted(node))
        elif isinstance(node, ast.Name):
            yield from _name(node.lineno, node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _name(node.lineno, node.name)
        elif isinstance(node, ast.Constant) and id(node) not in docstrings:
            yield from _constant(node)
        elif isinstance(node, ast.Call):
            yield from _call(node)
        elif isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Delete):
            yield from _patch(node, imported)
    yield from _memory(tree)


def _docstrings(tree: ast.Module) -> set[int]:
    """The ids of strings that stand as statements of their own, which do nothing."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def _imported(tree: ast.Module) -> set[str]:
    """The names that imports bind anywhere in the file."""
    return {
        (alias.asname or alias.name).partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }


def _dotted(node: ast.expr) -> str:
    """ "sys.modules" for that expression; what is no name at its root is left empty."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    parts.append(node.id if isinstance(node, ast.Name) else "")
    return ".".join(reversed(parts))


def _module(line: int, name: str) -> Iterator[Sight]:
    """What the import of a module tells."""
    for depth in range(name.count(".") + 1):
        known = suspects.MODULES.get(".".join(name.split(".")[: depth + 1]))
        if known is not None:
            yield Sight(line, known.words, name, known.spoils)
            return


def _name(line: int, dotted: str) -> Iterator[Sight]:
    """What a name tells, by its last part or its last two."""
    parts = dotted.split(".")
    known = suspects.NAMES.get(parts[-1])
    if len(parts) == 1:
        known = known or suspects.BUILTINS.get(dotted)
    else:
        known = known or suspects.MEMBERS.get(".".join(parts[-2:]))
    if known is not None:
        yield Sight(line, known.words, dotted.strip("."), known.spoils)


def _constant(node: ast.Constant) -> Iterator[Sight]:
    text = node.value
    if isinstance(text, bytes):
        text = text.decode("latin-1")
    if not isinstance(text, str):
        return
    if text in suspects.NAMES:  # getattr(x, "__torch_dispatch__")
        yield from _name(node.lineno, text)
    for sign, words in suspects.SIGNS.items():
        if sign in text:
            yield Sight(node.lineno, words, repr(text[:40]))
    if len(text) >= suspects.LONG and _encoded(text):
        yield Sight(node.lineno, "holds a long encoded text", f"{len(text)} characters")


def _encoded(text: str) -> bool:
    """Whether a text looks like code or data made unreadable."""
    packed = re.sub(r"\s", "", text)
    strange = sum(not char.isprintable() for char in packed)
    return bool(re.fullmatch(r"[A-Za-z0-9+/_=-]+", packed)) or strange > len(packed) // 8


def _call(node: ast.Call) -> Iterator[Sight]:
    name = _dotted(node.func)
    if name == "open" or name.endswith(".open"):
        mode = next((k.value for k in node.keywords if k.arg == "mode"), None)
        mode = mode or (node.args[1] if len(node.args) > 1 else None)
        reads = mode is None or (
            isinstance(mode, ast.Constant) and not set("wax+") & set(str(mode.value))
        )
        yield Sight(node.lineno, "reads files" if reads else "writes files", name)
    if name == "getattr" and len(node.args) > 1 and isinstance(node.args[1], ast.BinOp | ast.Call):
        yield Sight(node.lineno, "picks attributes by computed names", name)
    if name in ("setattr", "delattr") and node.args:
        target = _dotted(node.args[0])
        if target.partition(".")[0] in suspects.LIBRARIES:
            yield Sight(node.lineno, "changes a library", f"{name} on {target}", spoils=True)


def _patch(
    node: ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Delete, imported: set[str]
) -> Iterator[Sight]:
    """Attributes of imported things that are assigned to."""
    targets = node.targets if isinstance(node, ast.Assign | ast.Delete) else [node.target]
    for target in targets:
        name = _dotted(target) if isinstance(target, ast.Attribute) else ""
        root = name.partition(".")[0]
        if root and root in imported and not name.startswith(suspects.SETTINGS):
            yield Sight(node.lineno, "changes a library", name, spoils=True)


def _memory(tree: ast.Module) -> Iterator[Sight]:
    """What is kept between calls: globals, attributes of functions, things at the file's top."""
    kept = {
        target.id
        for statement in tree.body
        if isinstance(statement, ast.Assign | ast.AnnAssign)
        for target in (
            statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        )
        if isinstance(target, ast.Name)
    }
    functions = {s.name for s in tree.body if isinstance(s, ast.FunctionDef)}
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        local = _local(function)
        for node in ast.walk(function):
            if isinstance(node, ast.Global):
                yield from (Sight(node.lineno, KEEPS, name) for name in node.names)
                continue
            name, line = _changed(node)
            root = name.partition(".")[0]
            known = root in kept or (root in functions and "." in name)
            if known and root not in local:
                yield Sight(line, KEEPS, name)


KEEPS = "keeps something between calls"


def _local(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> set[str]:
    """Parameters of a function and names it assigns to."""
    own = {argument.arg for argument in ast.walk(function.args) if isinstance(argument, ast.arg)}
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            own.add(node.id)
    return own


def _changed(node: ast.AST) -> tuple[str, int]:
    """The name of what a node changes in place, and its line; ("", 0) where it changes nothing."""
    if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
        inner = node.value if isinstance(node, ast.Subscript) else node
        return _dotted(inner), node.lineno
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in suspects.MUTATORS
    ):
        return _dotted(node.func.value), node.lineno
    return "", 0
