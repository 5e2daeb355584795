"""Hidden checks for section 5.6: dropout.

Statistics fail an honest layer less than once in a million draws of a check, by the bounds that
`assert_rate` and `assert_independent` state; where a check looks several times, the slack in
those bounds (more than tenfold) makes up for it.
"""

import torch
from torch import nn

from d2lgrade.testkit import (
    Case,
    Mismatch,
    Network,
    Standing,
    assert_independent,
    assert_rate,
    assert_same,
    refuses,
    truth,
)
from d2lgrade.testkit.gradient import pattern
from d2lgrade.testkit.standing import expanded, sliced, transposed

# --- dropout_layer --------------------------------------------------------------------------

LIBRARY = ("torch.dropout",)


def drawn(*shape):
    """Entries that are not zero, so that zeros in the result have been dropped."""
    signs = torch.randint(2, shape) * 2.0 - 1.0
    return signs * (1.0 + torch.rand(shape))


def scaled(X, dropout):
    """What every entry becomes if it survives."""
    return X / (1 - dropout)


def survivors(got, X):
    """Where the entries of X survived, once the result is known to have its shape."""
    if not isinstance(got, torch.Tensor):
        raise Mismatch.of_type(got)
    if got.shape != X.shape:
        raise Mismatch(
            "The result does not have the shape of X.",
            expected=f"shape {tuple(X.shape)}",
            got=f"shape {tuple(got.shape)}",
        )
    return got.detach() != 0


def assert_dropout(student, X, dropout):
    """Fail unless every entry is 0 or the scaled entry of X as it was before the call."""
    given = X.clone()
    got = student.dropout_layer(X, dropout)
    alive = survivors(got, given)
    due = truth(lambda X: torch.where(alive, scaled(X, dropout), 0.0), given)
    assert_same(got, due)


layer = Standing("dropout_layer", lambda X, p: X, lambda: (drawn(3, 4), 0.5))


def test_dropout_layer_none(student):
    """keeps everything for dropout 0"""
    # Fifteen entries in all: `torch.rand(...) > 0` drops one in 17 million, and may.
    for shape in [(1,), (2, 3), (2, 2, 2)]:
        X = drawn(*shape)
        expected = X.clone()
        assert_same(student.dropout_layer(X, 0.0), expected)


def test_dropout_layer_all(student):
    """drops everything for dropout 1"""
    for shape in [(1,), (3, 4), (2, 3, 4)]:
        X = drawn(*shape)
        expected = torch.zeros(shape)
        assert_same(student.dropout_layer(X, 1.0), expected)


def test_dropout_layer_scale(student):
    """divides the survivors by the probability to survive"""
    for shape, dropout in [((40,), 0.2), ((10, 10), 0.3), ((30, 10), 0.75), ((10, 5, 20), 0.9)]:
        X = drawn(*shape)
        assert_dropout(student, X, dropout)


def test_dropout_layer_rate(student):
    """drops as many as dropout says"""
    for shape, dropout in [
        ((20000,), 0.2),
        ((40, 500), 0.5),
        ((100, 20, 10), 0.75),
        ((10, 20, 10, 10), 0.05),
    ]:
        X = drawn(*shape)
        alive = survivors(student.dropout_layer(X, dropout), X)
        what = f"The share of zeros for dropout {dropout}"
        assert_rate(int((~alive).sum()), alive.numel(), dropout, what)


def test_dropout_layer_independent(student):
    """draws for every entry apart"""
    for shape in [(60, 50), (20, 10, 15)]:
        X = drawn(*shape)
        alive = survivors(student.dropout_layer(X, 0.4), X)
        assert_independent(alive, "The dropped entries")


def test_dropout_layer_calls(student):
    """draws anew in every call"""
    X = drawn(60, 50)
    masks = [survivors(student.dropout_layer(X, 0.5), X) for _ in range(2)]
    agree = int((masks[0] == masks[1]).sum())
    assert_rate(agree, X.numel(), 0.5, "The share of entries with the same fate in two calls")


def test_dropout_layer_share(student):
    """leaves the number of survivors to chance as well"""
    X = drawn(2)
    counts = [int(survivors(student.dropout_layer(X, 0.5), X).sum()) for _ in range(32)]
    if len(set(counts)) == 1:
        raise Mismatch(
            f"In 32 calls on two entries, exactly {counts[0]} survived each time. With a draw for "
            "each entry, now both survive and now neither.",
            expected="0, 1 or 2 survivors, by chance",
            got=f"always {counts[0]}",
        )


