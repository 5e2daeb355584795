"""Hidden checks of section 6.3: init_normal, init_xavier, my_init.

Statistics fail an honest draw less than once in a million runs of a check, by the bounds that
`assert_rate` and `assert_mean` state.
"""

import math

import torch
from torch import nn

from d2lgrade.testkit import Mismatch, assert_independent, assert_mean, assert_rate, assert_same

START, BIAS = 0.5, 0.25  # what weights and biases hold before
SIZES = [(20, 200), (100, 40)]  # inputs, outputs


def marked(module):
    """The module with its weight and bias, where it has them, at known values."""
    for name, value in (("weight", START), ("bias", BIAS)):
        if getattr(module, name, None) is not None:
            nn.init.constant_(getattr(module, name), value)
    return module


def assert_normal(weight, what):
    """Fail where these are no credible draws of N(0, 0.01^2)."""
    assert_mean(weight, 0.0, 0.01, what)
    # The square of a normal draw has mean std^2 and standard deviation sqrt(2) std^2.
    assert_mean(weight**2, 1e-4, math.sqrt(2) * 1e-4, f"The square of {what}")
    beyond = int((weight.abs() > 0.01).sum())
    assert_rate(beyond, weight.numel(), 0.317311, f"{what}: the share beyond 0.01 in size")


def assert_xavier(weight, what):
    """Fail where these are no credible draws of the Xavier uniform distribution."""
    outputs, inputs = weight.shape
    a = math.sqrt(6 / (inputs + outputs))
    largest = float(weight.abs().max())
    if not largest <= a * (1 + 1e-6):
        raise Mismatch(
            f"{what} has entries beyond sqrt(6 / (fan_in + fan_out)).",
            expected=f"at most {a:.5f}",
            got=f"{largest:.5f}",
        )
    assert_mean(weight, 0.0, a / math.sqrt(3), what)
    # The square of a draw from U(-a, a) has mean a^2 / 3 and variance 4 a^4 / 45.
    assert_mean(weight**2, a**2 / 3, a**2 * math.sqrt(4 / 45), f"The square of {what}")


def assert_mine(weight, what):
    """Fail where these are no credible draws of the book's own distribution."""
    size, count = weight.abs(), weight.numel()
    stray = (size != 0) & ~((size >= 5) & (size <= 10))
    if stray.any():
        raise Mismatch(
            f"{what} has entries that are neither 0 nor between 5 and 10 in size.",
            expected="0, or 5 to 10 in size",
            got=f"{float(weight[stray][0]):.4g}",
        )
    for name, part, due in (
        ("zeros", size == 0, 0.5),
        ("positive weights", weight > 0, 0.25),
        ("weights beyond 7.5 in size", size > 7.5, 0.25),
    ):
        assert_rate(int(part.sum()), count, due, f"{what}: the share of {name}")
    assert_mean(size[size > 0], 7.5, 5 / math.sqrt(12), f"{what}: the size of those that are not 0")


CREDIBLE = {"init_normal": assert_normal, "init_xavier": assert_xavier, "my_init": assert_mine}
BIASES = {"init_normal": 0.0, "init_xavier": BIAS, "my_init": BIAS}


def assert_drawn(name, layer, what):
    """Fail where the layer's weight does not come from the distribution of this exercise."""
    weight = layer.weight.detach().double()
    if (weight == START).all():
        raise Mismatch(f"{what} is as it was before: it got no new values.")
    CREDIBLE[name](weight, what)
    assert_independent(weight > weight.median(), what)


def applied(net, init):
    """Use init as it is meant to be used; runs beside the learner's code."""
    net.apply(init)


def applied_early(init):
    """A net that knows its shapes only after the first input; runs beside the learner's code."""
    net = nn.Sequential(nn.LazyLinear(3), nn.ReLU(), nn.LazyLinear(2))
    net.apply(init)
    return tuple(net(torch.zeros(4, 5)).shape)


def same_parameters(init):
    """Whether a layer's parameters stay what they are; runs beside the learner's code."""
    layer = nn.Linear(3, 2)
    weight, bias = layer.weight, layer.bias
    init(layer)
    same = layer.weight is weight and layer.bias is bias
    return same, weight.is_leaf and weight.requires_grad and bias.requires_grad


