"""Checks of whole networks: what they see, whatever the layers are called and however defined."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from d2lgrade.student.faults import StudentError
from d2lgrade.testkit import Case, Mismatch, Network
from d2lgrade.testkit.beside import HUGE, TABLE, descend, fill, output_of, shapes_in, slope
from d2lgrade.testkit.gradient import pattern
from d2lgrade.testkit.networks import table
from grading import Case as Submitted
from grading import Grader

pytest_plugins = ["links"]

HEAD = "from torch.nn import functional as F\n"
RIGHT = """
class Net(nn.Module):
    def __init__(self, classes=2):
        super().__init__()
        self.out = nn.Linear(6, classes)
        self.two, self.one = nn.Conv2d(3, 3, 3), nn.LazyConv2d(3, 3, stride=2)
        self.norm = nn.LazyBatchNorm2d()

    def forward(self, X):
        return self.out(self.two(F.relu(self.norm(self.one(X)))).flatten(1))
"""


def oracle(classes=2):
    return nn.Sequential(
        *(nn.LazyConv2d(3, 3, 2), nn.BatchNorm2d(3), nn.ReLU(), nn.Conv2d(3, 3, 3)),
        *(nn.Flatten(), nn.Linear(6, classes)),
    )


CASE = Case((2, 3, 7, 9))
net = Network("Net", oracle, [CASE, Case((3, 3, 7, 9), {"classes": 3})], training=True)
CHECKS = {
    "parameters": net.parameters(),
    "values": net.values(),
    "evaluation": net.evaluation(),
    "gradient": net.gradient(),
    "arguments": net.keeps_arguments(),
    "dtype": net.keeps_dtype(),
    "layout": net.any_layout(),
    "empty": net.empty_batch(),
    "device": net.other_device(),
    "stages": net.stages(CASE, [(3, 7, 9), (3, 3, 4), (3, 1, 2), (6,), (2,)]),
    "learns": net.learns(CASE, lambda n, size: (torch.randn(n, 3, 7, 9), torch.arange(n))),
}


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def lost(learner, source: str) -> set[str]:
    """The checks that the source fails."""
    student = learner(HEAD + source)
    found = set()
    for name, check in CHECKS.items():
        try:
            check(student)
        except (Mismatch, StudentError):
            found.add(name)
    return found


def test_a_right_network_passes_though_it_defines_its_layers_in_another_order(learner) -> None:
    assert lost(learner, RIGHT) == set()


FILLED = {"parameters", "values", "evaluation", "gradient", "dtype", "layout", "learns"}
VALUES = {"values", "evaluation", "gradient", "dtype", "layout"}
TWICE = "F.conv2d(F.relu(self.norm(self.one(X))), self.one.weight, self.one.bias)"

# What is changed in the right network → the checks that see it.
MISTAKES = {
    ("F.relu(", "("): VALUES,
    ("self.out(", "2 * self.out("): VALUES,
    ("stride=2", "stride=2, bias=False"): FILLED,
    ("self.norm =", "self.other = self.norm ="): set(),
    ("self.norm =", "self.other = nn.LazyLinear(1); self.norm ="): FILLED,
    ("self.two(F.relu(self.norm(self.one(X))))", TWICE): {"gradient"},
    ("def forward(self, X):", "def forward(self, X):\n        X = X.detach()"): {"gradient"},
    ("def forward(self, X):", "def forward(self, X):\n        X.abs_()"): VALUES | {"arguments"},
    ("self.one(X)", "self.one(X**2)"): VALUES,
    ("self.norm(", "(lambda Y: self.norm(Y) if len(Y) else Y[0])("): {"empty"},
    ("self.one(X)", "self.one(X + torch.zeros(1))"): {"device"},
}


@pytest.mark.parametrize("change", MISTAKES, ids=lambda change: change[1][:24])
def test_a_mistake_is_seen_by_the_checks_that_should(change, learner) -> None:
    assert RIGHT.count(change[0]) == 1
    assert lost(learner, RIGHT.replace(*change)) == MISTAKES[change]


def test_a_shape_that_does_not_come_in_its_turn_is_seen(learner) -> None:
    student = learner(HEAD + RIGHT)
    net.stages(CASE, [(3, 3, 4), (6,)])(student)  # others may lie between
    for due in ([(6,), (3, 3, 4)], [(3, 3, 4), (3, 2, 2), (6,)]):
        with pytest.raises(Mismatch, match="never comes in its turn"):
            net.stages(CASE, due)(student)


def test_nothing_is_said_of_stages_where_no_layer_is_a_module(learner) -> None:
    source = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(2, 3))

    def forward(self, X):
        return X.mean((2, 3)) @ self.weight.T
"""
    net.stages(CASE, [(3, 3, 4)])(learner(source))


