"""The stand-in for the book's `d2l`: code in the book's style runs, and no answer is given away."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn

from d2lgrade.contestant import standin

EXERCISES = {
    "corr2d": "exercise ch07/corr2d (7.2), conv_layer.py",
    "init_cnn": "exercise ch07/init_cnn (7.6), lenet.py",
    "accuracy": "exercise ch04/accuracy (4.4), softmax.py",
    "evaluate_accuracy": "exercise ch04/evaluate_accuracy (4.4), softmax.py",
    "evaluate_accuracy_gpu": "exercise ch07/evaluate_accuracy_gpu (7.6), lenet.py",
    "cross_entropy_from_logits": "exercise ch04/cross_entropy_from_logits (4.5)",
    "train_classifier": "exercise ch07/train_classifier (7.6), lenet.py",
    "synthetic_data": "exercise ch03/synthetic_data (3.3), synthetic_data.py",
    "masked_softmax": "exercise ch11/masked_softmax (11.3), attention_scoring.py",
    "DotProductAttention": "exercise ch11/DotProductAttention (11.3), attention_scoring.py",
    "try_gpu": "exercise ch06/try_gpu (6.7), use_gpu.py",
    "try_all_gpus": "exercise ch06/try_all_gpus (6.7), use_gpu.py",
    "adam": "exercise ch12/adam (12.10), adam.py",
}


@pytest.fixture
def install() -> Iterator[Callable[..., ModuleType]]:
    """`install(judged, **own)` → the installed `d2l.torch`; taken out again afterwards."""
    before = {name: m for name, m in sys.modules.items() if name.partition(".")[0] == "d2l"}

    def put(judged: tuple[str, ...] = (), **own: Any) -> ModuleType:
        standin.install(EXERCISES, own.__getitem__, judged)
        return sys.modules["d2l.torch"]

    yield put
    for name in [name for name in sys.modules if name.partition(".")[0] == "d2l"]:
        del sys.modules[name]
    sys.modules.update(before)


def typed(source: str) -> dict[str, Any]:
    """Run a file as a learner would type it."""
    namespace: dict[str, Any] = {"__name__": "learner"}
    exec(compile(source, "learner.py", "exec"), namespace)
    return namespace


# --- snippets in the book's style, as they stand --------------------------------------------------


def test_linear_regression_from_scratch(install) -> None:
    install()
    names = typed(
        """
import torch
from d2l import torch as d2l

class Line(d2l.Module):
    def __init__(self, num_inputs, lr, sigma=0.01):
        super().__init__()
        self.save_hyperparameters()
        self.w = torch.normal(0, sigma, (num_inputs, 1), requires_grad=True)
        self.b = torch.zeros(1, requires_grad=True)

@d2l.add_to_class(Line)
def forward(self, X):
    return torch.matmul(X, self.w) + self.b

@d2l.add_to_class(Line)
def loss(self, y_hat, y):
    return d2l.reduce_mean((y_hat - y) ** 2 / 2)

class Descent(d2l.HyperParameters):
    def __init__(self, params, lr):
        self.save_hyperparameters()

    def step(self):
        for param in self.params:
            param.data -= self.lr * param.grad

    def zero_grad(self):
        for param in self.params:
            if param.grad is not None:
                param.grad.zero_()

@d2l.add_to_class(Line)
def configure_optimizers(self):
    return Descent([self.w, self.b], self.lr)

torch.manual_seed(0)
model = Line(2, lr=0.1)
data = d2l.SyntheticRegressionData(w=torch.tensor([2, -3.4]), b=4.2, num_train=200, num_val=20)
trainer = d2l.Trainer(max_epochs=8)
trainer.fit(model, data)
"""
    )
    model = names["model"]
    assert torch.allclose(model.w.detach().reshape(-1), torch.tensor([2.0, -3.4]), atol=0.05)
    assert abs(model.b.item() - 4.2) < 0.05
    assert model.hparams["sigma"] == 0.01
    assert names["data"].y.shape == (220, 1)
    assert [len(b[0]) for b in names["data"].val_dataloader()] == [20]


def test_softmax_regression_and_its_training(install, capsys) -> None:
    install(judged=("softmax",))
    names = typed(
        """
