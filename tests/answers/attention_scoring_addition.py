# expect: masked_softmax=passed, DotProductAttention=passed, AdditiveAttention=passed; loses: ch11/masked_softmax/refuses
"""A penalty added to the scores, and a softmax written out; unattended queries get zeros."""

import torch
from torch import nn


def masked_softmax(X, valid_lens):
    if valid_lens is None:
        valid_lens = torch.full(X.shape[:2], X.shape[2], device=X.device)
    if valid_lens.dim() == 1:
        valid_lens = valid_lens.unsqueeze(1).expand(-1, X.shape[1])
    counts = valid_lens.unsqueeze(2) > torch.arange(X.shape[2], device=X.device)
    penalised = X + (~counts).to(X.dtype) * -1e8
    E = (penalised - penalised.max(dim=2, keepdim=True).values).exp() * counts
    return E / E.sum(2, keepdim=True).clamp(min=torch.finfo(X.dtype).tiny)


class DotProductAttention(nn.Module):
    """Scales the queries beforehand, and drops by a mask of its own."""

    def __init__(self, dropout):
        super().__init__()
        self.keep = 1 - dropout

    def forward(self, queries, keys, values, valid_lens):
        scores = (queries * queries.size(-1) ** -0.5) @ keys.mT
        self.attention_weights = W = masked_softmax(scores, valid_lens)
        if self.training and self.keep < 1:
            W = W * (torch.rand_like(W) < self.keep) / self.keep
        return W @ values


class AdditiveAttention(DotProductAttention):
    """Weights as bare parameters, made when the widths are seen."""

    def __init__(self, num_hiddens, dropout):
        super().__init__(dropout)
        self.num_hiddens = num_hiddens
        self.query_weight = nn.UninitializedParameter()
        self.key_weight = nn.UninitializedParameter()
        self.last = nn.Parameter(torch.randn(1, num_hiddens))

    def forward(self, queries, keys, values, valid_lens):
        for weight, X in ((self.query_weight, queries), (self.key_weight, keys)):
            if isinstance(weight, nn.UninitializedParameter):
                weight.materialize((self.num_hiddens, X.shape[-1]))
        Q = torch.einsum("bqd,hd->bqh", queries, self.query_weight)
        K = torch.einsum("bkd,hd->bkh", keys, self.key_weight)
        H = (Q[:, :, None, :] + K[:, None, :, :]).tanh()
        self.attention_weights = W = masked_softmax((H * self.last[0]).sum(-1), valid_lens)
        if self.training and self.keep < 1:
            W = W * (torch.rand_like(W) < self.keep) / self.keep
        return W @ values
