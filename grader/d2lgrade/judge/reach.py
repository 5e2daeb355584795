"""Which other files of a submission importing one of them runs, read off the sources."""

from __future__ import annotations

import ast
import re
from functools import lru_cache

from d2lgrade.contestant.loader import File, Program, imported


def reached(program: Program, key: str) -> tuple[File, ...]:
    """The files that importing this one runs, in the order in which they end; its own comes last.

    Imports that are not written as such (`importlib`, `__import__`) are not seen.
    """
    stems = {file.stem for file in program.files.values()}
    done: dict[str, File] = {}
    entered: set[str] = set()
    stack = [(key, False)]
    while stack:
        current, left = stack.pop()
        file = program.files.get(current)
        if file is None or current in done:
            continue
        if left:
            done[current] = file
        elif current not in entered:
            entered.add(current)
            stack.append((current, True))
            names = _names(file.text) if _may_import(file, stems) else ()
            keys = (imported(program, name, file) for name in names)
            stack += [(other, False) for other in keys if other is not None]
    return tuple(done.values())


def _may_import(file: File, stems: set[str]) -> bool:
    """Whether a file is worth parsing: most name none of the others."""
    return not (stems - {file.stem}).isdisjoint(re.findall(r"\w+", file.text))


@lru_cache(maxsize=32)  # the files of one submission
def _names(text: str) -> tuple[str, ...]:
    """The modules that a file imports anywhere, last ones first."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    found: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(dict.fromkeys(alias.name for alias in node.names))
        elif isinstance(node, ast.ImportFrom) and node.level <= 1 and node.module:
            found[node.module] = None
    return tuple(reversed(found))
