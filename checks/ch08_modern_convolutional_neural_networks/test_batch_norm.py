"""Hidden checks of section 8.5: batch_norm, BatchNorm, BNLeNet."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from d2lgrade.datasets import few_digits
from d2lgrade.testkit import (
    Case,
    Mismatch,
    Network,
    Standing,
    assert_close_to,
    assert_same,
    gradients,
    refuses,
    truth,
    unchanged,
)
from d2lgrade.testkit.gradient import pattern

NORMALIZATIONS = (
    "torch.batch_norm",
    "torch.layer_norm",
    "torch.group_norm",
    "torch.instance_norm",
)

SHAPES = [(2, 1), (3, 2), (5, 3), (2, 1, 1, 1), (1, 1, 1, 2), (2, 3, 2, 1), (3, 2, 4, 5)]


def spread(*shape):
    """An input whose features lie around 3 and are surely spread, by about 2, in every draw.

    Of two values that happen to lie close together, the difference would be all rounding.
    """
    rows = torch.stack(
        [torch.randperm(len(row)) for row in torch.empty(shape).transpose(0, 1).flatten(1)]
    )
    rows = rows + torch.rand(rows.shape) / 2
    rows = 6.0 * rows / rows.shape[1] + torch.rand(len(rows), 1)
    return rows.reshape(shape[1], shape[0], *shape[2:]).transpose(0, 1).contiguous()


def draw(*shape):
    """Arguments of batch_norm up to moving_var: none of them what a default would be."""
    features = (1, shape[1], *(1 for _ in shape[2:]))
    X = spread(*shape)
    gamma, beta = 1.0 + torch.rand(features), torch.randn(features)
    return X, gamma, beta, torch.randn(features), 0.5 + torch.rand(features)


def trained(X, gamma, beta, moving_mean, moving_var, eps, momentum):
    """PyTorch's own output in training, and the running statistics of the contract."""
    axes = [axis for axis in range(X.dim()) if axis != 1]
    mean, var = X.mean(axes, keepdim=True), X.var(axes, correction=0, keepdim=True)
    Y = F.batch_norm(X, None, None, gamma.flatten(), beta.flatten(), True, eps=eps)
    return Y, torch.lerp(moving_mean, mean, momentum), torch.lerp(moving_var, var, momentum)


def predicted(X, gamma, beta, moving_mean, moving_var, eps, momentum):
    """PyTorch's own output in prediction; the running statistics stay."""
    flat = [value.flatten() for value in (moving_mean, moving_var, gamma, beta)]
    return F.batch_norm(X, *flat, False, eps=eps), moving_mean, moving_var


def parts(student, *inputs):
    """The three results of the learner's batch_norm."""
    found = student.batch_norm(*inputs)
    if not isinstance(found, tuple | list) or len(found) != 3:
        raise Mismatch.of_type(found, "a tuple (Y, moving_mean, moving_var)")
    return tuple(found)


def compare(found, expected, *which):
    """Compare some of the three results, by name."""
    names = ("Y", "the running mean", "the running variance")
    for index in which:
        assert_same(found[index], expected[index], what=names[index])


# --- batch_norm -----------------------------------------------------------------------------


def test_batch_norm_values(student):
    """normalizes with the statistics of the minibatch in training"""
    for shape in SHAPES:
        for eps in (0.25, 1e-5):
            inputs = (*draw(*shape), eps, 0.1)
            expected = truth(trained, *inputs)
            compare(parts(student, *inputs), expected, 0)


def test_batch_norm_prediction(student):
    """uses the running statistics, as they are, where gradients are disabled"""
    for shape in [(1, 1), *SHAPES, (1, 2, 1, 1)]:
        for eps in (0.25, 1e-5):
            inputs = (*draw(*shape), eps, 0.1)
            expected = truth(predicted, *inputs)
            with torch.no_grad():
                found = parts(student, *inputs)
            compare(found, expected, 0, 1, 2)


