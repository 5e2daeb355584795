"""Wrong answers that people give in section 3.4, and what went wrong in them."""

import torch

from d2lgrade.testkit import misconception

# --- linreg ---------------------------------------------------------------------------------


def _legal(X, w):
    """Refuse what the contract refuses, so that each answer below is wrong in one way only."""
    if X.dim() != 2 or w.shape != (X.shape[1], 1):
        raise ValueError("X is (n, d), w is (d, 1)")


@misconception(
    "linreg",
    "bias-forgotten",
    book="3.4.1",
    why="The bias is not added.",
)
def linreg_unbiased(X, w, b):
    _legal(X, w)
    return X @ w


@misconception(
    "linreg",
    "flat",
    book="3.4.1",
    why="The predictions have one axis, (n,). Keep w a column, and they are a column too: (n, 1).",
)
def linreg_flat(X, w, b):
    _legal(X, w)
    return X @ w[:, 0] + b


@misconception(
    "linreg",
    "row",
    book="3.4.1",
    why="The product is taken the other way round, so the predictions lie in a row, (1, n). Write "
    "X @ w.",
)
def linreg_row(X, w, b):
    _legal(X, w)
    return w.T @ X.T + b


@misconception(
    "linreg",
    "elementwise",
    book="3.4.1",
    why="`*` multiplies entry by entry and adds nothing up, so that there are d numbers for each "
    "example. The matrix product is `@`.",
)
def linreg_elementwise(X, w, b):
    _legal(X, w)
    return X * w[:, 0] + b


@misconception(
    "linreg",
    "graph-cut",
    book="3.4.1",
    why="The weights are used through .data, so that no gradient reaches them and nothing is "
    "learned.",
)
def linreg_cut(X, w, b):
    _legal(X, w)
    return X @ w.data + b.data


# --- squared_loss ---------------------------------------------------------------------------


def _difference(y_hat, y):
    if y_hat.numel() != y.numel():
        raise ValueError("a label for each prediction")
    return y_hat - y.reshape(y_hat.shape)


@misconception(
    "squared_loss",
    "spread-out",
    book="3.4.2",
    why="A column minus a flat vector is a whole matrix: each prediction minus every label. "
    "Reshape y to the shape of y_hat first.",
)
def squared_loss_spread(y_hat, y):
    _difference(y_hat, y)
    return (y_hat - y) ** 2 / 2


@misconception(
    "squared_loss",
    "in-the-shape-of-y",
    book="3.4.2",
    why="The loss has the shape of the labels. It is to have that of the predictions.",
)
def squared_loss_of_y(y_hat, y):
    return (_difference(y_hat, y) ** 2 / 2).reshape(y.shape)


@misconception(
    "squared_loss",
    "not-halved",
    book="3.4.2",
    why="The squared error is not halved.",
)
def squared_loss_whole(y_hat, y):
    return _difference(y_hat, y) ** 2


@misconception(
    "squared_loss",
    "halved-before-squaring",
    book="3.4.2",
    why="The error is halved and then squared, which makes a quarter. Square first.",
)
def squared_loss_quarter(y_hat, y):
    return (_difference(y_hat, y) / 2) ** 2


@misconception(
    "squared_loss",
    "averaged",
    book="3.4.2",
    why="The losses are averaged. Return one for each prediction; the training loop sums them.",
)
def squared_loss_mean(y_hat, y):
    return (_difference(y_hat, y) ** 2 / 2).mean()


@misconception(
    "squared_loss",
    "summed",
    book="3.4.2",
    why="The losses are summed up. Return one for each prediction; the training loop sums them.",
)
def squared_loss_sum(y_hat, y):
    return (_difference(y_hat, y) ** 2 / 2).sum()


@misconception(
    "squared_loss",
    "absolute",
    book="3.4.2",
    why="This is half the absolute error; square the difference.",
)
def squared_loss_absolute(y_hat, y):
    return _difference(y_hat, y).abs() / 2


# --- sgd ------------------------------------------------------------------------------------


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


# --- train_linreg ---------------------------------------------------------------------------

# A loop is told by where it ends from a start at zero, since the true start is random but small.


def _loop(data, lr, num_epochs, batch_size, generator, start=0.01, **wrong):
    """The training loop, with one thing wrong."""
    features, labels = data
    if batch_size < 1 or len(features) != len(labels):
        raise ValueError("a minibatch has an example at least, an example a label")
    d, like = features.shape[1], {"dtype": features.dtype, "device": features.device}
    w = start * torch.randn(d, 1, generator=generator, **like)
    return _steps(features, labels, w, lr, num_epochs, batch_size, generator, **wrong)


def _steps(
    features,
    labels,
    w,
    lr,
    num_epochs,
    batch_size,
    generator=None,
    *,
    share=lambda examples, batch_size: 1 / examples,
    clear=True,
    batches=None,
    bias=True,
    torn=False,
):
    n, b = len(features), w.new_zeros(1)
    total = [torch.zeros_like(w), torch.zeros_like(b)]
    for _ in range(num_epochs):
        order = torch.randperm(n, generator=generator).to(features.device)
        other = order.flip(0) if torn else order
        for index in range(0, n, batch_size)[:batches]:
            rows = order[index : index + batch_size]
            X, y = features[rows], labels[other[index : index + batch_size]].reshape(-1, 1)
            error = X @ w + b - y
            gradient = [X.T @ error, error.sum(0)]
            total = gradient if clear else [t + g for t, g in zip(total, gradient, strict=True)]
            factor = lr * share(len(rows), batch_size)
            w, b = w - factor * total[0], b - factor * total[1] * bias
    return w, b