import torch
from torch import nn
from torch.nn import functional as F
from d2l import torch as d2l

d2l.use_svg_display()

class Softmax(d2l.Classifier):
    def __init__(self, num_outputs, lr):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(nn.Flatten(), nn.LazyLinear(num_outputs))

data = d2l.FashionMNIST(batch_size=16)
model = Softmax(num_outputs=10, lr=0.1)
trainer = d2l.Trainer(max_epochs=2, num_gpus=1, gradient_clip_val=1)
trainer.fit(model, data)
X, y = next(iter(data.val_dataloader()))
data.visualize([X, y])
preds = model(X).argmax(axis=1)
labels = data.text_labels(y) + data.text_labels(preds)
model.layer_summary((1, 1, 28, 28))
"""
    )
    assert names["model"](torch.zeros(2, 1, 28, 28)).shape == (2, 10)
    assert len(names["labels"]) == 32
    assert capsys.readouterr().out.splitlines()[-1].startswith("Linear output shape:")


def test_lenet_with_the_readers_own_init(install) -> None:
    calls = []

    def init_cnn(module):
        calls.append(type(module).__name__)

    install(judged=("init_cnn", "LeNet"), init_cnn=init_cnn)
    names = typed(
        """
import torch
from torch import nn
from d2l import torch as d2l

class Net(d2l.Classifier):
    def __init__(self, lr=0.1, num_classes=10):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(
            nn.LazyConv2d(6, kernel_size=5, padding=2), nn.Sigmoid(),
            nn.AvgPool2d(kernel_size=2, stride=2), nn.Flatten(), nn.LazyLinear(num_classes))

model = Net(lr=0.1)
model.apply_init([d2l.zeros(1, 1, 28, 28)], d2l.init_cnn)
model.layer_summary((1, 1, 28, 28))
"""
    )
    assert calls == ["Conv2d", "Sigmoid", "AvgPool2d", "Flatten", "Linear", "Sequential"]
    assert isinstance(names["model"].configure_optimizers(), torch.optim.SGD)


def test_a_large_network_on_large_images_runs_through_in_one_short_epoch(install) -> None:
    install()
    names = typed(
        """
from torch import nn
from d2l import torch as d2l

class Net(d2l.Classifier):
    def __init__(self, width, lr=0.1):
        super().__init__()
        self.save_hyperparameters()
        self.steps = 0
        self.net = nn.Sequential(nn.Flatten(), nn.LazyLinear(width), nn.ReLU(), nn.LazyLinear(10))

    def training_step(self, batch):
        self.steps += 1
        return super().training_step(batch)

data = d2l.FashionMNIST(batch_size=128, resize=(224, 224))
large, small = Net(64, lr=0.01), Net(1, lr=0.01)
for model in (large, small):
    trainer = d2l.Trainer(max_epochs=10, num_gpus=1)
    model.apply_init([next(iter(data.get_dataloader(True)))[0]], d2l.init_cnn)
    trainer.fit(model, data)
images, labels = next(iter(data.train_dataloader()))
net = nn.Sequential(nn.Flatten(), nn.Linear(224 * 224, 64))
seen = []
net.register_forward_hook(lambda *call: seen.append(net.training))
d2l.train_ch6(net, *d2l.load_data_fashion_mnist(128, resize=224), 10, 0.01, d2l.try_gpu())
"""
    )
    assert len(names["images"]) == 2
    assert (names["large"].steps, names["small"].steps) == (1, 10)
    assert names["seen"] == [True]


def test_attention_uses_the_readers_own_softmax(install) -> None:
    install(
        judged=("DotProductAttention", "masked_softmax"),
        masked_softmax=lambda X, valid_lens: torch.softmax(X, dim=-1),
    )
    names = typed(
        """
import math
import torch
from torch import nn
from d2l import torch as d2l

