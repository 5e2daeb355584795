"""Code that is alike after renaming is found, and what everybody has is not taken for it."""

from __future__ import annotations

import re

from d2lgrade.classroom import similar
from d2lgrade.classroom.similar import Work, pairs

STUB = '''"""Pooling."""
import torch


def pool2d(X, pool_size, mode="max"):
    """Slide a window.

    A long contract that everybody was given.
    """
    if mode not in ("max", "avg"):
        raise ValueError(f"mode is {mode!r}, not max or avg")
    raise NotImplementedError
'''
ADA = '''
import torch

def pool2d(X, pool_size, mode="max"):
    """Slide."""
    rows, columns = pool_size
    Y = torch.zeros(X.shape[0] - rows + 1, X.shape[1] - columns + 1)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            window = X[i : i + rows, j : j + columns]
            if mode == "max":
                Y[i, j] = window.max()
            elif mode == "avg":
                Y[i, j] = window.sum() / (rows * columns)
    return Y
'''
OWN = """
import torch

def pool2d(X, pool_size, mode="max"):
    windows = X.unfold(-2, pool_size[0], 1).unfold(-2, pool_size[1], 1)
    return windows.amax((-2, -1)) if mode == "max" else windows.mean((-2, -1))
"""


def renamed(text: str) -> str:
    """The same in other words: names, numbers' layout, comments and docstrings."""
    for old, new in (
        ("rows", "h"), ("columns", "w"), ("window", "patch"), ("Y", "out"), ("i", "a"), ("j", "b"),
    ):  # fmt: skip
        text = re.sub(rf"\b{old}\b", new, text)
    text = text.replace('"""Slide."""', "'''All my own work.'''").replace("1)", "1 )")
    return text.replace("    return", "    # done\n\n    return").replace('"max"', "'max'")


def works(**texts: str) -> list[Work]:
    return [Work(student, (("pooling.py", text),)) for student, text in texts.items()]


def test_renaming_hides_nothing() -> None:
    (pair,) = pairs(works(ada=ADA, bob=OWN, eve=renamed(ADA)), [STUB])
    assert (pair.left, pair.right) == ("ada", "eve")
    assert pair.score == 1
    assert pair.common >= 6
    match = pair.matches[0]
    assert "window = X[i : i + rows" in match.left.text
    assert "patch = X[a : a + h" in match.right.text
    assert "All my own" not in ADA
    assert match.left.text == "\n".join(ADA.split("\n")[match.left.first - 1 : match.left.last])
    assert match.tokens > 80


def test_moved_and_mixed_with_one_s_own() -> None:
    mixed = OWN.replace("pool2d", "mine") + renamed(ADA).replace("import torch", "")
    (pair,) = pairs(works(ada=ADA, eve=mixed), [STUB])
    assert pair.score > 0.9


def test_independent_code_is_not_reported() -> None:
    assert pairs(works(ada=ADA, bob=OWN), [STUB]) == ()


def test_the_stub_does_not_count() -> None:
    long = STUB + "\n".join(f"def f{n}(a, b):\n    return a[b] + {n} * (a - b)\n" for n in range(9))
    assert pairs(works(ada=long, bob=long), [])
    assert pairs(works(ada=long, bob=long), [long]) == ()


def test_what_many_have_does_not_count() -> None:
    many = {f"s{number}": ADA for number in range(8)}
    assert pairs(works(**many)) == ()
    few = {f"s{number}": ADA for number in range(3)}
    assert len(pairs(works(**few, bob=OWN))) == 3


def test_a_shared_run_of_the_guaranteed_length_leaves_a_common_fingerprint() -> None:
    run = similar._tokens((("", ADA),))[20 : 20 + similar.TOKENS + similar.WINDOW - 1]
    filler = [similar._Token(f"own{n}", 0, 1) for n in range(40)]
    other = [similar._Token(f"else{n}", 0, 1) for n in range(40)]
    for before in range(12):
        one = similar._hashes([*filler[before:], *run, *filler])
        two = similar._hashes([*other[: before * 3], *run, *other])
        kept = [{value for value, _ in similar._winnowed(hashes)} for hashes in (one, two)]
        assert kept[0] & kept[1]


def test_the_order_of_students_changes_nothing_but_the_sides() -> None:
    group = works(ada=ADA, bob=OWN, eve=renamed(ADA), fay=renamed(OWN) + ADA)
    once = {(frozenset((p.left, p.right)), p.score, p.common) for p in pairs(group)}
    again = {(frozenset((p.left, p.right)), p.score, p.common) for p in pairs(group[::-1])}
    assert once == again
    assert pairs(group) == pairs(group)


def test_broken_and_hostile_text() -> None:
    odd = [
        "",
        "(",
        "'''",
        "\tif x:\n  y\n z",
        "def f(:\n",
        "\x1b[31m" * 99,
        "x" * 10**6,
        "(" * 10**4,
    ]
    group = [Work(f"s{n}", (("a.py", text),)) for n, text in enumerate(odd)]
    assert pairs([*group, Work("empty", ())]) == ()
    loud = ADA.replace('"max"', '"\x1b[2J\u202e"')
    (pair,) = pairs(works(ada=loud, eve=loud))
    assert all(line.isprintable() for line in pair.matches[0].left.text.split("\n"))


def test_one_statement_without_end_is_compared_in_linear_time() -> None:
    endless = "x = [" + "1, " * 10_000 + "]\n"
    assert pairs(works(ada=endless, eve=endless)) == ()  # one fingerprint, however often


def test_matches_stay_inside_their_files() -> None:
    one = Work("ada", (("a.py", ADA), ("b.py", OWN)))
    other = Work("eve", (("c.py", renamed(ADA)), ("d.py", renamed(OWN))))
    (pair,) = pairs([one, other])
    assert {(match.left.file, match.right.file) for match in pair.matches} == {
        ("a.py", "c.py"),
        ("b.py", "d.py"),
    }
