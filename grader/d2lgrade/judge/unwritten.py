"""Tells a stub from an answer by reading it: a blank or a bare NotImplementedError means to do."""

from __future__ import annotations

import ast
from functools import lru_cache

BLANK = "____"
_FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef


@lru_cache(maxsize=32)  # the files of one submission, not of a whole class
def unwritten(text: str, name: str) -> str:
    """What is still to do in the definition of `name` in this source; empty where it is written.

    A function whose body is a bare `raise NotImplementedError` counts, and so does a class with
    such a method, or a blank anywhere in the definition.
    """
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    for statement in reversed(body):  # the last definition is the one that counts
        if isinstance(statement, _FUNCTION | ast.ClassDef) and statement.name == name:
            return _todo(statement)
    return ""


def _todo(definition: ast.stmt) -> str:
    for node in ast.walk(definition):
        if isinstance(node, ast.Name) and node.id == BLANK:
            return f"Still to do: line {node.lineno} has a blank."
        if isinstance(node, _FUNCTION) and _bare(node):
            return "Still to do." if node is definition else f"Still to do: {node.name}."
    return ""


def _bare(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether the body is nothing but `raise NotImplementedError`, a docstring aside."""
    statements = [s for s in function.body if not isinstance(s, ast.Expr | ast.Pass)]
    if len(statements) != 1 or not isinstance(statements[0], ast.Raise):
        return False
    raised = statements[0].exc
    raised = raised.func if isinstance(raised, ast.Call) else raised
    return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"
