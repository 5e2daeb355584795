# expect: PositionalEncoding =passed; loses:
"""No table: the pattern is made for each call, as the parts of complex numbers."""

import math

import torch
from torch.nn import Module
from torch.nn import functional as F


class PositionalEncoding(Module):
    def __init__(self, num_hiddens, dropout, max_len=1000):
        super().__init__()
        self.width, self.p, self.limit = num_hiddens, dropout, max_len

    def forward(self, X):
        n = X.size(1)
        if n > self.limit:
            raise ValueError("too long a sequence")
        pairs = torch.arange(math.ceil(self.width / 2), dtype=X.dtype, device=X.device)
        speed = torch.exp(-2 * pairs / self.width * math.log(10000))
        angle = torch.arange(n, dtype=X.dtype, device=X.device).unsqueeze(1) * speed
        # The angle from the vertical: sine before cosine.
        turned = torch.view_as_real(torch.polar(torch.ones_like(angle), angle)).flip(-1)
        pattern = turned.reshape(n, -1).narrow(1, 0, self.width)
        return F.dropout(X + pattern, self.p, training=self.training)
