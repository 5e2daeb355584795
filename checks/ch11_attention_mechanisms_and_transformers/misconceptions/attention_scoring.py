"""Wrong answers to section 11.3 that people really give."""

import math

import torch
from torch import nn

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


class Attention(nn.Module):
    """What both attentions do once there are scores; each answer below goes wrong in one step."""

    def __init__(self, dropout):
        super().__init__()
        self.dropout = nn.Dropout(dropout)

    def weigh(self, scores, valid_lens):
        return softmax(scores, counted(scores, valid_lens))

    def drop(self, weights):
        return self.dropout(weights)

    def keep(self, weights, dropped):
        self.attention_weights = weights

    def finish(self, result):
        return result

    def attend(self, scores, values, valid_lens):
        weights = self.weigh(scores, valid_lens)
        dropped = self.drop(weights)
        self.keep(weights, dropped)
        return self.finish(dropped @ values)


class Dot(Attention):
    def scale(self, d):
        return math.sqrt(d)

    def forward(self, queries, keys, values, valid_lens=None):
        scores = queries @ keys.transpose(1, 2) / self.scale(queries.shape[2])
        return self.attend(scores, values, valid_lens)


def entries_dropped(calls):
    """Whether some entries of the last result are exactly zero, where values are not one-hot."""
    result = calls[-1].result
    return result.shape[-1] == 5 and bool((result == 0).any())


@misconception(
    "DotProductAttention",
    "not-scaled",
    why="The scores are not divided by the root of d.",
    book="11.3.3",
)
class DotProductAttentionNotScaled(Dot):
    def scale(self, d):
        return 1.0


@misconception(
    "DotProductAttention",
    "scaled-by-length",
    why="You divide the scores by d. Divide by its root.",
    book="11.3.3",
)
class DotProductAttentionByLength(Dot):
    def scale(self, d):
        return d


@misconception(
    "DotProductAttention",
    "scaled-by-keys",
    why="You divide by the root of the number of keys. It is the number of entries of a query that "
    "counts: its last axis.",
    book="11.3.3",
)
class DotProductAttentionByKeys(Dot):
    def forward(self, queries, keys, values, valid_lens=None):
        scores = queries @ keys.transpose(1, 2) / math.sqrt(keys.shape[1])
        return self.attend(scores, values, valid_lens)


@misconception(
    "DotProductAttention",
    "lengths-ignored",
    why="valid_lens has no effect: padding keys get weight like all others. Hand it on to "
    "masked_softmax.",
    book="11.3.3",
)
class DotProductAttentionUnmasked(Dot):
    def weigh(self, scores, valid_lens):
        return scores.softmax(-1)


@misconception(
    "DotProductAttention",
    "over-the-queries",
    why="The weights add up to 1 over the queries. Each query spreads its attention over the keys, "
    "the last axis.",
    book="11.3.2.1",
)
class DotProductAttentionQueries(Dot):
    def weigh(self, scores, valid_lens):
        return softmax(scores, counted(scores, valid_lens), axis=1)


@misconception(
    "DotProductAttention",
    "no-dropout",
    why="The layer drops nothing in training: apply nn.Dropout(dropout) to the attention weights.",
    book="11.3.3",
)
class DotProductAttentionNoDropout(Dot):
    def drop(self, weights):
        return weights


@misconception(
    "DotProductAttention",
    "dropout-on-result",
    why="You drop entries of the result. Drop attention weights, before they meet the values.",
    book="11.3.3",
    fails=("training",),
    signature=entries_dropped,
)
class DotProductAttentionDropsResult(Dot):
    def drop(self, weights):
        return weights

    def finish(self, result):
        return self.dropout(result)


def kept_dropped(calls):
    """Whether the weights kept show that dropout has been at them."""
    return calls[-1].name.endswith("attention_weights") and bool((calls[-1].result == 0).any())


