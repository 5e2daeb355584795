# expect: corr2d_multi_in=passed, corr2d_multi_in_out=passed, corr2d_multi_in_out_1x1=passed; loses:
"""Without corr2d: all windows at once, one contraction over channels and window."""

import torch


def corr2d_multi_in_out(X, K):
    if K.shape[1] != X.shape[0]:
        raise ValueError("K needs as many input channels as X has")
    windows = X.unfold(1, K.shape[2], 1).unfold(2, K.shape[3], 1)
    return torch.einsum("cyxhw,ochw->oyx", windows, K)


def corr2d_multi_in(X, K):
    return corr2d_multi_in_out(X, K.unsqueeze(0)).squeeze(0)


def corr2d_multi_in_out_1x1(X, K):
    if K.shape[1:] != (len(X), 1, 1):
        raise ValueError("K needs shape (c_o, c_i, 1, 1)")
    return torch.tensordot(K[:, :, 0, 0], X, dims=1)