def test_dropout_layer_gradient(student):
    """lets the gradient through where an entry survived, equally scaled"""
    for shape, dropout in [((20,), 0.5), ((6, 7), 0.2)]:
        X = drawn(*shape).requires_grad_()
        Y = student.dropout_layer(X, dropout)
        alive = survivors(Y, X)
        if not Y.requires_grad:
            raise Mismatch(
                "The result carries no gradient: something cuts the graph between X and the "
                "result (.data, .detach(), torch.no_grad(), torch.tensor(…) or NumPy)."
            )
        weights = pattern(Y)
        due = truth(
            lambda g, alive, p: torch.where(alive, scaled(g, p), 0.0), weights, alive, dropout
        )
        (found,) = torch.autograd.grad((Y * weights).sum(), X)
        assert_same(found, due, what="the gradient for X")


test_dropout_layer_arguments = layer.keeps_arguments()
test_dropout_layer_rules = layer.rules(*LIBRARY)


def test_dropout_layer_refuses(student):
    """refuses what is no probability"""
    for dropout in (-0.5, 1.5, -1.0, 2.0):
        X = drawn(2, 2)
        refuses(ValueError, student.dropout_layer, X, dropout)


def test_dropout_layer_dtype(student):
    """computes in the dtype it is given"""
    for dtype in (torch.float32, torch.float64):
        X = drawn(5, 8).to(dtype)
        assert_dropout(student, X, 0.3)


def test_dropout_layer_layout(student):
    """takes transposed, expanded and sliced tensors"""
    for change in (transposed, sliced, expanded):
        X = change(drawn(5, 8))
        assert_dropout(student, X, 0.5)


def test_dropout_layer_empty(student):
    """takes an empty batch"""
    for dropout in (0.5, 1.0):
        X = torch.zeros(0, 3)
        expected = X.clone()
        assert_same(student.dropout_layer(X, dropout), expected)


test_dropout_layer_device = layer.other_device()


# --- DropoutMLP -----------------------------------------------------------------------------


def torch_network(num_outputs, num_hiddens_1, num_hiddens_2, dropout_1, dropout_2):
    """PyTorch's own layers."""
    return nn.Sequential(
        *(nn.Flatten(), nn.LazyLinear(num_hiddens_1), nn.ReLU(), nn.Dropout(dropout_1)),
        *(nn.LazyLinear(num_hiddens_2), nn.ReLU(), nn.Dropout(dropout_2)),
        nn.LazyLinear(num_outputs),
    )


def case(shape, *arguments):
    names = ("num_outputs", "num_hiddens_1", "num_hiddens_2", "dropout_1", "dropout_2")
    return Case(shape, dict(zip(names, arguments, strict=True)))


CASES = [
    case((1, 1), 1, 2, 3, 0.5, 0.5),
    case((2, 3), 2, 5, 4, 0.9, 0.1),
    case((2, 1, 2, 2), 3, 7, 6, 0.2, 0.9),
]
perceptron = Network("DropoutMLP", torch_network, CASES)

test_DropoutMLP_parameters = perceptron.parameters(*CASES[1:])
test_DropoutMLP_values = perceptron.values()
test_DropoutMLP_values.__doc__ = (
    "equals PyTorch's own layers in eval mode, where nothing is dropped"
)
test_DropoutMLP_gradient = perceptron.gradient(CASES[2])
test_DropoutMLP_arguments = perceptron.keeps_arguments(CASES[2])

WIDTHS = (20, 40, 80)  # first hidden layer, second hidden layer, scores


