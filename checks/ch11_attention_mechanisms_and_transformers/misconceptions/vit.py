"""Wrong answers to section 11.8 that people really give."""

import math

import torch
from torch import nn

from d2lgrade.testkit import misconception

# Answers that are right in steps; each answer below goes wrong in one of them.


def pair(size):
    return (size, size) if isinstance(size, int) else tuple(size)


class Patches(nn.Module):
    def __init__(self, img_size=96, patch_size=16, num_hiddens=512):
        super().__init__()
        self.img_size, self.patch_size = pair(img_size), pair(patch_size)
        self.num_patches = self.count()
        self.conv = nn.LazyConv2d(num_hiddens, self.patch_size, self.stride())

    def count(self):
        (h, w), (ph, pw) = self.img_size, self.patch_size
        return (h // ph) * (w // pw)

    def stride(self):
        return self.patch_size

    def flat(self, Y):
        return Y.flatten(2).transpose(1, 2)

    def forward(self, X):
        if tuple(X.shape[2:]) != self.img_size:
            raise ValueError("images of another size")
        return self.flat(self.conv(X))


@misconception(
    "PatchEmbedding",
    "columns-first",
    why="Your patches come column by column. They are read like text: row by row.",
    book="11.8.2",
)
class PatchEmbeddingColumns(Patches):
    def flat(self, Y):
        return Y.transpose(2, 3).flatten(2).transpose(1, 2)


@misconception(
    "PatchEmbedding",
    "channels-first",
    why="The result is (b, num_hiddens, patches). A sequence has its positions on axis 1 and its "
    "entries last: swap the two.",
    book="11.8.2",
)
class PatchEmbeddingChannels(Patches):
    def flat(self, Y):
        return Y.flatten(2)


@misconception(
    "PatchEmbedding",
    "reshaped",
    why="reshape alone cuts the numbers apart in the order they lie in, so each vector mixes many "
    "patches. Flatten the grid, then swap the axes.",
    book="11.8.2",
)
class PatchEmbeddingReshaped(Patches):
    def flat(self, Y):
        return Y.reshape(len(Y), -1, Y.shape[1])


@misconception(
    "PatchEmbedding",
    "patches-overlap",
    why="Your window moves on by one pixel, so patches overlap. The stride is patch_size.",
    book="11.8.2",
)
class PatchEmbeddingOverlap(Patches):
    def stride(self):
        return 1


@misconception(
    "PatchEmbedding",
    "height-and-width-swapped",
    why="You swap height and width of the patches. The first number is the height.",
    book="11.8.2",
)
class PatchEmbeddingSwapped(Patches):
    def __init__(self, img_size=96, patch_size=16, num_hiddens=512):
        super().__init__(img_size, pair(patch_size)[::-1], num_hiddens)


@misconception(
    "PatchEmbedding",
    "count-with-class-token",
    why="Your num_patches is one too large. The class token is added by ViT; here only patches "
    "count.",
    book="11.8.2",
)
class PatchEmbeddingOneMore(Patches):
    def count(self):
        return super().count() + 1


class Attend(nn.Module):
    def __init__(self, width, heads, dropout, bias):
        super().__init__()
        self.W_q, self.W_k, self.W_v, self.W_o = (nn.Linear(width, width, bias) for _ in range(4))
        self.heads, self.dropout = heads, nn.Dropout(dropout)

    def forward(self, X, lens):
        Q, K, V = (
            W(X).unflatten(2, (self.heads, -1)).transpose(1, 2)
            for W in (self.W_q, self.W_k, self.W_v)
        )
        scores = Q @ K.transpose(2, 3) / math.sqrt(Q.shape[3])
        if lens is not None:
            hidden = torch.arange(X.shape[1], device=X.device) >= lens[:, None, None, None]
            scores = scores.masked_fill(hidden, -1e6)
        return self.W_o((self.dropout(scores.softmax(-1)) @ V).transpose(1, 2).flatten(2))


class Pre(nn.Module):
    activation = nn.GELU

    def __init__(
        self, num_hiddens, norm_shape, mlp_num_hiddens, num_heads, dropout, use_bias=False
    ):
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(norm_shape), nn.LayerNorm(norm_shape)
        self.attend = Attend(num_hiddens, num_heads, dropout, use_bias)
        self.mlp = nn.Sequential(
            *(nn.Linear(num_hiddens, mlp_num_hiddens), self.activation(), nn.Dropout(dropout)),
            *(nn.Linear(mlp_num_hiddens, num_hiddens), nn.Dropout(dropout)),
        )

    def forward(self, X, valid_lens=None):
        X = X + self.attend(self.ln1(X), valid_lens)
        return X + self.mlp(self.ln2(X))


@misconception(
    "ViTBlock",
    "norm-after-sum",
    why="You normalize after each sum, as the block of 11.7 does. Here the norm stands at the "
    "entrance of each layer, and the sum stays as it is.",
    book="11.8.3",
)
class ViTBlockPost(Pre):
    def forward(self, X, valid_lens=None):
        X = self.ln1(X + self.attend(X, valid_lens))
        return self.ln2(X + self.mlp(X))


@misconception(
    "ViTBlock",
    "shortcut-normalized",
    why="Your shortcut starts behind the norm. Add what the layer gives to X itself.",
    book="11.8.3",
)
class ViTBlockNormalized(Pre):
    def forward(self, X, valid_lens=None):
        Z = self.ln1(X)
        Y = self.ln2(Z + self.attend(Z, valid_lens))
        return Y + self.mlp(Y)


@misconception(
    "ViTBlock",
    "relu",
    why="Your MLP has ReLU. The vision transformer's has GELU.",
    book="11.8.3",
)
class ViTBlockReLU(Pre):
    activation = nn.ReLU


@misconception(
    "ViTBlock",
    "no-second-shortcut",
    why="What enters the MLP is not added to what comes out of it. Each of the two layers has its "
    "shortcut.",
    book="11.8.3",
)
class ViTBlockOneShortcut(Pre):
    def forward(self, X, valid_lens=None):
        X = X + self.attend(self.ln1(X), valid_lens)
        return self.mlp(self.ln2(X))


@misconception(
    "ViTBlock",
    "bias-forgotten",
    why="use_bias has no effect: hand it on to MultiHeadAttention.",
    book="11.8.3",
)
class ViTBlockNoBias(Pre):
    def __init__(
        self, num_hiddens, norm_shape, mlp_num_hiddens, num_heads, dropout, use_bias=False
    ):
        super().__init__(num_hiddens, norm_shape, mlp_num_hiddens, num_heads, dropout)


@misconception(
    "ViTBlock",
    "dropout-forgotten",
    why="dropout has no effect: it belongs into the attention, and behind both layers of the MLP.",
    book="11.8.3",
)
class ViTBlockNoDropout(Pre):
    def __init__(
        self, num_hiddens, norm_shape, mlp_num_hiddens, num_heads, dropout, use_bias=False
    ):
        super().__init__(num_hiddens, norm_shape, mlp_num_hiddens, num_heads, 0.0, use_bias)


class Whole(nn.Module):
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
        self.patches = Patches(img_size, patch_size, num_hiddens)
        self.token = nn.Parameter(torch.zeros(1, 1, num_hiddens))
        places = self.patches.num_patches + 1
        self.positions = nn.Parameter(torch.randn(1, places, num_hiddens))
        self.dropout = nn.Dropout(emb_dropout)
        sizes = num_hiddens, num_hiddens, mlp_num_hiddens, num_heads, blk_dropout, use_bias
        self.blks = nn.Sequential(*(Pre(*sizes) for _ in range(num_blks)))
        self.norm = nn.LayerNorm(num_hiddens)
        self.dense = nn.Linear(num_hiddens, num_classes)

    def join(self, token, X):
        return torch.cat((token, X), dim=1)

    def embed(self, X):
        return self.dropout(self.join(self.token.expand(len(X), -1, -1), X) + self.positions)

    def read(self, X):
        return self.dense(self.norm(X[:, 0]))

    def forward(self, X):
        return self.read(self.blks(self.embed(self.patches(X))))


@misconception(
    "ViT",
    "mean-of-all",
    why="You read the classes off the mean of all steps. The class token alone is asked: step 0.",
    book="11.8.4",
)
class ViTMean(Whole):
    def read(self, X):
        return self.dense(self.norm(X).mean(1))


@misconception(
    "ViT",
    "last-step",
    why="You read the classes off the last step, which is a patch. The class token is step 0.",
    book="11.8.4",
)
class ViTLast(Whole):
    def read(self, X):
        return self.dense(self.norm(X[:, -1]))


@misconception(
    "ViT",
    "token-at-the-end",
    why="Your class token comes after the patches. It comes before them, at position 0.",
    book="11.8.4",
)
class ViTTokenLast(Whole):
    def join(self, token, X):
        return torch.cat((X, token), dim=1)

    def read(self, X):
        return self.dense(self.norm(X[:, -1]))


@misconception(
    "ViT",
    "token-without-position",
    why="You add positions to the patches only, and put the class token in front afterwards. It "
    "has a position too: there is one more position than there are patches.",
    book="11.8.4",
)
class ViTTokenLate(Whole):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.positions = nn.Parameter(self.positions[:, 1:].detach())

    def embed(self, X):
        return self.dropout(self.join(self.token.expand(len(X), -1, -1), X + self.positions))


@misconception(
    "ViT",
    "positions-not-learned",
    why="Your positions are no parameters. Here they are learned: nn.Parameter.",
    book="11.8.4",
)
class ViTFixed(Whole):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        positions = self.positions.detach()
        del self.positions
        self.register_buffer("positions", positions)


@misconception(
    "ViT",
    "no-last-norm",
    why="The last norm, between the class token and the linear layer, is missing. Blocks with the "
    "norm first leave their result unnormalized.",
    book="11.8.4",
)
class ViTNoNorm(Whole):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.norm = nn.Identity()


@misconception(
    "ViT",
    "emb-dropout-forgotten",
    why="emb_dropout has no effect: drop from the sum of sequence and positions.",
    book="11.8.4",
)
class ViTNoEmbeddingDropout(Whole):
    def embed(self, X):
        return self.join(self.token.expand(len(X), -1, -1), X) + self.positions


@misconception(
    "ViT",
    "blk-dropout-forgotten",
    why="blk_dropout has no effect: hand it on to every block.",
    book="11.8.4",
)
class ViTNoBlockDropout(Whole):
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
        super().__init__(
            *(img_size, patch_size, num_hiddens, mlp_num_hiddens, num_heads, num_blks),
            *(emb_dropout, 0.0, use_bias, num_classes),
        )
