"""The stand-in for the book's `d2l`: code in the book's style runs, and no answer is given away."""

from __future__ import annotations

import builtins
import subprocess
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
import torch
from d2lgrade.contestant import standin
from torch import nn

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

LINEAR = """
import torch
from d2l import torch as d2l

%matplotlib_would_be_here = None
""".replace("%matplotlib_would_be_here", "inline")


def test_linear_regression_from_scratch(install) -> None:
    install(judged=("sgd",))
    names = typed(
        """
%s
class LinearRegressionScratch(d2l.Module):
    def __init__(self, num_inputs, lr, sigma=0.01):
        super().__init__()
        self.save_hyperparameters()
        self.w = torch.normal(0, sigma, (num_inputs, 1), requires_grad=True)
        self.b = torch.zeros(1, requires_grad=True)

@d2l.add_to_class(LinearRegressionScratch)
def forward(self, X):
    return torch.matmul(X, self.w) + self.b

@d2l.add_to_class(LinearRegressionScratch)
def loss(self, y_hat, y):
    return d2l.reduce_mean((y_hat - y) ** 2 / 2)

class Descent(d2l.HyperParameters):
    def __init__(self, params, lr):
        self.save_hyperparameters()

    def step(self):
        for param in self.params:
            param -= self.lr * param.grad if False else 0
            param.data -= self.lr * param.grad

    def zero_grad(self):
        for param in self.params:
            if param.grad is not None:
                param.grad.zero_()

@d2l.add_to_class(LinearRegressionScratch)
def configure_optimizers(self):
    return Descent([self.w, self.b], self.lr)

torch.manual_seed(0)
model = LinearRegressionScratch(2, lr=0.1)
data = d2l.SyntheticRegressionData(w=torch.tensor([2, -3.4]), b=4.2, num_train=200, num_val=20)
trainer = d2l.Trainer(max_epochs=6)
trainer.fit(model, data)
"""
        % LINEAR.replace("            param -= self.lr * param.grad if False else 0\n", "")
    ) if False else typed(LINEAR_SCRATCH)
    model = names["model"]
    assert torch.allclose(model.w.detach().reshape(-1), torch.tensor([2.0, -3.4]), atol=0.05)
    assert abs(model.b.item() - 4.2) < 0.05
