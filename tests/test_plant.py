"""A misconception planted in a solution: wrong in that one way, and complete."""

from __future__ import annotations

import ast
from typing import Any

import pytest
import torch

from d2lgrade.author.plant import PlantError, bindings, free_names, plant

SOLUTION = '''\
"""Section 7.2."""

import torch
from torch import nn

LIMIT = 3


def _slide(X, K):
    h, w = K.shape
    return (X.unfold(0, h, 1).unfold(1, w, 1) * K).sum(dim=(2, 3))


def corr2d(X, K):
    """Slide K over X."""
    # BEGIN SOLUTION
    return _slide(X, K)
    # END SOLUTION


# A comment between.
class Conv2D(nn.Module):
    """A layer."""

    def __init__(self, kernel_size):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(kernel_size))

    def forward(self, X):
        # BEGIN SOLUTION
        return corr2d(X, self.weight)
        # END SOLUTION
'''

HEAD = '''\
"""Wrong answers that readers really give."""
import torch
from d2lgrade.testkit import misconception

'''

X, K = torch.arange(12.0).reshape(3, 4), torch.tensor([[1.0, -1.0]])


def planted(misconceptions: str, function: str, exercise: str = "corr2d") -> str:
    return plant(SOLUTION, HEAD + misconceptions, function, exercise)


def run(source: str) -> dict[str, Any]:
    module: dict[str, Any] = {"__name__": "planted"}
    exec(compile(source, "<planted>", "exec"), module)
    return module


FLIPPED = '''\
@misconception("corr2d", "kernel-flipped", book="7.2.5", why="Your kernel is flipped.")
def corr2d_flipped(X, K):
    """Convolve."""
    return _slide(X, K.flip(0, 1))
'''


def test_the_misconception_answers_under_the_exercise_name() -> None:
    source = planted(FLIPPED, "corr2d_flipped")
    module = run(source)
    right = run(SOLUTION)["corr2d"](X, K)
    assert torch.equal(module["corr2d"](X, K), -right)
    assert module["corr2d"].__name__ == "corr2d"
    assert torch.equal(module["Conv2D"]((1, 2))(X), run(SOLUTION)["Conv2D"]((1, 2))(X))
    assert "misconception" not in source
    assert "d2lgrade" not in source
    assert "flipped" not in source


def test_nothing_else_changes() -> None:
    source = planted(FLIPPED, "corr2d_flipped")
    before, after = SOLUTION.split("def corr2d(X, K):")
    assert source.startswith(before)
    assert source.endswith(
        "\n\n\n# A comment between." + after.partition("# A comment between.")[2]
    )
    assert source.count("SOLUTION") == 2  # the markers of the replaced body went with it


def test_the_last_definition_of_a_file_is_replaced_to_its_end() -> None:
    source = planted("class Layer(torch.nn.Identity):\n    pass\n", "Layer", "Conv2D")
    assert source.endswith("class Conv2D(torch.nn.Identity):\n    pass\n")
    assert isinstance(run(source)["Conv2D"](), torch.nn.Identity)


def test_imports_helpers_and_constants_come_along_and_nothing_that_is_not_needed() -> None:
    source = planted(
        """\
import math
import os.path
from torch.nn import functional as F, init
import numpy as np

SIGN, UNUSED = -1, 0
other = 5


def scaled(X):
    return X * SIGN * math.prod((1, other))


def idle(X):
    return np.sin(X)


@misconception("corr2d", "scaled", book="7.2", why="Scaled.")
def wrong(X, K):
    return scaled(F.relu(_slide(X, K)))
""",
        "wrong",
    )
    assert torch.equal(run(source)["corr2d"](X, -K), torch.full((3, 3), -5.0))
    assert "import math" in source
    for absent in ("numpy", "os.path", "idle", "init\n"):
        assert absent not in source


