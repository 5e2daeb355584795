"""The master: what a stub keeps, what it takes out, and which masters are refused."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest

from d2lgrade import master
from d2lgrade.master import MasterError, stub
from kits import CONV_LAYER, POOLING

FUNCTION = '''\
"""Section 7.2."""

import math

import torch

LIMIT = 3  # a learner may read this


def corr2d(X, K):
    """The contract.

    An empty line above, and a word: # BEGIN SOLUTION
    """
    # Here you write.
    # BEGIN SOLUTION
    Y = math.pi  # the answer
    # One window each.
    # BLANK: for i in range(____):
    for i in range(
        3
    ):
        # A note on the body.
        # BLANK: Y += ____
        Y += (
            i * X
        )
    return Y
    # END SOLUTION


def after():
    return 1
'''


def refused(source: str, level: master.Level = "open") -> MasterError:
    with pytest.raises(MasterError) as caught:
        stub(dedent(source), level)
    assert str(caught.value) == f"line {caught.value.line}: {caught.value.problem}"
    return caught.value


def indented(text: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in text.split("\n"))


def test_an_open_stub_asks_for_the_region_and_keeps_the_rest() -> None:
    above = FUNCTION[: FUNCTION.index("    # BEGIN")]
    below = "\n\n\ndef after():\n    return 1\n"
    assert stub(FUNCTION, "open") == f'{above}    raise NotImplementedError("corr2d"){below}'


def test_a_guided_stub_keeps_the_skeleton_with_blanks() -> None:
    above = FUNCTION[: FUNCTION.index("    # BEGIN")]
    body = """\
    Y = math.pi  # the answer
    # One window each.
    for i in range(____):
        # A note on the body.
        Y += ____
    return Y


def after():
    return 1