def _ends(**wrong):
    """Recognises a loop by where it ends."""

    def signature(calls):
        features, labels, lr, num_epochs, batch_size = calls[-1].args
        start = torch.zeros(features.shape[1], 1, dtype=features.dtype)
        w, b = _steps(features, labels, start, lr, num_epochs, batch_size, **wrong)
        found = calls[-1].result
        scale = max(1.0, float(w.abs().max()))
        pairs = zip(found, (w, b), strict=True)
        return all(float((one - due).abs().max()) < 0.1 * scale for one, due in pairs)

    return signature


@misconception(
    "train_linreg",
    "divided-twice",
    book="3.4.4",
    why="The loss is averaged, and sgd divides by the batch size once more; the steps are far too "
    "short. Take the sum of the loss.",
    fails=("steps", "minibatches"),
    signature=_ends(share=lambda examples, batch_size: 1 / examples / batch_size),
)
def train_linreg_divided_twice(features, labels, lr, num_epochs, batch_size, generator=None):
    data, share = (features, labels), lambda examples, batch_size: 1 / examples / batch_size
    return _loop(data, lr, num_epochs, batch_size, generator, share=share)


@misconception(
    "train_linreg",
    "not-divided",
    book="3.4.4",
    why="The steps follow the summed loss, not the average: they grow with the minibatch. "
    "sgd needs the number of examples to divide by.",
    fails=("steps", "minibatches"),
    signature=_ends(share=lambda examples, batch_size: 1),
)
def train_linreg_not_divided(features, labels, lr, num_epochs, batch_size, generator=None):
    data, share = (features, labels), lambda examples, batch_size: 1
    return _loop(data, lr, num_epochs, batch_size, generator, share=share)


@misconception(
    "train_linreg",
    "gradients-pile-up",
    book="3.4.4",
    why="The gradients are never cleared, so every step follows the old ones too. Clear them after "
    "each step.",
    fails=("steps", "minibatches"),
    signature=_ends(clear=False),
)
def train_linreg_piling(features, labels, lr, num_epochs, batch_size, generator=None):
    return _loop((features, labels), lr, num_epochs, batch_size, generator, clear=False)


@misconception(
    "train_linreg",
    "one-minibatch-an-epoch",
    book="3.4.4",
    why="An epoch ends after its first minibatch: a return or a step stands in the wrong loop.",
    fails=("minibatches",),
    signature=_ends(batches=1),
)
def train_linreg_one_batch(features, labels, lr, num_epochs, batch_size, generator=None):
    return _loop((features, labels), lr, num_epochs, batch_size, generator, batches=1)


@misconception(
    "train_linreg",
    "bias-not-learned",
    book="3.4.4",
    why="The bias stays at zero: hand it to sgd too, and let it require gradients.",
    fails=("steps", "minibatches"),
    signature=_ends(bias=False),
)
def train_linreg_no_bias(features, labels, lr, num_epochs, batch_size, generator=None):
    return _loop((features, labels), lr, num_epochs, batch_size, generator, bias=False)


@misconception(
    "train_linreg",
    "short-last-step",
    book="3.4.4",
    why="The last minibatch of an epoch holds fewer examples, but its step is divided by "
    "batch_size, as in the book. Divide by the number of examples it holds.",
    fails=("uneven",),
    signature=_ends(share=lambda examples, batch_size: 1 / batch_size),
)
def train_linreg_short_step(features, labels, lr, num_epochs, batch_size, generator=None):
    data, share = (features, labels), lambda examples, batch_size: 1 / batch_size
    return _loop(data, lr, num_epochs, batch_size, generator, share=share)


def _lost(calls):
    """Whether w and b ended near zero, although the data lie on a plane far from it."""
    w, _ = calls[-1].result
    return bool(w.isfinite().all()) and float(w.abs().max()) < 1.0


@misconception(
    "train_linreg",
    "pairs-torn",
    book="3.3.2",
    why="The loop learns next to nothing: examples do not meet their own labels. Shuffle features "
    "and labels together.",
    fails=("recovers",),
    signature=_lost,
)
def train_linreg_torn(features, labels, lr, num_epochs, batch_size, generator=None):
    return _loop((features, labels), lr, num_epochs, batch_size, generator, torn=True)


def _wide(calls):
    """Whether many weights started, and stayed, further out than small draws ever lie."""
    w, _ = calls[-1].result
    return len(w) > 99 and 0.5 < float(w.double().std()) < 2.0


@misconception(
    "train_linreg",
    "wide-start",
    book="3.4.1",
    why="The weights start from draws of standard deviation 1. Start near zero: 0.01.",
    fails=("start",),
    signature=_wide,
)
def train_linreg_wide(features, labels, lr, num_epochs, batch_size, generator=None):
    return _loop((features, labels), lr, num_epochs, batch_size, generator, start=1.0)
