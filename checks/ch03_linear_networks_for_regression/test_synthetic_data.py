"""Hidden checks of section 3.3: synthetic_data and data_iter.

Statistics fail an honest answer less than once in a million draws of a check, by the bounds that
`assert_rate` and `assert_mean` state.
"""

import torch

from d2lgrade.testkit import (
    Mismatch,
    Standing,
    assert_finite,
    assert_mean,
    assert_rate,
    assert_same,
    refuses,
    unchanged,
)

# --- synthetic_data -------------------------------------------------------------------------


def pair(got, what):
    """The two tensors of a pair; fails where it is none."""
    if not isinstance(got, list | tuple) or len(got) != 2:
        raise Mismatch.of_type(got, "a pair of tensors", what)
    for tensor in got:
        if not isinstance(tensor, torch.Tensor):
            raise Mismatch.of_type(tensor, "a torch.Tensor", f"an item of {what}")
    return got


def assert_shape(tensor, shape, what):
    if tuple(tensor.shape) != tuple(shape):
        raise Mismatch(
            f"The {what} have the wrong shape.",
            expected=f"shape {tuple(shape)}",
            got=f"shape {tuple(tensor.shape)}",
        )


def made(student, w, b, n, **more):
    """The learner's features and labels, of the right shapes."""
    d = len(w)
    X, y = pair(student.synthetic_data(w, b, n, **more), "the result")
    assert_shape(X, (n, d), "features")
    assert_shape(y, (n, 1), "labels")
    assert_finite(X, "the features")
    assert_finite(y, "the labels")
    return X, y


def noise_of(X, y, w, b):
    """What the labels hold beyond the linear model."""
    return y.double() - (X.double() @ w.double() + b).reshape(-1, 1)


def assert_normal(sample, std, what):
    """Fail where these are no credible draws of N(0, std^2): by mean, spread and tails."""
    sample = sample.double().flatten()
    assert_mean(sample, 0.0, std, what)
    # The square of a normal draw has mean std^2 and standard deviation sqrt(2) std^2.
    assert_mean(sample**2, std**2, 2**0.5 * std**2, f"The square of {what[0].lower()}{what[1:]}")
    beyond = int((sample.abs() > std).sum())
    assert_rate(beyond, len(sample), 0.317311, f"{what}, the share beyond one standard deviation")


def test_synthetic_data_shapes(student):
    """gives a matrix of features and a column of labels"""
    for n, d in [(1, 1), (2, 1), (1, 2), (3, 3), (5, 2)]:
        made(student, torch.randn(d), 4.2, n)


def test_synthetic_data_labels(student):
    """makes labels by the linear model, but for a small noise"""
    for w, b in [([1.0], 0.0), ([2.0, -3.4], 4.2), ([0.5, -1.0, 2.0], -7.0)]:
        w = torch.tensor(w)
        given = w.clone()
        off = noise_of(*made(student, w, b, 20), given, b).abs().max()
        if not off <= 0.08:  # eight standard deviations
            raise Mismatch(
                "A label is too far from X @ w + b.",
                expected="noise of standard deviation 0.01",
                got=f"off by {float(off):.3g}",
            )


def test_synthetic_data_features(student):
    """draws features from the standard normal distribution"""
    X, _ = made(student, torch.tensor([2.0, -3.4, 0.0]), 4.2, 2000)
    X = X.double()
    assert_normal(X, 1.0, "The features")
    for one, other in ((0, 1), (1, 2), (0, 2)):
        product = X[:, one] * X[:, other]
        assert_mean(product, 0.0, 1.0, f"The product of features {one} and {other}")


def test_synthetic_data_noise(student):
    """adds noise with a standard deviation of 0.01"""
    w, b = torch.tensor([2.0, -3.4]), 4.2
    given = w.clone()
    for n in (1000, 4000):
        X, y = made(student, w, b, n)
        assert_normal(noise_of(X, y, given, b), 0.01, "The noise")


def test_synthetic_data_calls(student):
    """draws anew in every call"""
    w = torch.tensor([2.0, -3.4])
    (X, y), (again, labels) = (made(student, w, 4.2, 50) for _ in range(2))
    if torch.equal(X, again) or torch.equal(y, labels):
        raise Mismatch(
            "Two calls gave the same numbers: a seed is set, or a generator made, inside the "
            "function. Leave seeding to the caller."
        )


