"""The master: one annotated solution, from which the stubs that learners edit are made.

Covers the markers (`# BEGIN SOLUTION`, `# END SOLUTION`, `# BLANK: text`), both stub levels and the
contracts. Works on the text, with `ast` for where statements begin and end, so that everything
outside the regions stays as its author wrote it. Imports are kept though a stub may not use them
yet: learners will need them.
"""

from __future__ import annotations

import ast
import io
import re
import textwrap
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NoReturn, TypeAlias

Level = Literal["open", "guided"]
_Def: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

_MARKER = re.compile(r"# (BEGIN SOLUTION|END SOLUTION|BLANK: .*\S)\s*")
# What was surely meant as a marker. Taken for a comment, it would hand out the answer.
_NEARLY = re.compile(r"#+\s*((?i:begin|end)[\s_-]*(?i:solution)|BLANK\b)")
_LAYOUT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


class MasterError(Exception):
    """A master that makes no stub: the `line` (from 1), the `problem`, and the `file` if known."""

    def __init__(self, line: int, problem: str, file: str = "") -> None:
        self.line, self.problem, self.file = line, problem, file
        super().__init__(f"{file}:{line}: {problem}" if file else f"line {line}: {problem}")


@dataclass(frozen=True)
class _Marker:
    line: int
    column: int
    text: str  # "BEGIN SOLUTION", "END SOLUTION" or "BLANK: ..."


@dataclass(frozen=True)
class _Block:
    """One list of statements, the compound statement it belongs to, and the defs around it."""

    statements: Sequence[ast.stmt]
    owner: ast.stmt | None
    scope: tuple[_Def, ...]


@dataclass(frozen=True)
class _Region:
    """The lines of a BEGIN and its END, what encloses them, and the BLANKs between them."""

    begin: _Marker
    end: _Marker
    scope: tuple[_Def, ...]
    blanks: tuple[_Marker, ...]


def stub(source: str, level: Level) -> str:
    """The stub of a master, ending in one newline.

    Level "open" has `raise NotImplementedError("name")` for each region inside a function and
    nothing for one at module or class level. Level "guided" keeps the regions, with a blank for
    each statement (of a compound one: its header) below a BLANK. Raises MasterError.
    """
    tree = _parsed(source)
    lines = source.split("\n")
    tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    blocks = list(_blocks(tree, None, ()))
    edits: dict[int, str] = {}  # line number -> what stands there instead; "" takes the line out
    for region in _regions(lines, tokens, blocks):
        first, last = region.begin.line, region.end.line
        blanks = [_blank(marker, tokens, blocks) for marker in region.blanks]
        if level == "guided":
            edits |= {first: "", last: ""}
            for marker, (indent, final) in zip(region.blanks, blanks, strict=True):
                edits |= dict.fromkeys(range(marker.line, final + 1), "")
                edits[marker.line] = " " * indent + marker.text.removeprefix("BLANK: ").strip()
        else:
            edits |= dict.fromkeys(range(first, last + 1), "")
            if region.scope and not isinstance(region.scope[-1], ast.ClassDef):
                name = ".".join(definition.name for definition in region.scope)
                edits[first] = f'{" " * region.begin.column}raise NotImplementedError("{name}")'
    return _rewritten(lines, edits, level)


def contract(source: str) -> dict[str, str]:
    """The docstring of each public top-level function and class, by name, "" where there is none.

    A class's contract goes on with the docstrings of its methods, each under its signature.
    Raises MasterError where the source is not valid Python.
    """
    definitions = [node for node in _parsed(source).body if isinstance(node, _Def)]
    return {d.name: _contract(d) for d in definitions if not d.name.startswith("_")}


def _contract(definition: _Def) -> str:
    parts = [ast.get_docstring(definition) or ""]
    if isinstance(definition, ast.ClassDef):
        for method in definition.body:
            if not isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            text = ast.get_docstring(method)
            if text and _is_public(method.name):
                signature = f"{method.name}({ast.unparse(method.args)}):"
                parts.append(f"{signature}\n{textwrap.indent(text, '    ')}")
    return "\n\n".join(part for part in parts if part)


def _is_public(name: str) -> bool:
    return not name.startswith("_") or (name.startswith("__") and name.endswith("__"))


