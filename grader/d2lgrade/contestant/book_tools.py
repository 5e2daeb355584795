"""The small helpers of the stand-in for the book's `d2l` module: devices, timers, data, loops.

Plain functions that keep no state, written from what the book says they do. The base classes,
which learners add methods to, are in `book`.
"""

# ruff: noqa: N803, N806, N812 - X and F are the book's names

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, MutableSequence, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

# --- devices --------------------------------------------------------------------------------------


def cpu() -> torch.device:
    """The CPU."""
    return torch.device("cpu")


def gpu(i: int = 0) -> torch.device:
    """The GPU with number `i`."""
    return torch.device(f"cuda:{i}")


def num_gpus() -> int:
    """How many GPUs there are."""
    return torch.cuda.device_count()


def try_gpu(i: int = 0) -> torch.device:
    """GPU number `i` if there is one, else the CPU."""
    return gpu(i) if i < num_gpus() else cpu()


def try_all_gpus() -> list[torch.device]:
    """Every GPU, or the CPU if there is none."""
    return [gpu(i) for i in range(num_gpus())] or [cpu()]


# --- keeping count --------------------------------------------------------------------------------


class Timer:
    """Measures one stretch of time after another; seconds."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.start()

    def start(self) -> None:
        """Begin a stretch."""
        self.tik = time.perf_counter()

    def stop(self) -> float:
        """End it; returns how long it was."""
        self.times.append(time.perf_counter() - self.tik)
        return self.times[-1]

    def sum(self) -> float:
        """All stretches together."""
        return sum(self.times)

    def avg(self) -> float:
        """The mean stretch."""
        return self.sum() / len(self.times)

    def cumsum(self) -> list[float]:
        """The time up to the end of each stretch."""
        return [sum(self.times[: end + 1]) for end in range(len(self.times))]


class Accumulator:
    """Adds up `n` numbers side by side."""

    def __init__(self, n: int) -> None:
        self.data = [0.0] * n

    def add(self, *args: Any) -> None:
        """Add one number to each sum."""
        numbers = [float(a.detach() if isinstance(a, torch.Tensor) else a) for a in args]
        self.data = [total + number for total, number in zip(self.data, numbers, strict=True)]

    def reset(self) -> None:
        """Start again from zero."""
        self.data = [0.0] * len(self.data)

    def __getitem__(self, index: Any) -> Any:
        return self.data[index]


class Animator:
    """A growing plot that is not drawn; takes the book's arguments."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.X: Any = None
        self.Y: Any = None

    def add(self, x: Any, y: Any) -> None:
        """Accept points."""


def check_len(a: Sequence[Any], n: int) -> None:
    """Assert a length."""
    assert len(a) == n, f"length {len(a)}, expected {n}"


def check_shape(a: torch.Tensor, shape: Sequence[int]) -> None:
    """Assert a shape."""
    assert tuple(a.shape) == tuple(shape), f"shape {tuple(a.shape)}, expected {tuple(shape)}"


# --- data -----------------------------------------------------------------------------------------


def load_array(
    data_arrays: Iterable[torch.Tensor], batch_size: int, is_train: bool = True
) -> DataLoader[Any]:
    """Batches of rows that belong together, shuffled for training."""
    return DataLoader(TensorDataset(*data_arrays), batch_size, shuffle=is_train)


def get_dataloader_workers() -> int:
    """How many processes read data: none, the data are in memory."""
    return 0


