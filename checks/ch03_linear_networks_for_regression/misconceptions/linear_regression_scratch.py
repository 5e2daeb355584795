"""Wrong answers that people give in section 3.4, and what went wrong in them."""

import torch

from d2lgrade.testkit import misconception


def _with_gradients(params):
    """Those that have a gradient, so that only the mistake shows."""
    return [param for param in params if param.grad is not None]


@misconception(
    "sgd",
    "new-tensors",
    book="3.4.3",
    why="param = param - … makes a new tensor and gives it to the loop's own name; the parameter "
    "itself never moves, and the new tensor has no gradient to clear. Write param -= ….",
)
def sgd_rebinding(params, lr, batch_size):
    with torch.no_grad():
        for param in _with_gradients(params):
            param = param - lr * param.grad / batch_size
            param.grad.zero_()


@misconception(
    "sgd",
    "graph-recorded",
    book="3.4.3",
    why="The step is recorded like any computation, and PyTorch refuses to change a leaf in place "
    "while it records. Take the step under torch.no_grad().",
)
def sgd_recorded(params, lr, batch_size):
    for param in _with_gradients(params):
        param -= lr * param.grad / batch_size
        param.grad.zero_()


@misconception(
    "sgd",
    "not-divided",
    book="3.4.3",
    why="The gradient is not divided by the batch size. It belongs to the summed loss, so the "
    "steps grow with the minibatch.",
)
def sgd_not_divided(params, lr, batch_size):
    with torch.no_grad():
        for param in _with_gradients(params):
            param -= lr * param.grad
            param.grad.zero_()


@misconception(
    "sgd",
    "uphill",
    book="3.4.3",
    why="The step goes along the gradient, which is uphill. Subtract.",
)
def sgd_uphill(params, lr, batch_size):
    with torch.no_grad():
        for param in _with_gradients(params):
            param += lr * param.grad / batch_size
            param.grad.zero_()


@misconception(
    "sgd",
    "gradients-not-cleared",
    book="3.4.3",
    why="The gradients are still there after the step. backward() adds to them, so the next step "
    "goes along the old gradient too.",
)
def sgd_not_cleared(params, lr, batch_size):
    with torch.no_grad():
        for param in _with_gradients(params):
            param -= lr * param.grad / batch_size


@misconception(
    "sgd",
    "cleared-before-the-step",
    book="3.4.3",
    why="The gradients are cleared before they are used, so nothing moves. Step first.",
)
def sgd_cleared_first(params, lr, batch_size):
    with torch.no_grad():
        for param in _with_gradients(params):
            param.grad.zero_()
            param -= lr * param.grad / batch_size


@misconception(
    "sgd",
    "only-the-last-cleared",
    book="3.4.3",
    why="Only the last parameter's gradient is cleared: the line belongs inside the loop.",
)
def sgd_last_cleared(params, lr, batch_size):
    with torch.no_grad():
        for param in _with_gradients(params):
            param -= lr * param.grad / batch_size
    param.grad.zero_()


@misconception(
    "sgd",
    "only-the-first-moved",
    book="3.4.3",
    why="The function returns inside the loop, after its first parameter. Move `return` out, or "
    "leave it away.",
)
def sgd_first_only(params, lr, batch_size):
    with torch.no_grad():
        for param in _with_gradients(params):
            param -= lr * param.grad / batch_size
            param.grad.zero_()
            return


@misconception(
    "sgd",
    "parameter-zeroed",
    book="3.4.3",
    why="The parameter itself is set to zero instead of its gradient. Write param.grad.zero_().",
)
def sgd_parameter_zeroed(params, lr, batch_size):
    with torch.no_grad():
        for param in _with_gradients(params):
            param -= lr * param.grad / batch_size
            param.zero_()


@misconception(
    "sgd",
    "none-not-skipped",
    book="3.4.3",
    why="A parameter that took no part in the loss has no gradient: its .grad is None. Skip it.",
)
def sgd_none_not_skipped(params, lr, batch_size):
    with torch.no_grad():
        for param in params:
            param -= lr * param.grad / batch_size
            param.grad.zero_()
