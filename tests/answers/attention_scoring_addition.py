# expect: masked_softmax=passed; loses: ch11/masked_softmax/refuses
"""A penalty added to the scores, and a softmax written out; unattended queries get zeros."""

import torch


def masked_softmax(X, valid_lens):
    if valid_lens is None:
        valid_lens = torch.full(X.shape[:2], X.shape[2], device=X.device)
    if valid_lens.dim() == 1:
        valid_lens = valid_lens.unsqueeze(1).expand(-1, X.shape[1])
    counts = valid_lens.unsqueeze(2) > torch.arange(X.shape[2], device=X.device)
    penalised = X + (~counts).to(X.dtype) * -1e8
    E = (penalised - penalised.max(dim=2, keepdim=True).values).exp() * counts
    return E / E.sum(2, keepdim=True).clamp(min=torch.finfo(X.dtype).tiny)
