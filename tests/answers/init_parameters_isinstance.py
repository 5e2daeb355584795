# expect: init_normal=passed, init_xavier=passed, my_init=passed; loses: ch06/init_normal/lazy, ch06/init_xavier/lazy
"""isinstance, which lazy layers pass, and .data throughout."""

import torch
from torch import nn


def init_normal(m):
    if isinstance(m, nn.Linear):
        m.weight.data = torch.normal(0.0, 0.01, m.weight.shape).to(m.weight.device)
        if m.bias is not None:
            m.bias.data.fill_(0)


def init_xavier(m):
    if isinstance(m, nn.Linear):
        torch.nn.init.xavier_uniform_(m.weight.data)


def my_init(m):
    if isinstance(m, nn.Linear):
        m.weight.data.uniform_(-10, 10)
        m.weight.data[m.weight.data.abs() < 5] = 0
