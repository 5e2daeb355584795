"""Modules of several inputs, compared with ones built of PyTorch's parts."""

from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from d2lgrade.testkit import Mismatch
from d2lgrade.testkit.layers import Layer, Setting


class Scorer(nn.Module):
    """Adds two projections, normalizes, drops."""

    def __init__(self, width, dropout=0.0):
        super().__init__()
        self.one, self.two = nn.LazyLinear(width), nn.LazyLinear(width)
        self.norm, self.dropout = nn.LayerNorm(width), nn.Dropout(dropout)

    def forward(self, X, Y):
        return self.dropout(self.norm(self.one(X) + self.two(Y)))


class Mirrored(Scorer):
    """The same, its layers made in another order and called otherwise."""

    def __init__(self, width, dropout=0.0):
        nn.Module.__init__(self)
        self.last = nn.Sequential(nn.LayerNorm(width), nn.Dropout(dropout))
        self.first = nn.ModuleList([nn.LazyLinear(width), nn.LazyLinear(width)])

    def forward(self, X, Y):
        return self.last(self.first[1](Y) + self.first[0](X))


def student(Answer):
    """A learner whose code runs right here."""
    return SimpleNamespace(
        Scorer=Answer, run=lambda f, *args: f(*args), other_device=lambda: nullcontext()
    )


def pair(d=2):
    return lambda: (torch.randn(2, 3, d), torch.randn(2, 3, 4))


small, last = Setting(pair(4), {"width": 1}), Setting(pair(), {"width": 5})
scorer = Layer("Scorer", Scorer, [small, last])
drops = Setting(pair(), {"width": 5, "dropout": 1.0})
CHECKS = {
    "values": scorer.values(),
    "dropped": scorer.dropped(drops),
    "gradient": scorer.gradient(),
    "arguments": scorer.keeps_arguments(),
    "dtype": scorer.keeps_dtype(),
    "layout": scorer.any_layout(),
    "empty": scorer.empty_batch(),
    "device": scorer.other_device(),
}


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_a_right_module_passes_whatever_its_attributes_are_called(check):
    check(student(Scorer))
    check(student(Mirrored))


def with_forward(forward, **settings):
    return type("Wrong", (Scorer,), {"forward": forward, **settings})


def doubled(self, X, Y):
    return 2 * Scorer.forward(self, X, Y)


def in_place(self, X, Y):
    return Scorer.forward(self, X.mul_(2).div_(2.5), Y)


def cut(self, X, Y):
    return Scorer.forward(self, X, Y.detach())


def contiguous_only(self, X, Y):
    if not X.is_contiguous():
        raise Mismatch("view")
    return Scorer.forward(self, X, Y)


def none_refused(self, X, Y):
    return Scorer.forward(self, X, Y).reshape(len(X) or 1, 3, -1)


def single(self, X, Y):
    return Scorer.forward(self, X, Y).float()


def always(self, X, Y):
    return nn.functional.dropout(Scorer.forward(self, X, Y), self.dropout.p)


def undropped(self, X, Y):
    return self.norm(self.one(X) + self.two(Y))


@pytest.mark.parametrize(
    ("name", "forward"),
    [
        ("values", doubled),
        ("arguments", in_place),
        ("gradient", cut),
        ("layout", contiguous_only),
        ("dtype", single),
        ("dropped", always),
        ("dropped", undropped),
    ],
)
def test_a_wrong_module_fails_the_check_made_for_it(name, forward):
    with pytest.raises(Mismatch):
        CHECKS[name](student(with_forward(forward)))


def test_an_empty_batch_that_is_not_taken():
    with pytest.raises((Mismatch, RuntimeError)):
        CHECKS["empty"](student(with_forward(none_refused)))


class Unused(Scorer):
    """Makes one layer more than it uses."""

    def forward(self, X, Y):
        return self.dropout(self.norm(2 * self.one(X)))


def test_a_layer_that_is_never_used_is_told():
    with pytest.raises(Mismatch, match="has not the parameters") as caught:
        scorer.values(small)(student(Unused))
    assert "a layer never used" in caught.value.got


class Biasless(Scorer):
    """Lacks a parameter."""

    def __init__(self, width, dropout=0.0):
        super().__init__(width, dropout)
        self.two = nn.LazyLinear(width, bias=False)


def test_other_parameters_are_told():
    with pytest.raises(Mismatch, match=r"Scorer\(width=5\) has not the parameters") as caught:
        scorer.values(last)(student(Biasless))
    assert caught.value.expected == "6 parameters; only here: (5,)"
    assert caught.value.got == "5 parameters; only here: none"


def test_a_parameter_without_a_part_is_told():
    class Lost(Scorer):
        def forward(self, X, Y):
            with torch.no_grad():
                two = self.two(Y)
            return self.norm(self.one(X) + two)

    with pytest.raises(Mismatch, match="No gradient reaches 2 parameters, first a parameter"):
        CHECKS["gradient"](student(Lost))


def test_tokens_tables_and_kernels_are_compared_without_their_empty_axes():
    class Token(nn.Module):
        def __init__(self, shape, kernel):
            super().__init__()
            self.token, self.kernel = nn.Parameter(torch.zeros(shape)), nn.Parameter(kernel)

        def forward(self, X):
            return X + self.token.sum() + self.kernel.flatten()[:3].sum()

    layer = Layer("Scorer", lambda: Token((1, 4, 3), torch.ones(2, 3) / 2), [Setting(lambda: (X,))])
    X = torch.randn(2, 3)
    layer.values()(student(lambda: Token((4, 3), torch.zeros(2, 3, 1, 1))))
    with pytest.raises(Mismatch):
        layer.values()(student(lambda: Token((3, 4), torch.zeros(2, 3, 1, 1))))
