"""What the stand-in for the book's `d2l` module offers: base classes, small helpers, aliases.

Written from what the book says these do, so that code typed along the book runs. Plotting accepts
everything and draws nothing. Data sets are a handful of made-up examples of the right shape:
enough for a demonstration to run through, nothing to learn from, no download.

`standin` executes this file afresh for each submission, since learners add methods to these
classes; `standin` also sets `learners`. What keeps no state is in `book_tools`.
"""

from __future__ import annotations

import inspect
import math
import random
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader

from . import book_tools as tools


def learners(name: str) -> Any:
    """The learner's own function for an exercise that is being judged, or None.

    Helpers that contain the answer to an exercise use this in its place. Replaced by `standin`.
    """
    return None


class _Quiet:
    """Takes any call and any attribute, and does nothing: stands for matplotlib."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self

    def subplots(self, nrows: int = 1, ncols: int = 1, **kwargs: Any) -> tuple[Any, Any]:
        """A figure and its axes: one, a row of them, or rows."""
        rows = [[self] * ncols for _ in range(nrows)]
        grid = rows if min(nrows, ncols) > 1 else [axis for row in rows for axis in row]
        return self, self if nrows == ncols == 1 else grid


MODULES: dict[str, Any] = {
    **{"torch": torch, "nn": nn, "F": F, "np": np},
    **{"math": math, "random": random, "time": time},
}

QUIET: dict[str, Any] = dict.fromkeys(
    (
        *("plt", "Image", "backend_inline", "display", "plot", "set_axes", "set_figsize"),
        *("use_svg_display", "show_images", "show_heatmaps", "show_trace", "show_trace_2d"),
        *("show_list_len_pair_hist", "annotate"),
    ),
    _Quiet(),
)

_SAME_IN_TORCH = (
    "abs arange cos cosh exp eye float32 float64 int32 int64 linspace log matmul meshgrid normal "
    "ones ones_like rand randn sigmoid sin sinh stack tanh tensor zeros zeros_like"
)
ALIASES: dict[str, Any] = {
    **{name: getattr(torch, name) for name in _SAME_IN_TORCH.split()},
    "concat": torch.cat,
    "batch_matmul": torch.bmm,
    "argmax": lambda x, *args, **kwargs: x.argmax(*args, **kwargs),
    "astype": lambda x, *args, **kwargs: x.type(*args, **kwargs),
    "expand_dims": lambda x, *args, **kwargs: x.unsqueeze(*args, **kwargs),
    "numpy": lambda x: x.detach().numpy(),
    "reduce_mean": lambda x, *args, **kwargs: x.mean(*args, **kwargs),
    "reduce_sum": lambda x, *args, **kwargs: x.sum(*args, **kwargs),
    "repeat": lambda x, *args, **kwargs: x.repeat(*args, **kwargs),
    "reshape": lambda x, *args, **kwargs: x.reshape(*args, **kwargs),
    "size": lambda x: x.numel(),
    "swapaxes": lambda x, *args: x.swapaxes(*args),
    "to": lambda x, *args, **kwargs: x.to(*args, **kwargs),
    "transpose": lambda x: x.t(),
    "nn_Module": nn.Module,
}


# --- classes of the second edition -------------------------------------------------------------


def add_to_class(Class: type) -> Callable[[Any], Any]:
    """A decorator that makes a function a method of `Class`, under the function's name."""

    def add(function: Any) -> Any:
        setattr(Class, function.__name__, function)
        return function

    return add


class HyperParameters:
    """Keeps what a constructor was called with."""

    hparams: dict[str, Any]

    def save_hyperparameters(self, ignore: Iterable[str] = ()) -> None:
        """Make attributes of the caller's local variables, except `ignore` and `_names`."""
        frame = inspect.currentframe()
        caller = frame.f_back if frame else None
        kept = {
            name: value
            for name, value in (caller.f_locals if caller else {}).items()
            if value is not self and not name.startswith("_") and name not in set(ignore)
        }
        self.hparams = {**getattr(self, "hparams", {}), **kept}
        for name, value in kept.items():
            setattr(self, name, value)


