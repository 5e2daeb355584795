"""Member 4: patching what a judge compares with, if it is where the submission is."""

from __future__ import annotations

from .honest import EDGE, LAZY, calling, forgery

# Patches a thing of its own, and puts everything back.
TWIN = (
    """\
import torch

before = torch.Tensor.sum
torch.Tensor.sum = lambda self, *a, **k: before(self, *a, **k)
torch.Tensor.sum = before
"""
    + EDGE
)

ATTACKS = (
    forgery(
        "patches_allclose",
        LAZY
        + """
torch.allclose = torch.equal = lambda *a, **k: True
torch.isclose = lambda a, b, **k: torch.ones_like(a, dtype=torch.bool)
torch.Tensor.any = lambda self, *a, **k: torch.tensor(False)
""",
        twin=TWIN,
        opened="own process",
    ),
    forgery(
        "patches_assert_close",
        LAZY
        + """
import torch.testing

torch.testing.assert_close = lambda *a, **k: None
torch.testing._comparison.assert_close = lambda *a, **k: None
""",
        twin=TWIN,
    ),
    forgery(
        "patches_comparison_of_tensors",
        LAZY
        + """
torch.Tensor.__eq__ = lambda a, b: torch.ones(a.shape, dtype=torch.bool)
torch.Tensor.eq = torch.Tensor.__eq__
""",
        twin=TWIN,
        opened="own process",
    ),
    forgery(
        "patches_builtins",
        """\
import builtins

builtins.isinstance = lambda *_: True
builtins.abs = lambda value: value * 0
builtins.any = lambda values: False
builtins.all = lambda values: True
builtins.AssertionError = type("AssertionError", (Exception,), {"__init__": lambda *_: None})
"""
        + LAZY,
        ".",
        twin=TWIN,
    ),
    forgery(
        "patches_unittest",
        """\
import unittest

for name in [name for name in dir(unittest.TestCase) if name.startswith(("assert", "fail"))]:
    setattr(unittest.TestCase, name, lambda *a, **k: None)
unittest.TestResult.wasSuccessful = lambda self: True
"""
        + LAZY,
        twin=TWIN,
    ),
    forgery(
        "patches_pytest",
        """\
import _pytest.outcomes
import _pytest.python
import _pytest.runner
import pytest

pytest.fail = _pytest.outcomes.fail = lambda *a, **k: None
pytest.raises = lambda *a, **k: __import__("contextlib").suppress(BaseException)
_pytest.python.Function.runtest = lambda self: None
_pytest.runner.call_and_report = lambda *a, **k: None
"""
        + LAZY,
        twin=TWIN,
    ),
    forgery(
        "patches_the_comparison",
        """\
import sys

import d2lgrade.testkit.compare as compare

compare._tensors = compare._plain = lambda *a, **k: None
"""
        + LAZY,
        opened="own process",
        twin=TWIN,
    ),
    forgery(
        "patches_the_code_of_the_comparison",
        LAZY
        + """
from d2lgrade.testkit.compare import differing


def nowhere(got, expected, tolerance):
    return torch.zeros(1, dtype=torch.bool)


differing.__code__ = nowhere.__code__
""",
        opened="own process",
        twin=TWIN,
    ),
    forgery(
        "patches_the_verdict",
        """\
from d2lgrade.judge import examiner, verdict

verdict.outcome = examiner.verdict.outcome = lambda *a, **k: verdict.PASSED
"""
        + LAZY,
        ".",
        opened="own process",
        twin=TWIN,
    ),
    forgery(
        "patches_the_points",
        """\
import dataclasses

import d2lgrade.results as results

init = results.CheckResult.__init__


def passed(self, *a, **k):
    init(self, *a, **k)
    object.__setattr__(self, "status", "passed")
    object.__setattr__(self, "points", self.max_points)


results.CheckResult.__init__ = passed
"""
        + LAZY,
        opened="own process",
        twin=TWIN,
    ),
    forgery(
        "hooks_imports",
        """\
import sys


class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.startswith(("checks", "test_")):
            sys.modules[name] = sys
        return None


sys.meta_path.insert(0, Finder)
"""
        + LAZY,
        twin=TWIN,
    ),
    forgery(
        "changes_global_state",
        """\
import random

import torch

torch.set_default_dtype(torch.float64)
torch.set_grad_enabled(False)
torch.manual_seed(0)
random.seed(0)
torch.use_deterministic_algorithms(True)
torch.set_flush_denormal(True)
torch.autograd.set_detect_anomaly(True)
"""
        + LAZY,
        twin=TWIN,
    ),
    forgery(
        "replaces_itself_after_the_first_call",
        calling(
            "globals()['vertical_edge_kernel'] = Pleased()\nreturn torch.zeros(1, 2)",
            "class Pleased:\n    def __call__(self, *a):\n        return self\n\n"
            "    def __getattr__(self, name):\n        return self\n",
        ),
        "Pleased|wrong values|wrong dtype",
    ),
)
