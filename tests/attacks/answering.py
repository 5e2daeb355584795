"""Attacks by what comes back: answers, exceptions, and the source itself."""

from __future__ import annotations

from .case import Attack
from .parts import (
    EDGE_ID,
    SMALL,
    edge,
    tricks,
)

_trick = tricks("exhaust")

OWN_RAISE = """
    def aside():
        try:
            raise ValueError("a message " * 20)
        except ValueError as error:
            assert str(error)
"""
OWN_LISTS = """
    def aside():
        nest = []
        for _ in range(20):
            nest = [nest, nest]
        loop = []
        loop.append(loop)
        assert repr(loop) == "[[...]]"
"""


def _flood(name: str, text: str, aside: str, says: str, **more: object) -> Attack:
    given = {"limits": SMALL, **more}
    return _trick(name, text, aside, says, **given)


# Answers -----------------------------------------------------------------------------------------

DUE = "where a torch.Tensor is due"


def _answer(name: str, text: str, says: str, aside: str = OWN_LISTS) -> Attack:
    return _flood(name, text, aside, says)


ANSWERS = (
    _answer(
        "answer_without_end",
        "import itertools\n\ndef deed(X, K):\n    return itertools.count()\n",
        DUE,
    ),
    _answer(
        "answer_that_holds_itself",
        "def deed(X, K):\n    loop = [X]\n    loop.append(loop)\n    return loop\n",
        "nested too deeply",
    ),
    _answer(
        "answer_that_holds_itself_in_a_dict",
        "def deed(X, K):\n    loop = {}\n    loop[0] = (loop, [loop])\n    return loop\n",
        "nested too deeply",
    ),
    _answer(
        "answer_nested_without_end",
        "def deed(X, K):\n    nest = ()\n    for _ in range(10**5):\n        nest = (nest,)\n"
        "    return nest\n",
        "nested too deeply",
    ),
    _answer(
        "answer_that_doubles",
        "def deed(X, K):\n    nest = [1]\n    for _ in range(50):\n        nest = [nest, nest]\n"
        "    return nest\n",
        r"memory|too large|MB|No answer|nested",
    ),
    _answer(
        "answer_that_takes_no_memory",
        "def deed(X, K):\n    return torch.zeros(1).expand(1 << 40)\n",
        r"memory|MB|shape",
    ),
    _answer(
        "answer_of_many_tensors",
        "def deed(X, K):\n    return [torch.zeros(1) for _ in range(70_000)]\n",
        r"MB|tensors|DUE".replace("DUE", DUE),
    ),
    _answer(
        "answer_of_a_long_text",
        'def deed(X, K):\n    return "x" * (100 << 20)\n',
        r"MB|memory",
    ),
    _answer(
        "answer_of_a_long_number",
        "def deed(X, K):\n    return 1 << (1 << 27)\n",
        r"too large|digits|MB|limit",
    ),
    _answer(
        "answer_of_a_long_list",
        "def deed(X, K):\n    return list(range(1 << 21)) * 3\n",
        r"MB|memory|due",
    ),
    _answer(
        "answer_of_a_long_name",
        'def deed(X, K):\n    return type("N" * (50 << 20), (), {})()\n',
        r"MB|memory|due|large",
    ),
    _answer(
        "answer_odd_in_every_way",
        """
        class Odd:
            def __getattribute__(self, name):
                raise SystemExit(name)

            __repr__ = __str__ = __len__ = __iter__ = __eq__ = __hash__ = __reduce__ = (
                lambda self, *rest: [self] * (1 << 40)
            )

        def deed(X, K):
            return Odd()
        """,
        r"due|raised|ended the program|cannot be",
    ),
    _answer(
        "answer_of_a_thousand_views",
        """
        def deed(X, K):
            whole = torch.zeros(1 << 20)
            return [whole.view(1 << 10, 1 << 10).T for _ in range(1 << 10)]
        """,
        r"MB|memory|due",
    ),
)

# Exceptions --------------------------------------------------------------------------------------


def _raises(name: str, text: str, says: str) -> Attack:
    return _flood(name, text, OWN_RAISE, says)


