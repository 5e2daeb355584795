"""Wrong answers to section 11.3 that people really give."""

import torch

from d2lgrade.testkit import misconception


def legal(X, valid_lens):
    """Refuse what the contract refuses, so that each answer below is wrong in one way only."""
    if valid_lens is not None and valid_lens.shape not in (X.shape[:1], X.shape[:2]):
        raise ValueError("no length for each example, nor for each query")


def counted(X, valid_lens):
    """Which keys count; all of them without lengths."""
    legal(X, valid_lens)
    if valid_lens is None:
        return torch.ones_like(X, dtype=torch.bool)
    lens = valid_lens[:, None] if valid_lens.dim() == 1 else valid_lens
    return (torch.arange(X.shape[-1], device=X.device) < lens[:, :, None]).expand(X.shape)


def softmax(X, mask, fill=-1e9, axis=-1):
    """Softmax with `fill` in place of the scores outside the mask."""
    return X.masked_fill(~mask, fill).softmax(axis)


@misconception(
    "masked_softmax",
    "filled-with-zero",
    why="The scores left out become 0, or a tiny number such as -1e-6. exp(0) is 1, so they still "
    "get weight. Fill in a large negative number: -1e6.",
    book="11.3.2.1",
)
def masked_softmax_zero(X, valid_lens):
    return softmax(X, counted(X, valid_lens), 0.0)


@misconception(
    "masked_softmax",
    "masked-afterwards",
    why="You set weights to zero after softmax, so the rest no longer add up to 1. Mask the "
    "scores, before softmax.",
    book="11.3.2.1",
)
def masked_softmax_afterwards(X, valid_lens):
    return X.softmax(-1) * counted(X, valid_lens)


@misconception(
    "masked_softmax",
    "mask-inverted",
    why="You leave out the keys that count and keep the padding: the comparison of positions with "
    "lengths is the wrong way round.",
    book="11.3.2.1",
)
def masked_softmax_inverted(X, valid_lens):
    mask = counted(X, valid_lens)
    return softmax(X, mask if valid_lens is None else ~mask)


@misconception(
    "masked_softmax",
    "one-key-too-many",
    why="You keep the key at position n as well. Counted from 0, a length of n keeps the positions "
    "below n.",
    book="11.3.2.1",
)
def masked_softmax_one_more(X, valid_lens):
    return softmax(X, counted(X, None if valid_lens is None else valid_lens + 1))


@misconception(
    "masked_softmax",
    "lengths-in-wrong-order",
    why="With repeat the lengths come as 1, 2, 1, 2, which gives queries the length of another "
    "example. Rows follow one another query by query: torch.repeat_interleave gives 1, 1, 2, 2.",
    book="11.3.2.1",
)
def masked_softmax_repeat(X, valid_lens):
    legal(X, valid_lens)
    if valid_lens is not None and valid_lens.dim() == 1:
        valid_lens = valid_lens.repeat(X.shape[1]).reshape(X.shape[:2])
    return softmax(X, counted(X, valid_lens))


@misconception(
    "masked_softmax",
    "length-for-each-query",
    why="Your mask has the shape (b, k), and broadcasting takes its first axis for the queries. "
    "Give it an axis for the queries: lengths of the shape (b, 1, 1).",
    book="11.3.2.1",
)
def masked_softmax_broadcast(X, valid_lens):
    legal(X, valid_lens)
    if valid_lens is not None and valid_lens.dim() == 1:
        return softmax(X, torch.arange(X.shape[-1], device=X.device) < valid_lens[:, None])
    return softmax(X, counted(X, valid_lens))


@misconception(
    "masked_softmax",
    "over-the-queries",
    why="The weights add up to 1 over the queries. Each query spreads its attention over the keys, "
    "the last axis.",
    book="11.3.2.1",
)
def masked_softmax_queries(X, valid_lens):
    return softmax(X, counted(X, valid_lens), axis=1)


@misconception(
    "masked_softmax",
    "minus-infinity",
    why="Where nothing counts, a row of -inf throughout becomes nan. Fill in a finite number such "
    "as -1e6, or set such rows to zero afterwards.",
    book="11.3.2.1",
)
def masked_softmax_infinity(X, valid_lens):
    return softmax(X, counted(X, valid_lens), -torch.inf)


@misconception(
    "masked_softmax",
    "mask-too-weak",
    why="The number you fill in is not far enough below the scores, which may be -1e4 themselves. "
    "Take -1e6 or less.",
    book="11.3.2.1",
)
def masked_softmax_weak(X, valid_lens):
    return softmax(X, counted(X, valid_lens), -1e4)


@misconception(
    "masked_softmax",
    "argument-changed",
    why="The mask is written into X itself; reshape shares its memory. The book's code does so "
    "too, and gets away with it since nobody needs the scores again. masked_fill makes a new "
    "tensor.",
    book="11.3.2.1",
)
def masked_softmax_in_place(X, valid_lens):
    mask = counted(X, valid_lens)
    rows = X.reshape(-1, X.shape[-1])
    rows[~mask.reshape(rows.shape)] = -1e6
    return rows.softmax(-1).reshape(X.shape)