class Attention(nn.Module):
    def __init__(self, dropout):
        super().__init__()
        self.dropout = nn.Dropout(dropout)

    def forward(self, queries, keys, values, valid_lens=None):
        scores = torch.bmm(queries, keys.transpose(1, 2)) / math.sqrt(queries.shape[-1])
        self.attention_weights = d2l.masked_softmax(scores, valid_lens)
        return d2l.batch_matmul(self.dropout(self.attention_weights), values)

attention = Attention(0.5).eval()
out = attention(d2l.ones((2, 1, 4)), d2l.ones((2, 3, 4)), d2l.ones((2, 3, 5)))
d2l.check_shape(out, (2, 1, 5))
d2l.show_heatmaps(d2l.reshape(attention.attention_weights, (1, 1, 2, 3)), xlabel='keys')
"""
    )
    assert torch.allclose(names["out"], torch.ones(2, 1, 5))


def test_an_optimizer_chapter_with_its_demonstrations(install, capsys) -> None:
    install(judged=("adam",))
    names = typed(
        """
import torch
from d2l import torch as d2l

def init_states(feature_dim):
    return ((d2l.zeros((feature_dim, 1)),), (d2l.zeros(1),))

def descend(params, states, hyperparams):
    for p, (v,) in zip(params, states):
        with torch.no_grad():
            v[:] = 0.5 * v + p.grad
            p[:] -= hyperparams['lr'] * v
        p.grad.data.zero_()

data_iter, feature_dim = d2l.get_data_ch11(batch_size=10)
times, losses = d2l.train_ch11(descend, init_states(feature_dim), {'lr': 0.05}, data_iter,
                               feature_dim, num_epochs=3)
d2l.train_concise_ch11(torch.optim.SGD, {'lr': 0.05}, data_iter)
walk = d2l.train_2d(lambda a, b, s, t: (0.9 * a, 0.9 * b, 0, 0), steps=3)
d2l.show_trace_2d(lambda a, b: a ** 2 + b ** 2, walk)
"""
    )
    assert names["losses"][-1] < names["losses"][0] / 2
    assert len(names["times"]) == 3
    assert len(names["walk"]) == 4
    assert capsys.readouterr().out.startswith("loss: ")


def test_first_edition_code(install) -> None:
    install(judged=("dropout_layer",))
    names = typed(
        """
import torch
from torch import nn
from d2l import torch as d2l

train_iter, test_iter = d2l.load_data_fashion_mnist(16)
net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
trainer = torch.optim.SGD(net.parameters(), lr=0.1)
d2l.train_ch3(net, train_iter, test_iter, nn.CrossEntropyLoss(reduction='none'), 2, trainer)
metric = d2l.Accumulator(2)
timer, animator = d2l.Timer(), d2l.Animator(xlabel='epoch', xlim=[1, 2], legend=['a'])
for X, y in test_iter:
    timer.start()
    metric.add(d2l.accuracy(net(X), y), d2l.size(y))
    timer.stop()
    animator.add(1, (metric[0] / metric[1], None))
share = metric[0] / metric[1]
same = d2l.evaluate_accuracy(net, test_iter), d2l.evaluate_accuracy_gpu(net, test_iter)
loss = d2l.evaluate_loss(net, test_iter, nn.CrossEntropyLoss())
rows = d2l.load_array((torch.arange(5.0), torch.arange(5)), 2, is_train=False)
batches = [len(y) for _, y in rows]
d2l.train_ch6(net, train_iter, test_iter, 1, 0.1, d2l.try_gpu())
d2l.set_figsize((4, 3))
d2l.plt.imshow(torch.ones(2, 2)).set_title('nothing')
fig, axes = d2l.plt.subplots(1, 4, sharey=True, figsize=(12, 3))
for kernel, ax in zip([torch.sin, torch.cos], axes):
    pcm = ax.imshow(kernel(torch.ones(2, 2)), cmap='Reds')