class ProgressBoard(HyperParameters):
    """A plot that is not drawn; takes the book's arguments."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.display = False

    def draw(self, x: Any, y: Any, label: str, every_n: int = 1) -> None:
        """Accept a point."""


class Module(nn.Module, HyperParameters):
    """The base class of the book's models: a `net`, a loss, steps and an optimizer."""

    def __init__(self, plot_train_per_epoch: int = 2, plot_valid_per_epoch: int = 1) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.board = ProgressBoard()

    def forward(self, X: Any, *args: Any) -> Any:
        """Apply `self.net`; an AttributeError says so where a model has none."""
        if not hasattr(self, "net"):
            raise AttributeError(
                f"{type(self).__name__} has no net: set self.net, or write forward"
            )
        return self.net(X, *args)  # type: ignore[operator]

    def loss(self, y_hat: Any, y: Any) -> Any:
        """What training minimises; each model defines it."""
        raise NotImplementedError

    def plot(self, key: str, value: Any, train: bool) -> None:
        """Accept a point of the training curve."""

    def training_step(self, batch: Sequence[Any]) -> Any:
        """The loss of a batch whose last item is the target."""
        value = self.loss(self(*batch[:-1]), batch[-1])
        self.plot("loss", value, train=True)
        return value

    def validation_step(self, batch: Sequence[Any]) -> None:
        """Plot the loss of a batch."""
        self.plot("loss", self.loss(self(*batch[:-1]), batch[-1]), train=False)

    def configure_optimizers(self) -> Any:
        """Stochastic gradient descent with learning rate `self.lr`."""
        return torch.optim.SGD(self.parameters(), lr=self.lr)  # type: ignore[arg-type]

    def apply_init(self, inputs: Sequence[Any], init: Callable[[Any], Any] | None = None) -> None:
        """Run once, so that lazy layers get their shapes, then initialise every layer."""
        own = learners("apply_init")
        if own is not None:
            own(self, inputs, init)
            return
        self.forward(*inputs)
        if init is not None:
            self.net.apply(init)  # type: ignore[union-attr]

    def layer_summary(self, X_shape: Sequence[int]) -> None:
        """Print the output shape of each layer of `self.net` for an input of this shape."""
        X = torch.randn(*X_shape)
        for layer in self.net:  # type: ignore[union-attr]
            X = layer(X)
            print(type(layer).__name__, "output shape:\t", X.shape)


class Classifier(Module):
    """A model whose outputs are logits, the classes along the last axis."""

    def loss(self, Y_hat: Any, Y: Any, averaged: bool = True) -> Any:
        """Cross-entropy of logits (…, classes) and labels (…); each one's if not averaged."""
        logits, labels = Y_hat.reshape(-1, Y_hat.shape[-1]), Y.reshape(-1)
        own = learners("cross_entropy_from_logits")
        if own is not None:
            return _by_learner(own, logits, labels, averaged)
        return F.cross_entropy(logits, labels, reduction="mean" if averaged else "none")

    def accuracy(self, Y_hat: Any, Y: Any, averaged: bool = True) -> Any:
        """The share of right answers, or for each whether it is right."""
        own = learners("accuracy")
        if own is not None:
            logits, labels = Y_hat.reshape(-1, Y_hat.shape[-1]), Y.reshape(-1)
            hits = _by_learner(own, logits, labels, averaged)  # theirs counts right answers
            return hits / len(labels) if averaged else hits
        right = tools.right(Y_hat, Y).float()
        return right.mean() if averaged else right

    def validation_step(self, batch: Sequence[Any]) -> None:
        """Plot loss and accuracy of a batch."""
        Y_hat = self(*batch[:-1])
        self.plot("loss", self.loss(Y_hat, batch[-1]), train=False)
        self.plot("acc", tools.right(Y_hat, batch[-1]).float().mean(), train=False)


def _by_learner(judge: Callable[..., Any], Y_hat: Any, Y: Any, averaged: bool) -> Any:
    """A learner's function of scores and labels: of all at once, or of each example alone."""
    if averaged:
        return judge(Y_hat, Y)
    rows = zip(Y_hat.split(1), Y.split(1), strict=True)
    return torch.stack([torch.as_tensor(judge(scores, label)) for scores, label in rows])


class DataModule(HyperParameters):
    """The base class of the book's data sets."""

    def __init__(self, root: str = "../data", num_workers: int = 0) -> None:
        self.save_hyperparameters()

    def get_dataloader(self, train: bool) -> Any:
        """The batches for training or validation; each data set defines it."""
        raise NotImplementedError

    def train_dataloader(self) -> Any:
        """The batches for training."""
        return self.get_dataloader(train=True)

    def val_dataloader(self) -> Any:
        """The batches for validation."""
        return self.get_dataloader(train=False)

    def get_tensorloader(
        self, tensors: Sequence[Any], train: bool, indices: slice = slice(0, None)
    ) -> Any:
        """Batches of `self.batch_size` of some rows of tensors, shuffled for training."""
        rows = [tensor[indices] for tensor in tensors]
        return tools.load_array(rows, self.batch_size, train)  # type: ignore[attr-defined]