def test_the_tolerance_does_not_grow_with_the_depth() -> None:
    def deep():
        return nn.Sequential(*(nn.Linear(50, 50) for _ in range(20)))

    X, numbers = torch.randn(4, 50), table()
    due = Network("Deep", deep, []).due(
        Case((4, 50)), numbers, X, lambda net, X: output_of(net, X, False)
    )
    assert due.tolerance < 1e-4 * float(due.value.abs().max())


def test_parameters_of_one_shape_get_equal_values_and_scales_stay_positive() -> None:
    layers = nn.Sequential(nn.Linear(5, 5), nn.Linear(5, 5), nn.BatchNorm1d(5), nn.BatchNorm1d(5))
    assert fill(layers, table()) == [((5,), "")] * 4 + [((5,), "ones")] * 2 + [((5, 5), "")] * 2
    for one, other in ((0, 1), (2, 3)):
        for name in ("weight", "bias"):
            assert torch.equal(getattr(layers[one], name), getattr(layers[other], name))
    assert (layers[2].weight >= 1).all()
    assert len(layers[0].weight.unique()) == 25


def test_statistics_by_hand_count_as_vectors() -> None:
    class ByHand(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(1, 3, 1, 1))
            self.shift = nn.Parameter(torch.zeros(1, 3, 1, 1))

    assert fill(ByHand(), table()) == fill(nn.BatchNorm2d(3), table())


def test_a_huge_weight_is_thin_but_reaches_every_row_and_column() -> None:
    layer = nn.Linear(3000, HUGE // 3000 + 1, bias=False)
    fill(layer, torch.randn(TABLE))
    assert int((layer.weight != 0).sum()) == 8 * len(layer.weight)
    assert (layer.weight != 0).any(0).all()
    assert (layer.weight != 0).any(1).all()


def test_slope_names_parameters_without_a_part_and_takes_no_gradient_of_theirs() -> None:
    layers = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
    layers.unused = nn.Linear(4, 4, bias=False)
    layers.forward = lambda X: layers[1](layers[0](X))
    gradient, lost = slope(layers, torch.ones(1, 3), pattern, True)
    assert gradient.shape == (1, 3)
    assert lost == [(4, 4)]
    assert layers[0].weight.grad is None


def test_descent_takes_a_third_off_the_loss() -> None:
    layers = nn.Sequential(nn.Linear(3, 30), nn.ReLU(), nn.Linear(30, 2))
    losses = descend(layers, torch.randn(6, 3), torch.tensor([0, 1] * 3), True)
    assert len(losses) == 5
    assert losses == sorted(losses, reverse=True)
    assert 0.6 < losses[-1] / losses[0] < 0.8


def test_shapes_are_those_of_layers_with_parameters_each_once_in_a_row() -> None:
    layers = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.MaxPool2d(2), nn.Flatten())
    layers.append(nn.Linear(8, 3))
    assert shapes_in(layers, (1, 1, 6, 6)) == [(1, 6, 6), (2, 4, 4), (8,), (3,)]


def test_a_report_says_how_the_network_was_made(grader: Grader) -> None:
    path = grader.course.root / "solutions" / grader.course.section("densenet").path
    text = path.read_text("utf-8").replace("nn.LazyBatchNorm2d(), nn.ReLU(), c", "nn.ReLU(), c")
    [report] = grader.grade([Submitted({"densenet": text}, ("conv_block",))])
    failures = {c.id.rpartition("/")[2]: c.failure for c in report.exercises[0].checks if c.failure}
    assert failures["parameters"].called.startswith("listed(conv_block(1), ")
    assert failures["parameters"].expected.startswith("12 numbers in 4 parameters; only here: (1,)")
