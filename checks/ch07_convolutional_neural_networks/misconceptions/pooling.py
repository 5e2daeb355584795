"""Wrong answers to section 7.5 that people really give."""

import torch
from torch.nn import functional as F

from d2lgrade.testkit import misconception


def legal(X, pool_size, mode, padding=(0, 0)):
    """Refuse what the contracts refuse, so that each answer below is wrong in one way only."""
    if mode not in ("max", "avg"):
        raise ValueError("unknown mode")
    for size, window, pad in zip(X.shape[-2:], pool_size, padding, strict=True):
        if 2 * pad > window or window > size + 2 * pad:
            raise ValueError("padding and window do not fit")


def reduced(windows, mode):
    """The largest entry or the average over the last two axes."""
    return windows.amax((-2, -1)) if mode == "max" else windows.mean((-2, -1))


def cut(P, pool_size, stride):
    """The windows of padded images, on two new last axes."""
    return P.unfold(-2, pool_size[0], stride[0]).unfold(-2, pool_size[1], stride[1])


def padded(X, padding, mode):
    """Images with correct padding."""
    rows, columns = padding
    return F.pad(X, (columns, columns, rows, rows), value=-torch.inf if mode == "max" else 0.0)


@misconception(
    "pool2d",
    "windows-side-by-side",
    why="Your window jumps by its own size, as PyTorch's pooling layers do by default; here it "
    "moves one step at a time.",
    book="7.5.1",
)
def pool2d_side_by_side(X, pool_size, mode="max"):
    legal(X, pool_size, mode)
    return reduced(cut(X, pool_size, pool_size), mode)


@misconception(
    "pool2d",
    "maximum-starts-at-zero",
    why="Your running maximum starts at 0, so a window of negative entries gives 0; start from "
    "the window's own entries, or from -inf.",
    book="7.5.1",
)
def pool2d_starts_at_zero(X, pool_size, mode="max"):
    legal(X, pool_size, mode)
    Y = reduced(cut(X, pool_size, (1, 1)), mode)
    return Y.clamp(min=0.0) if mode == "max" else Y


@misconception(
    "pool2d",
    "window-turned",
    why="You swap the window's height and width: pool_size is (height, width).",
    book="7.5.1",
)
def pool2d_window_turned(X, pool_size, mode="max"):
    legal(X, pool_size, mode)
    return reduced(cut(X, pool_size[::-1], (1, 1)), mode)


@misconception(
    "pool2d",
    "mode-ignored",
    why="You take the largest entry whatever mode says; 'avg' asks for the average.",
    book="7.5.1",
)
def pool2d_mode_ignored(X, pool_size, mode="max"):
    legal(X, pool_size, mode)
    return reduced(cut(X, pool_size, (1, 1)), "max")


@misconception(
    "pool2d",
    "sum-for-average",
    why="You add up the window's entries and do not divide by how many there are.",
    book="7.5.1",
)
def pool2d_sum(X, pool_size, mode="max"):
    legal(X, pool_size, mode)
    windows = cut(X, pool_size, (1, 1))
    return windows.sum((-2, -1)) if mode == "avg" else reduced(windows, mode)


@misconception(
    "pool2d",
    "last-position-missing",
    why="You leave out the last position in each direction: a window of height ph fits "
    "h - ph + 1 times.",
    book="7.5.1",
)
def pool2d_last_missing(X, pool_size, mode="max"):
    legal(X, pool_size, mode)
    return reduced(cut(X, pool_size, (1, 1)), mode)[:-1, :-1]


@misconception(
    "pool2d_multi",
    "padding-with-zeros",
    why="You pad with zeros for the maximum too, so padding beats negative entries; pad with -inf.",
    book="7.5.2",
)
def pool2d_multi_zero_padding(X, pool_size, mode="max", padding=(0, 0), stride=None):
    legal(X, pool_size, mode, padding)
    P = padded(X, padding, "avg")
    return reduced(cut(P, pool_size, stride or pool_size), mode)


@misconception(
    "pool2d_multi",
    "padding-with-infinity",
    why="You pad with -inf for the average too, where one padded entry makes it -inf; pad with 0.",
    book="7.5.2",
)
def pool2d_multi_infinite_padding(X, pool_size, mode="max", padding=(0, 0), stride=None):
    legal(X, pool_size, mode, padding)
    P = padded(X, padding, "max")
    return reduced(cut(P, pool_size, stride or pool_size), mode)


@misconception(
    "pool2d_multi",
    "padding-not-counted",
    why="You divide by the number of real entries in a window; padding counts here, so divide by "
    "ph * pw always.",
    book="7.5.2",
)
def pool2d_multi_padding_not_counted(X, pool_size, mode="max", padding=(0, 0), stride=None):
    legal(X, pool_size, mode, padding)
    counted = reduced(
        cut(padded(torch.ones_like(X), padding, mode), pool_size, stride or pool_size), mode
    )
    Y = reduced(cut(padded(X, padding, mode), pool_size, stride or pool_size), mode)
    return Y / counted if mode == "avg" else Y


@misconception(
    "pool2d_multi",
    "padding-turned",
    why="You pad the columns by what is meant for the rows. F.pad starts at the last axis: left, "
    "right, above, below.",
    book="7.5.2",
)
def pool2d_multi_padding_turned(X, pool_size, mode="max", padding=(0, 0), stride=None):
    legal(X, pool_size, mode, padding)
    return reduced(cut(padded(X, padding[::-1], mode), pool_size, stride or pool_size), mode)


@misconception(
    "pool2d_multi",
    "one-step-by-default",
    why="Without a stride your window moves one step at a time; it moves by its own size.",
    book="7.5.2",
)
def pool2d_multi_one_step(X, pool_size, mode="max", padding=(0, 0), stride=None):
    legal(X, pool_size, mode, padding)
    return reduced(cut(padded(X, padding, mode), pool_size, stride or (1, 1)), mode)


@misconception(
    "pool2d_multi",
    "channels-mixed",
    why="You pool over the channels as well. Unlike a convolution, pooling keeps channels apart: "
    "as many come out as went in.",
    book="7.5.3",
)
def pool2d_multi_channels_mixed(X, pool_size, mode="max", padding=(0, 0), stride=None):
    legal(X, pool_size, mode, padding)
    Y = reduced(cut(padded(X, padding, mode), pool_size, stride or pool_size), mode)
    return Y.amax(1, keepdim=True) if mode == "max" else Y.mean(1, keepdim=True)


@misconception(
    "pool2d_multi",
    "rounded-up",
    why="You keep a last window that reaches beyond the image; it is left out, so the size is "
    "rounded down.",
    book="7.5.2",
)
def pool2d_multi_rounded_up(X, pool_size, mode="max", padding=(0, 0), stride=None):
    legal(X, pool_size, mode, padding)
    stride = stride or pool_size
    P = padded(X, padding, mode)
    down, right = (
        -(size - window) % step
        for size, window, step in zip(P.shape[-2:], pool_size, stride, strict=True)
    )
    if mode == "max":
        return reduced(
            cut(F.pad(P, (0, right, 0, down), value=-torch.inf), pool_size, stride), mode
        )
    windows = cut(F.pad(P, (0, right, 0, down), value=torch.nan), pool_size, stride)
    return windows.nanmean((-2, -1))
