"""Section 11.3: Attention scoring functions.

Scores become weights, and only what really is there gets any.
"""

import math

import torch
from torch import nn


def masked_softmax(X, valid_lens):
    """Softmax over the keys, with the keys beyond a given length left out.

    Examples of different lengths share a batch by padding. The scores of the padding keys are
    there and mean nothing; their weight must be zero, and the others add up to 1 without them.

    Args:
        X: float tensor (b, q, k), a score for each example, query and key, at most 1e4 in size.
            Not modified.
        valid_lens: int64 tensor of how many keys count, each from 0 to k, on the device of X: of
            shape (b,), one number for all queries of an example, or (b, q), one for each query;
            or None, which leaves out nothing. Not modified.

    Returns:
        Float tensor (b, q, k), the weights, with the dtype and device of X. Gradients flow back to
        the scores that count, and none to those left out.

    Formula:
        W[b, i, j] = exp(X[b, i, j]) / (sum over j' < n of exp(X[b, i, j']))   for j < n,
        W[b, i, j] = 0, exactly,                                               for j >= n,
        where n is valid_lens[b] or valid_lens[b, i].

        A query of length 0 has nothing to attend to. Its row must hold finite numbers from 0 to 1
        and never nan, for nan would spread from there through the whole network. Which numbers is
        left to you: equal weights and zeros are both usual.

    Raises:
        ValueError: valid_lens has another shape than (b,) and (b, q).

    Example:
        >>> masked_softmax(torch.zeros(2, 1, 3), torch.tensor([2, 1]))
        tensor([[[0.5000, 0.5000, 0.0000]],
        <BLANKLINE>
                [[1.0000, 0.0000, 0.0000]]])
        >>> masked_softmax(torch.zeros(1, 2, 2), torch.tensor([[1, 2]]))
        tensor([[[1.0000, 0.0000],
                 [0.5000, 0.5000]]])

    Book: 11.3.2.1
    """
    # BEGIN SOLUTION
    if valid_lens is None:
        return torch.softmax(X, dim=-1)
    if valid_lens.shape not in (X.shape[:1], X.shape[:2]):
        raise ValueError(
            f"valid_lens has shape {tuple(valid_lens.shape)}: give one length for each of the "
            f"{X.shape[0]} examples, or one for each of their {X.shape[1]} queries"
        )
    # BLANK: lens = valid_lens[____] if valid_lens.dim() == 1 else valid_lens[____]
    lens = valid_lens[:, None, None] if valid_lens.dim() == 1 else valid_lens[:, :, None]
    # BLANK: left_out = torch.arange(X.shape[2], device=X.device) >= ____
    left_out = torch.arange(X.shape[2], device=X.device) >= lens
    # The lowest finite number, not -inf: a row of -inf throughout would become nan.
    # BLANK: scores = X.masked_fill(left_out, ____)
    scores = X.masked_fill(left_out, torch.finfo(X.dtype).min)
    return torch.softmax(scores, dim=-1)
    # END SOLUTION


