"""Wrong answers that people give in section 3.3, and what went wrong in them."""

import random

import torch

from d2lgrade.testkit import misconception

# --- synthetic_data -------------------------------------------------------------------------


def _legal(w, noise):
    """Refuse what the contract refuses, so that each answer below is wrong in one way only."""
    if w.dim() != 1 or noise < 0:
        raise ValueError("w is a vector, noise a standard deviation")


def _like(w, generator=None):
    return {"generator": generator, "dtype": w.dtype, "device": w.device}


def _labels(X, w, b):
    return (X @ w + b).reshape(-1, 1)


def _residuals(call):
    """The noise in the labels of a recorded call, and what was asked for."""
    w, b, _ = call.args
    X, y = call.result
    return (y - _labels(X, w, b)).double(), call.kwargs.get("noise", 0.01)


def _spread(wrong):
    """Recognises noise whose standard deviation is `wrong(noise)`."""

    def signature(calls):
        found, noise = _residuals(calls[-1])
        return len(found) > 9 and abs(float(found.std()) / wrong(noise) - 1) < 0.4

    return signature


def _alike(calls):
    """Whether all labels have the same noise."""
    found, noise = _residuals(calls[-1])
    return len(found) > 9 and float(found.std()) < 1e-3 * noise < float(found.abs().max())


def _positive(calls):
    found, noise = _residuals(calls[-1])
    return (
        len(found) > 9 and bool((found > -1e-3 * noise).all()) and float(found.std()) > 0.1 * noise
    )


def _unit_interval(calls):
    X, _ = calls[-1].result
    return len(X) > 100 and bool(((X >= 0) & (X <= 1)).all())


@misconception(
    "synthetic_data",
    "labels-flat",
    book="3.3.1",
    why="The labels have one axis, (n,). Make them a column, (n, 1): minus predictions (n, 1), a "
    "flat vector would spread out to n × n numbers.",
)
def synthetic_data_flat(w, b, num_examples, noise=0.01, generator=None):
    _legal(w, noise)
    X = torch.randn(num_examples, len(w), **_like(w, generator))
    y = X @ w + b
    return X, y + noise * torch.randn(y.shape, **_like(w, generator))


@misconception(
    "synthetic_data",
    "column-plus-row",
    book="3.3.1",
    why="A column of labels plus a flat vector of noise spreads out to n × n numbers. Draw the "
    "noise in the shape of the labels.",
)
def synthetic_data_spread(w, b, num_examples, noise=0.01, generator=None):
    _legal(w, noise)
    X = torch.randn(num_examples, len(w), **_like(w, generator))
    return X, _labels(X, w, b) + noise * torch.randn(num_examples, **_like(w, generator))


@misconception(
    "synthetic_data",
    "no-noise",
    book="3.3.1",
    why="The labels lie on the plane exactly: the noise is missing.",
    fails=("noise",),
    signature=lambda calls: float(_residuals(calls[-1])[0].abs().max()) < 1e-5,
)
def synthetic_data_noiseless(w, b, num_examples, noise=0.01, generator=None):
    _legal(w, noise)
    X = torch.randn(num_examples, len(w), **_like(w, generator))
    return X, _labels(X, w, b)


@misconception(
    "synthetic_data",
    "one-noise-for-all",
    book="3.3.1",
    why="A single draw is added to all labels, like a second bias. Every label needs a draw of its "
    "own.",
    fails=("noise",),
    signature=_alike,
)
def synthetic_data_one_noise(w, b, num_examples, noise=0.01, generator=None):
    _legal(w, noise)
    X = torch.randn(num_examples, len(w), **_like(w, generator))
    return X, _labels(X, w, b) + noise * torch.randn(1, **_like(w, generator))


@misconception(
    "synthetic_data",
    "variance-for-deviation",
    book="3.3.1",
    why="The noise has the standard deviation sqrt(noise). `noise` is the standard deviation "
    "itself, as torch.normal takes it.",
    fails=("labels", "noise"),
    signature=_spread(lambda noise: noise**0.5),
)
def synthetic_data_variance(w, b, num_examples, noise=0.01, generator=None):
    _legal(w, noise)
    X = torch.randn(num_examples, len(w), **_like(w, generator))
    y = _labels(X, w, b)
    return X, y + noise**0.5 * torch.randn(y.shape, **_like(w, generator))


@misconception(
    "synthetic_data",
    "noise-not-scaled",
    book="3.3.1",
    why="The noise has standard deviation 1, whatever `noise` says. Multiply by it.",
    fails=("labels", "noise"),
    signature=_spread(lambda noise: 1.0),
)
def synthetic_data_unscaled(w, b, num_examples, noise=0.01, generator=None):
    _legal(w, noise)
    X = torch.randn(num_examples, len(w), **_like(w, generator))
    y = _labels(X, w, b)
    return X, y + torch.randn(y.shape, **_like(w, generator))


