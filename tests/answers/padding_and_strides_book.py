# expect: conv_output_shape=passed, corr2d_strided=passed; loses: ch07/conv_output_shape/refuses, ch07/corr2d_strided/refuses, ch07/corr2d_strided/dtype, ch07/corr2d_strided/device
"""In the manner of the book: its formula, plain zeros, no look at what is illegal."""

import math

import torch


def conv_output_shape(n, k, p, s):
    return math.floor((n - k + p + s) / s)


def corr2d_strided(X, K, padding=(0, 0), stride=(1, 1)):
    h, w = K.shape
    padded = torch.zeros((X.shape[0] + 2 * padding[0], X.shape[1] + 2 * padding[1]))
    padded[padding[0]:padding[0] + X.shape[0], padding[1]:padding[1] + X.shape[1]] = X
    Y = torch.zeros((conv_output_shape(X.shape[0], h, 2 * padding[0], stride[0]),
                     conv_output_shape(X.shape[1], w, 2 * padding[1], stride[1])))
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            top, left = i * stride[0], j * stride[1]
            Y[i, j] = (padded[top:top + h, left:left + w] * K).sum()
    return Y
