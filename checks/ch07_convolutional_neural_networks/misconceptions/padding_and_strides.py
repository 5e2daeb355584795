"""Wrong answers that people give in section 7.3, and what went wrong in them."""

from torch.nn import functional as F

from d2lgrade.testkit import misconception

# Illegal input is refused as the contract says, so that only the mistake itself shows.


def _legal(n, k, p, s):
    if s < 1 or k > n + p:
        raise ValueError("the kernel does not fit, or the stride is below 1")


def _padded(X, left, right, above, below):
    if min(left, right, above, below) < 0:
        raise ValueError("the padding is negative")
    return F.pad(X, (left, right, above, below))


def _correlated(X, K):
    if K.shape[0] > X.shape[0] or K.shape[1] > X.shape[1]:
        raise ValueError("the kernel does not fit in the image")
    return (X.unfold(0, K.shape[0], 1).unfold(1, K.shape[1], 1) * K).sum((2, 3))


@misconception(
    "conv_output_shape",
    "padding-per-side",
    book="7.3.1",
    why="p is counted twice. In the book's formula it is the padding of both sides together; "
    "PyTorch's padding argument is for one side.",
)
def conv_output_shape_per_side(n, k, p, s):
    _legal(n, k, p, s)
    return (n - k + 2 * p + s) // s


@misconception(
    "conv_output_shape",
    "first-place-forgotten",
    book="7.3.2",
    why="This counts the steps between places, and there is one place more than there are steps.",
)
def conv_output_shape_fencepost(n, k, p, s):
    _legal(n, k, p, s)
    return (n - k + p) // s


@misconception(
    "conv_output_shape",
    "rounded-up",
    book="7.3.2",
    why="The result is rounded up, as if the kernel might hang over the end. A last step that does "
    "not fit is left out: round down.",
)
def conv_output_shape_ceiling(n, k, p, s):
    _legal(n, k, p, s)
    return -((n - k + p + s) // -s)


@misconception(
    "conv_output_shape",
    "rounded-to-nearest",
    book="7.3.2",
    why="The result is rounded to the nearest integer. A last step that does not fit is left out: "
    "round down.",
)
def conv_output_shape_nearest(n, k, p, s):
    _legal(n, k, p, s)
    return round((n - k + p + s) / s)


@misconception(
    "conv_output_shape",
    "not-an-integer",
    book="7.3.2",
    why="/ gives a float even where it comes out even, and a shape needs ints. Use //.",
)
def conv_output_shape_float(n, k, p, s):
    _legal(n, k, p, s)
    return (n - k + p + s) / s


@misconception(
    "corr2d_strided",
    "padding-in-total",
    book="7.3.1",
    why="The padding is shared between the two sides. Here each side gets all of it, as in "
    "nn.Conv2d.",
)
def corr2d_strided_total(X, K, padding=(0, 0), stride=(1, 1)):
    (ph, pw), (sh, sw) = padding, stride
    padded = _padded(X, pw // 2, pw - pw // 2, ph // 2, ph - ph // 2)
    return _correlated(padded, K)[::sh, ::sw]


@misconception(
    "corr2d_strided",
    "padding-axes-swapped",
    book="7.3.1",
    why="Rows and columns of the padding are swapped. F.pad begins with the last axis: "
    "(left, right, above, below).",
)
def corr2d_strided_pad_order(X, K, padding=(0, 0), stride=(1, 1)):
    (ph, pw), (sh, sw) = padding, stride
    return _correlated(_padded(X, ph, ph, pw, pw), K)[::sh, ::sw]


@misconception(
    "corr2d_strided",
    "stride-axes-swapped",
    book="7.3.2",
    why="The stride's numbers are swapped. The first moves the kernel down, the second across.",
)
def corr2d_strided_stride_order(X, K, padding=(0, 0), stride=(1, 1)):
    (ph, pw), (sh, sw) = padding, stride
    return _correlated(_padded(X, pw, pw, ph, ph), K)[::sw, ::sh]


@misconception(
    "corr2d_strided",
    "window-not-moved",
    book="7.3.2",
    why="The output has the right size, but its windows still start at (i, j). With a stride they "
    "start at (i * sh, j * sw).",
)
def corr2d_strided_corner(X, K, padding=(0, 0), stride=(1, 1)):
    (ph, pw), (sh, sw) = padding, stride
    full = _correlated(_padded(X, pw, pw, ph, ph), K)
    _legal(1, 1, 0, min(stride))
    return full[: (full.shape[0] - 1) // sh + 1, : (full.shape[1] - 1) // sw + 1]


@misconception(
    "corr2d_strided",
    "image-thinned",
    book="7.3.2",
    why="The stride takes rows and columns out of the image before the kernel sees them. The "
    "kernel looks at neighbours in the full image; only its places are further apart.",
)
def corr2d_strided_thinned(X, K, padding=(0, 0), stride=(1, 1)):
    (ph, pw), (sh, sw) = padding, stride
    return _correlated(_padded(X, pw, pw, ph, ph)[::sh, ::sw], K)


@misconception(
    "corr2d_strided",
    "last-step-hangs-over",
    book="7.3.2",
    why="A last step is taken that carries the kernel over the border. Steps that do not fit are "
    "left out: the size is rounded down.",
)
def corr2d_strided_hanging(X, K, padding=(0, 0), stride=(1, 1)):
    (ph, pw), (sh, sw) = padding, stride
    padded = _padded(X, pw, pw, ph, ph)
    for n, k, s in zip(padded.shape, K.shape, stride, strict=True):
        _legal(n, k, 0, s)
    size = [-(-(n - k) // s) + 1 for n, k, s in zip(padded.shape, K.shape, stride, strict=True)]
    Y = X.new_zeros(size)
    for i in range(size[0]):
        for j in range(size[1]):
            window = padded[i * sh : i * sh + K.shape[0], j * sw : j * sw + K.shape[1]]
            Y[i, j] = (window * K[: window.shape[0], : window.shape[1]]).sum()
    return Y
