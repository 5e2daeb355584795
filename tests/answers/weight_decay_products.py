# expect: l2_penalty=passed; loses:
"""The product of a vector with itself."""

import torch


def l2_penalty(w):
    flat = w.flatten()
    return 0.5 * torch.dot(flat, flat)
