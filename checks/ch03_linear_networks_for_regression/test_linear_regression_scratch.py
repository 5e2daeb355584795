"""Hidden checks of section 3.4: linreg, squared_loss, sgd, train_linreg."""

import torch
from torch.nn import functional as F
from torch.optim.sgd import sgd as functional_sgd

from d2lgrade.testkit import (
    Mismatch,
    Standing,
    assert_close_to,
    assert_same,
    gradients,
    truth,
    unchanged,
)
from d2lgrade.testkit.gradient import pattern

# --- linreg ---------------------------------------------------------------------------------


def line(X, w, b):
    return torch.addmm(b, X, w)


def example(n, d):
    return torch.randn(n, d), torch.randn(d, 1), torch.randn(1)


model = Standing("linreg", line, lambda: example(4, 3))


def test_linreg_values(student):
    """weighs the features and adds the bias"""
    for n, d in [(1, 1), (1, 2), (2, 1), (2, 2), (3, 2), (5, 4)]:
        drawn = example(n, d)
        expected = truth(line, *drawn)
        assert_same(student.linreg(*drawn), expected, what="the predictions")


test_linreg_gradient = model.gradient()
test_linreg_arguments = model.keeps_arguments()
test_linreg_refuses = model.refuses(
    ValueError,
    lambda: (torch.randn(2, 3), torch.randn(2, 1), torch.zeros(1)),
    lambda: (torch.randn(2, 2), torch.randn(2), torch.zeros(1)),
    lambda: (torch.randn(2, 2), torch.randn(2, 2), torch.zeros(1)),
    lambda: (torch.randn(2), torch.randn(2, 1), torch.zeros(1)),
    lambda: (torch.randn(2, 2, 3), torch.randn(2, 1), torch.zeros(1)),
)
test_linreg_dtype = model.keeps_dtype()
test_linreg_layout = model.any_layout()
test_linreg_empty = model.empty_batch(lambda: example(0, 3))
test_linreg_device = model.other_device()


# --- squared_loss ---------------------------------------------------------------------------


def halved(y_hat, y):
    return F.mse_loss(y_hat, y.reshape(y_hat.shape), reduction="none") / 2


errors = Standing("squared_loss", halved, lambda: (torch.randn(4, 1), torch.randn(4)))


def test_squared_loss_values(student):
    """is half the squared error of each prediction"""
    for shape in [(1, 1), (2, 1), (3, 1), (1,), (4,), (2, 3)]:
        y_hat, y = torch.randn(shape), torch.randn(shape)
        expected = truth(halved, y_hat, y)
        assert_same(student.squared_loss(y_hat, y), expected, what="the loss")


def test_squared_loss_column(student):
    """compares a column of predictions with a flat vector of labels, and the other way round"""
    for shape, other in [((1, 1), (1,)), ((2, 1), (2,)), ((2,), (2, 1)), ((5, 1), (5,))]:
        y_hat, y = torch.randn(shape), torch.randn(other)
        expected = truth(halved, y_hat, y)
        assert_same(student.squared_loss(y_hat, y), expected, what="the loss")


def test_squared_loss_gradient(student):
    """sends the error back as the gradient of the prediction"""
    for shape, other in [((1, 1), (1, 1)), ((3, 1), (3, 1)), ((4, 1), (4,))]:
        drawn = torch.randn(shape), torch.randn(other)
        expected = truth(gradients(halved, (0,)), *drawn)
        (found,) = gradients(student.squared_loss, (0,))(*drawn)
        assert_same(found, expected[0], what="the gradient for y_hat")


test_squared_loss_arguments = errors.keeps_arguments()
test_squared_loss_refuses = errors.refuses(
    ValueError,
    lambda: (torch.randn(3, 1), torch.randn(2)),
    lambda: (torch.randn(2, 1), torch.randn(3)),
    lambda: (torch.randn(2, 1), torch.randn(1)),
    lambda: (torch.randn(2, 1), torch.randn(2, 2)),
)
test_squared_loss_dtype = errors.keeps_dtype()
test_squared_loss_layout = errors.any_layout()
test_squared_loss_empty = errors.empty_batch(lambda: (torch.randn(0, 1), torch.randn(0)))
test_squared_loss_device = errors.other_device()


