# expect: PositionWiseFFN=passed, AddNorm=passed, TransformerEncoderBlock=passed, TransformerEncoder=passed, TransformerDecoderBlock=passed, TransformerDecoder=passed; loses:
"""Norms written out, attention of its own, positions by number, a new state for every call."""

import torch
import torch.nn.functional as F
from torch import nn


class PositionWiseFFN(nn.Module):
    """A convolution of width 1 would do too; here the products are written as einsum."""

    def __init__(self, ffn_num_hiddens, ffn_num_outputs):
        super().__init__()
        self.inner = nn.LazyLinear(ffn_num_hiddens)
        self.outer_weight = nn.Parameter(torch.randn(ffn_num_outputs, ffn_num_hiddens) * 0.1)
        self.outer_bias = nn.Parameter(torch.zeros(ffn_num_outputs))

    def forward(self, X):
        H = self.inner(X).clamp(min=0)
        return torch.einsum("...h,oh->...o", H, self.outer_weight) + self.outer_bias


class AddNorm(nn.Module):
    def __init__(self, norm_shape, dropout):
        super().__init__()
        shape = (norm_shape,) if isinstance(norm_shape, int) else tuple(norm_shape)
        self.scale, self.shift = nn.Parameter(torch.ones(shape)), nn.Parameter(torch.zeros(shape))
        self.axes, self.p = [-1 - a for a in range(len(shape))], dropout

    def forward(self, X, Y):
        Z = X + F.dropout(Y, self.p, self.training)
        variance, mean = torch.var_mean(Z, dim=self.axes, correction=0, keepdim=True)
        return (Z - mean) / torch.sqrt(variance + 1e-5) * self.scale + self.shift


class Attention(nn.Module):
    def __init__(self, width, heads, dropout, bias):
        super().__init__()
        self.query, self.key, self.value, self.out = (
            nn.Linear(width, width, bias=bias) for _ in range(4)
        )
        self.heads, self.p = heads, dropout

    def forward(self, X, source, mask):
        b, n, h = X.shape
        Q = self.query(X).view(b, n, self.heads, h // self.heads)
        K = self.key(source).view(b, source.shape[1], self.heads, h // self.heads)
        V = self.value(source).view_as(K)
        scores = torch.einsum("bqhd,bkhd->bhqk", Q, K) / (h // self.heads) ** 0.5
        if mask is not None:
            scores = scores.masked_fill(~mask[:, None], torch.finfo(scores.dtype).min)
        weights = F.dropout(F.softmax(scores, -1), self.p, self.training)
        return self.out(torch.einsum("bhqk,bkhd->bqhd", weights, V).reshape(b, n, h))


def mask_of(lens, keys):
    if lens is None:
        return None
    lens = lens.unsqueeze(1) if lens.dim() == 1 else lens
    return torch.arange(keys, device=lens.device) < lens.unsqueeze(2)


class TransformerEncoderBlock(nn.Module):
    def __init__(self, num_hiddens, ffn_num_hiddens, num_heads, dropout, use_bias=False):
        super().__init__()
        self.parts = nn.ModuleDict(
            {
                "second": AddNorm(num_hiddens, dropout),
                "first": AddNorm(num_hiddens, dropout),
                "ffn": PositionWiseFFN(ffn_num_hiddens, num_hiddens),
                "attend": Attention(num_hiddens, num_heads, dropout, use_bias),
            }
        )

    def forward(self, X, valid_lens):
        Y = self.parts["attend"](X, X, mask_of(valid_lens, X.shape[1]))
        Y = self.parts["first"](X, Y)
        return self.parts["second"](Y, self.parts["ffn"](Y))


class Embedding(nn.Module):
    def __init__(self, vocab_size, width, dropout):
        super().__init__()
        self.table = nn.Embedding(vocab_size, width)
        self.p = dropout

    def forward(self, tokens, start=0):
        X = self.table(tokens)
        h = X.shape[-1]
        j = torch.arange(h, device=X.device)
        at = torch.arange(start, start + tokens.shape[1], device=X.device)
        angles = at[:, None] / 10000 ** ((j - j % 2) / h)
        angles[:, 1::2] += torch.pi / 2
        return F.dropout(h**0.5 * X + angles.sin(), self.p, self.training)


class TransformerEncoder(nn.Module):
    def __init__(
        self, vocab_size, num_hiddens, ffn_num_hiddens, num_heads, num_blks, dropout, use_bias=False
    ):
        super().__init__()
        self.embed = Embedding(vocab_size, num_hiddens, dropout)
        sizes = num_hiddens, ffn_num_hiddens, num_heads, dropout, use_bias
        self.blocks = nn.Sequential(*(TransformerEncoderBlock(*sizes) for _ in range(num_blks)))

    def forward(self, X, valid_lens):
        Z = self.embed(X)
        for block in self.blocks:
            Z = block(Z, valid_lens)
        return Z


class TransformerDecoderBlock(nn.Module):
    """Masks by comparing positions, in both modes; gives a new state and leaves the old one."""

    def __init__(self, num_hiddens, ffn_num_hiddens, num_heads, dropout, i):
        super().__init__()
        self.mine = i
        self.look_back = Attention(num_hiddens, num_heads, dropout, False)
        self.look_over = Attention(num_hiddens, num_heads, dropout, False)
        self.ffn = PositionWiseFFN(ffn_num_hiddens, num_hiddens)
        self.norms = nn.ModuleList(AddNorm(num_hiddens, dropout) for _ in range(3))

    def forward(self, X, state):
        source, lens, places = state
        kept = [X] if places[self.mine] is None else [places[self.mine], X]
        everything = torch.cat(kept, dim=1)
        steps = torch.arange(everything.shape[1], device=X.device)
        mask = steps[None, :] <= steps[-X.shape[1] :, None]
        Y = self.norms[0](X, self.look_back(X, everything, mask[None]))
        Z = self.norms[1](Y, self.look_over(Y, source, mask_of(lens, source.shape[1])))
        places = [*places[: self.mine], everything, *places[self.mine + 1 :]]
        return self.norms[2](Z, self.ffn(Z)), (source, lens, places)


class TransformerDecoder(nn.Module):
    """Keeps the number of steps so far in a state of its own form."""

    def __init__(self, vocab_size, num_hiddens, ffn_num_hiddens, num_heads, num_blks, dropout):
        super().__init__()
        self.embed = Embedding(vocab_size, num_hiddens, dropout)
        sizes = num_hiddens, ffn_num_hiddens, num_heads, dropout
        self.blocks = nn.ModuleList(TransformerDecoderBlock(*sizes, i) for i in range(num_blks))
        self.scores = nn.Linear(num_hiddens, vocab_size)

    def init_state(self, enc_outputs, enc_valid_lens):
        return {"steps": 0, "inner": (enc_outputs, enc_valid_lens, [None] * len(self.blocks))}

    def forward(self, X, state):
        inner, Z = state["inner"], self.embed(X, state["steps"])
        for block in self.blocks:
            Z, inner = block(Z, inner)
        return self.scores(Z), {"steps": state["steps"] + X.shape[1], "inner": inner}
