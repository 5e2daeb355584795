# expect: MultiHeadAttention=passed; loses: ch11/MultiHeadAttention/empty
"""Plain linear layers, which know one width, and PyTorch's attention for four axes."""

import torch
from torch import nn
from torch.nn import functional as F


class MultiHeadAttention(nn.Module):
    def __init__(self, num_hiddens, num_heads, dropout, bias=False):
        if num_hiddens % num_heads != 0:
            raise ValueError("that does not divide")
        super().__init__()
        for name in "qkvo":
            setattr(self, f"W_{name}", nn.Linear(num_hiddens, num_hiddens, bias))
        self.heads, self.p = num_heads, dropout

    def forward(self, queries, keys, values, valid_lens):
        def split(X):
            return X.view(*X.shape[:2], self.heads, -1).permute(0, 2, 1, 3)

        mask = None
        if valid_lens is not None:
            per_query = valid_lens.reshape(len(valid_lens), 1, -1, 1)
            mask = torch.arange(keys.shape[1], device=keys.device) < per_query
        Y = F.scaled_dot_product_attention(
            split(self.W_q(queries)),
            split(self.W_k(keys)),
            split(self.W_v(values)),
            attn_mask=mask,
            dropout_p=self.p if self.training else 0.0,
        )
        return self.W_o(Y.permute(0, 2, 1, 3).reshape(*queries.shape[:2], -1))
