# expect: apply_init=passed; loses:
"""Modes kept by name, and a walk over the modules by hand, the innermost first."""

import torch


def walk(module, init):
    for child in module.children():
        walk(child, init)
    init(module)


def apply_init(net, inputs, init=None):
    modes = {name: module.training for name, module in net.named_modules()}
    net.train(False)
    with torch.no_grad():
        net(*[X.clone() for X in inputs])
    for name, mode in modes.items():
        net.get_submodule(name).training = mode
    if init:
        walk(net, init)
