# expect: l2_penalty=passed; loses:
"""By PyTorch's norm, whose gradient at zero is zero."""

import torch


def l2_penalty(w):
    return torch.linalg.vector_norm(w) ** 2 / 2
