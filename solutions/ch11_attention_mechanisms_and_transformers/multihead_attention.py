"""Section 11.5: Multi-head attention.

Several small attentions side by side, each with an eye of its own.
"""

from attention_scoring import DotProductAttention
from torch import nn


class MultiHeadAttention(nn.Module):
    """Attention in several heads, each on its own part of the projected queries, keys and values.

    Three linear layers project queries, keys and values to num_hiddens entries. Head number h takes
    the h-th run of d = num_hiddens / num_heads neighbouring entries of each and attends with them
    alone. The heads' results are put side by side in the same order, and a fourth linear layer
    mixes them.

    Args:
        num_hiddens: int, a multiple of num_heads: the width of the projections and of the result.
        num_heads: int, how many heads.
        dropout: float from 0 to 1, the probability that an attention weight is dropped in
            training, as torch.nn.Dropout does it. In eval mode nothing is dropped.
        bias: bool, whether the four layers have a bias.

    Attributes:
        W_q, W_k, W_v, W_o: the four linear layers (torch.nn.LazyLinear or torch.nn.Linear), for
            queries, keys, values and output. LazyLinear takes inputs of any width; Linear with
            num_hiddens inputs takes those of that width, which is all that the checks pass.

    Returns:
        Called with queries (b, q, d_q), keys (b, k, d_k), values (b, k, d_v) and valid_lens, none
        of which is modified: a float tensor (b, q, num_hiddens). valid_lens is None or says how
        many keys count, as in masked_softmax: int64, (b,) for each example or (b, q) for each of
        its queries. It holds for every head.

    Formula:
        Q, K, V = W_q(queries), W_k(keys), W_v(values), of which head h takes the columns
        h * d to (h + 1) * d - 1:  Q_h, K_h, V_h
        head_h = dropout(masked_softmax(Q_h K_h^T / sqrt(d), valid_lens)) V_h, which is what
            DotProductAttention does
        result = W_o([head_0, head_1, ...])

    Raises:
        ValueError: num_hiddens is no multiple of num_heads.

    Rules:
        Write it yourself: do not call PyTorch's multi-head attention.

    Example:
        >>> import torch
        >>> attention = MultiHeadAttention(num_hiddens=8, num_heads=2, dropout=0.0)
        >>> queries, keys = torch.ones(2, 3, 8), torch.ones(2, 5, 8)
        >>> attention(queries, keys, keys, torch.tensor([4, 2])).shape
        torch.Size([2, 3, 8])
        >>> attention.W_q.weight.shape
        torch.Size([8, 8])

    Book: 11.5.2
    """

    def __init__(self, num_hiddens, num_heads, dropout, bias=False):
        super().__init__()
        # BEGIN SOLUTION
        if num_hiddens % num_heads:
            raise ValueError(
                f"{num_hiddens} entries cannot be shared out among {num_heads} heads: make "
                "num_hiddens a multiple of num_heads"
            )
        self.num_heads = num_heads
        self.W_q = nn.LazyLinear(num_hiddens, bias=bias)
        self.W_k = nn.LazyLinear(num_hiddens, bias=bias)
        self.W_v = nn.LazyLinear(num_hiddens, bias=bias)
        self.W_o = nn.LazyLinear(num_hiddens, bias=bias)
        self.attention = DotProductAttention(dropout)
        # END SOLUTION

    def forward(self, queries, keys, values, valid_lens):
        # BEGIN SOLUTION
        Q, K, V = (
            self._apart(projected)
            for projected in (self.W_q(queries), self.W_k(keys), self.W_v(values))
        )
        if valid_lens is not None:
            # The heads of one example follow one another, so its length comes as often in a row.
            # BLANK: valid_lens = valid_lens.____(self.num_heads, dim=0)
            valid_lens = valid_lens.repeat_interleave(self.num_heads, dim=0)
        # BLANK: return self.W_o(____)
        return self.W_o(self._together(self.attention(Q, K, V, valid_lens)))
        # END SOLUTION

    def _apart(self, X):
        """(b, n, num_hiddens) to (b * num_heads, n, d): each head becomes an example of its own."""
        # BEGIN SOLUTION
        # BLANK: return X.unflatten(2, (self.num_heads, -1)).transpose(____, ____).flatten(0, 1)
        return X.unflatten(2, (self.num_heads, -1)).transpose(1, 2).flatten(0, 1)
        # END SOLUTION

    def _together(self, X):
        """(b * num_heads, n, d) to (b, n, num_hiddens): the way back."""
        # BEGIN SOLUTION
        # BLANK: return X.unflatten(0, (-1, self.num_heads)).transpose(____, ____).flatten(2)
        return X.unflatten(0, (-1, self.num_heads)).transpose(1, 2).flatten(2)
        # END SOLUTION
