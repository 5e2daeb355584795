"""Wrong answers to section 11.5 that people really give."""

import math

import torch
from torch import nn

from d2lgrade.testkit import misconception


class Heads(nn.Module):
    """A right answer in steps; each answer below goes wrong in one of them."""

    def __init__(self, num_hiddens, num_heads, dropout, bias=False):
        super().__init__()
        if num_hiddens % num_heads:
            raise ValueError("num_hiddens is no multiple of num_heads")
        self.num_hiddens, self.num_heads = num_hiddens, num_heads
        self.W_q = nn.LazyLinear(num_hiddens, bias=bias)
        self.W_k = nn.LazyLinear(num_hiddens, bias=bias)
        self.W_v = nn.LazyLinear(num_hiddens, bias=bias)
        self.W_o = nn.LazyLinear(num_hiddens, bias=bias)
        self.dropout = nn.Dropout(dropout)

    def apart(self, X):
        b, n, _ = X.shape
        return (
            X.reshape(b, n, self.num_heads, -1).transpose(1, 2).reshape(b * self.num_heads, n, -1)
        )

    def together(self, X, b):
        return X.reshape(b, self.num_heads, X.shape[1], -1).transpose(1, 2).flatten(2)

    def scale(self):
        return math.sqrt(self.num_hiddens // self.num_heads)

    def lengths(self, valid_lens):
        return valid_lens.repeat_interleave(self.num_heads, dim=0)

    def weigh(self, scores, valid_lens, axis=-1):
        if valid_lens is not None:
            lens = self.lengths(valid_lens)
            lens = lens[:, None, None] if lens.dim() == 1 else lens[:, :, None]
            hidden = torch.arange(scores.shape[2], device=scores.device) >= lens
            scores = scores.masked_fill(hidden, -1e6)
        return scores.softmax(axis)

    def drop(self, weights):
        return self.dropout(weights)

    def finish(self, X):
        return self.W_o(X)

    def forward(self, queries, keys, values, valid_lens):
        Q = self.apart(self.W_q(queries))
        K = self.apart(self.W_k(keys))
        V = self.apart(self.W_v(values))
        weights = self.drop(self.weigh(Q @ K.transpose(1, 2) / self.scale(), valid_lens))
        return self.finish(self.together(weights @ V, len(queries)))


@misconception(
    "MultiHeadAttention",
    "heads-mixed",
    why="reshape alone cuts the rows, not the columns: a head gets pieces of several positions. "
    "First (b, n, heads, d), then swap the axes of positions and heads, then merge.",
    book="11.5.2",
)
class MultiHeadAttentionMixed(Heads):
    def apart(self, X):
        b, n, _ = X.shape
        return X.reshape(b * self.num_heads, n, -1)

    def together(self, X, b):
        return X.reshape(b, X.shape[1], -1)


@misconception(
    "MultiHeadAttention",
    "heads-joined-in-wrong-order",
    why="On the way back the axes of heads and positions are not swapped before the heads are put "
    "side by side, so positions are mixed up.",
    book="11.5.2",
)
class MultiHeadAttentionJoined(Heads):
    def together(self, X, b):
        return X.reshape(b, X.shape[1], -1)


@misconception(
    "MultiHeadAttention",
    "scaled-by-num-hiddens",
    why="You divide the scores by the root of num_hiddens. A head's vectors have "
    "num_hiddens / num_heads entries; take the root of that.",
    book="11.3.3",
)
class MultiHeadAttentionWide(Heads):
    def scale(self):
        return math.sqrt(self.num_hiddens)


@misconception(
    "MultiHeadAttention",
    "not-scaled",
    why="The scores are not divided by the root of the vectors' length.",
    book="11.3.3",
)
class MultiHeadAttentionNotScaled(Heads):
    def scale(self):
        return 1.0


@misconception(
    "MultiHeadAttention",
    "scaled-by-length",
    why="You divide the scores by the vectors' length d. Divide by its root.",
    book="11.3.3",
)
class MultiHeadAttentionRootMissing(Heads):
    def scale(self):
        return self.num_hiddens // self.num_heads


@misconception(
    "MultiHeadAttention",
    "lengths-in-wrong-order",
    why="With repeat the lengths come as 1, 2, 1, 2. The heads of one example follow one another, "
    "so they need 1, 1, 2, 2: torch.repeat_interleave.",
    book="11.5.2",
)
class MultiHeadAttentionRepeat(Heads):
    def lengths(self, valid_lens):
        return valid_lens.repeat(self.num_heads, *[1] * (valid_lens.dim() - 1))


@misconception(
    "MultiHeadAttention",
    "lengths-ignored",
    why="valid_lens has no effect: padding keys get weight like all others.",
    book="11.5.2",
)
class MultiHeadAttentionUnmasked(Heads):
    def weigh(self, scores, valid_lens, axis=-1):
        return scores.softmax(axis)


@misconception(
    "MultiHeadAttention",
    "over-the-queries",
    why="The weights add up to 1 over the queries. Each query spreads its attention over the keys, "
    "the last axis.",
    book="11.3.2.1",
)
class MultiHeadAttentionQueries(Heads):
    def weigh(self, scores, valid_lens, axis=-1):
        return super().weigh(scores, valid_lens, 1)


@misconception(
    "MultiHeadAttention",
    "output-not-projected",
    why="The heads are put side by side, and that is it: W_o is never used.",
    book="11.5.1",
)
class MultiHeadAttentionNoOutput(Heads):
    def finish(self, X):
        return X


@misconception(
    "MultiHeadAttention",
    "bias-forgotten",
    why="bias=True has no effect: pass bias on to the four linear layers.",
    book="11.5.2",
)
class MultiHeadAttentionNoBias(Heads):
    def __init__(self, num_hiddens, num_heads, dropout, bias=False):
        super().__init__(num_hiddens, num_heads, dropout)


@misconception(
    "MultiHeadAttention",
    "always-with-bias",
    why="The layers have a bias though bias is False, because Linear has one by default: pass bias "
    "on to the four linear layers.",
    book="11.5.2",
)
class MultiHeadAttentionAlwaysBias(Heads):
    def __init__(self, num_hiddens, num_heads, dropout, bias=False):
        super().__init__(num_hiddens, num_heads, dropout, bias=True)


@misconception(
    "MultiHeadAttention",
    "dropout-forgotten",
    why="The layer drops nothing in training: apply nn.Dropout(dropout) to the attention weights.",
    book="11.3.3",
)
class MultiHeadAttentionNoDropout(Heads):
    def drop(self, weights):
        return weights


def entries_dropped(calls):
    """Whether two calls ran, and in the last some entries of the result are exactly zero."""
    results = [call.result for call in calls if isinstance(call.result, torch.Tensor)]
    return len(results) == 2 and bool((results[-1] == 0).any())


@misconception(
    "MultiHeadAttention",
    "dropout-on-result",
    why="You drop entries of what the heads give. Drop attention weights, before they meet the "
    "values.",
    book="11.3.3",
    fails=("training",),
    signature=entries_dropped,
)
class MultiHeadAttentionDropsResult(Heads):
    def drop(self, weights):
        return weights

    def finish(self, X):
        return self.W_o(self.dropout(X))


def still_dropping(calls):
    """Whether the last two calls, with the same arguments, gave different results."""
    return not torch.equal(calls[-1].result, calls[-2].result)


@misconception(
    "MultiHeadAttention",
    "dropout-in-eval-mode",
    why="Dropout goes on in eval mode. F.dropout needs training=self.training; nn.Dropout knows by "
    "itself.",
    book="11.3.3",
    fails=("eval",),
    signature=still_dropping,
)
class MultiHeadAttentionAlwaysDrops(Heads):
    def drop(self, weights):
        return nn.functional.dropout(weights, self.dropout.p)