def checks_of(name):
    """The checks of one of the three exercises."""

    def weights(student):
        for inputs, outputs in SIZES:
            layer = marked(nn.Linear(inputs, outputs))
            getattr(student, name)(layer)
            assert_drawn(name, layer, f"The weight of nn.Linear({inputs}, {outputs})")

    def biases(student):
        for inputs, outputs in ((2, 3), (3, 1)):
            layer = marked(nn.Linear(inputs, outputs))
            getattr(student, name)(layer)
            due = torch.full((outputs,), BIASES[name])
            assert_same(layer.bias.detach(), due, what="the bias of an nn.Linear")

    def others(student):
        for module in (
            nn.ReLU(),
            nn.Sequential(nn.Flatten()),
            nn.Conv2d(2, 3, 3),
            nn.BatchNorm1d(4),
            nn.LayerNorm(4),
            nn.Embedding(3, 4),
            nn.Bilinear(2, 3, 4),
        ):
            marked(module)
            before = {key: value.clone() for key, value in module.state_dict().items()}
            getattr(student, name)(module)
            for key, value in module.state_dict().items():
                if not torch.equal(value, before[key]):
                    raise Mismatch(
                        f"The {key} of an nn.{type(module).__name__} was changed; only nn.Linear "
                        "is meant."
                    )

    def net(student):
        inner = nn.Sequential(nn.BatchNorm1d(40), nn.ReLU(), nn.Linear(40, 50))
        whole = nn.Sequential(nn.Linear(30, 40), inner)
        whole.apply(marked)
        student.run(applied, whole, getattr(student, name))
        assert_drawn(name, whole[0], "The weight of the net's first layer")
        assert_drawn(name, inner[2], "The weight of the net's inner layer")
        untouched = inner[0].weight.detach()
        assert_same(untouched, torch.full((40,), START), what="the weight of the BatchNorm1d")

    def parameters(student):
        same, plain = student.run(same_parameters, getattr(student, name))
        if not (same and plain):
            raise Mismatch(
                "The layer's weight or bias is not the parameter it was, or requires no gradient "
                "any more. An optimizer that was made before would miss the new one: fill it in "
                "place."
            )

    def calls(student):
        layers = [nn.Linear(3, 4) for _ in range(2)]
        for layer in layers:
            getattr(student, name)(layer)
        if torch.equal(layers[0].weight, layers[1].weight):
            raise Mismatch(
                "Two layers got the same weights: a seed is set inside. Leave that to the caller."
            )

    def unbiased(student):
        getattr(student, name)(nn.Linear(2, 3, bias=False))

    def lazy(student):
        assert_same(student.run(applied_early, getattr(student, name)), (4, 2))

    def device(student):
        layer = nn.Linear(2, 3)
        with student.other_device():
            getattr(student, name)(layer)

    weights.__doc__ = {
        "init_normal": "draws weights from a normal distribution with standard deviation 0.01",
        "init_xavier": "draws weights from the Xavier uniform distribution",
        "my_init": "draws half of the weights as 0, the others from 5 to 10 in size",
    }[name]
    biases.__doc__ = "sets the bias to 0" if BIASES[name] == 0 else "leaves the bias as it is"
    others.__doc__ = "leaves all other modules alone"
    net.__doc__ = "reaches every linear layer of a net through net.apply"
    parameters.__doc__ = "fills the parameters in place"
    calls.__doc__ = "draws anew for every layer"
    unbiased.__doc__ = "takes a layer without a bias"
    lazy.__doc__ = "leaves lazy layers alone that have seen no input yet"
    device.__doc__ = "works on another device than the CPU"
    return weights, biases, others, net, parameters, calls, unbiased, lazy, device


(
    test_init_normal_weights,
    test_init_normal_bias,
    test_init_normal_others,
    test_init_normal_net,
    test_init_normal_parameters,
    test_init_normal_calls,
    test_init_normal_unbiased,
    test_init_normal_lazy,
    test_init_normal_device,
) = checks_of("init_normal")
(
    test_init_xavier_weights,
    test_init_xavier_bias,
    test_init_xavier_others,
    test_init_xavier_net,
    test_init_xavier_parameters,
    test_init_xavier_calls,
    test_init_xavier_unbiased,
    test_init_xavier_lazy,
    test_init_xavier_device,
) = checks_of("init_xavier")
(
    test_my_init_weights,
    test_my_init_bias,
    test_my_init_others,
    test_my_init_net,
    test_my_init_parameters,
    test_my_init_calls,
    test_my_init_unbiased,
    test_my_init_lazy,
    test_my_init_device,
) = checks_of("my_init")
