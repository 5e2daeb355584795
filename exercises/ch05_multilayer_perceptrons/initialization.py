"""Section 5.4: Numerical stability and initialization.

Weights to start from that neither blow up what passes through them nor let it die away.
"""

import math

import torch


def xavier_uniform(fan_out, fan_in, generator=None):
    """Draw the weights of a linear layer by Xavier Glorot's rule, uniformly.

    The rule keeps the variance of what passes through the layer about the same, on the way forward
    as on the way back, which asks for a variance of 2 / (fan_in + fan_out). All weights are drawn
    independently.

    Args:
        fan_out: int, the number of outputs of the layer, 1 or more.
        fan_in: int, the number of its inputs, 1 or more.
        generator: torch.Generator to draw with. None: PyTorch's own.

    Returns:
        Float32 tensor (fan_out, fan_in).

    Formula:
        weight ~ U(-a, a),  a = sqrt(6 / (fan_in + fan_out))

    Raises:
        ValueError: fan_out or fan_in is less than 1.

    Rules:
        Write it yourself: do not use torch.nn.init.

    Example:
        >>> weight = xavier_uniform(4, 2)
        >>> weight.shape
        torch.Size([4, 2])
        >>> bool((weight.abs() <= 1).all())
        True

    Book: 5.4.2
    """
    raise NotImplementedError("xavier_uniform")
