"""Chapter 11: what stands in for a predecessor that fails, built from PyTorch; public."""

import torch


def masked_softmax(X, valid_lens):
    """Softmax over the keys below each length; a query of length 0 gets zeros."""
    if valid_lens is None:
        return torch.softmax(X, dim=-1)
    if valid_lens.shape not in (X.shape[:1], X.shape[:2]):
        raise ValueError(f"lengths {tuple(valid_lens.shape)} do not fit scores {tuple(X.shape)}")
    lens = valid_lens[:, None] if valid_lens.dim() == 1 else valid_lens
    left_out = torch.arange(X.shape[-1], device=X.device) >= lens[:, :, None]
    return torch.softmax(X.masked_fill(left_out, -1e9), dim=-1).masked_fill(left_out, 0.0)
