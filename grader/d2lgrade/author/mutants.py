"""Mutants of a reference solution: small faults that the checks must notice.

The faults are those of two maintained mutation libraries. Only their operators are used, in this
process: no command line, no configuration, no file written. Both libraries are needed, because
what goes wrong in PyTorch code is split between them:

- cosmic-ray, whose operators are a documented interface, has the numerical ones: arithmetic,
  numbers up and down, comparisons, negated conditions, loops that never run. It knows neither
  augmented assignments nor the arguments of a call.
- mutmut has those: a dropped `device=`, `bias=` or `padding=`, `-=` turned into `=`, each arm of
  a conditional expression. Its operators are an internal list, so this module says at once when
  one that it wants is gone.

Each mutant costs a grading, and the libraries offer eleven other operators for every `+`, two
faults for every argument. Kept are at most three a site, those that a check of its own may be
needed to notice. Left out are near-duplicates, faults that break every call (a local variable set
to None) and numbers changed by less than any tolerance shows. Tried on a corr2d, a pool2d, a
batch_norm, an adam and a MultiHeadAttention with 36 checks: of 916 mutants 232 stay. 17 checks are
the only one to notice some mutant of all, 16 of them still are, 8 by either library alone.

A mutant that behaves like the reference is listed, with the reason, in equivalents.toml beside the
checks; `entry` gives the lines to paste.
"""

from __future__ import annotations

import ast
import importlib
import json
import tokenize
import tomllib
import warnings
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from d2lgrade.author.plant import Bindings, bindings, free_names

Place = tuple[int, int]  # line from 1, column from 0, in characters
Span = tuple[Place, Place]

# From: to. The inverse; of // also the quotient, since a product mostly fails by its shape alone.
_BINARY = {"Add": "Sub", "Sub": "Add", "Mul": "Div", "Div": "Mul", "FloorDiv": "Mul Div"}
_BINARY |= {"Mod": "FloorDiv", "Pow": "Mul", "LShift": "RShift", "RShift": "LShift"}
_BINARY |= {"BitAnd": "BitOr", "BitOr": "BitAnd", "BitXor": "BitOr"}
# The boundary or the opposite. For equality also one that is nearly always, for inequality one
# that is nearly never true: survived, it shows that no check takes the other branch.
_COMPARISON = {"Lt": "LtE", "LtE": "Lt", "Gt": "GtE", "GtE": "Gt", "Is": "IsNot", "IsNot": "Is"}
_COMPARISON |= {"Eq": "NotEq GtE", "NotEq": "Eq Lt"}
_COSMIC_RAY = (
    *(f"ReplaceBinaryOperator_{a}_{b}" for a, to in _BINARY.items() for b in to.split()),
    *(f"ReplaceComparisonOperator_{a}_{b}" for a, to in _COMPARISON.items() for b in to.split()),
    *(f"ReplaceUnaryOperator_Delete_{a}" for a in ("USub", "Invert", "Not")),
    "NumberReplacer",
    "AddNot",
    "ReplaceTrueWithFalse",
    "ReplaceFalseWithTrue",
    "ReplaceAndWithOr",
    "ReplaceOrWithAnd",
    "ReplaceBreakWithContinue",
    "ReplaceContinueWithBreak",
    "ZeroIterationForLoop",
    "ExceptionReplacer",
)
_MUTMUT = (
    "operator_arg_removal",
    "operator_augmented_assignment",
    "operator_swap_op",
    "operator_assignment",
    "operator_string",
    "operator_keywords",
    "operator_if_exp",
    "operator_lambda",
)
_EQUALITIES = tuple(f"ReplaceComparisonOperator_{o}_" for o in ("Eq", "NotEq", "Is", "IsNot"))
_ORDERINGS = ("ReplaceComparisonOperator_Eq_GtE", "ReplaceComparisonOperator_NotEq_Lt")
_LARGE = 1e4  # one more or less is lost in the tolerance of a check
_NONE_IS_DEFAULT = frozenset({"device", "dtype", "generator"})


class MissingLibraryError(ImportError):
    """A mutation library or one of its operators is missing; the message names the repair."""


class EquivalentsError(ValueError):
    """equivalents.toml cannot be used; the message names the entry and the repair."""


@dataclass(frozen=True)
class Mutant:
    """One fault in a reference solution.

    `key` names it by what it is and not by where: the exercise, the operator, the changed line
    before and after without comments, and its number among those alike. So it survives edits
    elsewhere in the file.
    """

    key: str
    line: int  # in the unchanged source, from 1
    operator: str  # "core/NumberReplacer" (cosmic-ray's own name) or "mutmut/operator_if_exp"
    before: str
    after: str
    source: str  # of the whole file
    owner: str  # the exercise


