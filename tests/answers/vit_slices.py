# expect: PatchEmbedding=passed, ViTBlock=passed, ViT=passed; loses:
"""Patches by reshaping, one linear map, a random token and flat positions; norms as functions."""

import torch
import torch.nn.functional as F
from multihead_attention import MultiHeadAttention
from torch import nn


class PatchEmbedding(nn.Module):
    def __init__(self, img_size=96, patch_size=16, num_hiddens=512):
        super().__init__()
        as_pair = lambda n: (n, n) if type(n) is int else tuple(n)
        (self.h, self.w), (self.p, self.q) = as_pair(img_size), as_pair(patch_size)
        self.rows, self.columns = self.h // self.p, self.w // self.q
        self.project = nn.LazyLinear(num_hiddens)

    @property
    def num_patches(self):
        return self.rows * self.columns

    def forward(self, X):
        b, c, *size = X.shape
        if size != [self.h, self.w]:
            raise ValueError("not the size I was made for")
        X = X[:, :, : self.rows * self.p, : self.columns * self.q]
        X = X.reshape(b, c, self.rows, self.p, self.columns, self.q)
        X = X.permute(0, 2, 4, 1, 3, 5)
        return self.project(X.reshape(b, self.num_patches, c * self.p * self.q))


class ViTBlock(nn.Module):
    def __init__(
        self, num_hiddens, norm_shape, mlp_num_hiddens, num_heads, dropout, use_bias=False
    ):
        super().__init__()
        shape = (norm_shape,) if isinstance(norm_shape, int) else norm_shape
        self.out, self.into = (
            nn.Linear(mlp_num_hiddens, num_hiddens),
            nn.Linear(num_hiddens, mlp_num_hiddens),
        )
        self.scales = nn.ParameterList(torch.ones(shape) for _ in range(2))
        self.shifts = nn.ParameterList(torch.zeros(shape) for _ in range(2))
        self.look = MultiHeadAttention(num_hiddens, num_heads, dropout, use_bias)
        self.p = dropout

    def norm(self, i, X):
        return F.layer_norm(X, self.scales[i].shape, self.scales[i], self.shifts[i])

    def forward(self, X, valid_lens=None):
        Z = self.norm(0, X)
        Y = self.look(Z, Z, Z, valid_lens).add(X)
        Z = F.dropout(F.gelu(self.into(self.norm(1, Y))), self.p, self.training)
        return Y + F.dropout(self.out(Z), self.p, self.training)


class ViT(nn.Module):
    def __init__(
        self,
        img_size,
        patch_size,
        num_hiddens,
        mlp_num_hiddens,
        num_heads,
        num_blks,
        emb_dropout,
        blk_dropout,
        use_bias=False,
        num_classes=10,
    ):
        super().__init__()
        self.classify = nn.Linear(num_hiddens, num_classes)
        self.cut = PatchEmbedding(img_size, patch_size, num_hiddens)
        self.token = nn.Parameter(torch.randn(num_hiddens))
        self.where = nn.Parameter(0.02 * torch.randn(self.cut.num_patches + 1, num_hiddens))
        self.blocks = nn.ModuleList()
        for _ in range(num_blks):
            self.blocks.append(
                ViTBlock(
                    num_hiddens, num_hiddens, mlp_num_hiddens, num_heads, blk_dropout, use_bias
                )
            )
        self.last = nn.LayerNorm(num_hiddens)
        self.p = emb_dropout

    def forward(self, X):
        patches = self.cut(X)
        Z = F.pad(patches, (0, 0, 1, 0))
        Z[:, 0] = self.token
        Z = F.dropout(Z + self.where, self.p, self.training)
        for block in self.blocks:
            Z = block(Z)
        return self.classify(self.last(Z[:, 0]))
