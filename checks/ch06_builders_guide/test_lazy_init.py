"""Hidden checks of section 6.4: apply_init.

The nets are built and looked at beside the learner's code, by functions that are public.
"""

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from d2lgrade.testkit import Mismatch, assert_same, unchanged


class Holder(nn.Module):
    """A model with a `net`, as the book's are, that takes inputs side by side."""

    def __init__(self, *layers):
        super().__init__()
        self.net = nn.Sequential(*layers)
        self.graph = None

    def forward(self, *inputs):
        self.graph = torch.is_grad_enabled()
        return self.net(torch.cat(inputs, dim=1))


def lazy_layers():
    return nn.LazyLinear(4), nn.ReLU(), nn.LazyLinear(2)


def shapes_of(net):
    """The shapes of all parameters, () for one that is still lazy."""
    return [() if is_lazy(p) else tuple(p.shape) for p in net.parameters()]


def settled(apply_init, width):
    net = Holder(*lazy_layers())
    apply_init(net, [torch.zeros(3, width)])
    return shapes_of(net)


def test_apply_init_shapes(student):
    """gives lazy layers their shapes"""
    for width in (1, 3, 5):
        found = student.run(settled, student.apply_init, width)
        due = [(4, width), (4,), (2, 4), (2,)]
        if [tuple(shape) for shape in found] != due:
            raise Mismatch(
                f"After a dry run with inputs (3, {width}) the parameters have other shapes.",
                expected=", ".join(map(str, due)),
                got=", ".join(str(tuple(shape)) if shape else "still lazy" for shape in found),
            )


def constant(module):
    """An init that only works on layers that know their shape."""
    if type(module) is nn.Linear:
        nn.init.constant_(module.weight, 0.5)
        nn.init.constant_(module.bias, -1.0)


def started(apply_init, init):
    net = Holder(*lazy_layers())
    apply_init(net, [torch.zeros(2, 3)], init)
    return [parameter.detach() for parameter in net.parameters() if not is_lazy(parameter)]


def test_apply_init_initialises(student):
    """initialises the layers once they have their shapes"""
    due = [torch.full(s, v) for s, v in (((4, 3), 0.5), ((4,), -1.0), ((2, 4), 0.5), ((2,), -1.0))]
    found = student.run(started, student.apply_init, constant)
    assert_same(list(found), due, what="the list of parameters")


def settled_by(apply_init, widths):
    net = Holder(*lazy_layers())
    apply_init(net, [torch.ones(2, width) for width in widths])
    return shapes_of(net)


def test_apply_init_inputs(student):
    """hands all inputs to the net"""
    for widths in ((3,), (1, 2), (2, 1, 4)):
        found = [tuple(shape) for shape in student.run(settled_by, student.apply_init, widths)]
        due = (4, sum(widths))
        if found[0] != due:
            raise Mismatch(
                f"A net that takes {len(widths)} inputs side by side, of widths "
                f"{', '.join(map(str, widths))}, has a first weight of another shape.",
                expected=str(due),
                got=str(found[0]) if found[0] else "still lazy",
            )


def eager(apply_init):
    net = Holder(nn.Linear(3, 2))
    with torch.no_grad():
        net.net[0].weight.fill_(2.0)
    apply_init(net, (torch.ones(1, 3),))
    return net.net[0].weight.detach()


def test_apply_init_eager(student):
    """leaves the weights of a net alone that has no lazy layer, without init"""
    found = student.run(eager, student.apply_init)
    assert_same(found, torch.full((2, 3), 2.0), what="the weight")


def shown(apply_init, X):
    apply_init(Holder(*lazy_layers()), [X], constant)


def test_apply_init_arguments(student):
    """leaves the inputs alone"""
    X = torch.randn(2, 3)
    with unchanged(X):
        student.run(shown, student.apply_init, X)


def met(apply_init):
    """The names of modules that init met."""
    seen = []
    net = Holder(*lazy_layers())
    apply_init(net, [torch.ones(2, 3)], lambda module: seen.append(type(module).__name__))
    return seen


def test_apply_init_every(student):
    """hands every module to init, each once, and the net itself last"""
    found = student.run(met, student.apply_init)
    assert_same(list(found), ["Linear", "ReLU", "Linear", "Sequential", "Holder"])


def bare(apply_init):
    """Nets without an attribute `net`: a lazy layer alone, and a Sequential."""
    alone, chain = nn.LazyLinear(2), nn.Sequential(*lazy_layers())
    for net in (alone, chain):
        apply_init(net, [torch.zeros(2, 3)], constant)
    return [float(p.detach().flatten()[0]) for net in (alone, chain) for p in net.parameters()]


def test_apply_init_bare(student):
    """takes any module: a lazy layer alone, an nn.Sequential"""
    found = student.run(bare, student.apply_init)
    assert_same(list(found), [0.5, -1.0, 0.5, -1.0, 0.5, -1.0], what="the first numbers of each")


def traces(apply_init):
    """Modes and running statistics after the dry run, and whether a graph was built."""
    net = Holder(nn.LazyLinear(4), nn.LazyBatchNorm1d(), nn.Dropout(0.5), nn.LazyLinear(1))
    net.net[1].eval()
    apply_init(net, [torch.randn(5, 3)])
    modes = [net.training, *(layer.training for layer in net.net)]
    norm = net.net[1]
    moved = bool(norm.running_mean.any()) or bool((norm.running_var != 1).any())
    frozen = Holder(nn.LazyLinear(4), nn.LazyBatchNorm1d())
    apply_init(frozen, [torch.randn(5, 3)])
    norm = frozen.net[1]
    moved = moved or bool(norm.running_mean.any()) or bool((norm.running_var != 1).any())
    return modes, moved, net.graph


def test_apply_init_trace(student):
    """leaves modes and running statistics as they were, and builds no graph"""
    modes, moved, graph = student.run(traces, student.apply_init)
    if list(modes) != [True, True, False, True, True]:
        raise Mismatch(
            "After the dry run not every module is in the mode it was in before.",
            expected="train mode, but for one layer in eval mode",
            got=", ".join("train" if mode else "eval" for mode in modes),
        )
    if moved:
        raise Mismatch(
            "The dry run moved the running statistics of a batch normalization: it was made in "
            "train mode."
        )
    if graph:
        raise Mismatch("The dry run built a graph: make it under torch.no_grad().")
