"""A notebook → Python source with its definitions: imports, functions, classes, constants.

What runs something (a training loop, a plot, a shell command) is left out, and said so. What stays
keeps its place: line 3012 of the source is line 12 of cell 3, so that every traceback and message
can be followed back without a map. Outputs and metadata are dropped before anything looks at them.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from d2lgrade.submission.source import harmless

MAX_CELLS = 2_000
_STEP = 1_000  # lines between the starts of two cells


class NotebookError(Exception):
    """The notebook cannot be read; the message names the repair."""


@dataclass(frozen=True)
class Script:
    """The definitions of a notebook.

    `text` is Python source: line `step` × N + M is line M of code cell N, counted from 1. `notes`
    are sentences on what was left out.
    """

    text: str
    step: int
    notes: tuple[str, ...] = ()


def script(data: bytes, name: str) -> Script:
    """The definitions in a notebook's code cells.

    Args:
        data: the file.
        name: what its owner calls it; printable.

    Raises:
        NotebookError: it is no notebook, or one in another language.
    """
    cells = _cells(data, name)
    step = _STEP if all(cell.count("\n") < _STEP for cell in cells) else 100 * _STEP
    if any(cell.count("\n") >= step for cell in cells):
        raise NotebookError(f"{name} has a cell of more than {step:,} lines. Split it.")
    text: list[str] = []
    here = 1  # the line that what is written next begins on
    ran: list[int] = []
    notes: list[str] = []
    pure = set(_BUILTINS)
    future = False
    for number, cell in enumerate(cells, 1):
        kept = _definitions(cell, pure)
        if kept.error:
            where = f"cell {number}, line {kept.line}: {kept.error}"
            notes.append(f"{name}, {where} The other cells are used.")
            kept = replace(kept, lines=_broken(cell, where))
        future = future or kept.future
        if kept.ran:
            ran.append(number)
        if any(line.strip() for line in kept.lines):
            start = number * step + 1
            text += ["\n" * (start - here), *kept.lines]
            here = start + len(kept.lines)
    if text:
        example = f"line {step + 12} is line 12 of cell 1"
        notes.insert(0, f"{name} is a notebook: {example}, and so on.")
    if future and text:  # in the first line, which no cell has
        text[0] = "from __future__ import annotations" + text[0]
    if ran:
        notes.append(
            f"{name}: only imports, functions, classes and constants are used; the rest of "
            f"{_numbered(ran)} was not run."
        )
    return Script("".join(text), step, tuple(notes))


def _numbered(cells: Sequence[int]) -> str:
    """The cells as "cells 3, 5 and 7", many of them counted."""
    if len(cells) == 1:
        return f"cell {cells[0]}"
    if len(cells) > 8:
        return f"{len(cells)} cells"
    return f"cells {', '.join(map(str, cells[:-1]))} and {cells[-1]}"


# The file


def _cells(data: bytes, name: str) -> list[str]:
    """The source of each code cell, as written."""
    try:
        raw = json.loads(data.decode("utf-8-sig"))
        bare = json.dumps(_bare(raw))
    except UnicodeDecodeError:
        raise NotebookError(f"{name} is not valid UTF-8. Save it from Jupyter again.") from None
    except RecursionError:
        raise NotebookError(f"{name} is nested too deeply for a notebook.") from None
    except (
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
    ):  # no JSON, or JSON of another shape
        message = f"{name} is not a notebook: its JSON is broken or holds no cells."
        raise NotebookError(f"{message} Open it in Jupyter, and save it again.") from None
    _in_python(raw, name)
    # A third of a second that only notebooks are worth: see pyproject.toml.
    import nbformat
    from nbformat import reader

    convert: Any = nbformat.convert  # neither has types of its own
    parse: Any = reader.reads
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = convert(parse(bare), 4)
        code = [cell["source"] for cell in book["cells"] if cell["cell_type"] == "code"]
    except Exception as error:  # a stranger's file: nbformat raises what its parts raise
        kind = harmless(type(error).__name__)
        message = f"{name} is not a notebook that nbformat can read ({kind})."
        raise NotebookError(f"{message} Open it in Jupyter, and save it again.") from None
    if len(code) > MAX_CELLS:
        raise NotebookError(f"{name} has more than {MAX_CELLS:,} code cells.")
    texts = ["".join(cell) if isinstance(cell, list) else str(cell) for cell in code]
    if any("\0" in text or not _encodes(text) for text in texts):
        raise NotebookError(f"{name} holds characters that no source may hold. Type them again.")
    return [text.replace("\r\n", "\n").replace("\r", "\n") for text in texts]


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # JSON can spell lone surrogates
        return False
    return True


def _bare(raw: Any) -> dict[str, Any]:
    """The notebook with its code alone. Raises as plain indexing does where it is none."""
    if "worksheets" in raw:  # before version 4
        sheets = [{"cells": _code(sheet["cells"], "input")} for sheet in raw["worksheets"]]
        return {"nbformat": int(raw["nbformat"]), "metadata": {}, "worksheets": sheets}
    version = {"nbformat": int(raw["nbformat"]), "nbformat_minor": int(raw["nbformat_minor"])}
    return {**version, "metadata": {}, "cells": _code(raw["cells"], "source")}


def _code(cells: Any, key: str) -> list[dict[str, Any]]:
    plain = {"cell_type": "code", "metadata": {}, "outputs": []}
    return [{**plain, key: _text(cell[key])} for cell in cells if cell["cell_type"] == "code"]


def _text(source: Any) -> str:
    """A cell's source, which is a string or a list of them."""
    text = "".join(source) if isinstance(source, list) else source
    if not isinstance(text, str):
        raise TypeError("source")
    return text