EXCEPTIONS = (
    _raises(
        "exception_of_a_long_text",
        'def deed(X, K):\n    raise ValueError("x" * (100 << 20))\n',
        r"ValueError: xxx.*…",
    ),
    _raises(
        "exception_of_a_long_name",
        'def deed(X, K):\n    raise type("N" * (50 << 20), (Exception,), {})("text")\n',
        r"NNNN|Exception|MB",
    ),
    _raises(
        "exception_of_many_ancestors",
        """
        def deed(X, K):
            kind = Exception
            for number in range(300):
                kind = type(f"E{number}" * 100, (kind,), {})
            raise kind("text")
        """,
        r"E299E299",
    ),
    _raises(
        "exception_that_cannot_be_told",
        """
        class Odd(Exception):
            def __str__(self):
                raise SystemExit(0)

            __repr__ = __str__

            @property
            def args(self):
                raise KeyboardInterrupt

        def deed(X, K):
            raise Odd
        """,
        "Odd|cannot be shown",
    ),
    _raises(
        "exception_told_at_length",
        """
        class Long(Exception):
            def __str__(self):
                return "x" * (100 << 20)

            __repr__ = __str__

        def deed(X, K):
            raise Long
        """,
        "Long: xxx",
    ),
    _raises(
        "exception_with_many_causes",
        """
        def deed(X, K):
            error = ValueError("first")
            for number in range(100_000):
                following = ValueError("x" * 100)
                following.__cause__ = error
                error = following
            raise error
        """,
        "ValueError",
    ),
    _raises(
        "exception_with_arguments_without_end",
        """
        def deed(X, K):
            raise ValueError(*(["x" * 3000] * 9), 10 ** 5000)
        """,
        "ValueError",
    ),
    _raises(
        "exceptions_in_groups",
        """
        def deed(X, K):
            group = ValueError("x")
            for _ in range(5000):
                group = ExceptionGroup("x" * 1000, [group])
            raise group
        """,
        "ExceptionGroup",
    ),
    _raises(
        "exception_of_a_long_way",
        """
        import sys

        def way(n):
            if n:
                return way(n - 1)
            raise ValueError("at the end of a long way")

        def deed(X, K):
            sys.setrecursionlimit(20_000)
            return way(9_000)
        """,
        r"more calls|memory|segmentation",
    ),
    _raises(
        "exit_with_a_long_word",
        'def deed(X, K):\n    raise SystemExit("x" * (100 << 20))\n',
        "ended the program",
    ),
    Attack(
        "signature_told_at_length",
        "exhaust",
        EDGE_ID,
        """\
class Long:
    def __repr__(self):
        return "x" * (100 << 20)


def vertical_edge_kernel(size, kind=Long()):
    pass
""",
        edge("def aside(size=3):\n    pass\n"),
        says=r"takes \(size, kind=xxx|cannot be shown",
        limits=SMALL,
    ),
)

# The source itself -------------------------------------------------------------------------------


def _source(name: str, text: str, says: str) -> Attack:
    twin = edge("LONG = [1 + 2 + 3, [[[[4]]]], -(-5)]\n\ndef aside():\n    assert LONG[0] == 6\n")
    return Attack(name, "exhaust", EDGE_ID, text, twin, says=says, limits=SMALL)


DEEP = r"nested too deeply|not valid Python|could not be imported|does not define"
SOURCES = (
    _source("source_of_brackets", "X = " + "(" * 50_000 + ")" * 50_000, DEEP),
    _source("source_of_minus_signs", "X = " + "-" * 90_000 + "1", DEEP),
    _source("source_of_dots", "X = [].x" + ".x" * 90_000, DEEP),
    _source("source_of_sums", "X = 1" + "+1" * 90_000, DEEP),
    _source("source_of_calls", "X = f" + "()" * 90_000, DEEP),
    _source("source_of_digits", "X = " + "9" * 400_000, DEEP),
    _source(
        "source_of_elifs",
        "if 0:\n    pass\n" + "elif 0:\n    pass\n" * 20_000,
        DEEP,
    ),
    _source(
        "source_of_blocks",
        "".join("\t" * n + "if 1:\n" for n in range(95)) + "\t" * 95 + "pass\n",
        DEEP,
    ),
    _source(
        "source_of_definitions",
        "".join(f"def f{n}(): pass\n" for n in range(40_000)),
        DEEP,
    ),
    _source("source_too_large", "X = '" + "x" * 1_500_000 + "'\n", "too large"),
)


ATTACKS: tuple[Attack, ...] = (*ANSWERS, *EXCEPTIONS, *SOURCES)