fig.colorbar(pcm, ax=axes, shrink=0.7)
_, ax = d2l.plt.subplots()
ax.plot([1], [2])
_, grid = d2l.plt.subplots(2, 3)
shape = len(grid), len(grid[0]), len(axes)
mask = d2l.sequence_mask(torch.ones(2, 3), torch.tensor([1, 2]), value=-1)
"""
    )
    assert names["same"] == (names["share"],) * 2
    assert names["batches"] == [2, 2, 1]
    assert names["shape"] == (2, 3, 4)
    assert 0 < names["loss"] < 10
    assert names["mask"].tolist() == [[1, -1, -1], [1, 1, -1]]
    assert "matplotlib" not in sys.modules


def test_encoders_and_decoders(install) -> None:
    install()
    names = typed(
        """
import torch
from torch import nn
from d2l import torch as d2l

class Enc(d2l.Encoder):
    def forward(self, X, *args):
        return X * 2

class Dec(d2l.AttentionDecoder):
    def init_state(self, enc_all_outputs, *args):
        return enc_all_outputs

    def forward(self, X, state):
        self._weights = state
        return X + state, state

    @property
    def attention_weights(self):
        return self._weights

model = d2l.EncoderDecoder(Enc(), Dec())
out = model(torch.ones(1, 2), torch.zeros(1, 2))
gru = nn.GRU(2, 3)
gru.apply(d2l.init_seq2seq)
lazy = nn.LazyLinear(2)
lazy.apply(d2l.init_seq2seq)
outputs, state = d2l.Seq2SeqEncoder(5, 3, 4, num_layers=2)(torch.zeros(6, 7, dtype=torch.long))
"""
    )
    assert names["outputs"].shape == (7, 6, 4)
    assert names["state"].shape == (2, 6, 4)
    assert nn.parameter.is_lazy(names["lazy"].weight)
    assert names["out"].tolist() == [[2.0, 2.0]]


def test_hyperparameters_through_nested_subclasses(install) -> None:
    install()
    names = typed(
        """
from d2l import torch as d2l

class A(d2l.HyperParameters):
    def __init__(self, a, secret=1, b=2):
        self.save_hyperparameters(ignore=['secret'])

class B(A):
    def __init__(self, a, c, *rest, _d=4, **more):
        super().__init__(a, b=5)
        e = a + c
        self.save_hyperparameters()

b = B(1, 3, 8, f=9)
"""
    )
    b = names["b"]
    assert (b.a, b.b, b.c, b.e, b.rest, b.more) == (1, 5, 3, 4, (8,), {"f": 9})
    assert not hasattr(b, "secret")
    assert not hasattr(b, "_d")
    assert set(b.hparams) == {"a", "b", "c", "e", "rest", "more"}


def test_aliases_are_pytorchs_own(install) -> None:
    d2l = install()
    X = torch.arange(6.0).reshape(2, 3)
    assert d2l.tensor is torch.tensor
    assert d2l.concat is torch.cat
    assert d2l.float32 is torch.float32
    assert torch.equal(d2l.transpose(X), X.T)
    assert torch.equal(d2l.reduce_sum(X, 1), X.sum(1))
    assert torch.equal(d2l.reduce_mean(X, dim=0), X.mean(0))
    assert torch.equal(d2l.argmax(X, axis=1), X.argmax(1))
    assert d2l.astype(X, d2l.int32).dtype is torch.int32
    assert d2l.numpy(X.requires_grad_()).shape == (2, 3)
    assert d2l.expand_dims(X, 0).shape == (1, 2, 3)
    assert d2l.size(X) == 6
    assert d2l.to(X, "cpu") is X
    for name in ("zeros", "ones", "randn", "matmul", "arange", "exp", "log", "stack", "normal"):
        assert getattr(d2l, name) is getattr(torch, name)
    assert d2l.torch is torch
    assert d2l.nn is nn
    assert d2l.cpu().type == "cpu"
    assert d2l.gpu(1).index == 1
    assert d2l.try_all_gpus() == [torch.device("cpu")]


def test_import_forms(install) -> None:
    install(corr2d=max)
    names = typed(
        """
