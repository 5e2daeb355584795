"""The Rules of a contract: families of names, what runs, and what the source says."""

from __future__ import annotations

import inspect
import textwrap

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from d2lgrade import families
from d2lgrade.contestant.probes.rules import broken, canonical, watching
from d2lgrade.testkit.rules import forbidden_calls

# --- families -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "alike"),
    [
        ("torch.conv2d", "torch.nn.functional.conv2d"),
        ("torch.conv2d", "F.conv2d"),
        ("torch.conv2d", "nn.Conv2d"),
        ("torch.conv2d", "torch.nn.LazyConv2d"),
        ("torch.nn.Conv2d", "torch.conv1d"),
        ("torch.conv2d", "torch.ops.aten.convolution.default"),
        ("torch.nn.BatchNorm2d", "torch.nn.functional.batch_norm"),
        ("torch.nn.BatchNorm2d", "torch.native_batch_norm"),
        ("torch.nn.functional.max_pool2d", "torch.nn.functional.max_pool2d_with_indices"),
        ("torch.nn.MaxPool2d", "torch.max_pool2d"),
        ("torch.nn.functional.avg_pool2d", "torch.nn.AvgPool2d"),
        ("torch.Tensor.softmax", "torch.nn.functional.softmax"),
        ("torch.softmax", "torch.nn.Softmax"),
        ("torch.softmax", "torch.special.softmax"),
        ("torch.log_softmax", "torch.nn.LogSoftmax"),
        ("torch.nn.CrossEntropyLoss", "torch.nn.functional.cross_entropy"),
        ("torch.nn.functional.mse_loss", "torch.nn.MSELoss"),
        ("torch.nn.functional.dropout", "torch.Tensor.dropout_"),
        ("torch.nn.Dropout", "torch.nn.functional.feature_alpha_dropout"),
        ("torch.nn.functional.relu", "torch.relu_"),
        ("torch.nn.MultiheadAttention", "torch.nn.functional.multi_head_attention_forward"),
        ("torch.nn.functional.scaled_dot_product_attention", "torch._scaled_dot_product_flash"),
        ("torch.matmul", "torch.Tensor.__rmatmul__"),
        ("torch.nn.functional.unfold", "torch.nn.Unfold"),
        ("torch.optim.Adam", "torch.optim.AdamW"),
        ("torch.optim", "torch.optim.SGD"),
        ("torch.autograd.functional.jacobian", "torch.func.jacrev"),
        ("numpy.convolve", "numpy.convolve"),
    ],
)
def test_a_rule_covers_its_family(rule: str, alike: str) -> None:
    assert families.covers(rule, alike)
    assert broken([rule], [alike]) == [alike]


@pytest.mark.parametrize(
    ("rule", "other"),
    [
        ("torch.conv2d", "torch.conv_transpose2d"),
        ("torch.conv2d", "torch.nn.functional.unfold"),
        ("torch.nn.functional.unfold", "torch.Tensor.unfold"),
        ("torch.softmax", "torch.log_softmax"),
        ("torch.nn.functional.max_pool2d", "torch.nn.functional.adaptive_max_pool2d"),
        ("torch.nn.functional.max_pool2d", "torch.Tensor.max"),
        ("torch.nn.BatchNorm2d", "torch.nn.LayerNorm"),
        ("torch.optim.Adam", "torch.optim.SGD"),
        ("torch.nn.functional.cross_entropy", "torch.nn.functional.nll_loss"),
        ("torch.normal", "torch.nn.init.normal_"),
        ("torch.normal", "torch.distributions.Normal"),
        ("torch.var", "torch.mean"),
        ("numpy.convolve", "numpy.dot"),
        ("torch.optim", "torch.optimistic"),
    ],
)
def test_a_rule_leaves_the_rest_alone(rule: str, other: str) -> None:
    assert not families.covers(rule, other)
    assert not canonical(rule) & canonical(other)


def test_broken_keeps_order_and_names_each_once() -> None:
    seen = ["torch.relu", "torch.conv2d", "torch.nn.Conv2d", "torch.conv2d"]
    assert broken(["F.conv2d"], seen) == ["torch.conv2d", "torch.nn.Conv2d"]


