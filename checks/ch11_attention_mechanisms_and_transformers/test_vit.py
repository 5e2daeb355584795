"""Hidden checks of section 11.8: transformers for vision."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from d2lgrade.datasets import few_digits
from d2lgrade.testkit import Mismatch, assert_same, refuses
from d2lgrade.testkit.layers import Layer, Setting

# PyTorch's parts ----------------------------------------------------------------------------------


def pair(size):
    return (size, size) if isinstance(size, int) else tuple(size)


class TorchPatches(nn.Module):
    """Patches cut out by unfold, and one linear layer."""

    def __init__(self, img_size=96, patch_size=16, num_hiddens=512):
        super().__init__()
        self.size, self.linear = pair(patch_size), nn.LazyLinear(num_hiddens)

    def forward(self, X):
        return self.linear(F.unfold(X, self.size, stride=self.size).transpose(1, 2))


class Heads(nn.Module):
    """Multi-head self-attention by PyTorch's scaled dot-product attention."""

    def __init__(self, width, heads, dropout, bias):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(width, width, bias) for _ in range(4))
        self.heads, self.p = heads, dropout

    def forward(self, X, lens):
        mask = None if lens is None else torch.arange(X.shape[1]) < lens[:, None, None, None]
        Q, K, V = (
            layer(X).unflatten(2, (self.heads, -1)).transpose(1, 2) for layer in self.layers[:3]
        )
        p = self.p if self.training else 0.0
        joined = F.scaled_dot_product_attention(Q, K, V, attn_mask=mask, dropout_p=p)
        return self.layers[3](joined.transpose(1, 2).flatten(2))


class TorchBlock(nn.Module):
    def __init__(
        self, num_hiddens, norm_shape, mlp_num_hiddens, num_heads, dropout, use_bias=False
    ):
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(norm_shape) for _ in range(2))
        self.attention = Heads(num_hiddens, num_heads, dropout, use_bias)
        self.inner = nn.Linear(num_hiddens, mlp_num_hiddens)
        self.outer = nn.Linear(mlp_num_hiddens, num_hiddens)
        self.dropout = nn.Dropout(dropout)

    def forward(self, X, valid_lens=None):
        Y = self.attention(self.norms[0](X), valid_lens) + X
        hidden = self.dropout(F.gelu(self.inner(self.norms[1](Y))))
        return self.dropout(self.outer(hidden)) + Y


class TorchViT(nn.Module):
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
        patches = [
            size // part for size, part in zip(pair(img_size), pair(patch_size), strict=True)
        ]
        self.token = nn.Parameter(torch.zeros(num_hiddens))
        self.positions = nn.Parameter(torch.zeros(1 + patches[0] * patches[1], num_hiddens))
        self.patches = TorchPatches(img_size, patch_size, num_hiddens)
        sizes = num_hiddens, num_hiddens, mlp_num_hiddens, num_heads, blk_dropout, use_bias
        self.blocks = nn.ModuleList(TorchBlock(*sizes) for _ in range(num_blks))
        self.norm, self.dense = nn.LayerNorm(num_hiddens), nn.Linear(num_hiddens, num_classes)
        self.dropout = nn.Dropout(emb_dropout)

    def forward(self, X):
        patches = self.patches(X) + self.positions[1:]
        token = (self.token + self.positions[0]).repeat(len(X), 1, 1)
        X = self.dropout(torch.cat((token, patches), dim=1))
        for block in self.blocks:
            X = block(X)
        return self.dense(self.norm(X)[:, 0])


# Patches ------------------------------------------------------------------------------------------


def images(*shape):
    return lambda: (torch.randn(shape),)


def cut(img_size, patch_size, num_hiddens=3):
    return {"img_size": img_size, "patch_size": patch_size, "num_hiddens": num_hiddens}


TALL = Setting(images(2, 3, 6, 4), cut((6, 4), (3, 2)))
patches = Layer(
    "PatchEmbedding",
    TorchPatches,
    [
        Setting(images(1, 1, 1, 1), cut(1, 1, 1)),
        Setting(images(1, 1, 2, 2), cut(2, 1)),
        Setting(images(1, 2, 4, 4), cut(4, 2)),
        Setting(images(2, 3, 6, 6), cut(6, 2, 5)),
    ],
)
test_PatchEmbedding_values = patches.values(title="embeds the patches, row by row")
test_PatchEmbedding_sizes = patches.values(
    Setting(images(1, 1, 2, 4), cut((2, 4), 2)),
    Setting(images(1, 2, 4, 6), cut((4, 6), (2, 3))),
    TALL,
    Setting(images(2, 1, 5, 7), cut((5, 7), 2)),
    title="takes images and patches that are not square, and leaves out the rest",
)


def test_PatchEmbedding_count(student):
    """knows its num_patches"""
    for options, count in [
        (cut(1, 1), 1),
        (cut(4, 2), 4),
        (cut((4, 6), (2, 3)), 4),
        (cut((2, 6), 2), 3),
        (cut((7, 3), (2, 1)), 9),
        ({}, 36),
    ]:
        found = student.PatchEmbedding(**options).num_patches
        assert_same(found, count, what="num_patches")


test_PatchEmbedding_gradient = patches.gradient(TALL)
test_PatchEmbedding_arguments = patches.keeps_arguments(TALL)


test_PatchEmbedding_default = patches.values(
    Setting(images(1, 1, 96, 96)),
    title="is made for 96 pixels, patches of 16 and a width of 512 unless told otherwise",
)