@misconception(
    "DotProductAttention",
    "weights-after-dropout",
    why="attention_weights holds the weights after dropout. Keep them as masked_softmax gives "
    "them, so that they show what the layer attends to.",
    book="11.3.3",
    fails=("training",),
    signature=kept_dropped,
)
class DotProductAttentionKeepsDropped(Dot):
    def keep(self, weights, dropped):
        self.attention_weights = dropped


@misconception(
    "DotProductAttention",
    "scores-kept",
    why="attention_weights holds the scores. Keep what masked_softmax makes of them.",
    book="11.3.3",
)
class DotProductAttentionKeepsScores(Dot):
    def weigh(self, scores, valid_lens):
        self.scores = scores
        return super().weigh(scores, valid_lens)

    def keep(self, weights, dropped):
        self.attention_weights = self.scores


class Additive(Attention):
    bias = False

    def __init__(self, num_hiddens, dropout):
        super().__init__(dropout)
        self.W_q = nn.LazyLinear(num_hiddens, bias=self.bias)
        self.W_k = nn.LazyLinear(num_hiddens, bias=self.bias)
        self.w_v = nn.LazyLinear(1, bias=self.bias)

    def join(self, Q, K):
        return torch.tanh(Q.unsqueeze(2) + K.unsqueeze(1))

    def forward(self, queries, keys, values, valid_lens):
        features = self.join(self.W_q(queries), self.W_k(keys))
        return self.attend(self.w_v(features).squeeze(-1), values, valid_lens)


@misconception(
    "AdditiveAttention",
    "with-bias",
    why="Your layers have a bias, as Linear has by default. All three do without: bias=False.",
    book="11.3.4",
)
class AdditiveAttentionBias(Additive):
    bias = True


@misconception(
    "AdditiveAttention",
    "no-tanh",
    why="Nothing happens between the layers, so the query adds the same to the scores of all keys "
    "and plays no part. Send the sum through tanh.",
    book="11.3.4",
)
class AdditiveAttentionLinear(Additive):
    def join(self, Q, K):
        return Q.unsqueeze(2) + K.unsqueeze(1)


@misconception(
    "AdditiveAttention",
    "relu",
    why="The sum goes through ReLU. The book takes tanh.",
    book="11.3.4",
)
class AdditiveAttentionReLU(Additive):
    def join(self, Q, K):
        return torch.relu(Q.unsqueeze(2) + K.unsqueeze(1))


@misconception(
    "AdditiveAttention",
    "tanh-too-early",
    why="You take tanh of query and key apart, and add afterwards, so the query adds the same to "
    "the scores of all keys. Add first, then take tanh.",
    book="11.3.4",
)
class AdditiveAttentionEarly(Additive):
    def join(self, Q, K):
        return torch.tanh(Q).unsqueeze(2) + torch.tanh(K).unsqueeze(1)


@misconception(
    "AdditiveAttention",
    "scaled",
    why="You divide the scores by the root of num_hiddens. That belongs to dot products; additive "
    "scores stay as they are.",
    book="11.3.4",
)
class AdditiveAttentionScaled(Additive):
    def attend(self, scores, values, valid_lens):
        return super().attend(scores / math.sqrt(self.W_q.out_features), values, valid_lens)


@misconception(
    "AdditiveAttention",
    "lengths-ignored",
    why="valid_lens has no effect: padding keys get weight like all others. Hand it on to "
    "masked_softmax.",
    book="11.3.4",
)
class AdditiveAttentionUnmasked(Additive):
    def weigh(self, scores, valid_lens):
        return scores.softmax(-1)


@misconception(
    "AdditiveAttention",
    "no-dropout",
    why="The layer drops nothing in training: apply nn.Dropout(dropout) to the attention weights.",
    book="11.3.4",
)
class AdditiveAttentionNoDropout(Additive):
    def drop(self, weights):
        return weights


@misconception(
    "AdditiveAttention",
    "dropout-on-result",
    why="You drop entries of the result. Drop attention weights, before they meet the values.",
    book="11.3.4",
    fails=("training",),
    signature=entries_dropped,
)
class AdditiveAttentionDropsResult(Additive):
    def drop(self, weights):
        return weights

    def finish(self, result):
        return self.dropout(result)
