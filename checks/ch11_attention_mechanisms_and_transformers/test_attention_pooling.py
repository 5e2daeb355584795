"""Hidden checks of section 11.2: kernels, and the regression that they weigh."""

import torch
from torch.nn import functional as F

from d2lgrade.testkit import Mismatch, Standing, assert_same, gradients, truth

# Distances where a kernel shows its character: at 0, just below 1, at 1, and beyond.
TELLING = [
    [0.0],
    [1.0],
    [-1.0],
    [0.5, -0.5],
    [0.999, -0.999, 1.001, -1.001],
    [2.0, -3.0, 10.0],
]
SHAPES = [(), (1,), (3, 2), (2, 1, 3)]


def numbers(kernel):
    """The kernel with its bools, if it gives any, as the 0 and 1 that they stand for."""

    def weights(student, x):
        found = getattr(student, kernel)(x)
        if isinstance(found, torch.Tensor) and found.dtype == torch.bool:
            return found.to(x.dtype)
        return found

    return weights


def kernel_checks(name, oracle):
    """What all kernels get."""
    call = numbers(name)
    standing = Standing(name, oracle, lambda: (2 * torch.randn(3, 4),), call)

    def values(student):
        """has the right value at every distance"""
        drawn = [*map(torch.tensor, TELLING), *(2 * torch.randn(shape) for shape in SHAPES)]
        for x in drawn:
            expected = truth(oracle, x)
            assert_same(call(student, x), expected)

    return standing, values


gaussian, test_gaussian_values = kernel_checks("gaussian", lambda x: (-x * x / 2).exp())
test_gaussian_gradient = gaussian.gradient()
test_gaussian_arguments = gaussian.keeps_arguments()
test_gaussian_dtype = gaussian.keeps_dtype()
test_gaussian_layout = gaussian.any_layout()
test_gaussian_device = gaussian.other_device()

boxcar, test_boxcar_values = kernel_checks("boxcar", lambda x: ((x > -1) & (x < 1)).to(x.dtype))
test_boxcar_arguments = boxcar.keeps_arguments()
test_boxcar_dtype = boxcar.keeps_dtype()
test_boxcar_layout = boxcar.any_layout()
test_boxcar_device = boxcar.other_device()

constant, test_constant_values = kernel_checks("constant", torch.ones_like)
test_constant_arguments = constant.keeps_arguments()
test_constant_dtype = constant.keeps_dtype()
test_constant_layout = constant.any_layout()
test_constant_device = constant.other_device()

epanechikov, test_epanechikov_values = kernel_checks("epanechikov", lambda x: F.relu(1 - x.abs()))
test_epanechikov_gradient = epanechikov.gradient()
test_epanechikov_arguments = epanechikov.keeps_arguments()
test_epanechikov_dtype = epanechikov.keeps_dtype()
test_epanechikov_layout = epanechikov.any_layout()
test_epanechikov_device = epanechikov.other_device()


# The regression. The kernels it is given are none of those above.


def pointed(x):
    """A kernel that reaches everywhere."""
    return torch.exp(-2 * x.abs())


def window(x):
    """A kernel that says yes or no, and reaches as far as 3."""
    return x.abs() <= 3


def regression(kernel):
    """The right answer for one kernel, as softmax of its logarithm."""

    def predict(x_train, y_train, x_val):
        scores = kernel(x_val[:, None] - x_train).to(y_train.dtype).log()
        scores = torch.where(scores.isinf().all(1, keepdim=True), 0.0, scores)
        weights = scores.softmax(1).T
        return y_train @ weights, weights

    return predict


def spread(n, m):
    """n examples and m queries about twice as far apart as the window is wide."""
    return 2 * torch.randn(n), torch.randn(n), torch.randn(m)


def agrees(student, kernel, *inputs):
    expected = truth(regression(kernel), *inputs)
    found = student.nadaraya_watson(*inputs, kernel)
    if not isinstance(found, tuple | list) or len(found) != 2:
        raise Mismatch.of_type(found, "a pair (y_hat, attention_w)")
    for one, due, what in zip(found, expected, ("y_hat", "attention_w"), strict=True):
        assert_same(one, due, what=what)


SIZES = [(1, 1), (2, 1), (1, 2), (2, 2), (3, 2), (3, 3), (4, 7)]


def test_nadaraya_watson_values(student):
    """predicts the mean of the labels, weighted by the kernel"""
    for n, m in SIZES:
        agrees(student, pointed, *spread(n, m))


def test_nadaraya_watson_window(student):
    """takes a kernel that says yes or no, and queries that only some examples reach"""
    agrees(student, window, torch.tensor([0.0, 9.0]), torch.randn(2), torch.tensor([1.0, 8.0]))
    for n, m in SIZES[2:]:
        x_train, y_train, _ = spread(n, m)
        x_val = x_train.repeat(m)[:m] + torch.rand(m)  # each near an example
        agrees(student, window, x_train, y_train, x_val)


def test_nadaraya_watson_alone(student):
    """gives all examples the same weight where none is in reach"""
    for x_train, x_val in [
        ([0.0], [9.0]),
        ([0.0, 1.0], [9.0, -9.0]),
        ([0.0, 5.0, 1.0], [9.0, 1.5]),
    ]:
        y_train = torch.randn(len(x_train))
        agrees(student, window, torch.tensor(x_train), y_train, torch.tensor(x_val))


def first_of(student, x_train, y_train, x_val):
    found = student.nadaraya_watson(x_train, y_train, x_val, pointed)
    return found[0] if isinstance(found, tuple | list) and found else found


def prediction(x_train, y_train, x_val):
    return regression(pointed)(x_train, y_train, x_val)[0]


def test_nadaraya_watson_gradient(student):
    """gradients flow back to examples, labels and queries"""
    for n, m in [(2, 1), (3, 4)]:
        inputs = spread(n, m)
        expected = truth(gradients(prediction), *inputs)
        found = gradients(lambda *some: first_of(student, *some))(*inputs)
        names = ("x_train", "y_train", "x_val")
        for name, one, due in zip(names, found, expected, strict=True):
            assert_same(one, due, what=f"the gradient for {name}")


pooling = Standing("nadaraya_watson", prediction, lambda: spread(4, 3), first_of)
test_nadaraya_watson_arguments = pooling.keeps_arguments()
test_nadaraya_watson_refuses = pooling.refuses(
    ValueError,
    lambda: (torch.randn(2), torch.randn(1), torch.randn(1)),
    lambda: (torch.randn(2), torch.randn(3), torch.randn(2)),
    lambda: (torch.randn(2), torch.randn(2, 1), torch.randn(2)),
    lambda: (torch.zeros(0), torch.zeros(0), torch.zeros(1)),
)
test_nadaraya_watson_dtype = pooling.keeps_dtype()
test_nadaraya_watson_layout = pooling.any_layout()
test_nadaraya_watson_empty = pooling.empty_batch(lambda: spread(2, 0))
test_nadaraya_watson_device = pooling.other_device()