def _in_python(raw: Any, name: str) -> None:
    """Refuse a notebook whose metadata says that its kernel speaks another language."""
    metadata = raw.get("metadata")
    for key, field in (("kernelspec", "language"), ("language_info", "name")):
        part = metadata.get(key) if isinstance(metadata, dict) else None
        language = part.get(field) if isinstance(part, dict) else None
        if isinstance(language, str) and not re.match(r"i?python|$", language, re.IGNORECASE):
            shown = harmless(language[:30])
            raise NotebookError(f"{name} is written in {shown}, not Python.")


# A cell


@dataclass(frozen=True)
class _Kept:
    """What is used of a cell: lines, blank where something was left out; or why it cannot be."""

    lines: list[str]
    ran: bool = False
    error: str = ""
    line: int = 0
    future: bool = False


_MAGIC = re.compile(r"^([ \t]*)(?:[%!?]|[\w.]+\?+\s*$|[\w., \t]+=[ \t]*[%!])[^\n]*", re.MULTILINE)
_TIMED = re.compile(r"\s*%%(?:time|timeit|capture|prun)\b[^\n]*")  # what follows is Python
_MAX_REPAIRS = 20


def _definitions(cell: str, pure: set[str]) -> _Kept:
    """The definitions of a cell; `pure` gains the names of modules that only compute."""
    ran = False
    if cell.lstrip().startswith("%%"):
        ran = True
        if not _TIMED.match(cell):
            return _Kept([], ran)
        cell = _TIMED.sub(lambda match: "\n" * match[0].count("\n"), cell, count=1)
    try:
        tree, cell, magic = _parsed(cell)
    except SyntaxError as error:
        what = harmless(error.msg.split(";")[0])[:200].rstrip(".")
        return _Kept([], ran, f"this is not valid Python: {what}.", error.lineno or 0)
    except (RecursionError, MemoryError, ValueError):
        return _Kept([], ran, "this is nested too deeply for Python to read.", 1)
    lines = [line.encode() for line in f"{cell}\n".split("\n")[:-1]]
    future = False
    for node in tree.body:
        pure.update(_pure_modules(node))
    for node in reversed(tree.body):
        if _is_text(node):
            continue
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            _blank(lines, node)  # stands at the top of the whole file, or nowhere
            future = True
        elif not _is_safe(node, pure):
            ran = True
            _blank(lines, node)
    return _Kept([line.decode() + "\n" for line in lines], ran or magic, future=future)


def _parsed(cell: str) -> tuple[ast.Module, str, bool]:
    """The cell without its notebook commands, and whether it had any.

    A line that opens with `%` or `!` may continue an expression, so a cell that is Python as it
    stands is left alone; else all such lines go, and where that breaks it, those Python minds.
    """
    try:
        return _parse(cell), cell, False
    except SyntaxError as error:
        bare = _MAGIC.sub(r"\1pass", cell)
        if bare == cell:
            raise
        first = error
    try:
        return _parse(bare), bare, True
    except SyntaxError:
        pass
    lines, worst = cell.split("\n"), first
    for _ in range(_MAX_REPAIRS):
        number = (worst.lineno or 0) - 1
        if not 0 <= number < len(lines) or not _MAGIC.match(lines[number]):
            break
        lines[number] = _MAGIC.sub(r"\1pass", lines[number])
        try:
            return _parse("\n".join(lines)), "\n".join(lines), True
        except SyntaxError as error:
            worst = error
    raise worst


def _parse(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a stranger's invalid escape is no warning of ours
        return ast.parse(text)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Pass) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    )