def test_tensor_methods_exist() -> None:
    assert not [name for name in families.TENSOR_METHODS if not hasattr(torch.Tensor, name)]


# --- at run time ----------------------------------------------------------------------------------


def test_functions_methods_and_operators_are_seen_by_their_public_names() -> None:
    X = torch.ones(1, 1, 4, 4)
    with watching() as seen:
        F.conv2d(X, X)
        F.softmax(X, dim=1)
        X.softmax(1)
        torch.special.log_softmax(X, 1)
        F.max_pool2d(X, 2)
        F.avg_pool2d(X, 2)
        torch.einsum("abcd->a", X)
        X @ X
        torch.ops.aten.relu(X)
        X.mean().shape, X.T if X.dim() == 2 else None
    assert {
        "torch.conv2d",
        "torch.nn.functional.softmax",
        "torch.Tensor.softmax",
        "torch.special.log_softmax",
        "torch.nn.functional.max_pool2d",
        "torch.nn.functional.avg_pool2d",
        "torch.einsum",
        "torch.Tensor.matmul",
        "torch.ops.aten.relu",
        "torch.Tensor.mean",
    } <= seen
    assert broken(["torch.relu"], seen) == ["torch.ops.aten.relu"]
    assert not [name for name in seen if "__get__" in name]


def test_reading_a_gradient_is_no_call_of_autograd_grad() -> None:
    w = torch.ones(2, requires_grad=True)
    with watching() as seen:
        w.sum().backward()
        assert w.grad is not None
    assert broken(["torch.Tensor.backward"], seen)
    assert not broken(["torch.autograd.grad"], seen)


def test_layers_are_seen_and_stand_for_what_they_do_inside() -> None:
    with watching() as seen:
        nn.LazyConv2d(1, 1)(torch.ones(1, 1, 4, 4))
        nn.Sequential(nn.Softmax(dim=1))(torch.ones(2, 2))
        nn.MultiheadAttention(2, 1)(*[torch.ones(3, 1, 2)] * 3)
    called = {name for name in seen if name.startswith("torch.nn.") and name[9].isupper()}
    assert called == {"torch.nn.LazyConv2d", "torch.nn.Sequential", "torch.nn.MultiheadAttention"}
    assert "torch.conv2d" not in seen
    assert not broken(["torch.matmul"], seen)


class Own(nn.Module):
    def __init__(self, inner: nn.Module | None = None) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return torch.relu(X if self.inner is None else self.inner(X))


class Inherited(nn.Conv2d):
    """Runs PyTorch's forward under a name of its own."""


def test_a_learners_module_shows_only_what_it_calls() -> None:
    X = torch.ones(2)
    with watching() as seen:
        Own()(X)
    assert seen == {"torch.relu"}


def test_a_learners_module_inside_a_built_in_one_is_watched() -> None:
    X = torch.ones(2)
    with watching() as seen:
        nn.Sequential(Own(nn.Tanh()))(X)
    assert seen == {"torch.nn.Sequential", "torch.nn.Tanh", "torch.relu"}


def test_an_inherited_forward_counts_as_the_built_in_layer() -> None:
    with watching() as seen:
        Inherited(1, 1, 1)(torch.ones(1, 1, 2, 2))
    assert broken(["torch.conv2d"], seen) == ["torch.nn.Conv2d"]


def test_built_in_optimizers_are_seen_at_their_step() -> None:
    class Mine(torch.optim.Optimizer):
        def __init__(self, params):
            super().__init__(params, {})

        def step(self, closure=None):
            return None

    class Same(torch.optim.Adam):
        pass

    w = torch.ones(1, requires_grad=True)
    w.sum().backward()
    with watching() as seen:
        Mine([w]).step()
    assert not broken(["torch.optim"], seen)
    with watching() as seen:
        Same([w]).step()
    assert broken(["torch.optim"], seen) == ["torch.optim.Adam"]