def test_only_the_decorators_of_d2lgrade_are_dropped() -> None:
    for imported, name in [
        ("from d2lgrade import testkit", "testkit.misconception"),
        ("import d2lgrade.testkit", "d2lgrade.testkit.misconception"),
        ("import d2lgrade.testkit as kit", "kit.misconception"),
    ]:
        source = planted(
            f"""\
{imported}


@{name}("corr2d", "a", book="7.2", why="")
@torch.no_grad()
@{name}("corr2d", "b", book="7.2", why="")
def wrong(X, K):
    return torch.is_grad_enabled()
""",
            "wrong",
        )
        assert "d2lgrade" not in source
        assert run(source)["corr2d"](X, K) is False


def test_a_class_calls_itself_and_its_base_by_the_new_name() -> None:
    source = planted(
        """\
from torch import nn


class Base(nn.Module):
    def __init__(self, factor):
        super(Base, self).__init__()
        self.factor = factor


@misconception("Conv2D", "old-name", book="7.2", why="")
class OldName(Base):
    made = 0

    def __init__(self, kernel_size):
        super(OldName, self).__init__(2)
        OldName.made += 1

    def again(self) -> "OldName":
        return OldName(None)

    def forward(self, X):
        return X * self.factor, isinstance(self.again(), OldName)
""",
        "OldName",
        "Conv2D",
    )
    made = run(source)["Conv2D"]
    doubled, same = made((1, 2))(X)
    assert same
    assert made.made == 2
    assert torch.equal(doubled, X * 2)
    assert "super(Conv2D, self)" in source


def test_recursion_and_global_statements_follow_the_name() -> None:
    source = planted(
        """\
count = 0


def wrong(X, K):
    global count
    count += 1
    return wrong(X, K - 1) if K > 0 else count
""",
        "wrong",
    )
    assert run(source)["corr2d"](0, 2) == 3


def test_a_global_that_the_solution_holds_too_is_another_one() -> None:
    source = planted(
        "LIMIT = 5\n\n\ndef wrong(X, K):\n    global LIMIT\n    LIMIT += 1\n    return LIMIT\n",
        "wrong",
    )
    module = run(source)
    assert (module["corr2d"](X, K), module["LIMIT"]) == (6, 3)


def test_a_helper_that_the_solution_defines_otherwise_comes_under_another_name() -> None:
    source = planted(
        """\
from torch.nn import functional as nn

LIMIT = 4


def _slide(X, K, LIMIT=LIMIT):
    return X * LIMIT


def wrong(X, K):
    corr2d = LIMIT
    pick = lambda _slide: _slide
    return pick(_slide(X, K)) + corr2d + nn.relu(K).sum()
""",
        "wrong",
    )
    module = run(source)
    assert torch.equal(module["corr2d"](X, K), X * 4 + 4 + 1)
    assert module["LIMIT"] == 3
    assert torch.equal(module["_slide"](X, K), torch.full((3, 3), -1.0))
    assert "planted_slide" in source
    assert "lambda _slide: _slide" in source
    assert "from torch.nn import functional as planted_nn" in source
    assert module["Conv2D"]((1, 2))


def test_a_helper_that_both_files_hold_alike_comes_once() -> None:
    helper = SOLUTION[SOLUTION.index("def _slide") : SOLUTION.index("def corr2d")]
    source = planted(helper + FLIPPED, "corr2d_flipped")
    assert source == planted(FLIPPED, "corr2d_flipped")


def test_an_alike_helper_that_builds_on_another_one_comes_too() -> None:
    solution = "def one():\n    return 1\n\n\ndef two():\n    return 2 * one()\n\n\n"
    solution += "def answer():\n    return two()\n"
    wrong = "def one():\n    return -1\n\n\ndef two():\n    return 2 * one()\n\n\n"
    wrong += "def wrong():\n    return two()\n"
    module = run(plant(solution, wrong, "wrong", "answer"))
    assert (module["answer"](), module["two"]()) == (-2, 2)


def test_a_right_version_under_the_exercise_name_is_a_helper_like_any_other() -> None:
    source = planted(
        "def corr2d(X, K):\n    return X\n\n\ndef wrong(X, K):\n    return corr2d(X, K) + 1\n",
        "wrong",
    )
    assert torch.equal(run(source)["corr2d"](X, K), X + 1)


