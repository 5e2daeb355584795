"""The mutants of a reference: the right faults, in the right places, under lasting names."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional

from d2lgrade.author.mutants import (
    EquivalentsError,
    MissingLibraryError,
    Mutant,
    entry,
    equivalents,
    mutants,
    stale,
)

CORR2D = '''\
"""Section 7.2, and 3 + 4 words about it."""

import torch
from torch import nn

SCALE = 2


def _windows(X, kh, kw):
    """All windows of 1 + 1 rows."""
    return X.unfold(0, kh, 1).unfold(1, kw, 1)


def corr2d(X, K):
    """Slide K over X, 2 + 2 times."""
    # BEGIN SOLUTION
    kh, kw = K.shape
    if kh > X.shape[0] or kw > X.shape[1]:
        raise ValueError(f"the kernel {kh + 1} is larger than {X.shape[0] + 1}")
    # BLANK: return ____
    return (_windows(X, kh, kw) * K).sum(dim=(2, 3))
    # END SOLUTION


class Conv2D(nn.Module):
    """A layer with 1 weight and 1 bias."""

    def __init__(self, kernel_size):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(kernel_size))
        self.bias = nn.Parameter(torch.zeros(1))
        self.scale = SCALE

    @torch.autocast("cpu", enabled=False)
    def forward(self, X: torch.Tensor) -> "tuple[1, 2]":
        return corr2d(X, self.weight) + self.bias
'''

SOFTMAX = """\
import torch


def softmax(X):
    shifted = torch.exp(X - X.max(dim=-1, keepdim=True).values)
    return shifted / shifted.sum(dim=-1, keepdim=True)
"""


def of(body: str, *, header: str = "def f(x, y=None):") -> list[Mutant]:
    """The mutants of a function f with this body."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return mutants(f"{header}\n{lines}\n", ["f"])


def changes(body: str, *, header: str = "def f(x, y=None):") -> list[str]:
    """What the mutants of such a function make of the changed line."""
    return [mutant.after for mutant in of(body, header=header)]


def survivors(found: list[Mutant], name: str, holds: Callable[[Any], bool]) -> list[str]:
    """The keys of those mutants whose `name` passes a check."""
    alive = []
    for mutant in found:
        module: dict[str, Any] = {}
        try:
            exec(compile(mutant.source, "<mutant>", "exec"), module)
            if holds(module[name]):
                alive.append(mutant.key)
        except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError):
            pass  # noticed: it raised
    return alive


def correlates(corr2d: Any, *shapes: tuple[tuple[int, int], tuple[int, int]]) -> bool:
    torch.manual_seed(0)
    return all(
        torch.allclose(corr2d(X, K), functional.conv2d(X[None, None], K[None, None])[0, 0])
        for X, K in ((torch.randn(image), torch.randn(kernel)) for image, kernel in shapes)
    )


def is_softmax(softmax: Any, *inputs: torch.Tensor) -> bool:
    return all(torch.allclose(softmax(X), torch.softmax(X, dim=-1)) for X in inputs)


# The faults


def test_faults_of_both_libraries_appear() -> None:
    keys = {mutant.key for mutant in mutants(CORR2D, ["corr2d", "Conv2D"])}
    line = "return (_windows(X, kh, kw) * K).sum(dim=(2, 3))"
    for operator, before, after in [
        ("core/ReplaceBinaryOperator_Mul_Div", line, line.replace("*", "/")),
        ("core/NumberReplacer", line, line.replace("2, 3", "1, 3")),
        (
            "core/ReplaceOrWithAnd",
            "if kh > X.shape[0] or kw > X.shape[1]:",
            "if kh > X.shape[0] and kw > X.shape[1]:",
        ),
        ("mutmut/operator_arg_removal", line, line.replace("dim=(2, 3)", "dim=None")),
    ]:
        assert f"corr2d: {operator}: `{before}` -> `{after}` #0" in keys