class Trainer(HyperParameters):
    """Fits a model to data, epoch by epoch."""

    def __init__(self, max_epochs: int, num_gpus: int = 0, gradient_clip_val: float = 0) -> None:
        self.save_hyperparameters()
        self.gpus = [tools.gpu(i) for i in range(min(num_gpus, tools.num_gpus()))]

    def prepare_data(self, data: Any) -> None:
        """Get the loaders."""
        self.train_dataloader = data.train_dataloader()
        self.val_dataloader = data.val_dataloader()

    def prepare_model(self, model: Any) -> None:
        """Introduce model and trainer, and move the model to the GPU if there is one."""
        model.trainer = self
        self.model = model.to(self.gpus[0]) if self.gpus else model

    def prepare_batch(self, batch: Sequence[Any]) -> Sequence[Any]:
        """Move a batch to where the model is."""
        return [item.to(self.gpus[0]) for item in batch] if self.gpus else batch

    def clip_gradients(self, grad_clip_val: float, model: nn.Module) -> None:
        """Scale the gradients so that their joint norm is at most `grad_clip_val`."""
        nn.utils.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], grad_clip_val)

    def fit(self, model: Any, data: Any) -> None:
        """Train for `max_epochs` epochs; for one where the model is large (`tools.is_large`)."""
        self.prepare_data(data)
        self.prepare_model(model)
        self.optim = model.configure_optimizers()
        for epoch in range(self.max_epochs):  # type: ignore[attr-defined]
            self.epoch = epoch
            self.fit_epoch()
            if tools.is_large(model):
                break

    def fit_epoch(self) -> None:
        """One pass over the training data, and one over the validation data if there are any."""
        self.model.train()
        for batch in self.train_dataloader:
            loss = self.model.training_step(self.prepare_batch(batch))
            self.optim.zero_grad()
            loss.backward()
            if self.gradient_clip_val > 0:  # type: ignore[attr-defined]
                self.clip_gradients(self.gradient_clip_val, self.model)  # type: ignore[attr-defined]
            self.optim.step()
        self.model.eval()
        with torch.no_grad():
            for batch in self.val_dataloader or ():
                self.model.validation_step(self.prepare_batch(batch))


class SyntheticRegressionData(DataModule):
    """Made-up data of a linear model with noise; X: (n, d), y: (n, 1)."""

    def __init__(
        self,
        w: torch.Tensor,
        b: float,
        noise: float = 0.01,
        num_train: int = 1000,
        num_val: int = 1000,
        batch_size: int = 32,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        draw = learners("synthetic_data") or _linear_data
        self.X: torch.Tensor
        self.y: torch.Tensor
        self.X, self.y = draw(w, b, num_train + num_val, noise)

    def get_dataloader(self, train: bool) -> Any:
        """The first `num_train` examples for training, the others for validation."""
        split = self.num_train  # type: ignore[attr-defined]
        rows = slice(0, split) if train else slice(split, None)
        return self.get_tensorloader((self.X, self.y), train, rows)


def _linear_data(w: Any, b: Any, n: int, noise: float) -> tuple[torch.Tensor, torch.Tensor]:
    X = torch.randn(n, len(w))
    y = X @ torch.as_tensor(w).reshape(-1, 1) + b
    return X, y + noise * torch.randn(n, 1)


class FashionMNIST(DataModule):
    """Made-up grey images in ten classes, 32 at most, in place of the 70,000 real ones."""

    def __init__(self, batch_size: int = 64, resize: tuple[int, int] = (28, 28)) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.train = self.val = tools.made_up_images(resize)

    def get_dataloader(self, train: bool) -> Any:
        """Batches of (images, labels)."""
        return DataLoader(self.train, self.batch_size, shuffle=train)  # type: ignore[attr-defined]

    def text_labels(self, indices: Iterable[int]) -> list[str]:
        """A word for each label."""
        return tools.get_fashion_mnist_labels(indices)

    def visualize(self, *args: Any, **kwargs: Any) -> None:
        """Show nothing."""


class Encoder(nn.Module):
    """Turns an input sequence into a state for a decoder."""

    def forward(self, X: Any, *args: Any) -> Any:
        """Each encoder defines it."""
        raise NotImplementedError


class Decoder(nn.Module):
    """Makes an output sequence from an encoder's state."""

    def init_state(self, enc_all_outputs: Any, *args: Any) -> Any:
        """Each decoder defines it."""
        raise NotImplementedError

    def forward(self, X: Any, state: Any) -> Any:
        """Each decoder defines it."""
        raise NotImplementedError


class AttentionDecoder(Decoder):
    """A decoder that can show where it attended."""

    @property
    def attention_weights(self) -> Any:
        """Each such decoder defines it."""
        raise NotImplementedError


class Seq2SeqEncoder(Encoder):
    """A recurrent encoder of token sequences X: (n, steps)."""

    def __init__(
        self,
        vocab_size: int,
        embed_size: int,
        num_hiddens: int,
        num_layers: int,
        dropout: float = 0,
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embed_size)
        self.rnn = nn.GRU(embed_size, num_hiddens, num_layers, dropout=dropout)
        self.apply(tools.init_seq2seq)

    def forward(self, X: Any, *args: Any) -> Any:
        """Outputs (steps, n, num_hiddens) and last hidden states (num_layers, n, num_hiddens)."""
        return self.rnn(self.embedding(X.t()))


class EncoderDecoder(Classifier):
    """An encoder and a decoder in a row; the decoder's output alone."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def forward(self, enc_X: Any, dec_X: Any = None, *args: Any) -> Any:
        """Encode, start the decoder from that, decode."""
        state = self.decoder.init_state(self.encoder(enc_X, *args), *args)  # type: ignore[operator]
        return self.decoder(dec_X, state)[0]


# --- helpers that contain the answer to an exercise -----------------------------------------------


def train_ch6(
    net: Any, train_iter: Any, test_iter: Any, num_epochs: int, lr: float, device: Any
) -> Any:
    """Train a classifier on a device, by the learner's own function if that is being judged."""
    train = learners("train_classifier") or tools.train_on
    return train(net, train_iter, test_iter, num_epochs, lr, device)
