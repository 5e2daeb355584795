"""What a new exercise starts as: text to fill in, which works as it stands.

The exercise returns its input, so that the check passes on the master and refuses the
misconception. `$name`, `$number`, `$heading` and `$call` are filled in by `scaffold`; in the TOML
all values come quoted. Every line that an author has yet to write carries `PLACEHOLDER`.
"""

from __future__ import annotations

from string import Template

PLACEHOLDER = "WRITE:"

CHAPTER_TOML = Template("""\
id = $id
title = $chapter_title
zh = ""  # WRITE: its number in the Chinese second edition; leave it empty where it has none
""")
SECTION_TOML = Template("""\
[[section]]
number = $number
zh = ""  # WRITE: its number in the Chinese second edition; leave it empty where it has none
file = $file
title = $section_title
""")
EXERCISE_TOML = Template("""\
[[section.exercise]]
name = $name
title = $title
signature = $signature  # WRITE: the parameters, as in the book
builds_on = []  # exercises this one may call: "name", or "chNN/name" for another chapter's
core = { values = 1 }  # check name -> points; these checks decide whether it is solved
polish = {}  # checks that earn points and decide nothing, as in { dtype = 0.5 }
hints = [
    "WRITE: a gentle hint.",
    "WRITE: a clearer one.",
    "WRITE: nearly the answer.",
]
""")
FUNCTION_MASTER = Template('''\
"""Section $number: $heading."""

import torch


def $name(X):
    """WRITE: what it does, in one line.

    WRITE: what it computes, in a sentence or two.

    Args:
        X: float tensor (n,), WRITE: what it holds. Not modified.

    Returns:
        Float tensor (n,), dtype and device of X.

    Formula:
        WRITE: the formula, and the range that must stay finite, if any.

    Raises:
        WRITE: ValueError and when; or take this heading out.

    Rules:
        WRITE: what must not be called; or take this heading out.

    Example:
        >>> $name(torch.tensor([1.0, 2.0]))
        tensor([1., 2.])

    Book: $number
    """
    # BEGIN SOLUTION
    # BLANK: return ____
    return torch.clone(X)  # WRITE: the solution, and above its key lines what a guided stub shows
    # END SOLUTION
''')
CLASS_MASTER = Template('''\
"""Section $number: $heading."""

import torch


class $name(torch.nn.Module):
    """WRITE: what it is, in one line.

    WRITE: what it computes, in a sentence or two.

    Args:
        WRITE: what the constructor takes.

    Formula:
        WRITE: the formula, and the range that must stay finite, if any.

    Raises:
        WRITE: ValueError and when; or take this heading out.

    Rules:
        WRITE: what must not be called; or take this heading out.

    Example:
        >>> $name()(torch.tensor([1.0, 2.0]))
        tensor([1., 2.])

    Book: $number
    """

    def __init__(self):
        super().__init__()
        # BEGIN SOLUTION
        # BLANK: self.scale = ____
        self.scale = 1.0  # WRITE: the parts of the layer
        # END SOLUTION

    def forward(self, X):
        """WRITE: what one call does.

        Args:
            X: float tensor (n,), WRITE: what it holds. Not modified.

        Returns:
            Float tensor (n,), dtype and device of X.
        """
        # BEGIN SOLUTION
        # BLANK: return ____
        return self.scale * X  # WRITE: the solution
        # END SOLUTION
''')
CHECK = Template('''\
"""Section $number, $heading: the hidden checks."""

import torch

from d2lgrade.testkit import assert_same, truth


def test_${name}_values(student):
    """equals PyTorch on every shape"""
    for size in [(1,), (2,), (5,)]:  # WRITE: shapes, from the smallest legal one upward
        X = torch.randn(size)
        expected = truth(lambda X: X.clone(), X)  # WRITE: the same by PyTorch's own operators
        assert_same($call, expected)
''')
FUNCTION_MISCONCEPTION = Template('''\
"""Section $number, $heading: wrong answers that people give."""

from d2lgrade.testkit import misconception


@misconception(
    "$name",
    "doubled",  # WRITE: a short name for the mistake
    book="$number",
    why="WRITE: what went wrong, and what to do instead.",
)
def ${name}_doubled(X):
    return 2 * X  # WRITE: the solution with the mistake in it
''')
CLASS_MISCONCEPTION = Template('''\
"""Section $number, $heading: wrong answers that people give."""

import torch

from d2lgrade.testkit import misconception


@misconception(
    "$name",
    "doubled",  # WRITE: a short name for the mistake
    book="$number",
    why="WRITE: what went wrong, and what to do instead.",
)
class ${name}Doubled(torch.nn.Module):
    def forward(self, X):
        return 2 * X  # WRITE: the solution with the mistake in it
''')
