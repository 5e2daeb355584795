"""Wrong answers that people give in section 7.2, and what went wrong in them."""

import torch
from torch import nn

from d2lgrade.testkit import misconception


def _fitting(X, K):
    """Shapes of image and kernel; illegal input is refused, so that only the mistake shows."""
    (h, w), (kh, kw) = X.shape, K.shape
    if kh > h or kw > w:
        raise ValueError("the kernel does not fit in the image")
    return h, w, kh, kw


def _correlated(X, K):
    h, w, kh, kw = _fitting(X, K)
    Y = X.new_zeros((h - kh + 1, w - kw + 1))
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + kh, j : j + kw] * K).sum()
    return Y


@misconception(
    "corr2d",
    "kernel-flipped",
    book="7.2.5",
    why="The kernel is turned by 180 degrees before it is used. That is the mathematician's "
    "convolution; cross-correlation takes the kernel as it stands.",
)
def corr2d_flipped(X, K):
    return _correlated(X, K.flip(0, 1))


@misconception(
    "corr2d",
    "kernel-axes-swapped",
    book="7.2.1",
    why="The output loses the kernel's width in its height, and the height in its width. Rows go "
    "with kh, columns with kw.",
)
def corr2d_axes_swapped(X, K):
    h, w, kh, kw = _fitting(X, K)
    Y = X.new_zeros((h - kw + 1, w - kh + 1))
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + kh, j : j + kw] * K).sum()
    return Y


@misconception(
    "corr2d",
    "last-place-left-out",
    book="7.2.1",
    why="The last row and column of places are missing: a kernel of length k fits in n - k + 1 "
    "places, not n - k.",
)
def corr2d_one_short(X, K):
    return _correlated(X, K)[:-1, :-1]


@misconception(
    "corr2d",
    "matrix-product",
    book="7.2.1",
    why="Window and kernel are multiplied as matrices (@). Cross-correlation multiplies them entry "
    "by entry (*).",
)
def corr2d_matrix_product(X, K):
    h, w, kh, kw = _fitting(X, K)
    Y = X.new_zeros((h - kh + 1, w - kw + 1))
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + kh, j : j + kw] @ K).sum()
    return Y


@misconception(
    "corr2d",
    "graph-cut",
    book="7.2.4",
    why="The numbers are right, but .item() takes them out of the graph, so that no kernel could "
    "be learned through this function. Store the 0-dimensional tensor itself.",
)
def corr2d_item(X, K):
    h, w, kh, kw = _fitting(X, K)
    Y = X.new_zeros((h - kh + 1, w - kw + 1))
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + kh, j : j + kw] * K).sum().item()
    return Y


@misconception(
    "Conv2D",
    "no-bias",
    book="7.2.2",
    why="The layer has a weight and no bias.",
)
class Conv2D_no_bias(nn.Module):
    def __init__(self, kernel_size):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(kernel_size))

    def forward(self, x):
        return _correlated(x, self.weight)


@misconception(
    "Conv2D",
    "not-parameters",
    book="7.2.2",
    why="Weight and bias are plain tensors, so the layer has no parameters and no optimizer will "
    "ever see them. Wrap them in nn.Parameter.",
)
class Conv2D_plain_tensors(nn.Module):
    def __init__(self, kernel_size):
        super().__init__()
        self.weight = torch.rand(kernel_size, requires_grad=True)
        self.bias = torch.zeros(1, requires_grad=True)

    def forward(self, x):
        return _correlated(x, self.weight) + self.bias


@misconception(
    "Conv2D",
    "data-in-forward",
    book="7.2.2",
    why="The forward pass reads .data, which cuts the parameters off: they get no gradient and "
    "never learn. Use the parameters themselves.",
)
class Conv2D_data(nn.Module):
    def __init__(self, kernel_size):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(kernel_size))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return _correlated(x, self.weight.data) + self.bias.data


@misconception(
    "Conv2D",
    "bias-in-kernel",
    book="7.2.2",
    why="The bias is added to the weight, so it is multiplied with the image like the kernel. Add "
    "it to the output.",
)
class Conv2D_bias_inside(nn.Module):
    def __init__(self, kernel_size):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(kernel_size))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return _correlated(x, self.weight + self.bias)