def _blank(lines: list[bytes], node: ast.stmt) -> None:
    """Put `pass` in the place of a statement; the lines keep their number."""
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    rest = lines[last][node.end_col_offset or 0 :]
    before = lines[first][: node.col_offset]
    for number in range(first, last + 1):
        lines[number] = b""
    lines[first] = before
    lines[last] += b"pass" + rest if before.strip() or rest.strip() else b""


def _broken(cell: str, why: str) -> list[str]:
    """Functions in the place of those that a broken cell was meant to define: they say so."""
    names = sorted(set(re.findall(r"^(?:async +)?(?:def|class) +([A-Za-z_]\w*)", cell, re.M)))
    reason = json.dumps(why)
    return [f"def {name}(*_, **__): raise SyntaxError({reason})\n" for name in names]


# Statements


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_BUILTINS = _words(
    """abs bool bytes classmethod complex dict divmod enumerate filter float frozenset int len list
    map max min object pow property range reversed round set slice sorted staticmethod str sum
    tuple type zip"""
)
# Modules whose functions compute a value and do nothing else, but for those in _DOING.
_PURE = _words(
    """abc cmath collections copy dataclasses decimal enum fractions functools itertools math
    numbers numpy operator re string torch types typing"""
)
_DOING = _words(
    """backward compile data distributed fit fromfile genfromtxt hub jit load loadtxt
    manual_seed memmap multiprocessing onnx profiler reduce save savetxt savez seed
    set_default_device set_default_dtype set_num_threads step train use_deterministic_algorithms
    utils"""
)


def _pure_modules(node: ast.stmt) -> Iterator[str]:
    """The names that an import gives to pure modules, or to what is in them."""
    for part in ast.walk(node):
        if isinstance(part, ast.Import):
            for alias in part.names:
                if alias.name.split(".")[0] in _PURE and not _DOING & {*alias.name.split(".")}:
                    yield alias.asname or alias.name.split(".")[0]
        elif isinstance(part, ast.ImportFrom) and (part.module or "").split(".")[0] in _PURE:
            inside = {*(part.module or "").split(".")}
            yield from (a.asname or a.name for a in part.names if not _DOING & {a.name, *inside})


def _is_safe(node: ast.stmt, pure: set[str]) -> bool:
    try:
        return _is_definition(node, pure)
    except RecursionError:  # a chain of a thousand `elif`
        return False


def _is_definition(node: ast.stmt, pure: set[str]) -> bool:
    """Whether a statement of the top level defines something and runs nothing of its own."""
    match node:
        case ast.Import() | ast.ImportFrom():
            return True
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.Pass():
            return True
        case ast.Assign(targets=targets, value=value):
            return all(map(_is_name, targets)) and _is_pure(value, pure)
        case ast.AnnAssign(target=target, value=given):
            return _is_name(target) and (given is None or _is_pure(given, pure))
        case ast.AugAssign(target=target, value=value):
            return _is_name(target) and _is_pure(value, pure)
        case ast.If(test=test, body=body, orelse=orelse):
            main = isinstance(test, ast.Compare) and _dotted(test.left) == ["__name__"]
            return not main and _is_pure(test, pure) and _all(body, pure) and _all(orelse, pure)
        case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
            caught = all(_all(handler.body, pure) for handler in handlers)
            return caught and _all([*body, *orelse, *final], pure)
        case _:
            return False


def _all(nodes: Iterable[ast.stmt], pure: set[str]) -> bool:
    return all(_is_text(node) or _is_definition(node, pure) for node in nodes)


def _is_name(target: ast.expr) -> bool:
    """A name, names, or an attribute of a name: `Conv2D.forward = forward`."""
    if isinstance(target, ast.Tuple | ast.List):
        return all(map(_is_name, target.elts))
    if isinstance(target, ast.Attribute):
        return isinstance(target.value, ast.Name)
    return isinstance(target, ast.Name)


def _is_pure(value: ast.expr, pure: set[str]) -> bool:
    """Whether an expression calls nothing but pure functions. What a lambda does comes later."""
    todo: list[ast.AST] = [value]
    while todo:
        node = todo.pop()
        match node:
            case ast.Lambda():
                todo.extend(d for d in (*node.args.defaults, *node.args.kw_defaults) if d)
                continue
            case ast.Call(func=func):
                names = _dotted(func)
                if not names and isinstance(func, ast.Attribute):  # a method of what is judged next
                    names = ["type", func.attr]
                if not names or names[0] not in pure or _DOING.intersection(names):
                    return False
            case ast.Await() | ast.Yield() | ast.YieldFrom():
                return False
        todo.extend(ast.iter_child_nodes(node))
    return True


def _dotted(node: ast.expr) -> list[str]:
    """`torch.nn.Linear` → its names; [] for what is no dotted name."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return [*reversed([*names, node.id])] if isinstance(node, ast.Name) else []
