# expect: MultiHeadAttention=passed; loses:
"""Head by head, each on its columns; softmax written out, masked by a product."""

import torch
from torch import nn


class MultiHeadAttention(nn.Module):
    def __init__(self, num_hiddens, num_heads, dropout, bias=False):
        super().__init__()
        self.width, rest = divmod(num_hiddens, num_heads)
        if rest:
            raise ValueError("heads of unequal width")
        self.W_q, self.W_k, self.W_v, self.W_o = (
            nn.LazyLinear(num_hiddens, bias=bias) for _ in range(4)
        )
        self.dropout = dropout

    def forward(self, queries, keys, values, valid_lens):
        counts = torch.ones(len(keys), 1, keys.shape[1], dtype=keys.dtype, device=keys.device)
        if valid_lens is not None:
            lens = valid_lens.unsqueeze(-1) if valid_lens.dim() == 2 else valid_lens[:, None, None]
            counts = (torch.arange(keys.shape[1], device=keys.device) < lens).to(keys.dtype)
        heads = []
        for Q, K, V in zip(
            self.W_q(queries).split(self.width, dim=-1),
            self.W_k(keys).split(self.width, dim=-1),
            self.W_v(values).split(self.width, dim=-1),
        ):
            scores = torch.einsum("bqd,bkd->bqk", Q, K) * self.width**-0.5
            E = torch.exp(scores - scores.amax(-1, keepdim=True)) * counts
            A = nn.functional.dropout(E / E.sum(-1, keepdim=True), self.dropout, self.training)
            heads.append(torch.einsum("bqk,bkd->bqd", A, V))
        return self.W_o(torch.cat(heads, dim=-1))