def test_another_misconception_can_be_a_helper() -> None:
    source = planted(
        FLIPPED + "\n\ndef wrong(X, K):\n    return corr2d_flipped(X, K) * 2\n", "wrong"
    )
    assert torch.equal(run(source)["corr2d"](X, K), torch.full((3, 3), 2.0))
    assert "misconception" not in source


def test_submodules_of_one_package_do_not_collide() -> None:
    source = planted(
        "import torch.nn.functional\n\n\ndef wrong(X, K):\n"
        "    return torch.nn.functional.relu(-X)\n",
        "wrong",
    )
    assert torch.equal(run(source)["corr2d"](X, K), torch.zeros(3, 4))
    assert source.count("import torch.nn.functional") == 1


def test_future_annotations_are_kept() -> None:
    wrong = "from __future__ import annotations\n\n\ndef wrong(X: Nowhere, K):\n    return X\n"
    with pytest.raises(PlantError, match="'Nowhere'"):
        plant(SOLUTION, wrong, "wrong", "corr2d")
    source = plant(SOLUTION, wrong.replace("Nowhere", "int | Conv2D"), "wrong", "corr2d")
    assert source.split("\n")[1] == "from __future__ import annotations"
    assert run(source)["corr2d"](1, 2) == 1
    again = plant(source, wrong.replace("Nowhere", "int | Conv2D"), "wrong", "corr2d")
    assert again.count("__future__") == 1


@pytest.mark.parametrize(
    ("misconceptions", "function", "exercise", "message"),
    [
        (
            FLIPPED,
            "flipped",
            "corr2d",
            "misconceptions file defines no function or class 'flipped'",
        ),
        (FLIPPED, "corr2d_flipped", "corr3d", "the solution defines no function or class 'corr3d'"),
        (FLIPPED, "corr2d_flipped", "LIMIT", "the solution defines no function or class 'LIMIT'"),
        (
            "def wrong(X, K):\n    return F.relu(X)\n",
            "wrong",
            "corr2d",
            "'F'.* define or import it",
        ),
        (
            "from d2lgrade.testkit import case\n\n\ndef wrong(X, K):\n    return case(X)\n",
            "wrong",
            "corr2d",
            "'case' of d2lgrade.* write it without",
        ),
        (
            "import LIMIT.part\n\n\ndef wrong(X, K):\n    return LIMIT.part\n",
            "wrong",
            "corr2d",
            "'import LIMIT.part' .* import it 'as' another name",
        ),
    ],
)
def test_what_cannot_be_planted_names_the_repair(
    misconceptions: str, function: str, exercise: str, message: str
) -> None:
    with pytest.raises(PlantError, match=message):
        planted(misconceptions, function, exercise)


def test_free_names_are_those_of_the_module() -> None:
    source = """\
@wrap(a)
def f(x: b = c, *y, **z) -> d:
    global e
    e = [g(v) for v in x if v]
    def inner():
        nonlocal x
        x = h(lambda w: w + i)
    class Local(j):
        k = len(y)
    return inner, Local
"""
    (statement,) = ast.parse(source).body
    assert free_names(statement) == set("abcdeghij") | {"wrap", "len"}


def test_bindings_take_imports_apart() -> None:
    source = "import a, b.c, d as e\nfrom f import g as h, i\nj, (k, *l) = 1, m\nk += 1\n"
    found = bindings(ast.parse(source))
    imports = {name: ast.unparse(parts[0]) for name, parts in found.items() if name < "j"}
    assert imports == {
        "a": "import a",
        "b": "import b.c",
        "e": "import d as e",
        "h": "from f import g as h",
        "i": "from f import i",
    }
    lines = {name: [s.lineno for s in parts] for name, parts in found.items()}
    assert lines == {
        "a": [1],
        "b": [1],
        "e": [1],
        "h": [2],
        "i": [2],
        "j": [3],
        "k": [3, 4],
        "l": [3],
    }