class DotProductAttention(nn.Module):
    """Attention whose scores are the products of queries with keys, made smaller by their length.

    The product of two random vectors of d entries has a variance of d. Divided by the root of d it
    keeps a variance of 1, and softmax stays out of the range where its gradients vanish.

    Args:
        dropout: float from 0 to 1, the probability that an attention weight is dropped in
            training, as torch.nn.Dropout does it. In eval mode nothing is dropped.

    Attributes:
        attention_weights: after a call, the weights of that call: float tensor (b, q, k), as
            masked_softmax gives them, before dropout.

    Returns:
        Called with queries (b, q, d), keys (b, k, d), values (b, k, v) and valid_lens (None, or
        int64 of shape (b,) or (b, q), as in masked_softmax), none of which is modified: float
        tensor (b, q, v), with the dtype and device of the queries.

    Formula:
        scores = queries keys^T / sqrt(d), for each example
        attention_weights = masked_softmax(scores, valid_lens)
        result = dropout(attention_weights) values

    Example:
        >>> attention = DotProductAttention(dropout=0.0)
        >>> queries, keys = torch.zeros(1, 1, 4), torch.ones(1, 3, 4)
        >>> values = torch.tensor([[[1.0, 10.0], [3.0, 30.0], [5.0, 50.0]]])
        >>> attention(queries, keys, values, torch.tensor([2]))
        tensor([[[ 2., 20.]]])
        >>> attention.attention_weights
        tensor([[[0.5000, 0.5000, 0.0000]]])

    Book: 11.3.3
    """

    def __init__(self, dropout):
        super().__init__()
        # BEGIN SOLUTION
        self.dropout = nn.Dropout(dropout)
        # END SOLUTION

    def forward(self, queries, keys, values, valid_lens=None):
        # BEGIN SOLUTION
        # BLANK: scores = torch.bmm(queries, ____) / ____
        scores = torch.bmm(queries, keys.transpose(1, 2)) / math.sqrt(queries.shape[2])
        # BLANK: self.attention_weights = ____
        self.attention_weights = masked_softmax(scores, valid_lens)
        # BLANK: return torch.bmm(____, values)
        return torch.bmm(self.dropout(self.attention_weights), values)
        # END SOLUTION


class AdditiveAttention(nn.Module):
    """Attention whose scores come from a small network, so queries and keys may differ in width.

    Query and key are each projected to num_hiddens entries, added, and sent through tanh; one more
    projection makes a single number of the result.

    Args:
        num_hiddens: int, the width of the projections.
        dropout: float from 0 to 1, the probability that an attention weight is dropped in
            training, as torch.nn.Dropout does it. In eval mode nothing is dropped.

    Attributes:
        attention_weights: after a call, the weights of that call: float tensor (b, q, k), as
            masked_softmax gives them, before dropout.

    Returns:
        Called with queries (b, q, d_q), keys (b, k, d_k), values (b, k, v) and valid_lens (None, or
        int64 of shape (b,) or (b, q), as in masked_softmax), none of which is modified: float
        tensor (b, q, v), with the dtype and device of the queries. The three layers, W_q, W_k and
        w_v in the formula, have no bias; torch.nn.LazyLinear finds out d_q and d_k by itself.

    Formula:
        scores[b, i, j] = w_v(tanh(W_q(queries[b, i]) + W_k(keys[b, j])))
        attention_weights = masked_softmax(scores, valid_lens)
        result = dropout(attention_weights) values

    Example:
        >>> attention = AdditiveAttention(num_hiddens=8, dropout=0.0)
        >>> queries, keys, values = torch.ones(2, 1, 20), torch.ones(2, 10, 2), torch.ones(2, 10, 4)
        >>> attention(queries, keys, values, torch.tensor([2, 6])).shape
        torch.Size([2, 1, 4])
        >>> attention.attention_weights.shape
        torch.Size([2, 1, 10])

    Book: 11.3.4
    """

    def __init__(self, num_hiddens, dropout):
        super().__init__()
        # BEGIN SOLUTION
        self.W_q = nn.LazyLinear(num_hiddens, bias=False)
        self.W_k = nn.LazyLinear(num_hiddens, bias=False)
        # BLANK: self.w_v = nn.LazyLinear(____, bias=False)
        self.w_v = nn.LazyLinear(1, bias=False)
        self.dropout = nn.Dropout(dropout)
        # END SOLUTION

    def forward(self, queries, keys, values, valid_lens):
        # BEGIN SOLUTION
        # Every query with every key: (b, q, 1, num_hiddens) plus (b, 1, k, num_hiddens).
        # BLANK: features = torch.tanh(self.W_q(queries).____ + self.W_k(keys).____)
        features = torch.tanh(self.W_q(queries).unsqueeze(2) + self.W_k(keys).unsqueeze(1))
        # BLANK: scores = ____
        scores = self.w_v(features).squeeze(3)
        self.attention_weights = masked_softmax(scores, valid_lens)
        # BLANK: return torch.bmm(____, values)
        return torch.bmm(self.dropout(self.attention_weights), values)
        # END SOLUTION