"""
    assert stub(FUNCTION, "guided") == above + body


@pytest.mark.parametrize("source", [CONV_LAYER, POOLING])
@pytest.mark.parametrize("level", ["open", "guided"])
def test_stubs_keep_every_contract_and_hold_no_marker(source: str, level: master.Level) -> None:
    made = stub(source, level)
    assert master.contract(made) == master.contract(source)
    assert "SOLUTION" not in made
    assert "BLANK" not in made
    assert made.endswith("\n")
    assert not made.endswith("\n\n")
    assert ("NotImplementedError" in made) == (level == "open")
    assert ("____" in made) == (level == "guided")


def test_a_stub_of_a_stub_is_itself() -> None:
    made = stub(CONV_LAYER, "open")
    assert stub(made, "open") == stub(made, "guided") == made


CLASS = '''\
class Conv2D(Module):
    """A layer."""

    def __init__(self, kernel_size):
        super().__init__()
        # BEGIN SOLUTION
        self.weight = Parameter(rand(kernel_size))
        # END SOLUTION

    # BEGIN SOLUTION
    def _helper(self):
        return 1

    # END SOLUTION
    def forward(self, X):
        """One call."""
        # BEGIN SOLUTION
        return X
        # END SOLUTION
'''


def test_each_method_of_a_class_asks_for_itself() -> None:
    assert stub(CLASS, "open") == dedent(
        '''\
        class Conv2D(Module):
            """A layer."""

            def __init__(self, kernel_size):
                super().__init__()
                raise NotImplementedError("Conv2D.__init__")

            def forward(self, X):
                """One call."""
                raise NotImplementedError("Conv2D.forward")
        '''
    )


def test_a_region_may_lie_deep_in_a_function() -> None:
    source = """\
    def train(X):
        def step(x):
            # BEGIN SOLUTION
            return x
            # END SOLUTION

        for x in X:
            try:
                # BEGIN SOLUTION
                step(x)
                # END SOLUTION
            except ValueError:
                pass
            else:
                # BEGIN SOLUTION
                step(x)
                # END SOLUTION
        return X
    """
    expected = """\
    def train(X):
        def step(x):
            raise NotImplementedError("train.step")

        for x in X:
            try:
                raise NotImplementedError("train")
            except ValueError:
                pass
            else:
                raise NotImplementedError("train")
        return X
    """
    assert stub(dedent(source), "open") == dedent(expected)


MODULE = '''\
"""Section."""

import torch

# BEGIN SOLUTION
import math


@torch.no_grad()
def _helper():
    return math.pi


# END SOLUTION


def f():
    """Contract."""
    # BEGIN SOLUTION
    return _helper()
    # END SOLUTION


# BEGIN SOLUTION
_TABLE = [1, 2]
# END SOLUTION
'''


def test_a_region_of_the_module_goes_without_a_trace() -> None:
    assert stub(MODULE, "open") == dedent(
        '''\
        """Section."""

        import torch


        def f():
            """Contract."""
            raise NotImplementedError("f")
        '''
    )
    guided = stub(MODULE, "guided")
    assert "@torch.no_grad()\ndef _helper():\n    return math.pi\n\n\ndef f" in guided
    assert guided.endswith("    return _helper()\n\n\n_TABLE = [1, 2]\n")


@pytest.mark.parametrize(
    ("statement", "blank", "expected"),
    [
        (
            "if a:\n    b = {1: 2}\nelse:\n    c",
            "if ____:",
            "if ____:\n    b = {1: 2}\nelse:\n    c",
        ),
        (
            "while a[1:2]:  # why\n    # note\n    b",
            "while ____:",
            "while ____:\n    # note\n    b",
        ),
        ("with a as b, c(\n    d\n):\n    e", "with ____:", "with ____:\n    e"),
        ("@d\ndef f(a: int = 1) -> b[1:2]:\n    c", "def f(____):", "def f(____):\n    c"),
        (
            "class A:\n    @p\n    def f(self):\n        b",
            "class ____:",
            "class ____:\n    @p\n    def f(self):\n        b",
        ),
        (
            "match a:\n    case {1: b}:\n        c",
            "match ____:",
            "match ____:\n    case {1: b}:\n        c",
        ),
        ("x = '''\n# BLANK: in a text\n\n'''", "x = ____", "x = ____"),
        ("return a", "return ____", "return ____"),
        ("return a", "raise NotImplementedError", "raise NotImplementedError"),
    ],
)
def test_a_blank_replaces_a_statement_or_a_header(
    statement: str, blank: str, expected: str
) -> None:
    body = f"# BEGIN SOLUTION\n# BLANK: {blank}\n{statement}\n# END SOLUTION"
    made = stub(f"def f():\n{indented(body)}\n", "guided")
    assert made == f"def f():\n{indented(expected)}\n"


def test_an_elif_may_be_blanked() -> None:
    source = """\
    def f(a):
        # BEGIN SOLUTION
        if a:
            b = 1
        # BLANK: elif ____:
        elif a > 2:
            b = 2
        return b
        # END SOLUTION
    """
    assert "        b = 1\n    elif ____:\n        b = 2\n" in stub(dedent(source), "guided")


def test_empty_lines_in_texts_stay() -> None:
    source = '# BEGIN SOLUTION\nx = 1\n# END SOLUTION\ny = """\n\n\n\n  \n"""\n'
    assert stub(source, "open") == 'y = """\n\n\n\n  \n"""\n'


@pytest.mark.parametrize(
    ("source", "line", "problem"),
    [
        ("def f(:\n", 1, "not valid Python"),
        ("x = 1\n# BEGIN SOLUTION\ny = 2\n", 2, "never ends; add its # END"),
        ("x = 1\n# END SOLUTION\n", 2, "END SOLUTION outside a region; put # BEGIN"),
        ("# BEGIN SOLUTION\nx = 1\n# BEGIN SOLUTION\n", 3, "from line 1 is still open"),
        ("# BEGIN SOLUTION\n\n# END SOLUTION\nx = 1\n", 1, "holds no statement"),
        ("# BLANK: x = ____\nx = 1\n", 1, "BLANK outside a region"),
        ("# BEGIN SOLUTION\nx = 1  # BLANK: ____\n# END SOLUTION\n", 2, "a line of its own"),
        ("# BEGIN SOLUTIONS\nx = 1\n", 1, "is no marker; write '# BEGIN SOLUTION'"),
        ("#begin solution\nx = 1\n", 1, "is no marker"),
        ("x = 1\n# END_SOLUTION\n", 2, "is no marker"),
        ("# BLANK x = ____\nx = 1\n", 1, "is no marker"),
        ("# BLANK:\nx = 1\n", 1, "is no marker"),
        # regions that cut a statement
        ("# BEGIN SOLUTION\nx = (\n# END SOLUTION\n    1)\n", 1, "cuts the statement on line 2"),
        ("x = [\n# BEGIN SOLUTION\n    1]\ny = 2\n# END SOLUTION\n", 2, "cuts the statement on li"),
        ("def f():\n    x = 1\n# BEGIN SOLUTION\n    y = 1\n# END SOLUTION\n", 3, "cuts the"),
        (
            "if a:\n    # BEGIN SOLUTION\n    x = 1\nelse:\n    # END SOLUTION\n    y = 2\n",
            2,
            "cuts the statement on line 4",
        ),
        (
            "if a:\n    # BEGIN SOLUTION\n    x = 1\nelse:\n    y = 2\n    # END SOLUTION\n",
            2,
            "cuts the statement on line 4",
        ),
        (
            "try:\n    # BEGIN SOLUTION\n    x = 1\nexcept E:\n    y = 2\n    # END SOLUTION\n",
            2,
            "cuts the statement on line 4",
        ),
        ("def f(\n    # BEGIN SOLUTION\n    a,\n    # END SOLUTION\n): ...\n", 2, "no statement"),
        ("def f():\n    x\n    # BEGIN SOLUTION\n    y\n# END SOLUTION\n", 3, "must be indented"),
        (
            'def f():\n    # BEGIN SOLUTION\n    """D."""\n    x\n    # END SOLUTION\n',
            2,
            "contract",
        ),
        ('# BEGIN SOLUTION\n"""D."""\n# END SOLUTION\n', 1, "docstring is the contract"),
        (
            "class A:\n    x: int\n    # BEGIN SOLUTION\n    def f(): ...\n    # END SOLUTION\n",
            3,
            "takes f out of its class; put a region into each method",
        ),
        (
            "if a:\n    # BEGIN SOLUTION\n    x = 1\n    # END SOLUTION\n",
            1,
            "not valid Python here",
        ),
    ],
)
def test_a_faulty_master_is_refused_with_its_line(source: str, line: int, problem: str) -> None:
    error = refused(source)
    assert problem in error.problem
    assert error.line == line


@pytest.mark.parametrize("level", ["open", "guided"])
@pytest.mark.parametrize(
    ("body", "line", "problem"),
    [
        ("x = 1\n# BLANK: x = ____", 4, "a BLANK without a statement after it"),
        ("# BLANK: x = ____\n\nx = 1", 3, "a BLANK without a statement after it"),
        ("# BLANK: x = ____\n# BLANK: ____\nx = 1", 3, "a BLANK without a statement after it"),
        ("if a:\n    b\n# BLANK: else: ____\nelse:\n    c", 5, "a BLANK without a statement"),
        ("# BLANK: x = ____\nx = 1; y = 2", 3, "two statements"),
        ("# BLANK: x = ____\nx = [\n    1]; y = 2", 3, "two statements"),
        ("# BLANK: if ____: x\nif a: x = 1", 3, "two statements"),
        ("# BLANK: x = 1\nx = 1", 3, "needs ____"),
    ],
)
def test_a_faulty_blank_is_refused_with_its_line(
    body: str, line: int, problem: str, level: master.Level
) -> None:
    text = indented(f"# BEGIN SOLUTION\n{body}\n# END SOLUTION")
    error = refused(f"def f():\n{text}\n", level)
    assert problem in error.problem
    assert error.line == line


@pytest.mark.parametrize(
    ("body", "line"),
    [("# BLANK: x = (____\nx = 1", 3), ("# BLANK: x = ____\nfor a in b:\n    x = 1", 5)],
)
def test_a_blank_must_leave_valid_python(body: str, line: int) -> None:
    text = indented(f"# BEGIN SOLUTION\n{body}\n# END SOLUTION")
    error = refused(f"def f():\n{text}\n", "guided")
    assert "the guided stub is not valid Python here" in error.problem
    assert error.line == line


def test_contracts_are_the_public_docstrings() -> None:
    source = '''
    import torch

    def corr2d(X):
        """Slide.

        Args:
            X: image.
        """

    async def bare(): ...

    def _hidden():
        """Not yours."""

    class Conv2D:
        """A layer."""

        def __init__(self, size=(1, 2)):
            """Make the
            parameters."""

        def forward(self, X): ...

        def _own(self):
            """Hidden."""
    '''
    assert master.contract(dedent(source)) == {
        "corr2d": "Slide.\n\nArgs:\n    X: image.",
        "bare": "",
        "Conv2D": "A layer.\n\n__init__(self, size=(1, 2)):\n    Make the\n    parameters.",
    }
    with pytest.raises(MasterError, match="line 1: this is not valid Python"):
        master.contract("def")


def test_what_a_stub_hides_is_gone() -> None:
    made = stub(FUNCTION, "open")
    assert "pi" not in made
    assert "window" not in made
    assert "import math" in made
    names = {node.name for node in ast.parse(made).body if isinstance(node, ast.FunctionDef)}
    assert names == {"corr2d", "after"}
