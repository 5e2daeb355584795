"""Chapter 11: what stands in for a predecessor that fails, built from PyTorch; public."""

import torch
from torch import nn


def masked_softmax(X, valid_lens):
    """Softmax over the keys below each length; a query of length 0 gets zeros."""
    if valid_lens is None:
        return torch.softmax(X, dim=-1)
    if valid_lens.shape not in (X.shape[:1], X.shape[:2]):
        raise ValueError(f"lengths {tuple(valid_lens.shape)} do not fit scores {tuple(X.shape)}")
    lens = valid_lens[:, None] if valid_lens.dim() == 1 else valid_lens
    left_out = torch.arange(X.shape[-1], device=X.device) >= lens[:, :, None]
    return torch.softmax(X.masked_fill(left_out, -1e9), dim=-1).masked_fill(left_out, 0.0)


class DotProductAttention(nn.Module):
    """Scaled dot-product attention that keeps its weights."""

    def __init__(self, dropout):
        super().__init__()
        self.dropout = nn.Dropout(dropout)

    def forward(self, queries, keys, values, valid_lens=None):
        scores = torch.einsum("bqd,bkd->bqk", queries, keys) * queries.shape[2] ** -0.5
        self.attention_weights = masked_softmax(scores, valid_lens)
        return self.dropout(self.attention_weights) @ values


class AdditiveAttention(nn.Module):
    """Additive attention that keeps its weights."""

    def __init__(self, num_hiddens, dropout):
        super().__init__()
        self.W_q, self.W_k = (nn.LazyLinear(num_hiddens, bias=False) for _ in range(2))
        self.w_v = nn.Linear(num_hiddens, 1, bias=False)
        self.dropout = nn.Dropout(dropout)

    def forward(self, queries, keys, values, valid_lens=None):
        pairs = torch.tanh(self.W_q(queries)[:, :, None] + self.W_k(keys)[:, None])
        self.attention_weights = masked_softmax(self.w_v(pairs)[..., 0], valid_lens)
        return self.dropout(self.attention_weights) @ values


class MultiHeadAttention(nn.Module):
    """Attention in several heads; `attention` keeps their weights."""

    def __init__(self, num_hiddens, num_heads, dropout, bias=False):
        super().__init__()
        if num_hiddens % num_heads:
            raise ValueError("num_hiddens is no multiple of num_heads")
        self.num_heads = num_heads
        self.W_q, self.W_k, self.W_v = (nn.LazyLinear(num_hiddens, bias) for _ in range(3))
        self.W_o = nn.Linear(num_hiddens, num_hiddens, bias)
        self.attention = DotProductAttention(dropout)

    def forward(self, queries, keys, values, valid_lens=None):
        Q, K, V = (
            torch.cat(W(X)[None].chunk(self.num_heads, dim=-1)).transpose(0, 1).flatten(0, 1)
            for W, X in ((self.W_q, queries), (self.W_k, keys), (self.W_v, values))
        )
        if valid_lens is not None:
            valid_lens = valid_lens.repeat_interleave(self.num_heads, dim=0)
        heads = self.attention(Q, K, V, valid_lens).unflatten(0, (-1, self.num_heads))
        return self.W_o(torch.cat(heads.unbind(1), dim=-1))


class PositionalEncoding(nn.Module):
    """Adds sines and cosines in turns."""

    def __init__(self, num_hiddens, dropout, max_len=1000):
        super().__init__()
        columns = torch.arange(num_hiddens)
        waves = 10000 ** (-(columns - columns % 2) / num_hiddens)
        angles = torch.arange(max_len)[:, None] * waves
        P = torch.where(columns % 2 == 0, angles.sin(), angles.cos())
        self.register_buffer("P", P[None], persistent=False)
        self.dropout = nn.Dropout(dropout)

    def forward(self, X):
        if X.shape[1] > self.P.shape[1]:
            raise ValueError("more positions than max_len")
        return self.dropout(X + self.P[:, : X.shape[1]])