# --- sgd ------------------------------------------------------------------------------------

SHAPES = [(), (1,), (3,), (2, 1), (2, 3)]


def parameters(*tensors, dtype=torch.float32):
    """Leaves to be stepped, with gradients that differ from element to element."""
    leaves = [tensor.detach().clone().to(dtype).requires_grad_() for tensor in tensors]
    for leaf in leaves:
        leaf.grad = 3.0 * pattern(leaf.detach()) + torch.ones_like(leaf)
    return leaves


@torch.no_grad()
def torch_step(params, lr, batch_size):
    """PyTorch's own step, for the mean instead of the sum.

    It is what torch.optim.SGD calls. The class itself would first import a compiler, for seconds.
    """
    gradients = [param.grad / batch_size for param in params]
    settings = {"weight_decay": 0, "momentum": 0, "dampening": 0}
    switches = {"nesterov": False, "maximize": False, "foreach": False}
    functional_sgd(params, gradients, [None] * len(params), lr=lr, **settings, **switches)
    for param in params:
        param.grad = None


def stepped(params, lr, batch_size):
    """What PyTorch makes of the parameters in one step."""
    leaves = parameters(*params, dtype=params[0].dtype)
    torch_step(leaves, lr, batch_size)
    return tuple(leaf.detach() for leaf in leaves)


def test_sgd_step(student):
    """moves every parameter against its gradient, divided by the batch size"""
    for lr, batch_size in [(0.5, 4), (0.1, 1), (2.0, 3)]:
        for shape in SHAPES:
            params = parameters(torch.randn(shape))
            expected = truth(stepped, params, lr, batch_size)
            student.sgd(list(params), lr, batch_size)
            assert_same(params[0], expected[0], what="the parameter after one step")


def test_sgd_every(student):
    """moves all parameters of a list"""
    for shapes in [[(1,), (1,)], [(2, 1), (1,)], SHAPES]:
        params = parameters(*(torch.randn(shape) for shape in shapes))
        expected = truth(stepped, params, 0.5, 4)
        student.sgd(list(params), 0.5, 4)
        for index, (param, due) in enumerate(zip(params, expected, strict=True)):
            assert_same(param, due, what=f"parameter {index + 1} of {len(params)} after one step")


def test_sgd_zeroed(student):
    """clears every gradient after the step"""
    for shapes in [[()], [(2,), (1,)], [(2, 3), (3,), (1,)]]:
        params = parameters(*(torch.randn(shape) for shape in shapes))
        student.sgd(list(params), 0.5, 4)
        for index, param in enumerate(params):
            if param.grad is not None:
                zeros = torch.zeros(param.shape)
                assert_same(
                    param.grad, zeros, what=f"the gradient of parameter {index + 1} after the step"
                )


def test_sgd_leaves(student):
    """leaves parameters ready for the next backward"""
    for shape in [(), (2, 1)]:
        (param,) = parameters(torch.randn(shape))
        student.sgd([param], 0.5, 4)
        if not (param.is_leaf and param.requires_grad):
            raise Mismatch(
                "After the step the parameter is no leaf that requires gradients any more, so that "
                "the next backward() gives it none."
            )
        (param * 2.0).sum().backward()
        assert_same(param.grad, torch.full(shape, 2.0), what="the gradient of the next backward")


def fitted(step, X, y, w, b, lr, batch_size):
    """The path of w and b while a linear regression is fitted by `step(params, lr, batch_size)`."""
    w, b = (value.detach().clone().requires_grad_() for value in (w, b))
    path = []
    for _ in range(3):
        for rows in torch.arange(len(X)).split(batch_size):
            loss = F.mse_loss(X[rows] @ w + b, y[rows], reduction="sum") / 2
            loss.backward()
            step([w, b], lr, len(rows))
            path.append(torch.cat([w.detach().flatten(), b.detach()]))
    return torch.stack(path)