def exposed(net, n, training):
    """Scores that show which hidden numbers were dropped; runs beside the learner's code.

    The input holds ones, and so does the first hidden layer: each of the inputs is passed on to a
    third of it, each number of it to two of the second one, and each of these to two scores.
    """
    X = torch.ones(n, 3)
    with torch.no_grad():
        net(X)
        for parameter in net.parameters():
            parameter.zero_()
            if parameter.dim() == 2:
                outputs, inputs = parameter.shape
                parameter[torch.arange(outputs), torch.arange(outputs) * inputs // outputs] = 1.0
    net.train(training)
    return net(X).detach()


def shown(student, n, dropout_1, dropout_2, training=True, net=None):
    """The second hidden layer as the scores show it, (n, 20, 2): two for each of the first."""
    if net is None:
        net = student.DropoutMLP(
            num_outputs=WIDTHS[2],
            num_hiddens_1=WIDTHS[0],
            num_hiddens_2=WIDTHS[1],
            dropout_1=dropout_1,
            dropout_2=dropout_2,
        )
    scores = student.run(exposed, net, n, training)
    if not isinstance(scores, torch.Tensor):
        raise Mismatch.of_type(scores)
    if scores.shape != (n, WIDTHS[2]):
        raise Mismatch(
            "The scores have the wrong shape.",
            expected=f"shape {(n, WIDTHS[2])}",
            got=f"shape {tuple(scores.shape)}",
        )
    pairs = scores.reshape(n, WIDTHS[1], 2)
    if not torch.equal(pairs[:, :, 0], pairs[:, :, 1]):
        raise Mismatch("Scores are dropped: nothing is to follow the last layer.")
    return pairs[:, :, 0].reshape(n, WIDTHS[0], 2)


def assert_kept(hidden, factor):
    """Fail where a hidden 1 is passed on as anything but 0 or this factor."""
    alive = hidden != 0
    assert_same(hidden, alive * factor, what="what hidden ones are passed on as")
    return alive


def test_DropoutMLP_first(student):
    """drops numbers of the first hidden layer by dropout_1"""
    for rate in (0.3, 0.75):
        alive = assert_kept(shown(student, 200, rate, 0.0), 1 / (1 - rate))
        if not torch.equal(alive[..., 0], alive[..., 1]):
            raise Mismatch(
                "With dropout_2 = 0, two numbers of the second hidden layer that come from the "
                "same number of the first one have different fates: the drops are in the wrong "
                "place."
            )
        dropped = ~alive[..., 0]
        what = f"The share of drops in the first hidden layer for dropout_1 = {rate}"
        assert_rate(int(dropped.sum()), dropped.numel(), rate, what)
        assert_independent(dropped, "The drops in the first hidden layer")


def test_DropoutMLP_second(student):
    """drops numbers of the second hidden layer by dropout_2"""
    for rate in (0.3, 0.75):
        dropped = ~assert_kept(shown(student, 200, 0.0, rate), 1 / (1 - rate)).flatten(1)
        what = f"The share of drops in the second hidden layer for dropout_2 = {rate}"
        assert_rate(int(dropped.sum()), dropped.numel(), rate, what)
        assert_independent(dropped, "The drops in the second hidden layer")


def test_DropoutMLP_modes(student):
    """drops in train mode only, whatever the mode was before"""
    one, other = CASES[0].options, {"num_outputs": 80, "num_hiddens_1": 20, "num_hiddens_2": 40}
    net = student.DropoutMLP(**{**one, **other})
    for training in (False, True, False, True):
        hidden = shown(student, 50, 0.5, 0.5, training, net)
        if not training:
            assert_same(hidden, torch.ones(50, 20, 2), what="what hidden ones are in eval mode")
        elif bool((hidden == 1).all()):
            raise Mismatch("Nothing is dropped in train mode.")


def test_DropoutMLP_calls(student):
    """draws anew in every call"""
    one, other = CASES[0].options, {"num_outputs": 80, "num_hiddens_1": 20, "num_hiddens_2": 40}
    net = student.DropoutMLP(**{**one, **other})
    first, second = (shown(student, 50, 0.5, 0.5, True, net) for _ in range(2))
    if torch.equal(first, second):
        raise Mismatch("Two calls in train mode dropped the same numbers: draw them in the call.")


def test_DropoutMLP_refuses(student):
    """refuses what is no probability"""
    for rates in ((1.5, 0.5), (-0.5, 0.5), (0.5, 1.5), (0.5, -0.5)):
        refuses(ValueError, shown, student, 2, *rates)


test_DropoutMLP_dtype = perceptron.keeps_dtype(CASES[2])
test_DropoutMLP_layout = perceptron.any_layout(CASES[2])
test_DropoutMLP_empty = perceptron.empty_batch(CASES[2])


def test_DropoutMLP_device(student):
    """works on another device than the CPU, in train mode too"""
    net = student.DropoutMLP(**CASES[1].options)
    for training in (False, True):
        X = torch.randn(2, 3)
        student.run(called, net, X, training)
        with student.other_device():
            student.run(called, net, X, training)


def called(net, X, training):
    """The scores in a mode; runs beside the learner's code."""
    return net.train(training)(X)