def test_synthetic_data_arguments(student):
    """leaves the weights alone"""
    w = torch.tensor([2.0, -3.4])
    with unchanged(w):
        made(student, w, 4.2, 3)


def test_synthetic_data_other_noise(student):
    """takes other noise, and none"""
    w, b = torch.tensor([2.0, -3.4]), 4.2
    given = w.clone()
    X, y = made(student, w, b, 20, noise=0.0)
    assert_same(y, (X @ given + b).reshape(-1, 1), what="the labels without noise")
    for noise in (0.5, 2.0):
        X, y = made(student, w, b, 2000, noise=noise)
        assert_normal(noise_of(X, y, given, b), noise, "The noise")


def test_synthetic_data_generator(student):
    """draws with the generator given, and with nothing else"""
    w = torch.tensor([2.0, -3.4])
    states = []
    for seed in (1, 1, 2):
        torch.manual_seed(len(states))  # PyTorch's own generator is never in the same state
        generator = torch.Generator().manual_seed(seed)
        states.append([made(student, w, 4.2, 10, generator=generator) for _ in range(2)])
    for (X, y), (again, labels) in zip(states[0], states[1], strict=True):
        assert_same(again, X, what="the features for the same state of the generator")
        assert_same(labels, y, what="the labels for the same state of the generator")
    (first, _), (second, _) = states[0]
    if torch.equal(first, second) or torch.equal(first, states[2][0][0]):
        raise Mismatch("Generators in different states gave the same features.")


def test_synthetic_data_dtype(student):
    """computes in the dtype of the weights"""
    for dtype in (torch.float32, torch.float64):
        w = torch.tensor([2.0, -3.4], dtype=dtype)
        given = w.clone()
        X, y = made(student, w, 4.2, 4, noise=0.0)
        if X.dtype != dtype:
            raise Mismatch(
                "The features have the wrong dtype.", expected=f"{dtype}", got=f"{X.dtype}"
            )
        assert_same(y, (X @ given + 4.2).reshape(-1, 1), what=f"the labels for {dtype}")


data = Standing("synthetic_data", None, lambda: (torch.tensor([2.0, -3.4]), 4.2, 6))
test_synthetic_data_device = data.other_device()
test_synthetic_data_refuses = Standing(
    "synthetic_data",
    None,
    tuple,
    call=lambda student, w, noise: student.synthetic_data(w, 4.2, 3, noise=noise),
).refuses(
    ValueError,
    lambda: (torch.zeros(2, 1), 0.01),
    lambda: (torch.tensor(1.0), 0.01),
    lambda: (torch.zeros(2), -0.01),
)


# --- data_iter ------------------------------------------------------------------------------

SIZES = [(1, 1), (2, 1), (2, 2), (4, 2), (6, 3), (6, 1), (12, 4)]  # examples, batch size
UNEVEN = [(1, 2), (3, 2), (5, 4), (7, 3), (10, 4)]


def numbered(n, width=2):
    """Examples that carry their own number, and labels that carry it too."""
    features = torch.arange(float(n))[:, None] + torch.arange(width) / 8
    return features, 100.0 * torch.arange(float(n))[:, None] + 7.0


def epoch(student, batch_size, n, **more):
    """The batches of one epoch, and the data as they were."""
    features, labels = numbered(n)
    given = features.clone(), labels.clone()
    batches = [
        pair(batch, "a minibatch")
        for batch in student.data_iter(batch_size, features, labels, **more)
    ]
    return batches, *given


def assert_epoch(student, batch_size, n):
    """Fail unless an epoch has all examples once, in batches of the right sizes."""
    batches, features, labels = epoch(student, batch_size, n)
    due = [len(rows) for rows in torch.arange(n).split(batch_size)]
    found = [len(X) for X, _ in batches]
    if found != due:
        raise Mismatch(
            f"{n} examples in minibatches of {batch_size} have the wrong sizes.",
            expected=f"sizes {due}",
            got=f"sizes {found}",
        )
    for index, (whole, what) in enumerate(((features, "features"), (labels, "labels"))):
        rows = torch.cat([batch[index] for batch in batches])
        if rows.shape == whole.shape:
            rows = rows[rows[:, 0].sort(stable=True).indices]
        assert_same(rows, whole, what=f"the epoch's {what}, put in order,")


def test_data_iter_once(student):
    """serves every example once"""
    for n, batch_size in SIZES:
        assert_epoch(student, batch_size, n)


def test_data_iter_last(student):
    """keeps a last minibatch that is shorter"""
    for n, batch_size in UNEVEN:
        assert_epoch(student, batch_size, n)