@dataclass(frozen=True)
class Equivalent:
    """A mutant, by its key, that no check can tell from the reference, and why."""

    key: str
    reason: str


def mutants(source: str, owners: Collection[str]) -> list[Mutant]:
    """All mutants of the definitions named `owners`, in the order of the source.

    Default values, bodies and the module-level helpers and constants they use are mutated;
    docstrings, imports, decorators, type hints and `raise` statements never are. A helper belongs
    to the first exercise that uses it. Name all exercises of the file at once: one that is left
    out counts as a helper of those that call it, and keys depend on it.

    Args:
        source: source of the solution file; comment markers do no harm.
        owners: names of functions and classes at its top level.

    Raises:
        ValueError: the source defines no such name.
        SyntaxError: the source does not parse.
        MissingLibraryError: the `author` extra is not installed.
    """
    tree = ast.parse(source)
    lines = source.split("\n")
    found: list[Mutant] = []
    seen: Counter[str] = Counter()
    for statement, owner in _owned(bindings(tree), owners):
        first, last = _lines(statement)
        segment = "\n".join(lines[first:last]) + "\n"
        for operator, mutated in _variants(segment):
            offset, before, after = _change(segment, mutated)
            label = f"{owner}: {operator}: `{before}` -> `{after}`"
            whole = "\n".join([*lines[:first], mutated.removesuffix("\n"), *lines[last:]])
            key = f"{label} #{seen[label]}"
            seen[label] += 1
            line = first + offset + 1
            found.append(Mutant(key, line, operator, before, after, whole, owner))
    return sorted(found, key=lambda mutant: mutant.line)


def equivalents(path: Path) -> dict[str, str]:
    """The keys listed in an equivalents.toml, each with its reason; empty where there is no file.

    The file holds one table a mutant:

        [[equivalent]]
        mutant = "corr2d: core/NumberReplacer: `...` -> `...` #0"
        reason = "..."

    Raises:
        EquivalentsError: the file is no TOML, or an entry lacks its mutant or its reason, has a
            field of another name, or comes twice.
    """
    if not path.exists():
        return {}
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise EquivalentsError(f"{path} is not valid TOML ({error}): correct it there") from error
    entries = document.pop("equivalent", [])
    if document or not isinstance(entries, list):
        raise EquivalentsError(f"{path} holds more than [[equivalent]] tables: keep only these")
    listed: dict[str, str] = {}
    for number, fields in enumerate(entries, 1):
        found = _equivalent(fields, f"{path}, entry {number}")
        if found.key in listed:
            raise EquivalentsError(f"{path}, entry {number} lists {found.key!r} again: drop it")
        listed[found.key] = found.reason
    return listed


def stale(listed: Mapping[str, str], found: Iterable[Mutant]) -> list[Equivalent]:
    """The listed equivalents that are no mutant any more, in the order listed: to be deleted.

    Args:
        listed: what `equivalents` read.
        found: the mutants of every section that the file is for.
    """
    keys = {mutant.key for mutant in found}
    return [Equivalent(key, reason) for key, reason in listed.items() if key not in keys]


def entry(mutant: Mutant) -> str:
    """The lines of equivalents.toml for a mutant; its author fills in the reason."""
    # A JSON string is a TOML basic string.
    return f'[[equivalent]]\nmutant = {json.dumps(mutant.key, ensure_ascii=False)}\nreason = ""\n'


def _equivalent(fields: Any, where: str) -> Equivalent:
    if not isinstance(fields, dict) or set(fields) - {"mutant", "reason"}:
        raise EquivalentsError(f"{where}: write mutant = ... and reason = ..., and nothing else")
    for name in ("mutant", "reason"):
        value = fields.get(name)
        if not isinstance(value, str) or not value.strip():
            raise EquivalentsError(f'{where} has no {name}: add {name} = "..."')
    return Equivalent(fields["mutant"], fields["reason"])