class PositionWiseFFN(nn.Sequential):
    """Two linear layers with ReLU between them."""

    def __init__(self, ffn_num_hiddens, ffn_num_outputs):
        second = nn.Linear(ffn_num_hiddens, ffn_num_outputs)
        super().__init__(nn.LazyLinear(ffn_num_hiddens), nn.ReLU(), second)


class AddNorm(nn.Module):
    """LayerNorm of the sum of X with what dropout leaves of Y."""

    def __init__(self, norm_shape, dropout):
        super().__init__()
        self.dropout, self.ln = nn.Dropout(dropout), nn.LayerNorm(norm_shape)

    def forward(self, X, Y):
        return self.ln(torch.add(X, self.dropout(Y)))


class TransformerEncoderBlock(nn.Module):
    """Self-attention and the position-wise network."""

    def __init__(self, num_hiddens, ffn_num_hiddens, num_heads, dropout, use_bias=False):
        super().__init__()
        self.attention = MultiHeadAttention(num_hiddens, num_heads, dropout, use_bias)
        self.ffn = PositionWiseFFN(ffn_num_hiddens, num_hiddens)
        self.addnorm1, self.addnorm2 = (AddNorm(num_hiddens, dropout) for _ in range(2))

    def forward(self, X, valid_lens):
        Y = self.addnorm1(X, self.attention(X, X, X, valid_lens))
        return self.addnorm2(Y, self.ffn(Y))


class TransformerDecoderBlock(nn.Module):
    """Causal self-attention, attention to the encoder, and the position-wise network."""

    def __init__(self, num_hiddens, ffn_num_hiddens, num_heads, dropout, i):
        super().__init__()
        self.i = i
        self.attention1 = MultiHeadAttention(num_hiddens, num_heads, dropout)
        self.attention2 = MultiHeadAttention(num_hiddens, num_heads, dropout)
        self.ffn = PositionWiseFFN(ffn_num_hiddens, num_hiddens)
        norms = (AddNorm(num_hiddens, dropout) for _ in range(3))
        self.addnorm1, self.addnorm2, self.addnorm3 = norms

    def forward(self, X, state):
        past = X[:, :0] if state[2][self.i] is None else state[2][self.i]
        state[2][self.i] = K = torch.cat((past, X), dim=1)
        seen = torch.arange(past.shape[1] + 1, K.shape[1] + 1, device=X.device)
        Y = self.addnorm1(X, self.attention1(X, K, K, seen.repeat(len(X), 1)))
        Z = self.addnorm2(Y, self.attention2(Y, state[0], state[0], state[1]))
        return self.addnorm3(Z, self.ffn(Z)), state


class PatchEmbedding(nn.Module):
    """Patches by a convolution whose kernel is as large as its stride."""

    def __init__(self, img_size=96, patch_size=16, num_hiddens=512):
        super().__init__()
        self.img_size, size = (
            torch.Size((n, n) if isinstance(n, int) else n) for n in (img_size, patch_size)
        )
        self.num_patches = (self.img_size[0] // size[0]) * (self.img_size[1] // size[1])
        self.conv = nn.LazyConv2d(num_hiddens, size, stride=size)

    def forward(self, X):
        if X.shape[2:] != self.img_size:
            raise ValueError("images of another size")
        return torch.movedim(self.conv(X).flatten(2), 1, 2)


class ViTBlock(nn.Module):
    """An encoder block with the norms first."""

    def __init__(
        self, num_hiddens, norm_shape, mlp_num_hiddens, num_heads, dropout, use_bias=False
    ):
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(norm_shape), nn.LayerNorm(norm_shape)
        self.attention = MultiHeadAttention(num_hiddens, num_heads, dropout, use_bias)
        self.mlp = nn.Sequential(
            *(nn.LazyLinear(mlp_num_hiddens), nn.GELU(), nn.Dropout(dropout)),
            *(nn.LazyLinear(num_hiddens), nn.Dropout(dropout)),
        )

    def forward(self, X, valid_lens=None):
        Z = self.ln1(X)
        X = torch.add(X, self.attention(Z, Z, Z, valid_lens))
        return torch.add(X, self.mlp(self.ln2(X)))
