"""A misconception put in the place of the right answer: a submission that is wrong in one way.

`plant` takes the solution file and swaps one definition for a misconception's, together with the
imports and helpers it needs, so that the result can be graded like any other submission. Works on
syntax trees and runs nothing of either file.
"""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Iterator, Mapping

Bindings = dict[str, list[ast.stmt]]

_DEFINITION = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_KNOWN = frozenset(dir(builtins)) | {"__file__"}


class PlantError(ValueError):
    """The misconception cannot be planted; the message names the repair."""


def plant(solution: str, misconceptions: str, function: str, exercise: str) -> str:
    """Source of the solution with `exercise` answered by the misconception `function`.

    The misconception is renamed to `exercise`, references to itself included. Decorators that come
    from d2lgrade are dropped, all others (`@torch.no_grad()`, say) belong to the answer and stay.
    What it uses of its own file comes along; a helper of it that the solution names too, but
    defines otherwise, comes under another name. Names that its own file lacks are the solution's.

    Args:
        solution: source of the solution file, or of any file that defines `exercise`.
        misconceptions: source of the misconceptions file.
        function: name of the function or class in `misconceptions`.
        exercise: name of the function or class in `solution` to replace.

    Returns:
        Source that runs on its own. Lines outside the replaced definition are unchanged.

    Raises:
        PlantError: either definition is missing, or the misconception needs a name nobody defines.
        SyntaxError: one of the sources does not parse.
    """
    ours = bindings(ast.parse(solution))
    theirs = bindings(ast.parse(misconceptions))
    place = _definition(ours, exercise, "the solution")
    _definition(theirs, function, "the misconceptions file")

    needed = _needed(function, theirs)
    _refuse_unknown(needed, ours, theirs, function)
    shared = _shared(needed - {function}, ours, theirs, exercise)
    names = {
        name: _fresh(name, {*ours, *theirs})
        for name in sorted(needed - shared - {function})
        if name in ours and not _same_package(ours[name], theirs[name])
    }
    names[function] = exercise

    wanted = {id(s): s for name in needed - shared for s in theirs[name]}
    brought = sorted(wanted.values(), key=lambda s: (s.lineno, s.col_offset))
    future = [s for s in theirs.get("annotations", []) if _is_future(s)]
    texts = [ast.unparse(_renamed(s, names, theirs)) for s in brought if not _is_future(s)]

    lines = solution.split("\n")
    start, end = _span(place, lines)
    lines[start:end] = "\n\n\n".join(texts).split("\n")
    if future and not any(_is_future(s) for s in ours.get("annotations", [])):
        lines.insert(_after_docstring(solution), "from __future__ import annotations")
    return "\n".join(lines)


def bindings(tree: ast.Module) -> Bindings:
    """Each name bound at the top level of a module, with the statements that bind it, in order.

    An import of several names counts as one statement for each, so that each can be taken alone.
    """
    found: Bindings = {}
    for statement in tree.body:
        for name, part in _bound(statement):
            found.setdefault(name, []).append(part)
    return found


def free_names(statement: ast.stmt) -> set[str]:
    """The module-level names and builtins that a top-level statement reads, at any depth."""
    table = symtable.symtable(ast.unparse(statement), "<statement>", "exec")
    names = {s.get_name() for s in table.get_symbols() if s.is_referenced()}
    todo = list(table.get_children())
    while todo:
        inner = todo.pop()
        names |= {s.get_name() for s in inner.get_symbols() if s.is_global()}
        todo += inner.get_children()
    return names


def _bound(statement: ast.stmt) -> Iterator[tuple[str, ast.stmt]]:
    if isinstance(statement, _DEFINITION):
        yield statement.name, statement
    elif isinstance(statement, ast.Import | ast.ImportFrom):
        for alias in statement.names:
            single = ast.copy_location(_single(statement, alias), statement)
            yield alias.asname or alias.name.partition(".")[0], single
    elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        for node in (node for target in targets for node in ast.walk(target)):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id, statement


def _single(statement: ast.Import | ast.ImportFrom, alias: ast.alias) -> ast.stmt:
    if isinstance(statement, ast.Import):
        return ast.Import(names=[alias])
    return ast.ImportFrom(module=statement.module, names=[alias], level=statement.level)


def _definition(names: Bindings, name: str, where: str) -> ast.stmt:
    statement = names[name][-1] if name in names else None
    if not isinstance(statement, _DEFINITION):
        raise PlantError(
            f"{where} defines no function or class {name!r} at its top level: "
            "define it there, or correct the name"
        )
    return statement


def _needed(function: str, theirs: Bindings) -> set[str]:
    """The names of the misconceptions file that `function` uses, itself included."""
    needed: set[str] = set()
    todo = {function}
    while todo:
        name = todo.pop()
        needed.add(name)
        todo |= {n for s in theirs[name] for n in free_names(_undecorated(s, theirs))}
        todo = (todo & theirs.keys()) - needed
    return needed


