# expect: init_normal=passed, init_xavier=passed, my_init=passed; loses:
"""Tensor methods instead of torch.nn.init, and a sign, a size and a coin for each weight."""

import torch


def is_linear(module):
    return module.__class__ is torch.nn.Linear


@torch.no_grad()
def init_normal(module):
    if is_linear(module):
        for parameter in module.parameters():
            if parameter.dim() == 2:
                parameter.normal_().mul_(0.01)
            else:
                parameter.zero_()


@torch.no_grad()
def init_xavier(module):
    if is_linear(module):
        a = (6 / (module.in_features + module.out_features)) ** 0.5
        module.weight.uniform_(-a, a)


@torch.no_grad()
def my_init(module):
    if is_linear(module):
        draw = torch.rand_like(module.weight)
        size = torch.empty_like(module.weight).uniform_(5, 10)
        sign = (draw < 0.25).to(size.dtype) - (draw >= 0.75).to(size.dtype)
        module.weight.copy_(sign * size)