def _parsed(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except SyntaxError as error:
        problem = f"this is not valid Python ({error.msg}); repair it first"
        raise MasterError(error.lineno or 1, problem) from None


def _blocks(node: ast.AST, owner: ast.stmt | None, scope: tuple[_Def, ...]) -> Iterator[_Block]:
    """Every list of statements below the node, outer ones first."""
    owner = node if isinstance(node, ast.stmt) else owner  # except and case belong to try and match
    scope = (*scope, node) if isinstance(node, _Def) else scope
    for _, value in ast.iter_fields(node):
        if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
            yield _Block(value, owner, scope)
    for child in ast.iter_child_nodes(node):
        yield from _blocks(child, owner, scope)


def _markers(lines: Sequence[str], tokens: Sequence[tokenize.TokenInfo]) -> Iterator[_Marker]:
    for token in tokens:
        if token.type != tokenize.COMMENT:
            continue
        line, column = token.start
        exact = _MARKER.fullmatch(token.string)
        if exact is None:
            if _NEARLY.match(token.string):
                known = "'# BEGIN SOLUTION', '# END SOLUTION' or '# BLANK: text'"
                raise MasterError(line, f"{token.string!r} is no marker; write {known}")
            continue
        if lines[line - 1][:column].strip():
            raise MasterError(line, "a marker stands behind code; give it a line of its own")
        yield _Marker(line, column, exact[1])


def _regions(
    lines: Sequence[str], tokens: Sequence[tokenize.TokenInfo], blocks: Sequence[_Block]
) -> Iterator[_Region]:
    begin: _Marker | None = None
    blanks: list[_Marker] = []
    for marker in _markers(lines, tokens):
        if marker.text == "BEGIN SOLUTION":
            if begin:
                problem = f"the region from line {begin.line} is still open here"
                raise MasterError(marker.line, f"{problem}; add its # END SOLUTION above")
            begin, blanks = marker, []
        elif begin is None:
            what = "an END SOLUTION" if marker.text == "END SOLUTION" else "a BLANK"
            raise MasterError(
                marker.line, f"{what} outside a region; put # BEGIN SOLUTION above it"
            )
        elif marker.text == "END SOLUTION":
            scope = _enclosing(begin, marker, tokens, blocks)
            yield _Region(begin, marker, scope, tuple(blanks))
            begin = None
        else:
            blanks.append(marker)
    if begin:
        raise MasterError(begin.line, "this region never ends; add its # END SOLUTION")


def _enclosing(
    begin: _Marker,
    end: _Marker,
    tokens: Sequence[tokenize.TokenInfo],
    blocks: Sequence[_Block],
) -> tuple[_Def, ...]:
    """The functions and classes around a region, once it is known to hold whole statements."""

    def holds(node: ast.stmt) -> bool:
        return begin.line < _first(node) and _last(node) < end.line

    homes: list[_Block] = []
    for block in blocks:
        for node in block.statements:
            apart = _last(node) < begin.line or _first(node) > end.line
            around = _first(node) < begin.line and node.col_offset < begin.column
            if not (holds(node) or apart or around):
                _cut(begin, _first(node))
        if any(map(holds, block.statements)) and not (block.owner and holds(block.owner)):
            homes.append(block)
    if not homes:
        raise MasterError(begin.line, "this region holds no statement; move the markers around one")
    held = [node for node in homes[0].statements if holds(node)]
    covered = {line for node in held for line in range(_first(node), _last(node) + 1)}
    for token in tokens:
        line = token.start[0]
        if begin.line < line < end.line and token.type not in _LAYOUT and line not in covered:
            _cut(begin, line)  # an `else:` or `except:` in between, or the lines of a second block
    if {begin.column, end.column} != {held[0].col_offset}:
        raise MasterError(begin.line, "the markers must be indented as the statements between them")
    if held[0] is homes[0].statements[0] and _is_text(held[0]):
        raise MasterError(begin.line, "the docstring is the contract; begin the region below it")
    scope = homes[0].scope
    if scope and isinstance(scope[-1], ast.ClassDef):
        for node in held:
            if isinstance(node, _Def) and _is_public(node.name):
                problem = f"the region takes {node.name} out of its class"
                raise MasterError(begin.line, f"{problem}; put a region into each method instead")
    return scope


def _cut(begin: _Marker, line: int) -> NoReturn:
    problem = f"this region cuts the statement on line {line}"
    raise MasterError(begin.line, f"{problem}; let it hold whole statements of one block")


def _blank(
    marker: _Marker, tokens: Sequence[tokenize.TokenInfo], blocks: Sequence[_Block]
) -> tuple[int, int]:
    """The indentation and the last line of what stands below a BLANK and gives way to it."""
    if "____" not in marker.text and "NotImplementedError" not in marker.text:
        raise MasterError(marker.line, "a BLANK needs ____ where the learner is to write; add it")
    statements = [node for block in blocks for node in block.statements]
    below = [node for node in statements if _first(node) == marker.line + 1]
    if not below:
        problem = "a BLANK without a statement after it"
        raise MasterError(marker.line, f"{problem}; put it right above the line it blanks")
    node, final = below[0], _last(below[0])
    if inner := _inside(node):
        colons = [
            token.start[0]
            for token in tokens
            if token.string == ":" and (_first(node), 0) <= token.start < inner
        ]
        final = colons[-1]
    if any(
        _first(other) in range(_first(node), final + 1) for other in statements if other is not node
    ):
        problem = "a BLANK above a line with two statements"
        raise MasterError(marker.line, f"{problem}; give each a line of its own")
    return node.col_offset, final


def _inside(node: ast.stmt) -> tuple[int, int] | None:
    """Where the first statement or case of a compound statement begins; None for a simple one."""
    if isinstance(node, ast.Match):
        return node.cases[0].pattern.lineno, node.cases[0].pattern.col_offset
    body: list[ast.stmt] = getattr(node, "body", [])
    return (_first(body[0]), body[0].col_offset) if body else None


def _first(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _last(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno


def _is_text(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _rewritten(lines: Sequence[str], edits: dict[int, str], level: Level) -> str:
    """The lines after the edits. Where lines went, the blank ones around them do not add up."""
    kept: list[tuple[int, str]] = []
    spare = 0  # blank lines to drop below lines that went
    for number, line in enumerate(lines, 1):
        if edits.get(number, line).strip():
            kept.append((number, edits.get(number, line)))
            spare = 0
        elif number in edits:
            spare = 0
            while spare < len(kept) and not kept[-1 - spare][1].strip():
                spare += 1
        elif spare:
            spare -= 1
        else:
            kept.append((number, line))
    text = "\n".join(line for _, line in kept).rstrip("\n") + "\n"
    try:
        ast.parse(text)
    except SyntaxError as error:
        origin = kept[min(error.lineno or 1, len(kept)) - 1][0]
        problem = f"the {level} stub is not valid Python here ({error.msg})"
        raise MasterError(origin, f"{problem}; change the BLANK or the region") from None
    return text
