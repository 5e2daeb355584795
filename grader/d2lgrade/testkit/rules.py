"""The Rules of a contract, read off the source: which forbidden functions it names.

Follows import aliases, assignments of functions to names, and the module-level helpers that an
exercise uses. It reads names, not types: a method counts if it is called like a tensor's method.
What it cannot see, the probe of the contestant sees at run time.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from d2lgrade.families import TENSOR_METHODS, covers

_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def forbidden_calls(
    source: str, names: Iterable[str], forbidden: Iterable[str], apart: Iterable[str] = ()
) -> list[tuple[int, str]]:
    """Where the definitions of `names`, and what they use, name a forbidden function.

    Args:
        source: a Python file.
        names: top-level functions or classes of it; those it lacks are passed over.
        forbidden: rules such as "torch.conv2d", each standing for its family (see `families`).
        apart: top-level names not to follow, such as predecessors with rules of their own.

    Returns:
        (line, the spelling found there), in the order of lines, each once. A file that is no
        Python has none: loading it says what is wrong.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return []
    module = _Module.read(tree)
    rules = list(forbidden)
    found: set[tuple[int, str]] = set()
    waiting, done = list(names), set(apart)
    while waiting:
        name = waiting.pop()
        if name in done:
            continue
        done.add(name)
        for node in module.definitions.get(name, ()):
            reader = _Reader(module, rules)
            reader.visit(node)
            found |= reader.found
            waiting += reader.used
    return sorted(found)


def defined_in(source: str) -> list[str]:
    """The names that the top level of a file defines; none for a file that is no Python."""
    try:
        return list(_Module.read(ast.parse(source)).definitions)
    except (SyntaxError, ValueError):
        return []


@dataclass
class _Module:
    """What the top level of a file binds."""

    imports: dict[str, str] = field(default_factory=dict)  # name → dotted path
    stars: list[str] = field(default_factory=list)  # packages of `from … import *`
    definitions: dict[str, list[ast.AST]] = field(default_factory=dict)

    @classmethod
    def read(cls, tree: ast.Module) -> _Module:
        module = cls()
        for statement in _statements(tree.body):
            if isinstance(statement, ast.Import | ast.ImportFrom):
                module.imports.update(_imported(statement))
                module.stars += _starred(statement)
            for name in _defines(statement):
                module.definitions.setdefault(name, []).append(statement)
        return module


def _statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Top-level statements, those under `if`, `try`, `with` and loops included."""
    for statement in body:
        yield statement
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for block in ("body", "orelse", "finalbody"):
                yield from _statements(getattr(statement, block, ()))
            for handler in getattr(statement, "handlers", ()):
                yield from _statements(handler.body)


def _defines(statement: ast.stmt) -> Iterator[str]:
    """The top-level names that a statement defines, or adds something to."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
        for decorator in statement.decorator_list:  # @d2l.add_to_class(Conv2D)
            if isinstance(decorator, ast.Call):
                yield from (arg.id for arg in decorator.args if isinstance(arg, ast.Name))
    elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        for target in targets:
            for node in ast.walk(target):  # `Conv2D.forward = …` adds to Conv2D
                if isinstance(node, ast.Name):
                    yield node.id