def test_batch_norm_running(student):
    """moves both running statistics towards those of the minibatch"""
    for shape in SHAPES:
        for momentum in (0.1, 0.75, 0.0):
            inputs = (*draw(*shape), 1e-5, momentum)
            expected = truth(trained, *inputs)
            compare(parts(student, *inputs), expected, 1, 2)


def test_batch_norm_gradient(student):
    """gradients flow back through the statistics too"""
    for shape in [(3, 1), (4, 2), (2, 3, 2, 2)]:
        inputs = (*draw(*shape), 0.01, 0.1)
        expected = truth(gradients(lambda *a: trained(*a)[0], (0, 1, 2)), *inputs)
        found = gradients(lambda *a: parts(student, *a)[0], (0, 1, 2))(*inputs)
        for name, one, due in zip(("X", "gamma", "beta"), found, expected, strict=True):
            assert_same(one, due, what=f"the gradient for {name}")


def test_batch_norm_arguments(student):
    """leaves its arguments alone, the running statistics too"""
    for shape in [(3, 2), (2, 2, 3, 1)]:
        for training in (True, False):
            inputs = (*draw(*shape), 1e-5, 0.1)
            with unchanged(*inputs[:5]), torch.set_grad_enabled(training):
                parts(student, *inputs)


def test_batch_norm_stable(student):
    """stays accurate for features that do not vary, or are far from zero"""
    for shape in [(2, 1), (4, 2), (2, 2, 1, 2)]:
        X, gamma, beta, *running = draw(*shape)
        expected = beta.expand(shape).clone()
        found = parts(student, torch.full_like(X, 2.0), gamma, beta, *running, 1e-5, 0.1)
        assert_same(found[0], expected, what="Y for a constant feature")
    # In float32, the mean of values around 10,000 is good to a few thousandths, which moves Y by a
    # hundredth at most. Their squares are good to 8, so that a variance made of these is useless.
    for shape in [(8, 1), (16, 2), (2, 3, 4, 2)]:
        X, *others = draw(*shape)
        X += 10_000.0
        expected = trained(*(value.double() for value in (X, *others)), 1e-5, 0.1)[0]
        found = parts(student, X, *others, 1e-5, 0.1)
        assert_close_to(found[0], expected.float(), 0.05, what="Y for values around 10,000")


def test_batch_norm_plain(student):
    """returns running statistics that carry no gradient"""
    X, gamma, beta, *running = draw(3, 2)
    leaves = [value.requires_grad_() for value in (X, gamma, beta)]
    found = parts(student, *leaves, *running, 1e-5, 0.1)
    for name, value in zip(("mean", "variance"), found[1:], strict=True):
        if not isinstance(value, torch.Tensor):
            raise Mismatch.of_type(value, what=f"the running {name}")
        if value.requires_grad:
            raise Mismatch(
                f"The running {name} hangs on the graph of this minibatch, and so would keep all "
                "earlier minibatches in memory; detach it.",
                expected="requires_grad=False",
                got="requires_grad=True",
            )


# Four examples, so that the mean of equal ones (an expanded input) is exact. The output alone, so
# that one mistake with the running statistics costs their own check.
batch_norm = Standing(
    "batch_norm",
    lambda *inputs: trained(*inputs)[0],
    lambda: (*draw(4, 3, 2, 2), 1e-5, 0.1),
    call=lambda student, *inputs: parts(student, *inputs)[0],
)

test_batch_norm_rules = batch_norm.rules(*NORMALIZATIONS)
test_batch_norm_dtype = batch_norm.keeps_dtype()
test_batch_norm_layout = batch_norm.any_layout()
test_batch_norm_device = batch_norm.other_device()


def test_batch_norm_refuses(student):
    """refuses inputs that have neither 2 nor 4 axes"""
    for shape in [(4, 3, 2), (2, 3, 2, 2, 2)]:
        for training in (True, False):
            inputs = (*draw(*shape), 1e-5, 0.1)
            with torch.set_grad_enabled(training):
                refuses(ValueError, student.batch_norm, *inputs)


