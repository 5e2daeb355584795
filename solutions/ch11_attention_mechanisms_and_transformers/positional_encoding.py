"""Section 11.6: Self-attention and positional encoding.

Attention sees a set, not a sequence; the position must be told.
"""

import torch
from torch import nn


class PositionalEncoding(nn.Module):
    """Add to each position of a sequence a pattern of its own, made of sines and cosines.

    Neighbouring columns share a frequency, one as sine, one as cosine; from pair to pair the waves
    grow longer. Nothing of this is learned.

    Args:
        num_hiddens: int, the width of the sequence, even or odd: an odd one ends with a sine whose
            cosine has no place any more.
        dropout: float from 0 to 1, the probability that an entry of the sum is dropped in
            training, as torch.nn.Dropout does it. In eval mode nothing is dropped.
        max_len: int, how many positions there are at most.

    Returns:
        Called with X, float tensor (b, n, num_hiddens), which is not modified: float tensor of the
        same shape, dtype and device. The pattern may be kept in float32 whatever the dtype of X.

    Formula:
        P[i, 2j] = sin(i / 10000^(2j / num_hiddens)),  P[i, 2j + 1] = cos of the same,
        result = dropout(X + P[:n]), the same P for every example; positions i count from 0

    Raises:
        ValueError: a call with more than max_len positions.

    Example:
        >>> encoding = PositionalEncoding(num_hiddens=4, dropout=0.0)
        >>> encoding(torch.zeros(1, 2, 4))
        tensor([[[0.0000, 1.0000, 0.0000, 1.0000],
                 [0.8415, 0.5403, 0.0100, 0.9999]]])

    Book: 11.6.3
    """

    def __init__(self, num_hiddens, dropout, max_len=1000):
        super().__init__()
        # BEGIN SOLUTION
        self.dropout = nn.Dropout(dropout)
        columns = torch.arange(0, num_hiddens, 2)
        # BLANK: frequencies = 10000 ** (____)
        frequencies = 10000 ** (-columns / num_hiddens)
        # BLANK: angles = torch.outer(____, ____)
        angles = torch.outer(torch.arange(max_len), frequencies)
        # Sine and cosine side by side, then in turns: (max_len, pairs, 2) read row by row.
        # BLANK: P = torch.stack((____, ____), dim=2).flatten(1)
        P = torch.stack((angles.sin(), angles.cos()), dim=2).flatten(1)
        # A buffer moves with the module, but is no parameter.
        self.register_buffer("P", P[:, :num_hiddens])
        # END SOLUTION

    def forward(self, X):
        # BEGIN SOLUTION
        if X.shape[1] > len(self.P):
            raise ValueError(
                f"{X.shape[1]} positions, but the encoding is made for {len(self.P)}: raise max_len"
            )
        # BLANK: return self.dropout(____)
        return self.dropout(X + self.P[: X.shape[1]])
        # END SOLUTION