@misconception(
    "synthetic_data",
    "uniform-noise",
    book="3.3.1",
    why="The noise is never negative: torch.rand draws from 0 to 1. Normal draws come from "
    "torch.randn or torch.normal.",
    fails=("noise",),
    signature=_positive,
)
def synthetic_data_uniform_noise(w, b, num_examples, noise=0.01, generator=None):
    _legal(w, noise)
    X = torch.randn(num_examples, len(w), **_like(w, generator))
    y = _labels(X, w, b)
    return X, y + noise * torch.rand(y.shape, **_like(w, generator))


@misconception(
    "synthetic_data",
    "uniform-features",
    book="3.3.1",
    why="The features lie between 0 and 1: torch.rand draws uniformly. Normal draws come from "
    "torch.randn or torch.normal.",
    fails=("features",),
    signature=_unit_interval,
)
def synthetic_data_uniform(w, b, num_examples, noise=0.01, generator=None):
    _legal(w, noise)
    X = torch.rand(num_examples, len(w), **_like(w, generator))
    y = _labels(X, w, b)
    return X, y + noise * torch.randn(y.shape, **_like(w, generator))


@misconception(
    "synthetic_data",
    "bias-forgotten",
    book="3.3.1",
    why="The labels lack the bias b.",
    fails=("labels",),
    signature=lambda calls: float((_residuals(calls[-1])[0] + calls[-1].args[1]).abs().max()) < 0.1,
)
def synthetic_data_unbiased(w, b, num_examples, noise=0.01, generator=None):
    _legal(w, noise)
    X = torch.randn(num_examples, len(w), **_like(w, generator))
    y = _labels(X, w, 0.0)
    return X, y + noise * torch.randn(y.shape, **_like(w, generator))


@misconception(
    "synthetic_data",
    "seeded-inside",
    book="3.3.1",
    why="Every call gives the same data: the function seeds the generator itself. Leave that to "
    "the caller.",
    fails=("calls",),
    signature=lambda calls: torch.equal(calls[-1].result[0], calls[-2].result[0]),
)
def synthetic_data_seeded(w, b, num_examples, noise=0.01, generator=None):
    _legal(w, noise)
    generator = torch.Generator(device=w.device).manual_seed(42)
    X = torch.randn(num_examples, len(w), **_like(w, generator))
    y = _labels(X, w, b)
    return X, y + noise * torch.randn(y.shape, **_like(w, generator))


@misconception(
    "synthetic_data",
    "noise-without-generator",
    book="3.3.1",
    why="The features are drawn with the generator, the noise is not; so the labels differ from "
    "run to run.",
    fails=("generator",),
    signature=lambda calls: torch.equal(calls[0].result[0], calls[2].result[0]),
)
def synthetic_data_half_seeded(w, b, num_examples, noise=0.01, generator=None):
    _legal(w, noise)
    X = torch.randn(num_examples, len(w), **_like(w, generator))
    y = _labels(X, w, b)
    return X, y + noise * torch.randn(y.shape, **_like(w))


# --- data_iter ------------------------------------------------------------------------------


def _order(n, shuffle, generator):
    return torch.randperm(n, generator=generator) if shuffle else torch.arange(n)


def _checked(batch_size, features, labels):
    if batch_size < 1 or len(features) != len(labels):
        raise ValueError("a batch has 1 or more examples, and each of them a label")
    return len(features)


@misconception(
    "data_iter",
    "last-batch-dropped",
    book="3.3.2",
    why="The examples that do not fill a whole minibatch are left out. The last minibatch may be "
    "shorter than the others.",
    fails=("last",),
    signature=lambda calls: calls[-1].error is not None,
)
def data_iter_dropped(batch_size, features, labels, shuffle=True, generator=None):
    n = _checked(batch_size, features, labels)
    order = _order(n, shuffle, generator)
    for start in range(0, n - batch_size + 1, batch_size):
        rows = order[start : start + batch_size]
        yield features[rows], labels[rows]


@misconception(
    "data_iter",
    "pairs-torn",
    book="3.3.2",
    why="Features and labels are shuffled each in an order of its own, so an example meets the "
    "label of another. Draw one order and use it for both.",
)
def data_iter_torn(batch_size, features, labels, shuffle=True, generator=None):
    n = _checked(batch_size, features, labels)
    order, other = (_order(n, shuffle, generator) for _ in range(2))
    for start in range(0, n, batch_size):
        end = start + batch_size
        yield features[order[start:end]], labels[other[start:end]]


