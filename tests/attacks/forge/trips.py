"""Objects made to trip the judge itself, hoping that its own fault costs nothing."""

from __future__ import annotations

from .honest import calling, forgery

CONV = """\
import torch
from torch import nn


class Conv2D(nn.Module):
    def __init__(self, kernel_size):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(kernel_size))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, X):
        kh, kw = self.weight.shape
        windows = X.unfold(0, kh, 1).unfold(1, kw, 1)
        return (windows * self.weight).sum((-2, -1)) + self.bias
"""
ODD = """\
import torch
from torch import nn


class Odd:
    def __getattr__(self, name):
        raise {error}

    shape = dtype = device = property(lambda self: self.none)


class Conv2D(nn.Module):
    def __init__(self, kernel_size):
        super().__init__()

    def parameters(self, *args):
        return [{parameters}]

    def forward(self, X):
        return Odd()
"""


def odd(name: str, error: str, parameters: str = "Odd(), Odd()"):
    """A layer whose parameters answer every question with an exception."""
    source = ODD.replace("{error}", error).replace("{parameters}", parameters)
    return forgery(name, source, ".", target="ch07/Conv2D", twin=CONV)


ATTACKS = (
    odd("parameters_that_raise", "ValueError('no')"),
    odd("parameters_that_raise_type_errors", "TypeError('no')"),
    odd("parameters_that_stop", "StopIteration('no')"),
    odd("parameters_that_exit", "SystemExit(0)"),
    odd("parameters_that_skip", "type('Skipped', (BaseException,), {})('no')"),
    odd(
        "no_parameters_but_their_shapes",
        "AttributeError('no')",
        "torch.zeros(1, 2), torch.zeros(1)",
    ),
    forgery("surrogates_for_an_answer", calling("return chr(0xD800) * 10"), "is a str where"),
    forgery(
        "an_answer_nested_deep",
        calling("Y = []\nfor _ in range(50):\n    Y = [Y]\nreturn Y"),
        "is a list where",
    ),
    forgery(
        "an_answer_that_holds_itself",
        calling("Y = []\nY.append(Y)\nreturn Y"),
        "nested too deeply|is a list",
    ),
    forgery(
        "a_dict_of_odd_keys",
        calling("return {float('nan'): 1, (1, 2): {None: 1}, True: b'x', 2**70: torch.ones(1)}"),
        "is a dict where",
    ),
    forgery(
        "an_exception_that_cannot_be_shown",
        calling(
            "raise Odd()",
            """\
class Odd(Exception):
    __module__ = property(lambda self: 1 / 0)

    def __str__(self):
        raise SystemExit(0)

    __repr__ = __reduce__ = __str__
    args = property(lambda self: 1 / 0)
""",
        ),
        "raised|cannot be shown",
    ),
    forgery(
        "an_exception_of_many_bases",
        calling(
            "raise Odd('x')", "class Odd(ValueError, TypeError, KeyError, OSError):\n    pass\n"
        ),
        "raised|could not be imported",
    ),
    forgery(
        "an_exception_group",
        calling("raise ExceptionGroup('x', [ValueError(1), ExceptionGroup('y', [OSError()])])"),
        "raised ExceptionGroup",
    ),
)