def _refuse_unknown(needed: set[str], ours: Bindings, theirs: Bindings, function: str) -> None:
    for name in sorted(needed):
        for statement in theirs[name]:
            if _is_ours(statement):
                raise PlantError(
                    f"the misconception {function!r} uses {name!r} of d2lgrade, which a "
                    "submission cannot import: write it without"
                )
            unknown = free_names(_undecorated(statement, theirs)) - theirs.keys() - ours.keys()
            if unknown - _KNOWN:
                raise PlantError(
                    f"the misconception {function!r} uses {min(unknown - _KNOWN)!r}, which neither "
                    "its own file nor the solution defines: define or import it in either"
                )


def _shared(names: set[str], ours: Bindings, theirs: Bindings, exercise: str) -> set[str]:
    """Those of `names` for which the solution's own binding does, down to all they use."""
    shared = {
        name
        for name in names & ours.keys()
        if name != exercise and list(map(ast.dump, ours[name])) == list(map(ast.dump, theirs[name]))
    }
    while True:
        spoilt = {
            name
            for name in shared
            if any(free_names(s) & theirs.keys() - {name} - shared for s in theirs[name])
        }
        if not spoilt:
            return shared
        shared -= spoilt


def _same_package(ours: list[ast.stmt], theirs: list[ast.stmt]) -> bool:
    """Whether both only import (parts of) one package under its own name, which never collide."""
    return all(isinstance(s, ast.Import) and s.names[0].asname is None for s in [*ours, *theirs])


def _fresh(name: str, taken: set[str]) -> str:
    fresh = f"planted_{name.lstrip('_')}"
    while fresh in taken:
        fresh += "_"
    return fresh


def _renamed(statement: ast.stmt, names: Mapping[str, str], theirs: Bindings) -> ast.stmt:
    statement = _undecorated(statement, theirs)
    if isinstance(statement, ast.Import | ast.ImportFrom):
        (alias,) = statement.names
        bound = alias.asname or alias.name
        if bound in names:
            renamed = ast.alias(name=alias.name, asname=names[bound])
            return _single(statement, renamed)
        if bound.partition(".")[0] in names:
            raise PlantError(
                f"'import {bound}' in the misconceptions file collides with a name of the "
                "solution: import it 'as' another name"
            )
        return statement
    if isinstance(statement, _DEFINITION):
        statement.name = names.get(statement.name, statement.name)
    renamed_statement: ast.stmt = _Rename(names).visit(statement)
    return renamed_statement


def _undecorated(statement: ast.stmt, theirs: Bindings) -> ast.stmt:
    """A copy of the statement without the decorators that come from d2lgrade."""
    copy = ast.copy_location(ast.parse(ast.unparse(statement)).body[0], statement)
    if isinstance(copy, _DEFINITION):
        copy.decorator_list = [
            decorator
            for decorator in copy.decorator_list
            if not any(map(_is_ours, theirs.get(_root(decorator), [])))
        ]
    return copy


def _root(expression: ast.expr) -> str:
    while isinstance(expression, ast.Call | ast.Attribute):
        expression = expression.func if isinstance(expression, ast.Call) else expression.value
    return expression.id if isinstance(expression, ast.Name) else ""


def _is_ours(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.ImportFrom):
        return (statement.module or "").partition(".")[0] == "d2lgrade"
    return isinstance(statement, ast.Import) and (
        statement.names[0].name.partition(".")[0] == "d2lgrade"
    )


def _is_future(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"


def _span(statement: ast.stmt, lines: list[str]) -> tuple[int, int]:
    """First and last line (half open, from 0) of a definition, decorators and its comments in."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    start = min([statement.lineno, *(decorator.lineno for decorator in decorators)]) - 1
    end = last = statement.end_lineno or statement.lineno
    # A marker that closes the body ("# END SOLUTION") lies behind its last statement.
    while last < len(lines) and (not lines[last].strip() or lines[last][0].isspace()):
        last += 1
        if lines[last - 1].strip():
            end = last
    return start, end


def _after_docstring(source: str) -> int:
    body = ast.parse(source).body
    if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        return body[0].end_lineno or 0
    return 0


class _Rename(ast.NodeTransformer):
    """Renames module-level names, and leaves alone what merely is called alike in a function."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._names.get(node.id, node.id)
        return node

    def visit_Global(self, node: ast.Global) -> ast.AST:
        node.names = [self._names.get(name, name) for name in node.names]
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return self._function(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> ast.AST:
        table = symtable.symtable(ast.unparse(node), "<function>", "exec").get_children()[-1]
        local = {s.get_name() for s in table.get_symbols() if s.is_local()}
        inner = _Rename({old: new for old, new in self._names.items() if old not in local})
        body = node.body if isinstance(node.body, list) else [node.body]
        inside = {id(part) for part in body}
        for _, value in ast.iter_fields(node):
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, ast.AST):
                    (inner if id(part) in inside else self).visit(part)
        return node
