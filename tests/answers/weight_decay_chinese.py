# expect: l2_penalty=passed; loses:
"""As the Chinese edition spells it: torch.sum of a power."""

import torch


def l2_penalty(w):
    return torch.sum(w.pow(2)) / 2
