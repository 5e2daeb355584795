"""Hidden checks of section 2.5: what autograd computes, and how to do without it."""

import torch

from d2lgrade.testkit import Mismatch, Standing, assert_close_to, assert_same, refuses, truth

# Functions to differentiate. Public: they travel to the learner's process.


def square(x):
    """x * x."""
    return x * x


def dot(x):
    """2 x·x, a scalar."""
    return 2 * (x * x).sum()


def outer(x):
    """A result of another shape: products of all pairs."""
    flat = x.reshape(-1)
    return torch.sin(flat[:, None]) * flat


def branching(x):
    """Doubled until it is long, then one of two branches: control flow, as in the book."""
    y = x * 2
    while y.detach().norm() < 100:
        y = y * 2
    return y if y.detach().sum() > 0 else 10 * y


def swirl(x):
    """A vector to a vector of the same length, whose Jacobian has no symmetry."""
    return torch.exp(0.5 * x) * x.roll(1, 0) + x.cumsum(0)


def fan(x):
    """A vector to a vector of five."""
    weights = torch.arange(1.0, 6.0, dtype=x.dtype, device=x.device)
    return torch.sin(weights[:, None] * x).sum(1) + weights * x[0]


def total(x):
    """A vector to a vector of one."""
    return (x**3).sum().reshape(1)


def flattened(x):
    """A vector of whatever it is given."""
    return 2 * x.reshape(-1)


def partly(x):
    """A vector to three entries, of which one does not depend on it."""
    return torch.stack([x[0] * x[-1], torch.ones_like(x[0]), torch.exp(x[-1])])


def by_sum(f, x):
    """Autograd's own gradient of the sum."""
    x = x.detach().requires_grad_()
    return torch.autograd.grad(f(x).sum(), x)[0]


# --- grad_of_sum ----------------------------------------------------------------------------

FUNCTIONS = [(square, ()), (square, (1,)), (dot, (4,)), (outer, (2, 2)), (branching, (3,))]
FUNCTIONS += [(swirl, (4,)), (fan, (2,)), (square, (2, 1, 3))]


def test_grad_of_sum_values(student):
    """equals autograd's gradient of the sum"""
    for f, shape in FUNCTIONS:
        x = torch.randn(shape)
        expected = truth(by_sum, f, x)
        found = student.grad_of_sum(f, x)
        assert_same(found, expected, what=f"the gradient of `{f.__name__}`")


def left(function, f, values, requires, old):
    """What is left on x by a call; runs beside the learner's code."""
    x = values.clone().requires_grad_(requires)
    x.grad = old
    found = function(f, x)
    return [x.requires_grad, x.is_leaf, x.grad is old, x.grad, x.detach(), found.requires_grad]


def traceless(student, function, f, values, what="x"):
    """Fail unless x keeps what autograd has with it, whatever that is."""
    for requires, old in ((False, None), (True, None), (True, torch.full_like(values, 7.0))):
        held = None if old is None else old.clone()
        found = student.run(left, function, f, values, requires, old)
        required, leaf, same, grad, after, graph = found
        if required is not requires or not leaf:
            raise Mismatch(
                f"After the call {what} does {'' if required else 'not '}require gradients, "
                f"before it did {'' if requires else 'not '}. Work on a detached tensor.",
                expected=f"requires_grad = {requires}",
                got=f"requires_grad = {required}",
            )
        if (grad is None) != (held is None):
            raise Mismatch(
                f"The call has left something in the .grad of {what}, or taken it away. "
                "Work on a detached tensor.",
                expected="None" if held is None else "what was there",
                got="None" if grad is None else "a tensor",
            )
        if held is not None:
            assert_same(grad, held, what=f"the .grad of {what} after the call")
        if not same:
            raise Mismatch(f"The .grad of {what} is another tensor than before.")
        assert_same(after, values, what=f"{what} after the call")
        if graph:
            raise Mismatch("The result still carries a graph; it is to be plain numbers.")


def test_grad_of_sum_traceless(student):
    """leaves x, its .grad and its requires_grad as they were"""
    for shape in ((1,), (2, 3)):
        traceless(student, student.grad_of_sum, square, torch.randn(shape))


def others(function, x):
    """What a call leaves in the .grad of another tensor that f uses; runs beside the code."""
    weight = torch.ones(2, requires_grad=True)
    function(lambda x: weight * x, x)
    return weight.grad is None


def test_grad_of_sum_others(student):
    """leaves the .grad of other tensors alone"""
    if student.run(others, student.grad_of_sum, torch.randn(2)) is not True:
        raise Mismatch(
            "f used another tensor that requires gradients, and the call has left a gradient in "
            "its .grad. torch.autograd.grad returns a gradient and stores none."
        )


def test_grad_of_sum_turned_off(student):
    """works where the caller has gradients turned off"""
    x = torch.randn(3)
    expected = truth(by_sum, square, x)
    with torch.no_grad():
        found = student.grad_of_sum(square, x)
    assert_same(found, expected, what="the gradient under torch.no_grad()")


