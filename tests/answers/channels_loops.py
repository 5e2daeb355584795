# expect: corr2d_multi_in=passed, corr2d_multi_in_out=passed, corr2d_multi_in_out_1x1=passed; loses:
"""One loop over the kernel's entries: shifted images, weighted and added in place."""

from torch.nn import functional as F


def corr2d_multi_in_out(X, K):
    outputs, inputs, height, width = K.shape
    if inputs != X.shape[0]:
        raise ValueError("the channels of image and kernels differ")
    rows, columns = X.shape[1] - height + 1, X.shape[2] - width + 1
    Y = X.new_zeros(outputs, rows, columns)
    for a in range(height):
        for b in range(width):
            part = X[:, a : a + rows, b : b + columns]
            Y += (K[:, :, a, b, None, None] * part).sum(1)
    return Y


def corr2d_multi_in(X, K):
    return corr2d_multi_in_out(X, K[None])[0]


def corr2d_multi_in_out_1x1(X, K):
    if K.shape[1:] != (X.shape[0], 1, 1):
        raise ValueError("these are no 1 x 1 kernels for this image")
    pixels = X.permute(1, 2, 0)  # a pixel's channels last, as nn.Linear has its features
    return F.linear(pixels, K.flatten(1)).permute(2, 0, 1)
