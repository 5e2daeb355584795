# expect: conv_output_shape=passed, corr2d_strided=passed
"""The definition itself: every place counted, every window cut from a framed image."""

import torch


def conv_output_shape(n, k, p, s):
    if k > n + p or s <= 0:
        raise ValueError("no place for the kernel")
    count, start = 0, 0
    while start + k <= n + p:
        count, start = count + 1, start + s
    return count


def corr2d_strided(X, K, padding=(0, 0), stride=(1, 1)):
    if any(p < 0 for p in padding):
        raise ValueError("negative padding")
    kh, kw = K.shape
    rows, columns = (
        conv_output_shape(n, k, 2 * p, s) for n, k, p, s in zip(X.shape, K.shape, padding, stride)
    )
    beside = X.new_zeros((X.shape[0], padding[1]))
    framed = torch.cat((beside, X, beside), dim=1)
    above = X.new_zeros((padding[0], framed.shape[1]))
    framed = torch.cat((above, framed, above), dim=0)
    entries = []
    for i in range(0, rows * stride[0], stride[0]):
        for j in range(0, columns * stride[1], stride[1]):
            entries.append((framed[i : i + kh, j : j + kw] * K).sum())
    return torch.stack(entries).reshape(rows, columns)