grad_of_sum = Standing("grad_of_sum", by_sum, lambda: (outer, torch.randn(3, 2)))
test_grad_of_sum_dtype = grad_of_sum.keeps_dtype()
test_grad_of_sum_layout = grad_of_sum.any_layout()
test_grad_of_sum_empty = grad_of_sum.empty_batch(lambda: (square, torch.randn(0, 3)))
test_grad_of_sum_device = grad_of_sum.other_device()

# --- vjp ------------------------------------------------------------------------------------


def by_weights(f, x, v):
    """Autograd's own gradient of the weighted sum."""
    return by_sum(lambda x: v * f(x), x)


def test_vjp_values(student):
    """weights each entry of the result by its own number"""
    for f, shape in FUNCTIONS:
        x = torch.randn(shape)
        v = torch.randn(f(x).shape)
        expected = truth(by_weights, f, x, v)
        found = student.vjp(f, x, v)
        assert_same(found, expected, what=f"the product for `{f.__name__}`")


def test_vjp_rows(student):
    """gives a row of the Jacobian for a one among zeros"""
    for f, n in ((swirl, 3), (fan, 2)):
        x = torch.randn(n)
        rows = torch.eye(len(f(x)))
        for index, v in enumerate(rows):
            expected = truth(by_weights, f, x, v)
            found = student.vjp(f, x, v)
            assert_same(found, expected, what=f"the gradient of entry {index} of `{f.__name__}`")


def weighted(function, v):
    """vjp as a function of f and x alone; runs beside the learner's code."""
    return lambda f, x: function(f, x, v)


def left_by_vjp(function, f, values, requires, old, v):
    """As `left`, for a function that takes weights too; runs beside the learner's code."""
    return left(weighted(function, v), f, values, requires, old)


def test_vjp_traceless(student):
    """leaves x, its .grad and its requires_grad as they were"""
    values, v = torch.randn(3), torch.randn(3)

    class Weighted:
        """So that `traceless` can pass the weights along."""

        @staticmethod
        def run(journey, function, f, values, requires, old):
            return student.run(left_by_vjp, function, f, values, requires, old, v)

    traceless(Weighted, student.vjp, swirl, values)


def test_vjp_refuses(student):
    """refuses weights of another shape than the result"""
    for f, n, shape in ((swirl, 3, (1,)), (swirl, 3, (3, 1)), (fan, 2, (2,)), (dot, 3, (3,))):
        refuses(ValueError, student.vjp, f, torch.randn(n), torch.randn(shape))


vjp = Standing("vjp", by_weights, lambda: (fan, torch.randn(3), torch.randn(5)))
test_vjp_rules = vjp.rules("torch.autograd.functional.vjp")
test_vjp_dtype = vjp.keeps_dtype()
test_vjp_layout = vjp.any_layout()
test_vjp_device = vjp.other_device()

# --- jacobian -------------------------------------------------------------------------------


def by_rows(f, x):
    """Every row by a pass of its own, through the weights of a one among zeros.

    torch.autograd.functional.jacobian would import sympy on first use.
    """
    return torch.stack([by_weights(f, x, v) for v in torch.eye(len(f(x)), dtype=x.dtype)])


def test_jacobian_values(student):
    """has the gradient of entry i in row i"""
    for f, n in [(total, 1), (square, 1), (total, 3), (fan, 1), (square, 3), (swirl, 4), (fan, 3)]:
        x = torch.randn(n)
        expected = truth(by_rows, f, x)
        found = student.jacobian(f, x)
        assert_same(found, expected, what=f"the Jacobian of `{f.__name__}`")


def test_jacobian_constant(student):
    """has a row of zeros for an entry that does not depend on x"""
    for n in (1, 2, 4):
        x = torch.randn(n)
        expected = truth(by_rows, partly, x)
        found = student.jacobian(partly, x)
        assert_same(found, expected, what="the Jacobian of a function with a constant entry")


def test_jacobian_traceless(student):
    """leaves x, its .grad and its requires_grad as they were"""
    traceless(student, student.jacobian, swirl, torch.randn(3))


def test_jacobian_refuses(student):
    """refuses what is not a vector"""
    for f, shape in (
        (square, (2, 2)),
        (square, ()),
        (flattened, (2, 2)),
        (flattened, ()),
        (outer, (3,)),
        (dot, (3,)),
    ):
        refuses(ValueError, student.jacobian, f, torch.randn(shape))


jacobian = Standing("jacobian", by_rows, lambda: (fan, torch.randn(3)))
test_jacobian_rules = jacobian.rules("torch.autograd.functional.jacobian")
test_jacobian_dtype = jacobian.keeps_dtype()
test_jacobian_layout = jacobian.any_layout()


