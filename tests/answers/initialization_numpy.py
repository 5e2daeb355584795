# expect: xavier_uniform=passed; loses: ch05/xavier_uniform/refuses, ch05/xavier_uniform/generator, ch05/xavier_uniform/dtype
"""NumPy's draws, which are float64 and know nothing of torch's generators."""

import numpy as np
import torch


def xavier_uniform(fan_out, fan_in, generator=None):
    std = np.sqrt(2 / (fan_in + fan_out))
    return torch.from_numpy(np.random.uniform(-1, 1, (fan_out, fan_in)) * np.sqrt(3) * std)
