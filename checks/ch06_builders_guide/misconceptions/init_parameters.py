"""Wrong answers that people give in section 6.3, and what went wrong in them.

The draws differ from process to process, so most are recognised by what the weights look like.
"""

import torch
from torch import nn

from d2lgrade.testkit import misconception


def _weight(calls):
    """The weight drawn last, if it is large enough to say something."""
    weight = calls[-1].args[0].weight.detach().double()
    if weight.numel() < 1000:
        raise ValueError("too few")
    return weight


def _ran(calls):
    """Whether nothing was raised: then another module was changed."""
    return calls[-1].error is None


# --- init_normal ----------------------------------------------------------------------------


def _normal(module, std=0.01):
    nn.init.normal_(module.weight, std=std)
    if module.bias is not None:
        nn.init.zeros_(module.bias)


@misconception(
    "init_normal",
    "variance-for-deviation",
    book="6.3.1",
    why="The weights have the variance 0.01. It is their standard deviation that is 0.01.",
    fails=("weights",),
    signature=lambda calls: 0.05 < float(_weight(calls).std()) < 0.2,
)
def init_normal_variance(module):
    if type(module) is nn.Linear:
        _normal(module, 0.1)


@misconception(
    "init_normal",
    "standard-normal",
    book="6.3.1",
    why="The weights have a standard deviation of 1. Hand nn.init.normal_ the one you want: 0.01.",
    fails=("weights",),
    signature=lambda calls: 0.5 < float(_weight(calls).std()) < 2,
)
def init_normal_wide(module):
    if type(module) is nn.Linear:
        _normal(module, 1.0)


@misconception(
    "init_normal",
    "mean-for-deviation",
    book="6.3.1",
    why="The weights have the mean 0.01: normal_ takes the mean first, then the standard "
    "deviation. Name it: std=0.01.",
    fails=("weights",),
    signature=lambda calls: (
        float(_weight(calls).std()) < 1e-5 and abs(float(_weight(calls).mean()) - 0.01) < 1e-4
    ),
)
def init_normal_mean(module):
    if type(module) is nn.Linear:
        _normal(module)
        nn.init.normal_(module.weight, 0.01, 0.0)


@misconception(
    "init_normal",
    "bias-forgotten",
    book="6.3.1",
    why="The bias is left as it was. Set it to zero.",
)
def init_normal_bias(module):
    if type(module) is nn.Linear:
        nn.init.normal_(module.weight, std=0.01)


@misconception(
    "init_normal",
    "every-weight",
    book="6.3.1",
    why="Whatever has a weight is initialised, normalization layers for instance. Only nn.Linear "
    "is meant.",
    fails=("others",),
    signature=_ran,
)
def init_normal_every(module):
    if isinstance(getattr(module, "weight", None), torch.Tensor):
        if nn.parameter.is_lazy(module.weight):
            return
        _normal(module)


@misconception(
    "init_normal",
    "lazy-layers-too",
    book="6.3.1",
    why="A lazy layer that has seen no input is initialised like any other, but has no weight yet. "
    "isinstance says yes to lazy layers too: compare type(module) instead.",
    fails=("lazy",),
    signature=lambda calls: "uninitialized parameter" in str(calls[-1].error),
)
def init_normal_isinstance(module):
    if isinstance(module, nn.Linear):
        _normal(module)


@misconception(
    "init_normal",
    "bias-taken-for-granted",
    book="6.3.1",
    why="A layer made with bias=False has none: module.bias is None, which cannot be filled. Look "
    "first.",
)
def init_normal_biased(module):
    if type(module) is nn.Linear:
        nn.init.normal_(module.weight, std=0.01)
        nn.init.zeros_(module.bias)


@misconception(
    "init_normal",
    "new-parameters",
    book="6.3.1",
    why="The layer gets a new weight. Optimizers that were made before hold the old one: fill it "
    "in place.",
)
def init_normal_replaced(module):
    if type(module) is nn.Linear:
        _normal(module)
        module.weight = nn.Parameter(module.weight.detach().clone())


# --- init_xavier ----------------------------------------------------------------------------


def _mean_square(calls):
    """The mean square of the weights, 1 for Xavier's; and the share of its bound they reach."""
    weight = _weight(calls)
    outputs, inputs = weight.shape
    bound = (6 / (inputs + outputs)) ** 0.5
    return float((weight**2).mean()) * (inputs + outputs) / 2, float(weight.abs().max()) / bound


@misconception(
    "init_xavier",
    "xavier-normal",
    book="6.3.1",
    why="The variance is right, but the draws are normal. Uniform ones never leave their bound.",
    fails=("weights", "net"),
    signature=lambda calls: abs(_mean_square(calls)[0] - 1) < 0.1 and _mean_square(calls)[1] > 1.1,
)
def init_xavier_normal(module):
    if type(module) is nn.Linear:
        nn.init.xavier_normal_(module.weight)


