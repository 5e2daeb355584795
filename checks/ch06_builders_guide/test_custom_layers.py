"""Hidden checks of section 6.5: CenteredLayer, MyLinear."""

import torch
from torch.nn import functional as F

from d2lgrade.testkit import Mismatch, Standing, assert_mean, assert_same, gradients, truth
from d2lgrade.testkit.gradient import pattern

# --- CenteredLayer --------------------------------------------------------------------------


def centered(X):
    return X - X.mean()


def on_centered(student, X):
    return student.CenteredLayer()(X)


center = Standing("CenteredLayer", centered, lambda: (torch.randn(3, 4) + 2.0,), call=on_centered)


def test_CenteredLayer_values(student):
    """subtracts the mean of all entries"""
    for shape in [(1,), (2,), (5,), (1, 1), (2, 3), (4, 2), (2, 3, 4)]:
        X = torch.randn(shape) + 2.0
        expected = truth(centered, X)
        assert_same(on_centered(student, X), expected)


test_CenteredLayer_gradient = center.gradient()


def test_CenteredLayer_parameters(student):
    """has no parameters"""
    count = len(list(student.CenteredLayer().parameters()))
    if count:
        raise Mismatch("CenteredLayer has parameters.", expected="none", got=str(count))


test_CenteredLayer_arguments = center.keeps_arguments()
test_CenteredLayer_dtype = center.keeps_dtype()
test_CenteredLayer_layout = center.any_layout()
test_CenteredLayer_empty = center.empty_batch(lambda: (torch.zeros(0, 3),))
test_CenteredLayer_device = center.other_device()


# --- MyLinear -------------------------------------------------------------------------------


def linear_relu(X, W, b):
    return F.relu(F.linear(X, W.T, b))


def weights(d, h):
    return torch.randn(d, h), torch.randn(h)


def fill(layer, W, b):
    """Convert the layer and set its parameters by their axes; runs beside the learner's code."""
    layer.to(W.dtype)
    shapes = sorted(tuple(parameter.shape) for parameter in layer.parameters())
    with torch.no_grad():
        for parameter in layer.parameters():
            value = W if parameter.dim() == 2 else b
            if parameter.shape == value.shape:
                parameter.copy_(value)
    return shapes


def filled(student, W, b):
    """The learner's layer with these parameters."""
    layer = student.MyLinear(in_units=len(W), units=len(b))
    due = sorted([tuple(W.shape), tuple(b.shape)])
    found = [tuple(shape) for shape in student.run(fill, layer, W, b)]
    if found != due:
        raise Mismatch(
            f"MyLinear({len(W)}, {len(b)}) has not the parameters of the contract.",
            expected=", ".join(map(str, due)),
            got=", ".join(map(str, found)) or "none",
        )
    return layer


def on_linear(student, X, W, b):
    """The learner's layer as a function of its input and its parameters."""
    return filled(student, W, b)(X)


layer = Standing(
    "MyLinear", linear_relu, lambda: (torch.randn(4, 3), *weights(3, 2)), call=on_linear
)


def test_MyLinear_values(student):
    """is a linear layer and a ReLU"""
    for n, d, h in [(1, 1, 1), (1, 2, 1), (2, 1, 3), (3, 2, 4), (5, 4, 3), (2, 3, 3)]:
        X, W, b = torch.randn(n, d), *weights(d, h)
        expected = truth(linear_relu, X, W, b)
        assert_same(on_linear(student, X, W, b), expected)


def test_MyLinear_gradient(student):
    """gradients reach the input, the weight and the bias"""
    for n, d, h in [(1, 2, 3), (4, 3, 2)]:
        X, W, b = torch.randn(n, d), *weights(d, h)
        expected = truth(gradients(linear_relu), X, W, b)
        made = filled(student, W, b)
        (found,) = gradients(made)(X)
        assert_same(found, expected[0], what="the gradient of the input")
        made = filled(student, W, b)
        Y = made(X)
        if Y.requires_grad:
            (Y * pattern(Y)).sum().backward()
        named = {2: ("weight", expected[1]), 1: ("bias", expected[2])}
        for parameter in made.parameters():
            name, due = named[parameter.dim()]
            if parameter.grad is None:
                raise Mismatch(
                    f"No gradient reaches the {name}: the forward pass reads it through .data or "
                    ".detach(), which cuts it off."
                )
            assert_same(parameter.grad, due, what=f"the gradient of the {name}")


def test_MyLinear_start(student):
    """starts from standard normal draws"""
    made = student.MyLinear(in_units=20, units=400)
    found = {parameter.dim(): parameter.detach() for parameter in made.parameters()}
    if sorted(tuple(value.shape) for value in found.values()) != [(20, 400), (400,)]:
        raise Mismatch("MyLinear(20, 400) has not the parameters (20, 400) and (400,).")
    for value, name in ((found[2], "weight"), (found[1], "bias")):
        assert_mean(value, 0.0, 1.0, f"An entry of the {name} at the start")
        # The square of a standard normal draw has mean 1 and standard deviation sqrt(2).
        assert_mean(value**2, 1.0, 2**0.5, f"The square of an entry of the {name} at the start")


test_MyLinear_arguments = layer.keeps_arguments()
test_MyLinear_rules = layer.rules("torch.nn.Linear")
test_MyLinear_dtype = layer.keeps_dtype()
test_MyLinear_layout = layer.any_layout()
test_MyLinear_empty = layer.empty_batch(lambda: (torch.randn(0, 3), *weights(3, 2)))


def test_MyLinear_device(student):
    """works on another device than the CPU"""
    made = filled(student, *weights(3, 2))
    with student.other_device():
        made(torch.randn(2, 3))