def test_nothing_is_watched_outside_the_block_or_after_an_error() -> None:
    with watching() as seen:
        with pytest.raises(RuntimeError):
            nn.Linear(2, 1)(torch.ones(3))
        torch.exp(torch.ones(1))
    assert "torch.exp" in seen
    before = set(seen)
    nn.Tanh()(torch.ones(1))
    torch.conv2d(torch.ones(1, 1, 1, 1), torch.ones(1, 1, 1, 1))
    assert seen == before
    with pytest.raises(KeyError), watching():
        raise KeyError
    assert not torch.nn.modules.module._global_forward_pre_hooks


# --- in the source --------------------------------------------------------------------------------

CONV = ["torch.conv2d"]
SOFTMAX = ["torch.Tensor.softmax"]


def found(source: str, names: list[str], forbidden: list[str], **options) -> list[tuple[int, str]]:
    return forbidden_calls(inspect.cleandoc(source), names, forbidden, **options)


@pytest.mark.parametrize(
    ("imports", "use"),
    [
        ("import torch", "torch.conv2d(X, K)"),
        ("import torch", "torch.nn.functional.conv2d(X, K)"),
        ("import torch as t", "t.conv2d(X, K)"),
        ("import torch.nn.functional as F", "F.conv2d(X, K)"),
        ("import torch.nn.functional", "torch.nn.functional.conv2d(X, K)"),
        ("from torch.nn import functional as fun", "fun.conv2d(X, K)"),
        ("from torch import conv2d as c", "c(X, K)"),
        ("from torch import nn", "nn.Conv2d(1, 1, 2)(X)"),
        ("from torch.nn import LazyConv2d", "LazyConv2d(1, 2)(X)"),
        ("import torch.nn as nn", "nn.functional.conv2d(X, K)"),
        ("import torch", "torch.ops.aten.convolution.default(X, K)"),
        ("import torch; F = torch.nn.functional", "F.conv2d(X, K)"),
        ("import torch; conv = torch.conv2d", "conv(X, K)"),
        ("from torch import *", "conv2d(X, K)"),
        ("from d2l import torch as d2l", "d2l.torch.conv2d(X, K)"),
        ("from d2l import torch as d2l", "d2l.nn.Conv2d(1, 1, 2)(X)"),
        ("import torch", "getattr(torch, 'conv2d')(X, K)"),
        ("import torch", "list(map(torch.conv2d, [X], [K]))"),
        ("import torch", "(lambda A: torch.conv2d(A, K))(X)"),
        ("import torch", "[torch.conv2d(x, K) for x in X]"),
    ],
)
def test_every_spelling_is_found(imports: str, use: str) -> None:
    spots = forbidden_calls(f"{imports}\n\ndef corr2d(X, K):\n    return {use}\n", ["corr2d"], CONV)
    assert [line for line, _ in spots] == [4]


def test_the_spelling_found_is_the_learners_own() -> None:
    source = """
        import torch.nn.functional as F

        def corr2d(X, K):
            Y = F.conv2d(X, K)
            return Y + F.conv1d(X, K)
    """
    assert found(source, ["corr2d"], CONV) == [(4, "F.conv2d"), (5, "F.conv1d")]


@pytest.mark.parametrize(
    "use",
    [
        "X.softmax(-1)",
        "(X @ W).softmax(dim=1)",
        "X[0].exp().softmax(0)",
        "torch.softmax(X, 1)",
        "nn.Softmax(dim=1)(X)",
        "self.weight.softmax(0)",
        "getattr(X, 'softmax')(1)",
        "torch.Tensor.softmax(X, 1)",
    ],
)
def test_methods_of_tensors_are_found(use: str) -> None:
    source = f"import torch\nfrom torch import nn\ndef f(self, X, W):\n    return {use}\n"
    assert len(forbidden_calls(source, ["f"], SOFTMAX)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "import torch\ndef f(X):\n    return torch.exp(X) / torch.exp(X).sum(1)",
        "from d2l import torch as d2l\ndef f(X):\n    return d2l.softmax(X)",
        "def softmax(X):\n    return X\ndef f(X):\n    return softmax(X)",
        "from softmax import softmax\ndef f(X):\n    return softmax(X)",
        "class f:\n    def softmax(self, X):\n        return X\n"
        "    def g(self, X):\n        return self.softmax(X)",
        "import torch\ndef other(X):\n    return torch.softmax(X, 1)\ndef f(X):\n    return X",
        "import torch\ndef f(X, softmax):\n    return softmax(X)\nsoftmax = torch.softmax",
        "import torch\nfrom torch import nn\ndef f(m, X):\n"
        "    if isinstance(m, nn.Softmax) or type(m) == nn.Softmax:\n        return X",
        "from torch import nn\ndef f(m: nn.Softmax) -> nn.Softmax:\n    n: nn.Softmax = m\n"
        "    return n",
        "import torch\ndef f(X):\n    '''torch.softmax does it'''\n    return X  # torch.softmax",
        "def f(X:\n    return torch.softmax(X)",
    ],
)
def test_what_is_no_use_is_not_found(source: str) -> None:
    assert forbidden_calls(source, ["f"], SOFTMAX) == []


