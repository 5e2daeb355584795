# expect: gaussian=passed, boxcar=passed, constant=passed, epanechikov=passed, nadaraya_watson=passed; loses: ch11/nadaraya_watson/refuses
"""Weights as softmax of the kernel's logarithm, and kernels by other operators."""

import torch
from torch.nn import functional as F


def gaussian(x):
    return torch.sqrt(torch.exp(-x * x))


def boxcar(x):
    return (x * x < 1).to(x)


def constant(x):
    return torch.full_like(x, 1)


def epanechikov(x):
    return F.relu(1 - F.relu(x) - F.relu(-x))


def nadaraya_watson(x_train, y_train, x_val, kernel):
    similarity = kernel(torch.cdist(x_train[:, None], x_val[:, None])).type_as(y_train)
    scores = similarity.log().clamp(min=-1e4)
    attention_w = F.softmax(scores, dim=0)
    return torch.einsum("n,nm->m", y_train, attention_w), attention_w