def test_PatchEmbedding_refuses(student):
    """refuses images of another size"""
    for size, shape in [(4, (5, 5)), (4, (4, 5)), (4, (3, 4)), ((4, 6), (6, 4))]:
        net = student.PatchEmbedding(**cut(size, 2))
        refuses(ValueError, net, torch.zeros(1, 1, *shape))


test_PatchEmbedding_dtype = patches.keeps_dtype(TALL)
test_PatchEmbedding_layout = patches.any_layout(TALL)
test_PatchEmbedding_empty = patches.empty_batch(TALL)
test_PatchEmbedding_device = patches.other_device(TALL)

# The block ----------------------------------------------------------------------------------------


def sequences(b, n, h, *lens):
    return lambda: (torch.randn(b, n, h), *map(torch.tensor, lens))


def block(h=4, mlp=3, heads=2, dropout=0.0, norm_shape=None, **more):
    options = {"num_hiddens": h, "norm_shape": norm_shape or h, "mlp_num_hiddens": mlp}
    return options | {"num_heads": heads, "dropout": dropout} | more


PLAIN = Setting(sequences(2, 3, 4), block(mlp=5))
vit_block = Layer(
    "ViTBlock",
    TorchBlock,
    [
        Setting(sequences(1, 1, 2), block(h=2, mlp=1, heads=1)),
        Setting(sequences(1, 2, 4), block(heads=1)),
        Setting(sequences(2, 3, 6), block(h=6, heads=3)),
        Setting(sequences(2, 3, 4), block(norm_shape=(3, 4))),
    ],
)
test_ViTBlock_values = vit_block.values()
test_ViTBlock_lengths = vit_block.values(
    Setting(sequences(1, 2, 4, [1]), block()),
    Setting(sequences(2, 3, 4, [3, 1]), block()),
    title="leaves out what lies beyond each length, if there are any",
)
test_ViTBlock_bias = vit_block.values(
    Setting(sequences(2, 3, 4), block(use_bias=True)),
    title="has a bias in the attention if asked to",
)
test_ViTBlock_gradient = vit_block.gradient(PLAIN)
test_ViTBlock_arguments = vit_block.keeps_arguments(PLAIN)
test_ViTBlock_dropout = vit_block.dropped(Setting(sequences(2, 3, 4), block(dropout=1.0)))
test_ViTBlock_dtype = vit_block.keeps_dtype(PLAIN)
test_ViTBlock_layout = vit_block.any_layout(PLAIN)
test_ViTBlock_empty = vit_block.empty_batch(PLAIN)
test_ViTBlock_device = vit_block.other_device(PLAIN)

# The network --------------------------------------------------------------------------------------


def whole(img=4, patch=2, h=4, mlp=3, heads=2, blks=1, emb=0.0, blk=0.0, **more):
    options = {"img_size": img, "patch_size": patch, "num_hiddens": h, "mlp_num_hiddens": mlp}
    options |= {"num_heads": heads, "num_blks": blks, "emb_dropout": emb, "blk_dropout": blk}
    return options | {"num_classes": 3} | more


SMALL = Setting(images(2, 1, 4, 6), whole((4, 6)))
vit = Layer(
    "ViT",
    TorchViT,
    [
        Setting(images(1, 1, 2, 2), whole(2, 2, h=2, heads=1)),
        Setting(images(2, 2, 4, 4), whole()),
        SMALL,
    ],
)
test_ViT_values = vit.values()
test_ViT_blocks = vit.values(
    Setting(images(2, 1, 4, 4), whole(blks=3)), title="has as many blocks as it is told"
)


def test_ViT_classes(student):
    """has ten classes unless told otherwise"""
    options = whole()
    del options["num_classes"]
    vit.values(Setting(images(2, 1, 4, 4), options))(student)
    vit.values(Setting(images(2, 1, 4, 4), whole(num_classes=1)))(student)


test_ViT_bias = vit.values(
    Setting(images(2, 1, 4, 4), whole(use_bias=True)),
    title="has a bias in the attention if asked to",
)
test_ViT_gradient = vit.gradient(SMALL)
test_ViT_arguments = vit.keeps_arguments(SMALL)
test_ViT_dropout = vit.dropped(
    Setting(images(2, 1, 4, 4), whole(emb=1.0)),
    Setting(images(2, 1, 4, 4), whole(blk=1.0)),
    title="drops from the embedding, and in the blocks, in training only",
)
test_ViT_dtype = vit.keeps_dtype(SMALL)
test_ViT_layout = vit.any_layout(SMALL)
test_ViT_empty = vit.empty_batch(SMALL)
test_ViT_device = vit.other_device(SMALL)


def descend(net, X, labels, steps):
    """The losses before and after some steps of Adam on one batch; runs beside the network."""
    net.train()
    net(X)  # so that lazy layers have parameters
    optimizer, losses = torch.optim.Adam(net.parameters(), lr=0.01), []
    for _ in range(steps + 1):
        loss = F.cross_entropy(net(X), labels)
        losses.append(float(loss.detach()))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return losses[0], losses[-1]


@pytest.mark.training
@pytest.mark.timeout(60)
def test_ViT_digits(student):
    """learns a few handwritten digits in a few steps"""
    X, labels = few_digits(16, 16)
    options = whole(16, 4, h=16, mlp=32, blks=2, num_classes=10)
    with student.deadline(30):
        first, last = student.run(descend, student.ViT(**options), X, labels, 60)
    if not last < 0.5:
        raise Mismatch(
            "60 steps of Adam on 16 images leave the loss too high.",
            expected="less than 0.5",
            got=f"{last:.3f}, after {first:.3f} before the first step",
        )
