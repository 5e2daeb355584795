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
    raise NotImplementedError("masked_softmax")


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
        raise NotImplementedError("DotProductAttention.__init__")

    def forward(self, queries, keys, values, valid_lens=None):
        raise NotImplementedError("DotProductAttention.forward")


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
        raise NotImplementedError("AdditiveAttention.__init__")

    def forward(self, queries, keys, values, valid_lens):
        raise NotImplementedError("AdditiveAttention.forward")