@misconception(
    "init_xavier",
    "kaiming",
    book="6.3.1",
    why="This is Kaiming's initialisation, made for ReLU: it goes by fan_in alone. Xavier's takes "
    "fan_in + fan_out.",
    fails=("weights",),
    signature=lambda calls: (
        abs(float((_weight(calls) ** 2).mean()) * _weight(calls).shape[1] / 2 - 1) < 0.1
    ),
)
def init_xavier_kaiming(module):
    if type(module) is nn.Linear:
        nn.init.kaiming_uniform_(module.weight)


@misconception(
    "init_xavier",
    "left-as-it-was",
    book="6.3.1",
    why="The layer keeps the weights it had. Functions of torch.nn.init that work in place end "
    "with an underscore; a copy of the weight is of no use to the layer.",
    fails=("weights", "net"),
    signature=lambda calls: bool((_weight(calls) == 0.5).all()),
)
def init_xavier_copy(module):
    if type(module) is nn.Linear:
        nn.init.xavier_uniform_(module.weight.detach().clone())


@misconception(
    "init_xavier",
    "biases-zeroed",
    book="6.3.1",
    why="The bias is set to zero. The contract leaves it as it is.",
)
def init_xavier_biases(module):
    if type(module) is nn.Linear:
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


@misconception(
    "init_xavier",
    "lazy-layers-too",
    book="6.3.1",
    why="A lazy layer that has seen no input is initialised like any other, but has no weight yet. "
    "isinstance says yes to lazy layers too: compare type(module) instead.",
    fails=("lazy",),
    signature=lambda calls: "uninitialized parameter" in str(calls[-1].error),
)
def init_xavier_isinstance(module):
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)


@misconception(
    "init_xavier",
    "always-true",
    book="6.3.1",
    why="Every module is initialised, even one without a weight. Ask first whether it is an "
    "nn.Linear.",
)
def init_xavier_always(module):
    nn.init.xavier_uniform_(module.weight)


@misconception(
    "init_xavier",
    "every-weight",
    book="6.3.1",
    why="Whatever has a weight with two axes or more is initialised, convolutions for instance. "
    "Only nn.Linear is meant.",
    fails=("others",),
    signature=_ran,
)
def init_xavier_every(module):
    weight = getattr(module, "weight", None)
    if isinstance(weight, torch.Tensor) and not nn.parameter.is_lazy(weight) and weight.dim() > 1:
        nn.init.xavier_uniform_(weight)


# --- my_init --------------------------------------------------------------------------------


def _uniform(module):
    nn.init.uniform_(module.weight, -10, 10)
    return module.weight


@misconception(
    "my_init",
    "nothing-zeroed",
    book="6.3.2",
    why="The weights are uniform from -10 to 10. Those less than 5 in size become 0.",
    fails=("weights", "net"),
    signature=lambda calls: (
        bool(((_weight(calls).abs() < 5) & (_weight(calls) != 0)).any())
        and float(_weight(calls).abs().max()) > 9
    ),
)
def my_init_all(module):
    if type(module) is nn.Linear:
        _uniform(module)


@misconception(
    "my_init",
    "wrong-half-zeroed",
    book="6.3.2",
    why="The large weights are set to 0 and the small ones kept. It is the other way round.",
    fails=("weights", "net"),
    signature=lambda calls: 4 < float(_weight(calls).abs().max()) < 5,
)
def my_init_small(module):
    if type(module) is nn.Linear:
        weight = _uniform(module)
        with torch.no_grad():
            weight *= weight.abs() < 5


@misconception(
    "my_init",
    "negative-ones-zeroed",
    book="6.3.2",
    why="All negative weights are 0: the size of a weight decides, its absolute value.",
    fails=("weights", "net"),
    signature=lambda calls: bool((_weight(calls) >= 0).all()) and float(_weight(calls).max()) > 5,
)
def my_init_signed(module):
    if type(module) is nn.Linear:
        weight = _uniform(module)
        with torch.no_grad():
            weight *= weight >= 5


@misconception(
    "my_init",
    "mask-for-weights",
    book="6.3.2",
    why="The weights are 0 and 1: what was stored is the comparison itself. Multiply by it.",
    fails=("weights", "net"),
    signature=lambda calls: set(_weight(calls).unique().tolist()) == {0.0, 1.0},
)
def my_init_mask(module):
    if type(module) is nn.Linear:
        weight = _uniform(module)
        with torch.no_grad():
            weight.copy_(weight.abs() >= 5)


@misconception(
    "my_init",
    "graph-recorded",
    book="6.3.2",
    why="The change in place is recorded like any computation, and PyTorch refuses to change a "
    "leaf while it records. Do it under torch.no_grad().",
)
def my_init_recorded(module):
    if type(module) is nn.Linear:
        weight = _uniform(module)
        weight *= weight.abs() >= 5


@misconception(
    "my_init",
    "biases-too",
    book="6.3.2",
    why="The bias is drawn as well. The contract leaves it as it is.",
    fails=("bias",),
    signature=_ran,
)
def my_init_biases(module):
    if type(module) is nn.Linear:
        for value in (module.weight, module.bias):
            if value is not None:
                nn.init.uniform_(value, -10, 10)
                value.data *= value.data.abs() >= 5