# --- BatchNorm ------------------------------------------------------------------------------

EPS, MOMENTUM = 1e-5, 0.1
LAYERS = [(2, 1), (4, 3), (1, 1, 1, 2), (2, 3, 2, 2), (3, 2, 1, 4)]  # shapes of the inputs


def sizes(net):
    """How many numbers each parameter holds, with the least and the largest; runs beside it."""
    return [(p.numel(), p.min().item(), p.max().item()) for p in net.parameters()]


def fill(net, scale, shift):
    """Give a new layer known parameters. Those that are 1 are the scale; runs beside its code."""
    for parameter in net.parameters():
        value = scale if parameter.min() == 1 else shift
        parameter.data = value.reshape(parameter.shape).clone()


def new_layer(student, num_features, num_dims):
    """A new BatchNorm, known to start with a scale of ones and a shift of zeros."""
    net = student.BatchNorm(num_features=num_features, num_dims=num_dims)
    due = [(num_features, 0.0, 0.0), (num_features, 1.0, 1.0)]
    found = student.run(sizes, net)
    if sorted(found) != due:
        raise Mismatch(
            f"The parameters of BatchNorm(num_features={num_features}, num_dims={num_dims}) are "
            "not a scale of ones and a shift of zeros, one number a feature.",
            expected=f"{num_features} times 1, {num_features} times 0",
            got=", ".join(map(told, found)) or "no parameters",
        )
    return net


def told(size):
    """One parameter in words."""
    count, least, largest = size
    return (
        f"{count} times {least:g}" if least == largest else f"{count} from {least:g} to {largest:g}"
    )


def layer(student, scale, shift, num_dims):
    """The learner's layer with the scale and shift given."""
    net = new_layer(student, len(scale), num_dims)
    student.run(fill, net, scale, shift)
    return net


def weights(num_features):
    """A scale and a shift that are not what a layer starts with."""
    return 1.0 + torch.rand(num_features), torch.randn(num_features)


def images(*shape):
    """Features far from mean 0 and variance 1."""
    return spread(*shape)


def in_training(X, scale, shift):
    """PyTorch's own output in training."""
    return F.batch_norm(X, None, None, scale, shift, True, eps=EPS)


def in_prediction(batches, X, scale, shift):
    """PyTorch's own output in prediction, with the running statistics after these batches."""
    mean, var = torch.zeros_like(scale), torch.ones_like(scale)
    for batch in batches:
        axes = [axis for axis in range(batch.dim()) if axis != 1]
        mean = torch.lerp(mean, batch.mean(axes), MOMENTUM)
        var = torch.lerp(var, batch.var(axes, correction=0), MOMENTUM)
    return F.batch_norm(X, mean, var, scale, shift, False, eps=EPS)


def train(net, X):
    """Call the layer as for training."""
    net.train()
    return net(X)


def predict(net, X):
    """Call the layer as for prediction."""
    net.eval()
    with torch.no_grad():
        return net(X)


def test_BatchNorm_start(student):
    """has a scale of ones and a shift of zeros as its only parameters"""
    for num_features, num_dims in [(1, 2), (3, 2), (1, 4), (2, 4)]:
        new_layer(student, num_features, num_dims)


def test_BatchNorm_training(student):
    """normalizes with the statistics of the minibatch while it trains"""
    for shape in LAYERS:
        scale, shift = weights(shape[1])
        net = layer(student, scale, shift, len(shape))
        for _ in range(2):
            X = images(*shape)
            expected = truth(in_training, X, scale, shift)
            assert_same(train(net, X), expected)