def made_up_images(resize: Sequence[int] = (28, 28)) -> TensorDataset:
    """Grey images (1, h, w) of noise with labels 0 to 9: 32, or fewer large ones, 2 at least."""
    count = max(2, min(32, (32 << 10) // (resize[0] * resize[1])))
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(count, 1, *resize, generator=generator)
    return TensorDataset(images, torch.arange(count) % 10)


def is_large(net: nn.Module) -> bool:
    """Whether a network holds so many numbers that a demonstration should train it no longer.

    One epoch shows that it runs. Ten of an AlexNet would outlast the time that a file has to be
    imported.
    """
    known = (p for p in net.parameters() if not nn.parameter.is_lazy(p))
    return sum(p.numel() for p in known) > 1_000_000


def load_data_fashion_mnist(
    batch_size: int, resize: int | None = None
) -> tuple[DataLoader[Any], DataLoader[Any]]:
    """Batches of made-up images, in place of the real ones: for training and for testing."""
    images = made_up_images((resize or 28, resize or 28))
    return DataLoader(images, batch_size, shuffle=True), DataLoader(images, batch_size)


def get_fashion_mnist_labels(labels: Iterable[Any]) -> list[str]:
    """A word for each label."""
    return [f"class {int(label)}" for label in labels]


def get_data_ch11(batch_size: int = 10, n: int = 1500) -> tuple[DataLoader[Any], int]:
    """Batches of a made-up regression task, and its number of features, 5."""
    generator = torch.Generator().manual_seed(0)
    X = torch.randn(min(n, 100), 5, generator=generator)
    return load_array((X, X.sum(1)), batch_size), 5


# --- training and evaluating ----------------------------------------------------------------------


def linreg(X: torch.Tensor, w: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """A linear model; X: (n, d), w: (d, 1)."""
    return X @ w + b


def squared_loss(y_hat: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Half the squared error of each example, in the shape of `y_hat`."""
    return 0.5 * (y_hat - y.reshape(y_hat.shape)).pow(2)


def right(Y_hat: torch.Tensor, Y: torch.Tensor) -> torch.Tensor:
    """For each label whether the largest of its logits is its own; bool (labels,)."""
    return Y_hat.reshape(-1, Y_hat.shape[-1]).argmax(1).to(Y.dtype) == Y.reshape(-1)


def accuracy(y_hat: torch.Tensor, y: torch.Tensor) -> float:
    """How many answers are right; `y_hat` holds scores (n, classes) or labels (n,)."""
    hits = right(y_hat, y) if y_hat.dim() > 1 else y_hat.to(y.dtype) == y
    return float(hits.sum())


def evaluate_accuracy(
    net: Any, data_iter: Iterable[Any], device: torch.device | None = None
) -> float:
    """The share of right answers over a data set."""
    counts = Accumulator(2)
    with torch.no_grad(), _evaluating(net):
        for X, y in data_iter:
            X, y = (X, y) if device is None else (X.to(device), y.to(device))
            counts.add(accuracy(net(X), y), y.numel())
    return float(counts[0] / counts[1])


def evaluate_accuracy_gpu(
    net: Any, data_iter: Iterable[Any], device: torch.device | None = None
) -> float:
    """The same, with the data moved to where the net is."""
    if device is None and isinstance(net, nn.Module):
        device = next((p.device for p in net.parameters()), None)
    return evaluate_accuracy(net, data_iter, device)


def evaluate_loss(net: Any, data_iter: Iterable[Any], loss: Callable[..., Any]) -> float:
    """The mean loss over a data set."""
    counts = Accumulator(2)
    for X, y in data_iter:
        out = net(X)
        each = loss(out, y.reshape(out.shape) if y.numel() == out.numel() else y)
        counts.add(each.sum() if each.dim() else each * y.numel(), y.numel())
    return float(counts[0] / counts[1])


class _evaluating:  # noqa: N801 - used like a function
    """Evaluation mode for the time of a block, where the net has modes."""

    def __init__(self, net: Any) -> None:
        self.net = net if isinstance(net, nn.Module) else nn.Identity()

    def __enter__(self) -> None:
        self.training = self.net.training
        self.net.eval()

    def __exit__(self, *_: object) -> None:
        self.net.train(self.training)


def train_ch3(
    net: Any,
    train_iter: Iterable[Any],
    test_iter: Iterable[Any],
    loss: Callable[..., Any],
    num_epochs: int,
    updater: Any,
) -> None:
    """Train a classifier with an optimizer, or with a function of the batch size.

    One epoch alone where it `is_large`.
    """
    for _ in range(num_epochs):
        if isinstance(net, nn.Module):
            net.train()
        for X, y in train_iter:
            value = loss(net(X), y)
            if isinstance(updater, torch.optim.Optimizer):
                updater.zero_grad()
                value.mean().backward()
                updater.step()
            else:
                value.sum().backward()
                updater(X.shape[0])
        if isinstance(net, nn.Module) and is_large(net):
            break


def train_on(
    net: nn.Module,
    train_iter: Iterable[Any],
    test_iter: Iterable[Any],
    num_epochs: int,
    lr: float,
    device: torch.device,
) -> None:
    """Train a classifier on a device with SGD and cross-entropy, from fresh Xavier weights."""

    def init(module: nn.Module) -> None:
        if isinstance(module, nn.Linear | nn.Conv2d):
            nn.init.xavier_uniform_(module.weight)

    net.apply(init)
    net.to(device)
    optimizer = torch.optim.SGD(net.parameters(), lr=lr)
    moved = [(X.to(device), y.to(device)) for X, y in train_iter]
    train_ch3(net, moved, test_iter, F.cross_entropy, num_epochs, optimizer)


def _linear_epochs(
    data_iter: Iterable[Any],
    model: Callable[[torch.Tensor], torch.Tensor],
    step: Callable[[], None],
    num_epochs: int,
) -> Iterator[float]:
    """Train a regression model; yields the mean loss of each epoch."""
    for _ in range(num_epochs):
        losses = []
        for X, y in data_iter:
            value = squared_loss(model(X), y).mean()
            value.backward()  # type: ignore[no-untyped-call]
            step()
            losses.append(value.item())
        yield sum(losses) / len(losses)


def train_ch11(
    trainer_fn: Callable[[Any, Any, Any], Any],
    states: Any,
    hyperparams: dict[str, Any],
    data_iter: Iterable[Any],
    feature_dim: int,
    num_epochs: int = 2,
) -> tuple[list[float], list[float]]:
    """Train linear regression with an optimizer written as a function of (params, states, …).

    Returns:
        (seconds, mean loss), each up to the end of an epoch.
    """
    w = torch.normal(0.0, 0.01, (feature_dim, 1), requires_grad=True)
    b = torch.zeros(1, requires_grad=True)
    timer, losses = Timer(), []

    def step() -> None:
        trainer_fn([w, b], states, hyperparams)
        for parameter in (w, b):
            parameter.grad = None

    for value in _linear_epochs(data_iter, lambda X: linreg(X, w, b), step, num_epochs):
        timer.stop()
        timer.start()
        losses.append(value)
    return timer.cumsum(), losses


def train_concise_ch11(
    trainer_fn: Callable[..., torch.optim.Optimizer],
    hyperparams: dict[str, Any],
    data_iter: Iterable[Any],
    num_epochs: int = 4,
) -> None:
    """Train linear regression with an optimizer class and print its last loss."""
    net = nn.LazyLinear(1)
    net(next(iter(data_iter))[0])
    optimizer = trainer_fn(net.parameters(), **hyperparams)

    def step() -> None:
        optimizer.step()
        optimizer.zero_grad()

    for value in _linear_epochs(data_iter, net, step, num_epochs):
        last = value
    print(f"loss: {last:.3f}")


def train_2d(
    trainer: Callable[..., Sequence[float]],
    steps: int = 20,
    f_grad: Callable[..., Any] | None = None,
) -> list[tuple[float, float]]:
    """Let a step function walk over a plane from (-5, -2); returns its points."""
    x1, x2, s1, s2 = -5.0, -2.0, 0.0, 0.0
    points = [(x1, x2)]
    for _ in range(steps):
        gradient = () if f_grad is None else (f_grad,)
        x1, x2, s1, s2 = trainer(x1, x2, s1, s2, *gradient)
        points.append((float(x1), float(x2)))
    return points


# --- layers and sequences -------------------------------------------------------------------------


def init_cnn(module: nn.Module) -> None:
    """Xavier weights for linear and convolutional layers, for `net.apply`."""
    if type(module) in (nn.Linear, nn.Conv2d):
        nn.init.xavier_uniform_(module.weight)  # type: ignore[arg-type]


def init_seq2seq(module: nn.Module) -> None:
    """Xavier weights for linear layers and every matrix of a GRU, for `net.apply`."""
    if type(module) in (nn.Linear, nn.GRU):  # a lazy layer has nothing to initialise yet
        for name, parameter in module.named_parameters(recurse=False):
            if name.startswith("weight"):
                nn.init.xavier_uniform_(parameter)


def sequence_mask(X: torch.Tensor, valid_len: torch.Tensor, value: float = 0) -> torch.Tensor:
    """Overwrite what lies beyond each row's length with `value`; X: (n, steps, …), in place."""
    steps = torch.arange(X.size(1), device=X.device)
    X[steps >= valid_len[:, None]] = value
    return X


def grad_clipping(net: Any, theta: float) -> None:
    """Scale the gradients so that their joint norm is at most `theta`, in place."""
    parameters: MutableSequence[torch.Tensor] = (
        [p for p in net.parameters() if p.requires_grad]
        if isinstance(net, nn.Module)
        else net.params
    )
    nn.utils.clip_grad_norm_(parameters, theta)
