# expect: xavier_uniform=passed; loses:
"""An empty tensor, filled in place."""

import torch


def xavier_uniform(fan_out, fan_in, generator=None):
    if min(fan_out, fan_in) <= 0:
        raise ValueError("no inputs or no outputs")
    a = (6 / (fan_in + fan_out)) ** 0.5
    return torch.empty(fan_out, fan_in).uniform_(-a, a, generator=generator)