import d2l
import d2l.torch as book
from d2l.torch import Module, Timer, corr2d
from d2l.torch import *
from d2l import torch as again
"""
    )
    assert names["corr2d"] is max
    assert names["book"] is names["again"] is names["d2l"].torch
    assert names["Classifier"] is names["again"].Classifier
    assert "learners" not in names


# --- exercises ------------------------------------------------------------------------------------


def test_the_learners_own_definition_comes_first(install) -> None:
    d2l = install(judged=("corr2d",), corr2d=max, init_cnn=min)
    assert d2l.corr2d is max
    assert d2l.init_cnn is min


def test_an_unwritten_exercise_is_named_in_a_sentence(install) -> None:
    d2l = install(judged=("corr2d",))
    with pytest.raises(AttributeError) as caught:
        d2l.corr2d  # noqa: B018
    assert str(caught.value) == (
        "d2l.corr2d is exercise ch07/corr2d (7.2): write it in conv_layer.py "
        "and it will be used here"
    )
    assert not hasattr(d2l, "masked_softmax")
    with pytest.raises(AttributeError, match=r"ch12/adam \(12.10\): write it in adam.py"):
        d2l.adam  # noqa: B018


def test_a_helper_answers_for_an_exercise_that_is_not_judged(install) -> None:
    d2l = install(judged=("corr2d",))
    layer = nn.Linear(2, 2)
    before = layer.weight.clone()
    d2l.init_cnn(layer)
    assert not torch.equal(layer.weight, before)
    assert d2l.accuracy(torch.eye(3), torch.tensor([0, 1, 0])) == 2.0
    assert d2l.accuracy(torch.tensor([1, 0]), torch.tensor([1, 1])) == 1.0


@pytest.mark.parametrize(
    ("judged", "name"),
    [
        ("init_cnn", "init_cnn"),
        ("accuracy", "accuracy"),
        ("accuracy", "evaluate_accuracy"),
        ("evaluate_accuracy", "evaluate_accuracy_gpu"),
        ("evaluate_accuracy_gpu", "evaluate_accuracy"),
        ("try_gpu", "try_all_gpus"),
        ("linreg", "linreg"),
        ("squared_loss", "squared_loss"),
    ],
)
def test_no_helper_answers_for_a_judged_exercise(install, judged: str, name: str) -> None:
    d2l = install(judged=(judged,))
    with pytest.raises(AttributeError, match="will be used here"):
        getattr(d2l, name)
    assert name not in vars(d2l)
    assert not hasattr(install(judged=(judged,)).torch, name)


def test_no_answer_by_way_of_a_class_or_another_helper(install) -> None:
    """What a learner defines by these comes back to what they define."""
    told: list[str] = []

    def answer(name: str, value: Any) -> Callable[..., Any]:
        def function(*args: Any) -> Any:
            told.append(name)
            return value

        return function

    draw = answer("synthetic_data", (torch.zeros(3, 2), torch.zeros(3, 1)))
    own = {
        "accuracy": answer("accuracy", torch.tensor(7.0)),
        "cross_entropy_from_logits": answer("cross_entropy", torch.tensor(8.0)),
        "train_classifier": answer("train", 9),
        "apply_init": answer("apply_init", None),
        "synthetic_data": draw,
    }
    logits, labels = torch.eye(3), torch.tensor([0, 1, 1])
    d2l = install(judged=tuple(own), **own)
    model = d2l.Classifier()
    assert model.accuracy(logits, labels).item() == pytest.approx(7 / 3)  # a count, averaged here
    assert model.accuracy(logits, labels, averaged=False).tolist() == [7.0] * 3
    assert model.loss(logits, labels) == 8
    assert model.loss(logits, labels, averaged=False).tolist() == [8.0] * 3
    assert d2l.train_ch6(None, None, None, 1, 0.1, None) == 9
    d2l.SyntheticRegressionData(torch.ones(2), 0.0, num_train=2, num_val=1)
    d2l.Module().apply_init([torch.zeros(1)])  # which alone would miss a net
    assert told.count("accuracy") == told.count("cross_entropy") == 4
    assert told[-3:] == ["train", "synthetic_data", "apply_init"]

    d2l = install(judged=(), **own)  # not judged: the helper's own way, whatever the learner has
    model = d2l.Classifier()
    assert model.accuracy(logits, labels).item() == pytest.approx(2 / 3)
    assert model.accuracy(logits, labels, averaged=False).tolist() == [1, 1, 0]
    assert model.loss(logits, labels) == nn.functional.cross_entropy(logits, labels)
    assert model.loss(logits, labels, averaged=False).shape == (3,)


def test_an_unknown_name_is_answered_with_its_neighbours(install) -> None:
    d2l = install()
    with pytest.raises(AttributeError, match=r"no 'acumulator'; near to it: Accumulator") as caught:
        d2l.acumulator  # noqa: B018
    assert "only what the exercises need" in str(caught.value)
    with pytest.raises(AttributeError, match="has no 'RNNScratch'"):
        d2l.RNNScratch  # noqa: B018


def test_other_editions_are_refused_with_the_right_line(install) -> None:
    install()
    with pytest.raises(ImportError, match="mxnet"):
        typed("from d2l import mxnet as d2l")
    package = standin.build(EXERCISES, {}.__getitem__, ())
    for name, fromlist in (("d2l", ("mxnet",)), ("d2l.tensorflow", ())):
        with pytest.raises(ImportError, match="write `from d2l import torch as d2l`"):
            standin.imported(package, name, fromlist)


def test_import_keeps_the_sentence() -> None:
    package = standin.build(EXERCISES, {"adam": max}.__getitem__, ("corr2d",))
    assert standin.imported(package, "d2l", ("torch",)) is package
    assert standin.imported(package, "d2l.torch", None) is package
    assert standin.imported(package, "d2l.torch", ("adam", "*")) is package.torch
    with pytest.raises(ImportError, match=r"write it in conv_layer\.py"):
        standin.imported(package, "d2l.torch", ("corr2d",))


def test_two_stand_ins_share_no_class() -> None:
    one, two = (standin.build(EXERCISES, {}.__getitem__, ()).torch for _ in range(2))
    one.add_to_class(one.Module)(lambda self: 1)
    one.Module.forward = None
    assert one.Module is not two.Module
    assert two.Module.forward is not None


def test_an_installed_d2l_is_never_used(install, tmp_path, monkeypatch) -> None:
    (tmp_path / "d2l").mkdir()
    (tmp_path / "d2l" / "__init__.py").write_text("def torch(): 'installed'")
    (tmp_path / "d2l" / "mxnet.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules["d2l.mxnet"] = ModuleType("d2l.mxnet")  # imported before
    install()
    assert typed("from d2l import torch as d2l")["d2l"].Module
    with pytest.raises(ImportError):
        typed("import d2l.mxnet")


# --- the zygote -----------------------------------------------------------------------------------

LIGHT = """
import sys, threading
import torch
from torch.utils._python_dispatch import TorchDispatchMode

class Refuse(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        raise AssertionError(func)

def asked(*args, **kwargs):
    raise AssertionError("CUDA was asked")

for name in ("is_available", "device_count", "current_device", "_lazy_init"):
    setattr(torch.cuda, name, asked)
with Refuse():
    import d2lgrade.contestant.standin, d2lgrade.contestant.book
    import d2lgrade.contestant.probes.device, d2lgrade.contestant.probes.rules
    d2lgrade.contestant.standin.install({}, {}.__getitem__, ())
assert threading.active_count() == 1
tasks = __import__("os").listdir("/proc/self/task") if sys.platform == "linux" else [1]
assert len(tasks) == 1, tasks
assert "matplotlib" not in sys.modules
"""


def test_importing_runs_no_operation_starts_no_thread_and_asks_no_cuda() -> None:
    root = Path(standin.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", LIGHT],
        capture_output=True,
        text=True,
        check=False,
        # One thread, as the sandbox starts its zygote: NumPy's BLAS makes more at import otherwise.
        env={**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