def _imported(statement: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            root = alias.name.partition(".")[0]
            yield (alias.asname, alias.name) if alias.asname else (root, root)
    else:
        for alias in statement.names:
            path = f"{'.' * statement.level}{statement.module or ''}.{alias.name}"
            yield alias.asname or alias.name, path


def _starred(statement: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(statement, ast.ImportFrom) and any(a.name == "*" for a in statement.names):
        return [statement.module or ""]
    return []


class _Reader(ast.NodeVisitor):
    """Reads one definition: the forbidden names in it, and the top-level names it uses."""

    def __init__(self, module: _Module, rules: list[str]) -> None:
        self._module = module
        self._rules = rules
        self._scopes: list[Mapping[str, str]] = [module.imports]
        self.found: set[tuple[int, str]] = set()
        self.used: list[str] = []

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._judge(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if isinstance(node.ctx, ast.Load):
            self._judge(node)
        root: ast.expr = node
        while isinstance(root, ast.Attribute):
            root = root.value
        if not isinstance(root, ast.Name):
            self.visit(root)

    def visit_Call(self, node: ast.Call) -> None:
        match node:
            case ast.Call(func=ast.Name("isinstance" | "issubclass"), args=[first, *_]):
                self.visit(first)  # asking what something is does not use it
            case ast.Call(func=ast.Name("getattr"), args=[owner, ast.Constant(str(name)), *_]):
                spelled = ast.Attribute(owner, name, ast.Load())
                self.visit(ast.copy_location(spelled, node))
            case _:
                self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        if not any(_asks_type(side) for side in (node.left, *node.comparators)):
            self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._function(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._function(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        for part in (node.target, node.value):  # the annotation itself runs nothing
            if part is not None:
                self.visit(part)

    def _function(self, node: _Function) -> None:
        for outer in (*getattr(node, "decorator_list", ()), *node.args.defaults):
            self.visit(outer)
        for default in node.args.kw_defaults:
            if default is not None:
                self.visit(default)
        self._scopes.append(self._local(node))
        body = node.body if isinstance(node.body, list) else [node.body]
        for statement in body:
            self.visit(statement)
        self._scopes.pop()

    def _local(self, function: _Function) -> dict[str, str]:
        """What a function binds: its imports and aliases, and other names as "" (unknown)."""
        scope = {arg.arg: "" for arg in ast.walk(function.args) if isinstance(arg, ast.arg)}
        if isinstance(function, ast.Lambda):
            return scope
        for node in ast.walk(function):
            if isinstance(node, ast.Import | ast.ImportFrom):
                scope.update(_imported(node))
            elif isinstance(node, ast.Assign) and len(node.targets) == 1:
                target, path = node.targets[0], self._path(node.value)
                if isinstance(target, ast.Name):
                    scope.setdefault(target.id, path or "")
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                scope.setdefault(node.id, "")
            elif node is not function and isinstance(node, ast.FunctionDef | ast.ClassDef):
                scope.setdefault(node.name, "")
        return scope

    def _judge(self, node: ast.Name | ast.Attribute) -> None:
        path = self._path(node)
        if path is not None:
            spellings = list(_prefixes(path))
        else:
            self._follow(node)
            method = isinstance(node, ast.Attribute) and self._method(node)
            spellings = [f"torch.Tensor.{method}"] if method else []
        if any(covers(rule, spelling) for spelling in spellings for rule in self._rules):
            self.found.add((node.lineno, ast.unparse(node)))

    def _follow(self, node: ast.expr) -> None:
        """Note the top-level name that an expression starts from."""
        while isinstance(node, ast.Attribute):
            node = node.value
        if isinstance(node, ast.Name) and not any(node.id in s for s in self._scopes[1:]):
            self.used.append(node.id)

    def _method(self, node: ast.Attribute) -> str:
        """The method's name, if it may be one of a tensor; `self.softmax` is the learner's own."""
        own = isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}
        return "" if own or node.attr.rstrip("_") not in TENSOR_METHODS else node.attr

    def _path(self, node: ast.expr) -> str | None:
        """The dotted path an expression stands for, if it starts from an import."""
        names: list[str] = []
        while isinstance(node, ast.Attribute):
            names.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        for scope in reversed(self._scopes):
            if node.id in scope:
                start = scope[node.id]
                return _through_book(".".join([start, *reversed(names)])) if start else None
        if node.id in self._module.definitions:
            return self._alias(node.id, names)
        for package in self._module.stars:
            return _through_book(".".join([package, node.id, *reversed(names)]))
        return None

    def _alias(self, name: str, attributes: list[str]) -> str | None:
        """The path of a name that the top level assigns a module or function to."""
        for node in self._module.definitions[name]:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name | ast.Attribute):
                root: ast.expr = node.value
                while isinstance(root, ast.Attribute):
                    root = root.value
                if isinstance(root, ast.Name) and root.id in self._module.imports:
                    path = self._path(node.value)
                    return path and ".".join([path, *reversed(attributes)])
        return None


def _asks_type(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "type"


def _through_book(path: str) -> str:
    """`d2l.nn.Conv2d` and `d2l.torch.conv2d`: the book's module passes PyTorch on."""
    for start, meant in (("d2l.torch.torch.", "torch."), ("d2l.torch.nn.", "torch.nn.")):
        if path.startswith(start):
            return meant + path.removeprefix(start)
    return path


def _prefixes(path: str) -> Iterator[str]:
    """`torch.nn.Conv2d.forward` → `torch.nn`, `torch.nn.Conv2d`, and itself."""
    parts = path.split(".")
    for end in range(2, len(parts) + 1):
        yield ".".join(parts[:end])
