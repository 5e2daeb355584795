"""Which spellings of a torch function are one and the same function, for the Rules of a contract.

A rule names one spelling (`torch.conv2d`). It covers the whole family: `F.conv2d`, `nn.Conv2d`,
`nn.LazyConv2d`, `Tensor` methods, in-place forms, other numbers of dimensions. Families are
worked out from the names, with a table for the few that names do not show. A rule that names a
package (`torch.optim`) covers all that is in it. Standard library only: both sides use it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_SHORT = {"F": "torch.nn.functional", "nn": "torch.nn", "Tensor": "torch.Tensor"}

# Packages whose names mean something else than the same name under `torch`.
_APART = ("torch.optim", "torch.nn.init", "torch.distributions", "torch.utils", "torch.fft")

# Other names of one family, after `_plain`. What solves the same exercise belongs together.
_SAME: dict[str, tuple[str, ...]] = {
    "conv": ("convolution", "convolutionoverrideable", "mkldnnconvolution", "convtbc", "slowconv"),
    "batchnorm": ("nativebatchnorm", "cudnnbatchnorm", "syncbatchnorm"),
    "layernorm": ("nativelayernorm",),
    "groupnorm": ("nativegroupnorm",),
    "dropout": ("nativedropout", "alphadropout", "featuredropout", "featurealphadropout"),
    "softmax": ("softmin", "safesoftmax"),
    "multiheadattention": ("multiheadattentionforward", "nativemultiheadattention"),
    "matmul": ("mm", "bmm", "mv", "addmm", "addmv", "addbmm", "baddbmm", "rmatmul", "imatmul"),
    "unfold": ("im2col",),
    "fold": ("col2im",),
    "pad": ("constantpad", "zeropad", "reflectionpad", "replicationpad", "circularpad"),
    "cat": ("concat", "concatenate"),
    "var": ("varmean",),
    "std": ("stdmean",),
    "jacobian": ("jacrev", "jacfwd"),
    "optim.adam": ("optim.adamw",),
}
_FAMILY = {other: family for family, others in _SAME.items() for other in others}

# Methods of tensors that a rule may be about. Without knowing types, reading source can only go
# by the name, so it asks about these and leaves `layer.conv2d(X)` alone.
TENSOR_METHODS = frozenset(
    """
    addbmm addmm addmv argmax argmin backward baddbmm bmm clamp clip cov cumprod cumsum diff dot
    erf exp expm1 gather inverse kron log log1p log_softmax logaddexp logcumsumexp logsumexp
    lerp masked_fill matmul max mean median min mm mode multinomial mv norm prelu prod
    quantile relu renorm scatter scatter_add sigmoid softmax std sum tanh topk trace tril triu
    unfold var vdot
    """.split()  # noqa: SIM905 - one word a line would fill two pages
)


def full(name: str) -> str:
    """A name with its shorthand written out: `F.conv2d` is `torch.nn.functional.conv2d`."""
    head, dot, rest = name.partition(".")
    return f"{_SHORT[head]}.{rest}" if dot and head in _SHORT else name


def canonical(name: str) -> frozenset[str]:
    """The families that a dotted name belongs to; two names with one in common are alike.

    Args:
        name: "torch.nn.Conv2d", "F.conv2d", "torch.Tensor.softmax_", "numpy.convolve".
    """
    name = full(name)
    if not name.startswith("torch."):
        return frozenset({name})
    if name.rstrip("_") == "torch.Tensor.unfold":
        return frozenset({"torch.Tensor.unfold"})  # sliding windows; F.unfold makes columns
    parts = name.split(".")
    if parts[1] == "ops":  # torch.ops.aten.conv2d.default
        parts = parts[:4]
    family = _plain(parts[-1])
    for package in _APART:
        if name.startswith(package + "."):
            family = f"{package.rpartition('.')[2]}.{family}"
    if family.startswith("scaleddotproduct"):
        family = "scaleddotproductattention"
    return frozenset({_FAMILY.get(family, family)})


def _plain(name: str) -> str:
    """An operator's name without what differs between functions, methods and layers."""
    name = re.sub(r"^(special|linalg)_", "", name.strip("_")).removeprefix("Lazy")
    name = name.lower().replace("_", "")
    name = re.sub(r"withindices$", "", name)
    name = re.sub(r"[123]d$", "", name)
    return re.sub(r"(?<=.)loss$", "", name)


def covers(rule: str, name: str) -> bool:
    """Whether a rule against `rule` is broken by using `name`."""
    rule, name = full(rule), full(name)
    return name.startswith(rule + ".") or bool(canonical(rule) & canonical(name))


def broken(forbidden: Iterable[str], seen: Iterable[str]) -> list[str]:
    """The names in `seen` that a rule forbids, each once, in the order they come."""
    rules = list(forbidden)
    return [name for name in dict.fromkeys(seen) if any(covers(rule, name) for rule in rules)]