def test_good_checks_reject_every_mutant_and_weak_ones_do_not() -> None:
    found = [m for m in mutants(CORR2D, ["corr2d", "Conv2D"]) if m.owner == "corr2d"]
    square, tall, filling = ((3, 3), (2, 2)), ((5, 3), (2, 1)), ((2, 3), (2, 3))

    def refuses(corr2d: Any) -> bool:
        try:
            corr2d(torch.ones(1, 2), torch.ones(2, 2))
        except ValueError as error:
            return "larger" in str(error)
        return False

    def missed(holds: Callable[[Any], bool]) -> list[str]:
        return survivors(found, "corr2d", holds)

    assert any("OrWithAnd" in key for key in missed(lambda f: correlates(f, square, tall, filling)))
    assert any("Gt_GtE" in key for key in missed(lambda f: correlates(f, tall) and refuses(f)))
    assert missed(lambda f: correlates(f, square, tall, filling) and refuses(f)) == []


def test_a_survivor_shows_the_missing_check() -> None:
    found = mutants(SOFTMAX, ["softmax"])
    torch.manual_seed(0)
    flat, deep, large = torch.randn(3, 4), torch.randn(2, 3, 4), torch.tensor([[0.0, 1e4]])

    weak = survivors(found, "softmax", lambda softmax: is_softmax(softmax, flat))
    assert any("ReplaceUnaryOperator_Delete_USub" in key for key in weak)  # needs three dimensions
    assert any("ReplaceBinaryOperator_Sub_Add" in key for key in weak)  # needs large values
    assert survivors(found, "softmax", lambda f: is_softmax(f, flat, deep, large)) == []


def test_an_equivalent_mutant_survives_whatever_is_checked() -> None:
    source = "def row_sums(X):\n    rows, columns = X.shape\n    return X.sum(dim=-1)\n"
    rows = torch.randn(3, 4)
    left = survivors(
        mutants(source, ["row_sums"]), "row_sums", lambda f: torch.equal(f(rows), rows.sum(dim=1))
    )
    assert left == [
        "row_sums: core/ReplaceUnaryOperator_Delete_USub: "
        "`return X.sum(dim=-1)` -> `return X.sum(dim=1)` #0"
    ]


def test_a_class_is_mutated_in_its_methods() -> None:
    found = [m for m in mutants(CORR2D, ["corr2d", "Conv2D"]) if m.owner == "Conv2D"]
    assert {(m.operator, m.after) for m in found} >= {
        ("core/NumberReplacer", "self.bias = nn.Parameter(torch.zeros(2))"),
        ("core/ReplaceBinaryOperator_Add_Sub", "return corr2d(X, self.weight) - self.bias"),
        ("mutmut/operator_assignment", "self.scale = None"),  # nothing in the class reads it
    }
    assert "self.weight = None" not in {m.after for m in found}  # would break every call


@pytest.mark.parametrize(
    ("line", "after"),
    [
        ("return x + y", ["return x - y"]),
        ("return x // y", ["return x * y", "return x / y"]),
        ("return x**y", ["return x*y"]),
        ("return x[0]", ["return x[1]", "return x[-1]"]),
        ("return x < y", ["return x <= y"]),
        ("return x is None", ["return x is not None"]),
        ("return x in y", ["return x not in y"]),
        ("return ~x", ["return x"]),
        ("return not not x", ["return not x"]),  # whichever of the two
        ("return x is 'a'", ["return x is not 'a'", "return x is 'XXaXX'"]),  # Python warns of it
        ("return x and y", ["return x or y"]),
        ("x += y", ["x = y", "x -= y"]),
        ("x.cache = y", ["x.cache = None"]),
        ("return x.sum(y, keepdim=y)", ["return x.sum(y, keepdim=None)", "return x.sum(y)"]),
        ("return x.sum(dim=y)", ["return x.sum(dim=None)"]),
        ("return y(x, device=x.device)", ["return y(x)"]),  # None is the default anyway
        ("return x.mean(y, x)", ["return x.mean(y)"]),
        ("return y(x)", []),
        (
            "return x if y else None",
            ["return x if (y) and False else None", "return x if (y) or True else None"],
        ),
        (
            "return x if y is None else y",
            ["return x if (y is None) and False else y", "return x if (y is None) or True else y"],
        ),
        ("z = x", []),  # a local set to None breaks every call
        ("return x['t']", []),
        ("return x == 'max'", ["return x != 'max'", "return x == 'XXmaxXX'"]),
        ("return x.fill_(1e6)", []),  # no tolerance shows one more
        ("return lambda: x", ["return lambda: None"]),
    ],
)
def test_what_is_kept_at_a_site(line: str, after: list[str]) -> None:
    found = changes(line)
    assert found[: len(after)] == after
    assert len(found) == len(after) <= 3


