"""What in a submission's source deserves a human look, or spoils its own testimony.

Flags are information for the instructor, never points. Only one has a consequence: source that
reaches for torch's dispatch machinery could change what the probes inside its process observe, so
checks that rest on such testimony are not awarded.
"""

from __future__ import annotations

import ast
from functools import lru_cache

# Names by which Python code can get between torch and the probes.
DISPATCH = frozenset(
    {
        "__torch_dispatch__",
        "__torch_function__",
        "DisableTorchFunction",
        "DisableTorchFunctionSubclass",
        "TorchDispatchMode",
        "TorchFunctionMode",
        "_disable_torch_dispatch",
        "_pop_mode",
        "_push_mode",
        "_pop_torch_function_stack",
        "_make_subclass",
        "_make_wrapper_subclass",
    }
)
INTERPRETER = {
    "ctypes": "uses ctypes",
    "gc": "walks the garbage collector",
    "_getframe": "walks frames",
    "settrace": "sets a trace function",
    "setprofile": "sets a profile function",
    "__subclasses__": "walks subclasses",
}


@lru_cache(maxsize=256)
def flags(text: str) -> tuple[str, ...]:
    """The flags of one source file, in a fixed order; none for a file that is no Python."""
    names = _names(text)
    found = [f"touches torch's dispatch ({name})" for name in sorted(names & DISPATCH)]
    return (*found, *(words for name, words in INTERPRETER.items() if name in names))


def spoils_testimony(text: str) -> str:
    """The name by which a file touches torch's dispatch; empty where it does not."""
    return next(iter(sorted(_names(text) & DISPATCH)), "")


@lru_cache(maxsize=256)
def _names(text: str) -> frozenset[str]:
    """Every identifier, attribute and imported name of a file, and strings that could name one."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                found.update(alias.name.split("."))
            if isinstance(node, ast.ImportFrom) and node.module:
                found.update(node.module.split("."))
        elif (
            isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 80
        ):
            found.add(node.value)  # getattr(x, "__torch_dispatch__")
    return frozenset(found)
