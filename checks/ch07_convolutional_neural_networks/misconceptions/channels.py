"""Wrong answers to section 7.4 that people really give."""

import torch

from d2lgrade.testkit import misconception


def agree(X, K):
    """Refuse what the contracts refuse, so that each answer below is wrong in one way only."""
    if len(X) != K.shape[-3]:
        raise ValueError("image and kernel have different numbers of channels")


def one_map(x, k):
    """A correct cross-correlation of one channel."""
    windows = x.unfold(0, k.shape[0], 1).unfold(1, k.shape[1], 1)
    return (windows * k).sum((-2, -1))


@misconception(
    "corr2d_multi_in",
    "channels-not-summed",
    why="You keep one map for each input channel; add them up, so that a single map comes out.",
    book="7.4.1",
)
def corr2d_multi_in_not_summed(X, K):
    agree(X, K)
    return torch.stack([one_map(x, k) for x, k in zip(X, K, strict=False)])


@misconception(
    "corr2d_multi_in",
    "channels-averaged",
    why="You average over the input channels; the formula adds them up.",
    book="7.4.1",
)
def corr2d_multi_in_averaged(X, K):
    agree(X, K)
    return torch.stack([one_map(x, k) for x, k in zip(X, K, strict=False)]).mean(0)


@misconception(
    "corr2d_multi_in",
    "last-channel-only",
    why="Each pass of your loop overwrites the map of the pass before, so only the last channel "
    "counts; add to it instead.",
    book="7.4.1",
)
def corr2d_multi_in_last_channel(X, K):
    agree(X, K)
    for x, k in zip(X, K, strict=False):
        Y = one_map(x, k)
    return Y


@misconception(
    "corr2d_multi_in",
    "one-kernel-for-all",
    why="You use the kernel's first slice for every channel; channel c has the slice K[c].",
    book="7.4.1",
)
def corr2d_multi_in_one_kernel(X, K):
    agree(X, K)
    return sum(one_map(x, K[0]) for x in X)


@misconception(
    "corr2d_multi_in",
    "summed-too-early",
    why="You add up the channels before you cross-correlate. Each channel meets its own slice of "
    "the kernel first; only the results are added.",
    book="7.4.1",
)
def corr2d_multi_in_summed_first(X, K):
    agree(X, K)
    return one_map(X.sum(0), K.sum(0))


@misconception(
    "corr2d_multi_in_out",
    "stacked-last",
    why="You stack the output channels on the last axis; they come first: (c_o, height, width).",
    book="7.4.2",
)
def corr2d_multi_in_out_stacked_last(X, K):
    agree(X, K)
    return torch.stack([mixed(X, kernel) for kernel in K], dim=-1)


@misconception(
    "corr2d_multi_in_out",
    "concatenated",
    why="torch.cat lays the maps below each other in one tall map; torch.stack gives each its own "
    "place on a new axis.",
    book="7.4.2",
)
def corr2d_multi_in_out_concatenated(X, K):
    agree(X, K)
    return torch.cat([mixed(X, kernel) for kernel in K])


@misconception(
    "corr2d_multi_in_out",
    "kernel-axes-swapped",
    why="You take the input channels of K for its output channels: K is (c_o, c_i, kh, kw).",
    book="7.4.2",
)
def corr2d_multi_in_out_axes_swapped(X, K):
    agree(X, K)
    return torch.stack([mixed(X, kernel) for kernel in K.transpose(0, 1)])


@misconception(
    "corr2d_multi_in_out",
    "outputs-summed",
    why="You add up over the output channels too; only the input channels are summed.",
    book="7.4.2",
)
def corr2d_multi_in_out_outputs_summed(X, K):
    agree(X, K)
    return sum(mixed(X, kernel) for kernel in K)


@misconception(
    "corr2d_multi_in_out",
    "inputs-not-summed",
    why="You keep one map for each pair of channels; each output channel is the sum over its "
    "input channels.",
    book="7.4.2",
)
def corr2d_multi_in_out_inputs_not_summed(X, K):
    agree(X, K)
    maps = [one_map(x, k) for kernel in K for x, k in zip(X, kernel, strict=False)]
    return torch.stack(maps).reshape(len(K), len(X), *maps[0].shape)


def mixed(X, kernel):
    """A correct map for one output channel."""
    return sum(one_map(x, k) for x, k in zip(X, kernel, strict=False))


def one_by_one(X, K):
    """Like `agree`, for the third exercise."""
    agree(X, K)
    if K.shape[2:] != (1, 1):
        raise ValueError("the kernels are not 1 x 1")


@misconception(
    "corr2d_multi_in_out_1x1",
    "image-reshaped-for-transposed",
    why="You reshape the image to (pixels, channels). reshape keeps the order in memory, so it "
    "mixes pixels with channels; reshape to (c_i, h * w), and transpose if you need to.",
    book="7.4.3",
)
def corr2d_multi_in_out_1x1_image_reshaped(X, K):
    one_by_one(X, K)
    c_i, h, w = X.shape
    pixels = X.reshape(h * w, c_i)
    return (K.reshape(-1, c_i) @ pixels.T).reshape(-1, h, w)


@misconception(
    "corr2d_multi_in_out_1x1",
    "result-reshaped-for-transposed",
    why="Your product is (pixels, c_o), and you reshape it to (c_o, h, w). That mixes pixels with "
    "channels; transpose it first.",
    book="7.4.3",
)
def corr2d_multi_in_out_1x1_result_reshaped(X, K):
    one_by_one(X, K)
    c_i, h, w = X.shape
    pixels = X.reshape(c_i, h * w).T
    return (pixels @ K.reshape(-1, c_i).T).reshape(-1, h, w)


@misconception(
    "corr2d_multi_in_out_1x1",
    "weights-reshaped-for-transposed",
    why="You read the weights as (c_i, c_o); K holds the output channels first: (c_o, c_i, 1, 1).",
    book="7.4.3",
)
def corr2d_multi_in_out_1x1_weights_reshaped(X, K):
    one_by_one(X, K)
    c_i, h, w = X.shape
    weights = K.reshape(c_i, -1).T
    return (weights @ X.reshape(c_i, h * w)).reshape(-1, h, w)


@misconception(
    "corr2d_multi_in_out_1x1",
    "height-width-swapped",
    why="You give the result its width before its height: the shape is (c_o, h, w).",
    book="7.4.3",
)
def corr2d_multi_in_out_1x1_height_width_swapped(X, K):
    one_by_one(X, K)
    c_i, h, w = X.shape
    return (K.reshape(-1, c_i) @ X.reshape(c_i, h * w)).reshape(-1, w, h)