def test_equality_is_also_widened_so_that_both_branches_need_a_check() -> None:
    assert changes("if x.ndim == y:\n    return x") == ["if x.ndim != y:", "if x.ndim >= y:"]
    assert changes("if x % y != y:\n    return x")[1:] == ["if x % y == y:", "if x % y < y:"]


def test_conditions_loops_and_jumps() -> None:
    assert changes("if x.training:\n    return y") == ["if not x.training:"]
    assert changes("if not x:\n    return y") == ["if x:"]
    assert changes("for x in y:\n    pass") == ["for x in []:"]
    assert changes("for x in y:\n    continue") == ["for x in []:", "break"]
    assert changes("for x in y:\n    break") == ["for x in []:", "continue", "return"]


def test_a_default_value_is_mutated() -> None:
    found = changes("return x", header="def f(x, keepdim=True, dim=0):")
    assert [line.removeprefix("def f(x, ") for line in found] == [
        "keepdim=True, dim=1):",
        "keepdim=True, dim=-1):",
        "keepdim=False, dim=0):",
    ]


# Where


def test_texts_hints_imports_and_decorators_are_spared() -> None:
    body = '''\
"""Say 1 + 1."""
from math import pi
z: Literal[1] = x
assert x, "not 2" + "of 3"
if x:
    raise ValueError("want 4", 5)
"and 6"
return x
'''
    header = "@torch.no_grad(7)\ndef f(é: Literal[8, 'é'], x: Literal[9]) -> Literal[10]:"
    assert changes(body, header=header) == ['assert not x, "not 2" + "of 3"', "if not x:"]


def test_columns_count_characters_and_not_bytes() -> None:
    wide = "é" * 12  # twice as many bytes
    found = changes("return x", header=f"def f({wide}, y: Literal[1], x=2):")
    assert found == [f"def f({wide}, y: Literal[1], x={new}):" for new in (3, 1)]


def test_a_change_over_several_lines_names_them_all() -> None:
    found = of("return f(\n    x,\n    dim=1,  # a comment\n    keepdim=y,\n)")
    assert all(m.source.startswith("def f(x, y=None):\n    return f(") for m in found)
    by_operator = {(m.operator, m.line): (m.before, m.after) for m in found}
    assert by_operator["mutmut/operator_arg_removal", 5] == ("keepdim=y, )", ")")
    assert by_operator["core/NumberReplacer", 4][1] == "dim=0,"


def test_helpers_belong_to_the_first_exercise_that_uses_them() -> None:
    source = """\
STEP = 1
PAD, FILL = 2, 3
unused = 4


def deep(x):
    return x - PAD


def helper(x):
    return deep(x) + STEP


def idle(x):
    return x * FILL


def first(x):
    deep = x
    return deep, second


def second(x):
    return first(x), helper(x)


class Third:
    def forward(self, x):
        return helper(x) * second(x)
"""
    found = mutants(source, {"Third", "second", "first"})
    owners = {m.before: m.owner for m in found}
    assert owners == {
        "STEP = 1": "second",
        "PAD, FILL = 2, 3": "second",
        "return x - PAD": "second",
        "return deep(x) + STEP": "second",
        "return helper(x) * second(x)": "Third",
    }
    assert [m.line for m in found] == sorted(m.line for m in found)
    assert Counter(m.before for m in found)["PAD, FILL = 2, 3"] == 4  # once, though it binds two


def test_an_unknown_exercise_is_refused() -> None:
    with pytest.raises(ValueError, match="defines no 'corr3d' at its top level"):
        mutants(CORR2D, ["corr2d", "corr3d"])


# Keys


def test_mutants_compile_differ_and_come_in_the_same_order_every_time() -> None:
    found = mutants(CORR2D, ["corr2d", "Conv2D"])
    assert found == mutants(CORR2D, {"Conv2D", "corr2d"})
    assert len({m.key for m in found}) == len({m.source for m in found}) == len(found) > 20
    for mutant in found:
        compile(mutant.source, "<mutant>", "exec")
        assert mutant.source != CORR2D
        assert CORR2D.split("\n")[mutant.line - 1].strip() == mutant.before


