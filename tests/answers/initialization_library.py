# expect: xavier_uniform=failed; loses: ch05/xavier_uniform/rules, ch05/xavier_uniform/refuses
"""PyTorch's own function, which the Rules rule out."""

import torch
from torch import nn


def xavier_uniform(fan_out, fan_in, generator=None):
    return nn.init.xavier_uniform_(torch.empty(fan_out, fan_in), generator=generator)