def test_sgd_trajectory(student):
    """follows torch.optim.SGD all the way while it fits a line"""
    for n, d, lr, batch_size in [(2, 1, 0.1, 1), (10, 2, 0.3, 4), (12, 3, 0.05, 5)]:
        X, y = torch.randn(n, d), torch.randn(n, 1)
        w, b = torch.randn(d, 1), torch.zeros(1)
        expected = truth(lambda *a: fitted(torch_step, *a), X, y, w, b, lr, batch_size)
        found = fitted(student.sgd, X, y, w, b, lr, batch_size)
        assert_same(found, expected, what="the path of w and b, a step a row,")


def test_sgd_without_gradient(student):
    """skips parameters that have no gradient"""
    for place in (0, 1):
        params = parameters(torch.randn(2, 1), torch.randn(2, 1))
        params[place].grad = None
        still = params[place].detach().clone()
        (expected,) = truth(stepped, [params[1 - place]], 0.5, 4)
        student.sgd(list(params), 0.5, 4)
        assert_same(params[place], still, what="the parameter without a gradient")
        assert_same(params[1 - place], expected, what="the parameter with a gradient")


def on_sgd(student, *params):
    """The learner's step as a function of parameters, laid out in memory as given."""
    for param in params:
        param.requires_grad_()
        param.grad = 3.0 * pattern(param.detach()) + torch.ones_like(param)
    student.sgd(list(params), 0.5, 4)
    return tuple(param.detach() for param in params)


sgd = Standing(
    "sgd",
    lambda *params: stepped(params, 0.5, 4),
    lambda: (torch.randn(3, 2), torch.randn(2)),
    call=on_sgd,
)
test_sgd_rules = sgd.rules("torch.optim")
test_sgd_dtype = sgd.keeps_dtype()
test_sgd_device = sgd.other_device()


def test_sgd_layout(student):
    """takes a transposed parameter"""
    X = torch.randn(3, 2)
    (expected,) = truth(stepped, [X], 0.5, 4)
    (found,) = on_sgd(student, X.t().contiguous().t())
    assert_same(found, expected, what="the parameter after one step")


# --- train_linreg ---------------------------------------------------------------------------

# The start is within 0.06 of zero, but for one draw in a billion, and no step here makes a distance
# grow. So every right loop ends this close to one that starts from zero.
START = 0.1


def fitted_from_zero(features, labels, lr, num_epochs, batch_size):
    """Where a loop ends for which all minibatches of one size are alike."""
    X = torch.cat([features, torch.ones(len(features), 1)], dim=1).double()
    y, weights = labels.reshape(-1, 1).double(), torch.zeros(X.shape[1], 1, dtype=torch.float64)
    for _ in range(num_epochs):
        for rows in torch.arange(len(X)).split(batch_size):
            error = X[rows] @ weights - y[rows]
            weights = weights - lr * X[rows].T @ error / len(rows)
    return weights[:-1].to(features.dtype), weights[-1].to(features.dtype)


def assert_fit(student, data, lr, num_epochs, batch_size):
    """Fail unless the learner's loop ends where it must, but for the start."""
    due = fitted_from_zero(*data, lr, num_epochs, batch_size)
    got = student.train_linreg(*data, lr, num_epochs, batch_size)
    told = f"after {num_epochs} epochs in minibatches of {batch_size}"
    assert_weights(got, due, START, told)


def assert_weights(got, due, tolerance, told):
    if not isinstance(got, list | tuple) or len(got) != 2:
        raise Mismatch.of_type(got, "a pair (w, b)")
    for found, right, name in zip(got, due, ("w", "b"), strict=True):
        assert_close_to(found, right, tolerance, f"{name} {told}")


def lying_on(w, b, X):
    """Features and labels that lie exactly on a plane."""
    return X, X @ torch.tensor(w)[:, None] + b


def test_train_linreg_start(student):
    """starts from small weights and no bias"""
    X, y = lying_on([1.0] * 200, 5.0, torch.randn(4, 200))
    # Without a learning rate the start is also the end.
    got = student.train_linreg(X, y, 0.0, 1, 2)
    assert_weights(got, (torch.zeros(200, 1), torch.zeros(1)), 0.06, "at the start")