@misconception(
    "vertical_edge_kernel",
    "signs-swapped",
    book="7.2.3",
    why="The signs are the wrong way round: this kernel gives -1 where white meets black.",
)
def vertical_edge_kernel_signs():
    return torch.tensor([[-1.0, 1.0]])


@misconception(
    "vertical_edge_kernel",
    "horizontal-edges",
    book="7.2.3",
    why="One column of two entries compares a pixel with the one below it: it finds horizontal "
    "edges. Vertical ones need one row of two entries.",
)
def vertical_edge_kernel_upright():
    return torch.tensor([[1.0], [-1.0]])


@misconception(
    "vertical_edge_kernel",
    "one-axis",
    book="7.2.3",
    why="A list of two numbers makes a tensor with one axis. A kernel has two: write [[…]].",
)
def vertical_edge_kernel_flat():
    return torch.tensor([1.0, -1.0])


@misconception(
    "vertical_edge_kernel",
    "integers",
    book="7.2.3",
    why="Without decimal points torch.tensor makes integers (int64). Images are floats, and so "
    "must the kernel be.",
)
def vertical_edge_kernel_integers():
    return torch.tensor([[1, -1]])


def _descended(X, Y, kernel_size, num_steps, step):
    K = X.new_zeros(kernel_size).requires_grad_()
    for _ in range(num_steps):
        output = _correlated(X, K)
        if output.shape != Y.shape:
            raise ValueError("Y does not belong to X")
        step(K, output - Y)
    return K.detach()


def _ratio(calls):
    """By how much the second step changed the kernel's distance from the answer."""
    first, second = (call for call in calls[:2] if call.name == "learn_kernel")
    answer = first.args[1].flip(0, 1)
    return float(((second.result - answer) / (first.result - answer)).mean())


def _shrinks_by(ratio):
    return lambda calls: abs(_ratio(calls) - ratio) < 1e-3


@misconception(
    "learn_kernel",
    "gradients-pile-up",
    book="7.2.4",
    why="backward() adds to the gradient that is there already. Without setting it to zero, each "
    "step takes all earlier gradients along.",
    fails=("steps",),
    signature=_shrinks_by(-0.5),
)
def learn_kernel_piled_up(X, Y, kernel_size, lr, num_steps):
    def step(K, errors):
        (errors**2).sum().backward()
        K.data -= lr * K.grad

    return _descended(X, Y, kernel_size, num_steps, step)


@misconception(
    "learn_kernel",
    "mean-error",
    book="7.2.4",
    why="The squared error is averaged over the entries of Y. The contract sums it, so with the "
    "same lr your steps are too short.",
    fails=("steps",),
    signature=_shrinks_by(1 - 0.5 / 3),
)
def learn_kernel_mean(X, Y, kernel_size, lr, num_steps):
    def step(K, errors):
        (gradient,) = torch.autograd.grad((errors**2).mean(), K)
        K.data -= lr * gradient

    return _descended(X, Y, kernel_size, num_steps, step)


@misconception(
    "learn_kernel",
    "half-the-error",
    book="7.2.4",
    why="The squared error is halved, as in linear regression. Here it is not, so with the same lr "
    "your steps are half as long.",
    fails=("steps",),
    signature=_shrinks_by(0.75),
)
def learn_kernel_half(X, Y, kernel_size, lr, num_steps):
    def step(K, errors):
        (gradient,) = torch.autograd.grad((errors**2).sum() / 2, K)
        K.data -= lr * gradient

    return _descended(X, Y, kernel_size, num_steps, step)


@misconception(
    "learn_kernel",
    "uphill",
    book="7.2.4",
    why="The step goes along the gradient, which is uphill. Subtract lr times the gradient.",
    fails=("steps",),
    signature=_shrinks_by(1.5),
)
def learn_kernel_uphill(X, Y, kernel_size, lr, num_steps):
    def step(K, errors):
        (gradient,) = torch.autograd.grad((errors**2).sum(), K)
        K.data += lr * gradient

    return _descended(X, Y, kernel_size, num_steps, step)