def _owned(names: Bindings, owners: Collection[str]) -> list[tuple[ast.stmt, str]]:
    """Every statement to mutate, with the exercise it belongs to."""
    unknown = sorted(set(owners) - names.keys())
    if unknown:
        raise ValueError(
            f"the solution defines no {unknown[0]!r} at its top level: define it there, or "
            "correct the name in chapter.toml"
        )
    uses = {name: {n for s in found for n in free_names(s)} for name, found in names.items()}
    owned: dict[str, str] = {}
    for owner in sorted(owners, key=lambda name: names[name][0].lineno):
        todo = [owner]
        while todo:
            name = todo.pop()
            owned[name] = owner
            todo += sorted(uses[name] & names.keys() - owned.keys() - set(owners))
    statements = {  # one may bind several names, once is enough
        id(statement): (statement, owner)
        for name, owner in owned.items()
        for statement in names[name]
        if not isinstance(statement, ast.Import | ast.ImportFrom)
    }
    return sorted(statements.values(), key=lambda pair: pair[0].lineno)


def _lines(statement: ast.stmt) -> tuple[int, int]:
    """First and last line (half open, from 0), decorators in."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    first = min([statement.lineno, *(decorator.lineno for decorator in decorators)])
    return first - 1, statement.end_lineno or first


def _variants(segment: str) -> Iterator[tuple[str, str]]:
    """Operator and mutated text of one top-level statement; each differs from all others."""
    spared = _spared(segment)
    known = {ast.dump(ast.parse(segment))}
    for operator, mutated in (*_cosmic_ray(segment, spared), *_mutmut(segment, spared)):
        tree = _compiled(mutated)
        if tree is None:
            continue
        meaning = ast.dump(tree)
        if meaning not in known:
            known.add(meaning)
            yield operator, mutated


def _spared(segment: str) -> list[Span]:
    """Where nothing is mutated: text for readers, and what runs before any check."""
    found: list[ast.AST | None] = []
    for node in ast.walk(ast.parse(segment)):
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if docstring or isinstance(node, ast.Raise | ast.Import | ast.ImportFrom):
            found.append(node)
        elif isinstance(node, ast.Assert):
            found.append(node.msg)
        found += getattr(node, "decorator_list", [])
        found += [getattr(node, "annotation", None), getattr(node, "returns", None)]
    lines = segment.split("\n")

    def place(line: int, column: int) -> Place:
        return line, len(lines[line - 1].encode()[:column].decode())

    return [
        (place(n.lineno, n.col_offset), place(n.end_lineno or n.lineno, n.end_col_offset or 0))
        for n in found
        if isinstance(n, ast.expr | ast.stmt)
    ]


def _is_spared(start: Place, end: Place, spared: list[Span]) -> bool:
    return any(first <= start and end <= last for first, last in spared)


def _compiled(mutated: str) -> ast.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a fault that Python warns of is a fault all the same
        try:
            tree = ast.parse(mutated)
            compile(tree, "<mutant>", "exec")
        except SyntaxError:
            return None
    return tree


def _change(segment: str, mutated: str) -> tuple[int, str, str]:
    """Index of the first changed line, and the changed lines before and after as one line each."""
    old, new = _uncommented(segment), _uncommented(mutated)
    head = _alike(old, new)
    tail = _alike(old[head:][::-1], new[head:][::-1])
    before = " ".join(" ".join(old[head : len(old) - tail]).split())
    after = " ".join(" ".join(new[head : len(new) - tail]).split())
    same = _alike(before, after)
    rest = after[same:]
    if before[:same].endswith(("(", "[", "{", "=", ":", "+", "-", "~", "**")):
        rest = rest.lstrip()  # cosmic-ray puts a blank before a number
    return head, before, (before[:same] + rest).replace(", )", ")")  # mutmut leaves a comma


def _uncommented(text: str) -> list[str]:
    """Its lines without comments, which may change without changing what a mutant is."""
    lines = text.split("\n")
    for token in tokenize.generate_tokens(StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            line, column = token.start
            lines[line - 1] = lines[line - 1][:column]
    return lines


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """How many items from the start are the same in both."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))


def _library(name: str) -> Any:  # a module without type information
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingLibraryError(
            f"mutants need {name.partition('.')[0]!r}: pip install 'd2lgrade[author]'"
        ) from error


def _require(library: str, wanted: Iterable[str], offered: Collection[str]) -> None:
    for name in wanted:
        if name not in offered:
            raise MissingLibraryError(
                f"this version of {library} has no operator {name!r}: "
                "pip install --upgrade 'd2lgrade[author]'"
            )


