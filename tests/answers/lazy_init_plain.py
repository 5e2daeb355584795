# expect: apply_init=passed; loses: ch06/apply_init/trace
"""Without a thought for modes."""

import torch


def apply_init(net, inputs, init=None):
    with torch.no_grad():
        net(*inputs)
    return net if init is None else net.apply(init)
