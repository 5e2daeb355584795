# expect: masked_softmax=passed, DotProductAttention=passed, AdditiveAttention=passed; loses:
"""Query by query: softmax of the scores that count, padded with zeros."""

import torch
from torch import nn
from torch.nn import functional as F


def masked_softmax(X, valid_lens):
    b, q, k = X.shape
    if valid_lens is None:
        return X.softmax(2)
    if tuple(valid_lens.shape) == (b,):
        rows = [[n] * q for n in valid_lens.tolist()]
    elif tuple(valid_lens.shape) == (b, q):
        rows = valid_lens.tolist()
    else:
        raise ValueError("lengths of another shape")
    if b == 0:
        return X.clone()
    return torch.stack(
        [
            torch.stack([F.pad(X[i, j, :n].softmax(0), (0, k - n)) for j, n in enumerate(row)])
            for i, row in enumerate(rows)
        ]
    )


class DotProductAttention(nn.Module):
    """Example by example."""

    def __init__(self, dropout):
        super().__init__()
        self.p = dropout

    def forward(self, queries, keys, values, valid_lens):
        d = queries.shape[2]
        scores = queries.new_empty(0, queries.shape[1], keys.shape[1])
        if len(queries):
            scores = torch.stack([Q @ K.t() / d**0.5 for Q, K in zip(queries, keys)])
        self.attention_weights = masked_softmax(scores, valid_lens)
        return F.dropout(self.attention_weights, self.p, self.training) @ values


class AdditiveAttention(nn.Module):
    """Query by query."""

    def __init__(self, num_hiddens, dropout):
        super().__init__()
        self.to_hidden = nn.ModuleList(nn.LazyLinear(num_hiddens, bias=False) for _ in range(2))
        self.to_score = nn.Linear(num_hiddens, 1, bias=False)
        self.p = dropout

    def forward(self, queries, keys, values, valid_lens):
        K = self.to_hidden[1](keys)
        scores = torch.cat(
            [
                self.to_score(torch.tanh(Q + K)).transpose(1, 2)
                for Q in self.to_hidden[0](queries).split(1, dim=1)
            ],
            dim=1,
        )
        self.attention_weights = masked_softmax(scores, valid_lens)
        return F.dropout(self.attention_weights, self.p, self.training) @ values