def test_jacobian_device(student):
    """works on another device than the CPU"""
    x = torch.randn(3)
    with student.other_device():
        student.jacobian(fan, x)


# --- numerical_gradient ---------------------------------------------------------------------


def form(x):
    """A quadratic form of all entries: central differences are exact for it."""
    flat = x.reshape(-1)
    weights = torch.arange(1.0, flat.numel() + 1, dtype=x.dtype, device=x.device)
    return (weights * flat**2).sum() + 3 * flat.sum() ** 2 - flat[0]


def cubes(x):
    """The sum of cubes: central differences are off by h^2 exactly."""
    return (x**3).sum()


def steep(x):
    """A million times as steep, so that the default of h shows."""
    return 1e6 * (x**3).sum()


def single(x):
    """A result with a single entry, but with axes."""
    return (x * x).sum().reshape(1, 1)


def rounding(f, x, h=1e-4):
    """How far rounding may take a difference of two values like f(x), divided by 2h."""
    size = 1.0 + float(f(x + h).abs().max())
    return 16 * torch.finfo(torch.float64).eps * size / h


def test_numerical_gradient_values(student):
    """is exact where f is quadratic"""
    for f, shape in [(form, (1,)), (form, ()), (form, (3,)), (form, (2, 3)), (single, (2,))]:
        x = torch.rand(shape, dtype=torch.float64) + 0.5
        expected = by_sum(f, x)
        found = student.numerical_gradient(f, x)
        what = f"the gradient of the quadratic function `{f.__name__}`"
        assert_close_to(found, expected, rounding(f, x), what=what)


def test_numerical_gradient_single(student):
    """computes in float64, though x be float32"""
    for shape in [(1,), (2, 3)]:
        x = torch.rand(shape) + 0.5
        expected = by_sum(form, x.double())
        found = student.numerical_gradient(form, x)
        allowed = rounding(form, x.double())
        assert_close_to(found, expected, allowed, what="the gradient of a quadratic function")


def test_numerical_gradient_order(student):
    """is off by h squared for cubes: h goes to both sides"""
    for shape, h in [((1,), 0.5), ((1,), 0.25), ((2, 2), 1.0)]:
        x = torch.rand(shape, dtype=torch.float64) + 0.5
        expected = 3 * x**2 + h**2
        found = student.numerical_gradient(cubes, x, h=h)
        what = f"the gradient of a sum of cubes with h={h}"
        assert_close_to(found, expected, rounding(cubes, x, h), what=what)


def test_numerical_gradient_default(student):
    """takes h = 1e-4 unless told otherwise"""
    for shape in [(1,), (3,)]:
        x = torch.rand(shape, dtype=torch.float64) + 0.5
        expected = 3e6 * x**2 + 1e6 * 1e-4**2
        found = student.numerical_gradient(steep, x)
        # h^2 makes 1e-2 here, rounding a tenth of that at most.
        assert_close_to(
            found, expected, rounding(steep, x), what="the gradient of a steep function"
        )


def test_numerical_gradient_arguments(student):
    """leaves x alone"""
    for dtype in (torch.float64, torch.float32):
        x = torch.rand(2, 2, dtype=dtype)
        before = x.clone()
        student.numerical_gradient(form, x)
        assert_same(x, before, what="x after the call")


def test_numerical_gradient_layout(student):
    """takes transposed, expanded and sliced tensors"""
    x = torch.rand(3, 4, dtype=torch.float64) + 0.5
    views = {"transposed": x.t(), "sliced": x[1:, ::2], "expanded": x[:1].expand(2, 4)}
    for name, view in views.items():
        expected = by_sum(form, view.clone())
        found = student.numerical_gradient(form, view)
        what = f"the gradient for a {name} tensor"
        assert_close_to(found, expected, rounding(form, view), what=what)


numerical_gradient = Standing("numerical_gradient", by_sum, lambda: (form, torch.rand(2, 2)))
test_numerical_gradient_rules = numerical_gradient.rules(
    "torch.autograd", "torch.func", "torch.Tensor.backward"
)
test_numerical_gradient_device = numerical_gradient.other_device()

# --- detached_product -----------------------------------------------------------------------

detached_product = Standing(
    "detached_product", lambda x: (x * x).detach() * x, lambda: (torch.randn(3, 4),)
)


def test_detached_product_values(student):
    """has the values of the cube"""
    for shape in [(), (1,), (4,), (2, 3)]:
        x = torch.randn(shape)
        expected = truth(lambda x: x * x * x, x)
        assert_same(student.detached_product(x), expected)


test_detached_product_gradient = detached_product.gradient()
test_detached_product_arguments = detached_product.keeps_arguments()
test_detached_product_dtype = detached_product.keeps_dtype()
test_detached_product_layout = detached_product.any_layout()
test_detached_product_empty = detached_product.empty_batch(lambda: (torch.randn(0, 3),))
test_detached_product_device = detached_product.other_device()
