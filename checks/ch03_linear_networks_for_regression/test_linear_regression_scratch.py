"""Hidden checks of section 3.4: sgd."""

import torch
from torch.nn import functional as F
from torch.optim.sgd import sgd as functional_sgd

from d2lgrade.testkit import Mismatch, Standing, assert_same, truth
from d2lgrade.testkit.gradient import pattern

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