def test_data_iter_pairs(student):
    """keeps every example with its label"""
    for n, batch_size in [(2, 1), (8, 2), (9, 4), (20, 20)]:
        batches, _, _ = epoch(student, batch_size, n)
        for X, y in batches:
            due = 100.0 * X[:, :1].round() + 7.0
            assert_same(y, due, what="the labels of a minibatch")


def orders(serve, epochs):
    """The order of four numbered examples in many epochs; runs beside the learner's code."""
    numbers = torch.arange(4.0)[:, None]
    return torch.stack(
        [torch.cat([X[:, 0] for X, _ in serve(2, numbers, numbers)]) for _ in range(epochs)]
    )


def test_data_iter_shuffled(student):
    """shuffles the examples anew in every epoch, each order equally likely"""
    epochs = 400
    found = student.run(orders, student.data_iter, epochs)
    if not isinstance(found, torch.Tensor) or found.shape != (epochs, 4):
        raise Mismatch("The epochs do not all serve four examples of four.")
    for example in range(4):
        for place in range(4):
            hits = int((found[:, place] == example).sum())
            what = f"The share of epochs with example {example} at place {place}"
            assert_rate(hits, epochs, 0.25, what)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        halves = [(found == example).int().argmax(dim=1) // 2 for example in (one, other)]
        together = int((halves[0] == halves[1]).sum())
        what = f"The share of epochs with examples {one} and {other} in one minibatch"
        assert_rate(together, epochs, 1 / 3, what)
    repeated = int((found[1:] == found[:-1]).all(dim=1).sum())
    assert_rate(repeated, epochs - 1, 1 / 24, "The share of epochs in the order of the one before")


def test_data_iter_arguments(student):
    """leaves features and labels alone"""
    features, labels = numbered(6)
    with unchanged(features, labels):
        list(student.data_iter(4, features, labels))


def test_data_iter_shapes(student):
    """takes images and label vectors, whatever their dtype"""
    for shape, dtype in [
        ((3, 1, 2, 2), torch.float64),
        ((5, 2, 3), torch.uint8),
        ((4,), torch.int64),
    ]:
        features = (
            torch.arange(shape[0]).reshape(-1, *[1] * (len(shape) - 1)).expand(shape).to(dtype)
        )
        labels = torch.arange(shape[0])
        given = features.clone()
        for X, y in student.data_iter(2, features.clone(), labels):
            assert_same(X, given[y], what="a minibatch of features")


def test_data_iter_in_order(student):
    """serves the examples as they are without shuffling"""
    for n, batch_size in [(4, 2), (5, 2), (9, 4)]:
        batches, features, labels = epoch(student, batch_size, n, shuffle=False)
        assert_same(torch.cat([X for X, _ in batches]), features, what="the epoch's features")
        assert_same(torch.cat([y for _, y in batches]), labels, what="the epoch's labels")


def test_data_iter_generator(student):
    """draws the order with the generator given, and with nothing else"""
    found = []
    for seed in (1, 1, 2):
        torch.manual_seed(len(found))  # PyTorch's own generator is never in the same state
        generator = torch.Generator().manual_seed(seed)
        for _ in range(2):
            batches, _, _ = epoch(student, 8, 40, generator=generator)
            found.append(torch.cat([X for X, _ in batches]))
    for index in (0, 1):
        assert_same(found[2 + index], found[index], what="the epoch for the same generator")
    for other in (1, 4):
        if torch.equal(found[0], found[other]):
            raise Mismatch("Generators in different states gave the same order.")


serving = Standing(
    "data_iter",
    None,
    lambda: (4, *numbered(6)),
    call=lambda student, *inputs: list(student.data_iter(*inputs)),
)


def test_data_iter_refuses(student):
    """refuses batches of nothing, and labels that are too few or too many"""
    for batch_size, n, m in ((0, 3, 3), (-1, 3, 3), (2, 3, 2), (2, 3, 4)):
        features, labels = torch.zeros(n, 1), torch.zeros(m, 1)
        refuses(
            ValueError, lambda *given: list(student.data_iter(*given)), batch_size, features, labels
        )


def test_data_iter_empty(student):
    """serves nothing of an empty data set"""
    batches, _, _ = epoch(student, 2, 0)
    if batches:
        raise Mismatch("There are no examples.", expected="no minibatch", got=f"{len(batches)}")


test_data_iter_device = serving.other_device()