def test_BatchNorm_prediction(student):
    """predicts with the running statistics of all minibatches so far"""
    for shape in LAYERS:
        for count in (0, 2):
            scale, shift = weights(shape[1])
            batches = [images(*shape) for _ in range(count)]
            X = images(*shape)
            expected = truth(in_prediction, batches, X, scale, shift)
            net = layer(student, scale, shift, len(shape))
            for batch in batches:
                train(net, batch)
            after = f"the prediction after {count} minibatches"
            assert_same(predict(net, X), expected, what=after)


def test_BatchNorm_stays(student):
    """learns nothing from what it only predicts"""
    for shape in [(2, 1), (3, 2, 2, 1)]:
        scale, shift = weights(shape[1])
        batches = [images(*shape), images(*shape)]
        others, X = [images(*shape), images(*shape)], images(*shape)
        expected = truth(in_prediction, batches, X, scale, shift)
        net = layer(student, scale, shift, len(shape))
        for batch, other in zip(batches, others, strict=True):
            train(net, batch)
            predict(net, other)
        assert_same(predict(net, X), expected, what="the prediction after other predictions")


def test_BatchNorm_gradient(student):
    """gradients reach the input, the scale and the shift"""
    for shape in [(4, 2), (2, 3, 2, 2)]:
        scale, shift = weights(shape[1])
        X = images(*shape)
        expected = truth(gradients(in_training), X, scale, shift)
        net = layer(student, scale, shift, len(shape))
        leaves = sorted(net.parameters(), key=lambda p: not torch.equal(p.flatten(), scale))
        X.requires_grad_()
        Y = train(net, X)
        if not isinstance(Y, torch.Tensor):
            raise Mismatch.of_type(Y)
        if Y.requires_grad:
            (Y * pattern(Y)).sum().backward()
        for name, leaf, due in zip(
            ("input", "scale", "shift"), (X, *leaves), expected, strict=True
        ):
            if leaf.grad is None:
                raise Mismatch(
                    f"No gradient reaches the {name}: the forward pass cuts it off "
                    "(.data, .detach() or torch.no_grad())."
                )
            assert_same(leaf.grad.reshape(due.value.shape), due, what=f"the gradient of the {name}")


def test_BatchNorm_arguments(student):
    """leaves its input alone"""
    for shape in [(3, 2), (2, 3, 2, 2)]:
        net = new_layer(student, shape[1], len(shape))
        X = images(*shape)
        with unchanged(X):
            train(net, X)
            predict(net, X)


def test_BatchNorm_refuses(student):
    """refuses a number of axes that is neither 2 nor 4"""
    for num_dims in (3, 1, 5):
        refuses(ValueError, lambda n: student.BatchNorm(num_features=2, num_dims=n), num_dims)


def load_state(net, other):
    """Load the state of one layer into another; runs beside their code."""
    other.load_state_dict(net.state_dict())


def test_BatchNorm_state(student):
    """keeps its running statistics in state_dict"""
    for shape in [(3, 2), (2, 3, 2, 2)]:
        scale, shift = weights(shape[1])
        batch, X = images(*shape), images(*shape)
        expected = truth(in_prediction, [batch], X, scale, shift)
        net = layer(student, scale, shift, len(shape))
        train(net, batch)
        assert_same(predict(net, X), expected, what="the prediction before it is saved")
        other = new_layer(student, shape[1], len(shape))
        student.run(load_state, net, other)
        assert_same(
            predict(other, X), expected, what="the prediction of a layer loaded from state_dict"
        )


def test_BatchNorm_dtype(student):
    """computes in float64 after .double()"""
    for shape in [(3, 2), (2, 3, 2, 2)]:
        scale, shift = (value.double() for value in weights(shape[1]))
        batch, X = images(*shape).double(), images(*shape).double()
        trains = truth(in_training, batch, scale, shift)
        predicts = truth(in_prediction, [batch], X, scale, shift)
        net = new_layer(student, shape[1], len(shape))
        net.double()
        student.run(fill, net, scale, shift)
        assert_same(train(net, batch), trains, what="the result for float64")
        assert_same(predict(net, X), predicts, what="the prediction for float64")