def test_train_linreg_steps(student):
    """takes a step with the averaged gradient in every epoch, when all data are one minibatch"""
    X = torch.tensor([[1.0, -0.5], [-1.0, 1.0], [0.5, 1.5], [-0.5, -1.0], [1.5, 0.0], [0.0, -1.0]])
    for n, lr, num_epochs in [(1, 0.25, 1), (2, 0.5, 1), (6, 0.5, 1), (6, 0.5, 2), (6, 0.25, 4)]:
        assert_fit(student, lying_on([9.0, -7.0], 8.0, X[:n]), lr, num_epochs, n)


def test_train_linreg_minibatches(student):
    """takes a step for every minibatch"""
    # Examples that are all the same: their order does not matter.
    for n, batch_size, num_epochs in [(2, 1, 1), (6, 2, 1), (12, 4, 2), (9, 3, 2)]:
        X = torch.tensor([[1.0, -2.0]]).repeat(n, 1)
        assert_fit(student, lying_on([9.0, -7.0], 8.0, X), 0.05, num_epochs, batch_size)


def test_train_linreg_recovers(student):
    """finds the weights and the bias that made the data"""
    for w, b, n in [([2.0], -1.0, 200), ([2.0, -3.4], 4.2, 400)]:
        X, y = lying_on(w, b, torch.randn(n, len(w)))
        y += 0.01 * torch.randn(n, 1)
        due = torch.tensor(w)[:, None], torch.tensor([b])
        got = student.train_linreg(X, y, 0.1, 4, 10)
        # 80 steps and more leave 0.9^80 of the way at most; the noise leaves a thousandth.
        assert_weights(got, due, 0.02, "found from noisy data")


def test_train_linreg_arguments(student):
    """leaves the data alone"""
    X, y = lying_on([1.0, 2.0], 3.0, torch.randn(6, 2))
    with unchanged(X, y):
        student.train_linreg(X, y, 0.1, 2, 3)


def test_train_linreg_uneven(student):
    """divides by what a shorter last minibatch holds"""
    for n, batch_size in [(3, 8), (3, 2), (9, 8)]:
        X = torch.tensor([[1.0, -2.0]]).repeat(n, 1)
        assert_fit(student, lying_on([90.0, -70.0], 80.0, X), 0.1, 1, batch_size)


def test_train_linreg_flat(student):
    """takes a flat vector of labels"""
    X, y = lying_on([9.0, -7.0], 8.0, torch.tensor([[1.0, -0.5], [-1.0, 1.0], [0.5, 1.5]]))
    assert_fit(student, (X, y.flatten()), 0.5, 2, 3)


def test_train_linreg_generator(student):
    """draws with the generator given, and with nothing else"""
    X, y = torch.randn(12, 2), torch.randn(12, 1)
    found = []
    for seed in (1, 1, 2):
        torch.manual_seed(len(found))  # PyTorch's own generator is never in the same state
        generator = torch.Generator().manual_seed(seed)
        w, _ = student.train_linreg(X, y, 0.1, 2, 4, generator=generator)
        found.append(w.detach())
    assert_same(found[1], found[0], what="w for the same state of the generator")
    if torch.equal(found[0], found[2]):
        raise Mismatch("Generators in different states gave the same weights.")


def test_train_linreg_dtype(student):
    """computes in the dtype of the features"""
    X = torch.tensor([[1.0, -0.5], [-1.0, 1.0]], dtype=torch.float64)
    y = torch.tensor([[9.0], [-7.0]], dtype=torch.float64)
    assert_fit(student, (X, y), 0.5, 2, 2)


loop = Standing("train_linreg", None, lambda: (torch.randn(6, 2), torch.randn(6, 1), 0.1, 2, 4))
test_train_linreg_device = loop.other_device()
test_train_linreg_refuses = loop.refuses(
    ValueError,
    lambda: (torch.randn(3, 2), torch.randn(3, 1), 0.1, 1, 0),
    lambda: (torch.randn(3, 2), torch.randn(4, 1), 0.1, 1, 2),
)