def _cosmic_ray(segment: str, spared: list[Span]) -> Iterator[tuple[str, str]]:
    provider = _library("cosmic_ray.operators.provider").OperatorProvider()
    mutate_code = _library("cosmic_ray.mutating").mutate_code
    syntax = _library("cosmic_ray.ast")
    _require("cosmic-ray", _COSMIC_RAY, list(provider))
    nodes = list(syntax.ast_nodes(syntax.get_ast(segment)))
    for name in _COSMIC_RAY:
        operator = provider[name]()
        sites = [(node, *place) for node in nodes for place in operator.mutation_positions(node)]
        for occurrence, (node, start, end) in enumerate(sites):
            if not _is_spared(start, end, spared) and _is_telling_in_parso(name, node):
                yield f"core/{name}", mutate_code(segment, operator, occurrence)


def _is_telling_in_parso(name: str, node: Any) -> bool:
    """Whether a change by cosmic-ray's operator at this node of its tree is worth a grading."""
    if name == "NumberReplacer":
        return bool(abs(ast.literal_eval(node.value)) < _LARGE)
    if name == "AddNot":  # comparisons have opposites, `not` is removed, `a if b else c` forced
        return node.type != "test" and node.children[1].type not in ("comparison", "not_test")
    if name in _ORDERINGS and any(part.type == "string" for part in node.children):
        return False  # what the alphabet says of a mode means nothing
    if name.startswith(_EQUALITIES):  # an `a if b else c` is forced either way
        return node.parent.type != "test" or node.parent.children[2] is not node
    return True


def _mutmut(segment: str, spared: list[Span]) -> Iterator[tuple[str, str]]:
    cst, metadata = _library("libcst"), _library("libcst.metadata")
    offered = _library("mutmut.mutation.mutators").mutation_operators
    _require("mutmut", _MUTMUT, [operator.__name__ for _, operator in offered])
    operators = [(kind, op) for kind, op in offered if op.__name__ in _MUTMUT]
    wrapper = metadata.MetadataWrapper(cst.parse_module(segment))
    positions = wrapper.resolve(metadata.PositionProvider)
    read = _read_attributes(segment)

    def walk(node: Any, parents: tuple[Any, ...]) -> Iterator[tuple[str, str]]:
        if node in positions:
            start, end = positions[node].start, positions[node].end
            if _is_spared((start.line, start.column), (end.line, end.column), spared):
                return
        for kind, operator in operators:
            if isinstance(node, kind):
                for changed in operator(node):
                    if _is_telling_in_libcst(operator.__name__, node, changed, parents, read):
                        mutated = wrapper.module.deep_replace(node, changed).code
                        yield f"mutmut/{operator.__name__}", mutated
        for child in node.children:
            yield from walk(child, (node, *parents))

    yield from walk(wrapper.module, ())


def _is_telling_in_libcst(
    name: str, node: Any, changed: Any, parents: tuple[Any, ...], read: frozenset[str]
) -> bool:
    """Whether a change by mutmut's operator, parents innermost first, is worth a grading."""
    cst = _library("libcst")
    if name == "operator_arg_removal":
        return _is_telling_argument(node.args, changed.args)
    if name in ("operator_swap_op", "operator_keywords"):  # cosmic-ray has the others
        return isinstance(node, cst.AugAssign | cst.In | cst.NotIn | cst.Break)
    if name == "operator_assignment":  # an attribute for the reader; others break the first call
        targets = node.targets if isinstance(node, cst.Assign) else [node]
        names = [t.target.attr.value for t in targets if isinstance(t.target, cst.Attribute)]
        return len(names) == len(targets) and read.isdisjoint(names)
    if name == "operator_string":  # a mode that is never recognised, once, not in three spellings
        if changed.value.count("XX") <= node.value.count("XX"):
            return False
        depth = next((i for i, p in enumerate(parents) if isinstance(p, cst.Comparison)), None)
        return depth is not None and not isinstance(parents[depth + 1], cst.IfExp)
    return True


def _is_telling_argument(before: Any, after: Any) -> bool:
    """A named argument dropped or None, or the last of several positional ones dropped.

    Then its default shows. Dropping another one only shifts the rest, and the call breaks.
    """
    index = next((i for i, arg in enumerate(after) if arg is not before[i]), len(after))
    argument, dropped = before[index], len(after) < len(before)
    if argument.keyword is None:
        return dropped and index > 0 and all(a.keyword for a in before[index + 1 :])
    return dropped or len(before) == 1 or argument.keyword.value not in _NONE_IS_DEFAULT


def _read_attributes(segment: str) -> frozenset[str]:
    return frozenset(
        node.attr
        for node in ast.walk(ast.parse(segment))
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    )