def test_BatchNorm_device(student):
    """works on another device than the CPU, in training and in prediction"""
    net = new_layer(student, 3, 4)
    X = images(2, 3, 2, 2)
    with student.other_device():
        train(net, X)
        predict(net, X)


# --- BNLeNet --------------------------------------------------------------------------------


class Norm(nn.Module):
    """Batch normalization of (n, d) or (n, c, h, w); its running variance the contract's."""

    correction = 0

    def __init__(self, features):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(features))
        self.shift = nn.Parameter(torch.zeros(features))
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("var", torch.ones(features))

    def forward(self, X):
        if not self.training:
            return F.batch_norm(X, self.mean, self.var, self.scale, self.shift, False, eps=EPS)
        axes = [axis for axis in range(X.dim()) if axis != 1]
        with torch.no_grad():
            self.mean.lerp_(X.mean(axes), MOMENTUM)
            self.var.lerp_(X.var(axes, correction=self.correction), MOMENTUM)
        return F.batch_norm(X, None, None, self.scale, self.shift, True, eps=EPS)


class Unbiased(Norm):
    """Its running variance is PyTorch's."""

    correction = 1


def torch_bnlenet(num_classes=10, norm=Norm):
    """PyTorch's own layers, one after the other."""
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5), norm(6), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5), norm(16), nn.Sigmoid(), nn.AvgPool2d(2), nn.Flatten()),
        *(nn.Linear(256, 120), norm(120), nn.Sigmoid()),
        *(nn.Linear(120, 84), norm(84), nn.Sigmoid()),
        nn.Linear(84, num_classes),
    )


def torch_bnlenet_unbiased(num_classes=10):
    """The same with PyTorch's running variance."""
    return torch_bnlenet(num_classes, Unbiased)


BATCH = Case((4, 1, 28, 28))
bnlenet = Network("BNLeNet", torch_bnlenet, [BATCH], training=True)
bnlenet_unbiased = Network("BNLeNet", torch_bnlenet_unbiased, [BATCH], training=True)

test_BNLeNet_parameters = bnlenet.parameters()
test_BNLeNet_training = bnlenet.values(Case((3, 1, 28, 28)), Case((8, 1, 28, 28)))
test_BNLeNet_classes = bnlenet.values(Case((4, 1, 28, 28), {"num_classes": 3}))


def test_BNLeNet_prediction(student):
    """uses the running statistics in evaluation mode"""
    bnlenet.agrees(student, BATCH, BATCH.input(), training=False)  # those it starts with
    batches, X = [BATCH.input(), BATCH.input()], torch.randn(1, 1, 28, 28)
    try:
        bnlenet.agrees(student, BATCH, X, training=False, before=batches)
    except Mismatch as mismatch:
        # Both kinds of running variance are welcome; a failure is told as the contract's.
        try:
            bnlenet_unbiased.agrees(student, BATCH, X, training=False, before=batches)
        except Mismatch:
            raise mismatch from None


test_BNLeNet_gradient = bnlenet.gradient()
test_BNLeNet_arguments = bnlenet.keeps_arguments()
test_BNLeNet_dtype = bnlenet.keeps_dtype()
test_BNLeNet_layout = bnlenet.any_layout()
test_BNLeNet_empty = bnlenet.empty_batch()
test_BNLeNet_device = bnlenet.other_device()
test_BNLeNet_shapes = bnlenet.stages(
    BATCH,
    [
        *((1, 28, 28), (6, 24, 24), (6, 12, 12), (16, 8, 8)),
        *((256,), (120,), (84,), (10,)),
    ],
)


@pytest.mark.training
@pytest.mark.timeout(120)
def test_BNLeNet_digits(student):
    """learns a few handwritten digits in a few steps"""
    bnlenet.learns(Case((16, 1, 28, 28)), few_digits)(student)
