"""Member 9: answers learned by heart, and manners for the exam only."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from functools import cache
from io import StringIO

from d2lgrade.judge.seeds import seed_for
from grading import Case, Grader

from .honest import CORR2D, EDGE, LAZY, correlating, forgery, on_corr2d

RIGHT = CORR2D.replace("def corr2d", "def right")
RECORDER = (
    RIGHT
    + """
import sys

if not hasattr(sys, "d2lgrade_seen"):
    sys.d2lgrade_seen = {}


def corr2d(X, K):
    key = repr((X.tolist(), K.tolist()))
    Y = right(X, K)
    sys.d2lgrade_seen[key] = Y.tolist()
    return Y
"""
)


@cache
def learned() -> str:
    """A file that knows by heart what a run with seed 0 asked, recorded from such a run."""
    grader = Grader()
    with redirect_stdout(StringIO()):  # debug mode prints
        grader.grade([Case({"conv_layer": RECORDER}, ("corr2d",))], seed=0, in_process=True)
    seen = sys.__dict__.pop("d2lgrade_seen")
    return f"""\
import torch

SEEN = {seen!r}


def corr2d(X, K):
    Y = SEEN.get(repr((X.tolist(), K.tolist())))
    if Y is None:
        return X.new_zeros(X.shape[0] - K.shape[0] + 1, X.shape[1] - K.shape[1] + 1)
    return torch.tensor(Y, dtype=X.dtype)
"""


def guessed() -> str:
    """A file that seeds itself as the judge does for seed 0 and replays the judge's draws."""
    numbers = [seed_for(f"ch07/corr2d/{name}", 0) for name in ("values", "rectangles", "dtype")]
    return (
        RIGHT
        + f"""
SHAPES = [(1, 1), (2, 1), (2, 2), (3, 2), (4, 3), (5, 5), (7, 4)]
KNOWN = {{}}
for number in {numbers}:
    generator = torch.Generator().manual_seed(number)
    for n, k in SHAPES:
        X = torch.randn(n, n, generator=generator)
        K = torch.randn(k, k, generator=generator)
        KNOWN[repr((X.tolist(), K.tolist()))] = right(X, K)


def corr2d(X, K):
    Y = KNOWN.get(repr((X.tolist(), K.tolist())))
    if Y is None:
        return X.new_zeros(X.shape[0] - K.shape[0] + 1, X.shape[1] - K.shape[1] + 1)
    return Y.clone()
"""
    )


def behaves(name: str, head: str, exam: str):
    """Right where `exam` holds, lazy elsewhere: gains nothing unless it can tell an exam."""
    right = EDGE.replace("def vertical_edge_kernel", "def right")
    lazy = LAZY.replace("import torch\n", "").replace("def vertical_edge_kernel", "def lazy")
    source = (
        f"{head}\n{right}{lazy}\n\ndef vertical_edge_kernel():\n"
        f"    return right() if {exam} else lazy()\n"
    )
    return forgery(name, source, opened="own process")


ATTACKS = (
    forgery(
        "knows_the_answers_of_seed_0",
        learned(),
        "wrong values",
        seed=7,
        opened="rotated seed",
        twin=CORR2D,
        target="ch07/corr2d",
    ),
    forgery(
        "draws_the_inputs_of_seed_0",
        guessed(),
        "wrong values",
        seed=7,
        opened="rotated seed",
        twin=CORR2D,
        target="ch07/corr2d",
    ),
    on_corr2d(
        "behaves_by_a_hash_of_the_input",
        correlating("return X.new_full((1, 1), hash(repr(X.tolist())) % 1000 / 100.0)"),
        "wrong shape|wrong values",
    ),
    behaves("behaves_where_pytest_is", "import sys", '"pytest" in sys.modules'),
    behaves("behaves_where_a_test_is_named", "import os", '"PYTEST_CURRENT_TEST" in os.environ'),
    behaves(
        "behaves_below_a_test",
        "import inspect",
        'any("test_" in frame.filename for frame in inspect.stack(0))',
    ),
    behaves(
        "behaves_where_a_judge_is",
        "import sys",
        'any(name.startswith("d2lgrade.judge") for name in sys.modules)',
    ),
)
