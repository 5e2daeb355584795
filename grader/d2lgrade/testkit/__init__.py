"""What a check author imports.

A check is an ordinary pytest function that takes the `student` fixture; its docstring's first
line is what the learner reads. Expected values are computed before the call:

    def test_corr2d_values(student):
        \"\"\"equals PyTorch on every shape\"\"\"
        for h, w, kh, kw in [(1, 1, 1, 1), (2, 3, 1, 2), (5, 6, 3, 2)]:
            X, K = torch.randn(h, w), torch.randn(kh, kw)
            expected = truth(corr2d_torch, X, K)
            assert_same(student.corr2d(X, K), expected)

Random numbers come from torch, NumPy or `random` as usual: all three are seeded from the check's
id and `--seed` before each check.
"""

from .compare import Mismatch, assert_close_to, assert_finite, assert_same
from .gradient import gradients
from .misconceptions import Misconception, misconception
from .networks import Case, Network
from .source import assert_rules
from .standing import Standing, refuses, unchanged
from .statistics import assert_independent, assert_mean, assert_rate
from .truth import Expected, truth
from .weights import parameter_count, set_parameters

__all__ = [
    "Case",
    "Expected",
    "Misconception",
    "Mismatch",
    "Network",
    "Standing",
    "assert_close_to",
    "assert_finite",
    "assert_independent",
    "assert_mean",
    "assert_rate",
    "assert_rules",
    "assert_same",
    "gradients",
    "misconception",
    "parameter_count",
    "refuses",
    "set_parameters",
    "truth",
    "unchanged",
]