def test_a_layer_attribute_is_no_method_of_a_tensor() -> None:
    source = "def f(net, X):\n    return net.conv2d(X) + net.dropout(X)"
    assert forbidden_calls(source, ["f"], ["torch.conv2d", "torch.nn.Dropout"]) == []


def test_helpers_are_followed() -> None:
    source = """
        import torch
        from torch import nn

        def inner(X):
            return torch.conv2d(X, X)

        def middle(X):
            return [inner(x) for x in X]

        class Layer(nn.Module):
            def forward(self, X):
                return middle(X)

        def unused(X):
            return torch.conv1d(X, X)
    """
    assert found(source, ["Layer"], CONV) == [(5, "torch.conv2d")]
    assert found(source, ["Layer"], CONV, apart=["inner"]) == []
    assert found(source, ["inner", "Layer", "absent"], CONV) == [(5, "torch.conv2d")]


def test_additions_to_a_class_belong_to_it() -> None:
    source = """
        from torch import nn
        from d2l import torch as d2l

        class Layer(nn.Module):
            pass

        @d2l.add_to_class(Layer)
        def forward(self, X):
            return nn.functional.conv2d(X, X)

        Layer.backward = lambda self, X: nn.Conv2d(1, 1, 1)(X)
    """
    assert [line for line, _ in found(source, ["Layer"], CONV)] == [9, 11]


def test_subclassing_a_layer_is_use_and_subclassing_module_is_not() -> None:
    source = """
        import torch
        from torch import nn

        class A(nn.Conv2d):
            pass

        class B(nn.Module):
            layer = nn.Linear

        class C(B):
            def __init__(self):
                self.conv = nn.LazyConv2d(1, 1)
    """
    assert found(source, ["A"], CONV) == [(4, "nn.Conv2d")]
    assert found(source, ["B"], [*CONV, "torch.nn.Bilinear"]) == []
    assert found(source, ["C"], CONV) == [(12, "nn.LazyConv2d")]


def test_imports_inside_functions_and_blocks_count() -> None:
    source = textwrap.dedent("""
        try:
            import torch.nn.functional as F
        except ImportError:
            F = None

        def f(X):
            from torch.nn.functional import conv2d
            return conv2d(X, X)

        if True:
            def g(X):
                return F.conv2d(X, X)

        def h(F, X):
            return F.conv2d(X, X)
    """)
    assert [line for line, _ in forbidden_calls(source, ["f"], CONV)] == [9]
    assert [line for line, _ in forbidden_calls(source, ["g"], CONV)] == [13]
    assert forbidden_calls(source, ["h"], CONV) == []


def test_both_sides_agree_on_one_snippet() -> None:
    source = "import torch\ndef f(X):\n    return torch.conv2d(X, X) + X.softmax(0)\n"
    namespace: dict[str, object] = {}
    exec(source, namespace)
    rules = ["torch.nn.Conv2d", "F.softmax"]
    with watching() as seen:
        namespace["f"](torch.ones(1, 1, 1, 1))  # type: ignore[operator]
    read = [name for _, name in forbidden_calls(source, ["f"], rules)]
    assert read == ["X.softmax", "torch.conv2d"]
    assert broken(rules, sorted(seen)) == ["torch.Tensor.softmax", "torch.conv2d"]
