# expect: init_normal=passed, init_xavier=passed, my_init=passed; loses: ch06/init_normal/unbiased
"""In the manner of the book's section, prints and .data included."""

from torch import nn


def init_normal(module):
    if type(module) == nn.Linear:  # noqa: E721
        nn.init.normal_(module.weight, mean=0, std=0.01)
        nn.init.zeros_(module.bias)


def init_xavier(module):
    if type(module) == nn.Linear:  # noqa: E721
        nn.init.xavier_uniform_(module.weight)


def my_init(module):
    if type(module) == nn.Linear:  # noqa: E721
        print("Init", *[(name, param.shape)
                        for name, param in module.named_parameters()][0])
        nn.init.uniform_(module.weight, -10, 10)
        module.weight.data *= module.weight.data.abs() >= 5