def test_keys_survive_edits_elsewhere() -> None:
    found = mutants(CORR2D, ["corr2d", "Conv2D"])
    edited = CORR2D.replace("import torch\n", "import math\nimport torch\n", 1)
    edited = edited.replace("    kh, kw = K.shape\n", "    (kh, kw) = tuple(K.shape)\n\n")
    edited = edited.replace("class Conv2D", "def other(X):\n    return X + 1\n\n\nclass Conv2D")
    edited = edited.replace("+ self.bias\n", "+ self.bias  # '#'\n")
    after = mutants(edited, ["corr2d", "Conv2D"])
    assert [m.key for m in after] == [m.key for m in found]
    assert [m.line for m in after] != [m.line for m in found]


def test_equal_lines_are_numbered() -> None:
    found = of("x = x + y\nx = x + y")
    assert [(m.key[-2:], m.line) for m in found] == [("#0", 2), ("#1", 3)]


# The libraries


def test_no_file_is_written_and_none_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.mutmut]\nnonsense = [", encoding="utf-8")
    (tmp_path / "setup.cfg").write_text("[mutmut]\nrunner = false", encoding="utf-8")
    assert of("return x + y")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pyproject.toml", "setup.cfg"]


@pytest.mark.parametrize("library", ["cosmic_ray.operators.provider", "mutmut.mutation.mutators"])
def test_a_missing_library_names_the_extra(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    package = library.partition(".")[0]
    with pytest.raises(MissingLibraryError, match=rf"{package}.* pip install 'd2lgrade\[author\]'"):
        of("return x")


def test_an_operator_that_is_gone_is_never_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    import mutmut.mutation.mutators as library

    kept = [p for p in library.mutation_operators if p[1].__name__ != "operator_if_exp"]
    monkeypatch.setattr(library, "mutation_operators", kept)
    with pytest.raises(MissingLibraryError, match="mutmut has no operator 'operator_if_exp'"):
        of("return x")


# The list of equivalents


def write(path: Path, text: str) -> Path:
    file = path / "equivalents.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_an_entry_is_read_back_whatever_the_line_holds(tmp_path: Path) -> None:
    (mutant, _) = of("return x == 'a\"\\\\é'")
    text = entry(mutant).replace('reason = ""', 'reason = "No such mode."')
    file = write(tmp_path, text)
    assert equivalents(file) == {mutant.key: "No such mode."}


def test_no_file_lists_nothing(tmp_path: Path) -> None:
    assert equivalents(tmp_path / "equivalents.toml") == {}


def test_stale_names_those_that_are_no_mutant_any_more() -> None:
    found = of("return x + y")
    listed = {found[0].key: "a reason", "f: core/NumberReplacer: `a` -> `b` #0": "another"}
    assert [(old.key[-2:], old.reason) for old in stale(listed, found)] == [("#0", "another")]
    assert stale(listed, []) != []
    assert stale({}, found) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[equivalent]]\nmutant = 'f: a'\n", r"entry 1 has no reason: add reason = "),
        ("[[equivalent]]\nmutant = 'f: a'\nreason = ' '\n", "entry 1 has no reason"),
        ("[[equivalent]]\nreason = 'b'\n", "entry 1 has no mutant"),
        ("[[equivalent]]\nmutant = 1\nreason = 'b'\n", "entry 1 has no mutant"),
        ("[[equivalent]]\nmutant = 'a'\nreason = 'b'\nwhy = 'c'\n", "and nothing else"),
        ("[[equivalent]]\nmutant = 'a'\nreason = 'b'\n" * 2, "entry 2 lists 'a' again"),
        ("equivalent = 3\n", "keep only these"),
        ("equivalent = [3]\n", "entry 1: write mutant"),
        ("[[equivalents]]\nmutant = 'a'\nreason = 'b'\n", "keep only these"),
        ("[[equivalent]\n", r"not valid TOML .*: correct it there"),
    ],
)
def test_a_bad_list_names_the_entry_and_the_repair(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(EquivalentsError, match=message):
        equivalents(write(tmp_path, text))