@misconception(
    "data_iter",
    "labels-not-shuffled",
    book="3.3.2",
    why="Only the features are shuffled; the labels come as they were. Use the same rows for both.",
)
def data_iter_labels_in_order(batch_size, features, labels, shuffle=True, generator=None):
    n = _checked(batch_size, features, labels)
    order = _order(n, shuffle, generator)
    for start in range(0, n, batch_size):
        end = start + batch_size
        yield features[order[start:end]], labels[start:end]


@misconception(
    "data_iter",
    "with-replacement",
    book="3.3.2",
    why="Every minibatch draws anew from all examples, so that some come twice and others never. "
    "Shuffle once an epoch, then cut the order into pieces.",
)
def data_iter_replacement(batch_size, features, labels, shuffle=True, generator=None):
    n = _checked(batch_size, features, labels)
    for start in range(0, n, batch_size):
        end = min(start + batch_size, n)
        rows = torch.randint(n, (end - start,), generator=generator)
        rows = rows if shuffle else torch.arange(start, end)
        yield features[rows], labels[rows]


def _served(calls):
    """The epochs that the check `shuffled` saw."""
    found = calls[-1].result
    return found if found.shape[0] > 100 else None


@misconception(
    "data_iter",
    "never-shuffled",
    book="3.3.2",
    why="The examples always come as they are. With shuffle they come in random order.",
    fails=("shuffled",),
    signature=lambda calls: bool((_served(calls) == torch.arange(4.0)).all()),
)
def data_iter_in_order(batch_size, features, labels, shuffle=True, generator=None):
    n = _checked(batch_size, features, labels)
    for start in range(0, n, batch_size):
        yield features[start : start + batch_size], labels[start : start + batch_size]


@misconception(
    "data_iter",
    "same-order-every-epoch",
    book="3.3.2",
    why="Every epoch comes in the same shuffled order: a seed is set inside. Draw the order anew "
    "in each call.",
    fails=("shuffled",),
    signature=lambda calls: bool((_served(calls) == _served(calls)[0]).all()),
)
def data_iter_same_order(batch_size, features, labels, shuffle=True, generator=None):
    n = _checked(batch_size, features, labels)
    order = list(range(n))
    if shuffle:
        random.Random(3).shuffle(order)
    for start in range(0, n, batch_size):
        rows = order[start : start + batch_size]
        yield features[rows], labels[rows]


def _whole_batches(calls):
    """Whether examples 0 and 1 always share a minibatch, which comes first or second."""
    found = _served(calls)
    first = (found[:, :2].sort(dim=1).values == torch.tensor([0.0, 1.0])).all(dim=1)
    second = (found[:, 2:].sort(dim=1).values == torch.tensor([0.0, 1.0])).all(dim=1)
    return bool((first | second).all()) and not bool(first.all())


@misconception(
    "data_iter",
    "minibatches-shuffled",
    book="3.3.2",
    why="You shuffle the minibatches, but what is in them stays together. Shuffle the examples, "
    "then cut.",
    fails=("shuffled",),
    signature=_whole_batches,
)
def data_iter_batches(batch_size, features, labels, shuffle=True, generator=None):
    n = _checked(batch_size, features, labels)
    pieces = torch.arange(n).split(batch_size) if n else ()
    for place in _order(len(pieces), shuffle, generator).tolist():
        yield features[pieces[place]], labels[pieces[place]]


@misconception(
    "data_iter",
    "data-shuffled-in-place",
    book="3.3.2",
    why="You shuffle the data themselves, which belong to the caller. Shuffle a list of row "
    "numbers instead.",
    fails=("arguments",),
    signature=lambda calls: isinstance(calls[-1].error, StopIteration),
)
def data_iter_in_place(batch_size, features, labels, shuffle=True, generator=None):
    n = _checked(batch_size, features, labels)
    order = _order(n, shuffle, generator)
    features[:], labels[:] = features[order].clone(), labels[order].clone()
    for start in range(0, n, batch_size):
        yield features[start : start + batch_size], labels[start : start + batch_size]


@misconception(
    "data_iter",
    "generator-ignored",
    book="3.3.2",
    why="The order does not come from the generator given. Hand it on: "
    "torch.randperm(n, generator=generator).",
    fails=("generator",),
    signature=lambda calls: True,
)
def data_iter_own_draws(batch_size, features, labels, shuffle=True, generator=None):
    n = _checked(batch_size, features, labels)
    order = _order(n, shuffle, None)
    for start in range(0, n, batch_size):
        rows = order[start : start + batch_size]
        yield features[rows], labels[rows]
