"""Section 11.8: Transformers for vision.

An image is worth some dozens of words: its patches, read row by row.
"""

import torch
from multihead_attention import MultiHeadAttention
from torch import nn


class PatchEmbedding(nn.Module):
    """Cut an image into square patches, and make a vector of each by one linear map.

    Args:
        img_size: int or pair of ints, height and width of the images; an int is both.
        patch_size: int or pair of ints, height and width of a patch; an int is both. What is left
            over at the right and the bottom is not used.
        num_hiddens: int, the width of the vectors.

    Attributes:
        num_patches: int, how many patches an image has.

    Returns:
        Called with X, float tensor (b, channels, height, width) of any number of channels, which
        is not modified: float tensor (b, num_patches, num_hiddens), with the dtype and device of X.
        The patches come row by row: first the top row from left to right, then the next.

    Formula:
        result[:, p] = W x_p + bias, with x_p the pixels of patch p, channel by channel and row by
        row. That is a convolution with kernel and stride patch_size, and its parameters are those
        of torch.nn.Conv2d (torch.nn.LazyConv2d finds out the channels by itself).

    Raises:
        ValueError: a call with images of another size than img_size.

    Example:
        >>> embedding = PatchEmbedding(img_size=96, patch_size=16, num_hiddens=512)
        >>> embedding.num_patches
        36
        >>> embedding(torch.zeros(4, 3, 96, 96)).shape
        torch.Size([4, 36, 512])

    Book: 11.8.2
    """

    def __init__(self, img_size=96, patch_size=16, num_hiddens=512):
        super().__init__()
        raise NotImplementedError("PatchEmbedding.__init__")

    def forward(self, X):
        raise NotImplementedError("PatchEmbedding.forward")


def _pair(size):
    return (size, size) if isinstance(size, int) else tuple(size)


class ViTBlock(nn.Module):
    """An encoder block with the norms first, and GELU in its network.

    Other than in the book's first transformer, the residual way stays untouched from end to end:
    norms stand at the entrance of each layer, not behind the sum.

    Args:
        num_hiddens: int, the width of the sequence; a multiple of num_heads.
        norm_shape: int or tuple of ints, as torch.nn.LayerNorm takes it.
        mlp_num_hiddens: int, the width of the hidden layer in the MLP.
        num_heads: int, how many heads the attention has.
        dropout: float from 0 to 1, for the attention weights, and for what comes out of either
            layer of the MLP (after GELU, and at its end); in training only.
        use_bias: bool, whether the four layers of MultiHeadAttention have a bias.

    Returns:
        Called with X, float tensor (b, n, num_hiddens), and valid_lens (None unless given, else
        as in masked_softmax), neither of which is modified: float tensor (b, n, num_hiddens), with
        the dtype and device of X. Inputs have the width num_hiddens.

    Formula:
        Z = LayerNorm1(X)
        Y = X + attention(Z, Z, Z, valid_lens)
        result = Y + MLP(LayerNorm2(Y))
        MLP(Z) = dropout(dense2(dropout(gelu(dense1(Z))))), gelu being torch.nn.GELU()

    Example:
        >>> block = ViTBlock(num_hiddens=24, norm_shape=24, mlp_num_hiddens=48, num_heads=8,
        ...     dropout=0.0)
        >>> block(torch.ones(2, 100, 24)).shape
        torch.Size([2, 100, 24])

    Book: 11.8.3
    """

    def __init__(
        self, num_hiddens, norm_shape, mlp_num_hiddens, num_heads, dropout, use_bias=False
    ):
        super().__init__()
        raise NotImplementedError("ViTBlock.__init__")

    def forward(self, X, valid_lens=None):
        raise NotImplementedError("ViTBlock.forward")


class ViT(nn.Module):
    """A vision transformer: patches, a token that asks on behalf of the image, and blocks.

    In front of the patches comes one more vector, the class token, which is learned and the same
    for every image. Through attention it gathers what the patches know; the classes are read off
    it alone. Where a patch was is told by vectors that are learned too, one for each place.

    Args:
        img_size: int or pair of ints, height and width of the images.
        patch_size: int or pair of ints, height and width of a patch.
        num_hiddens: int, the width of everything; a multiple of num_heads.
        mlp_num_hiddens: int, the width of the hidden layer in each block's MLP.
        num_heads: int, how many heads each attention has.
        num_blks: int, how many blocks; at least 1.
        emb_dropout: float from 0 to 1, for the embedded sequence; in training only.
        blk_dropout: float from 0 to 1, in all blocks; in training only.
        use_bias: bool, whether the layers of MultiHeadAttention have a bias.
        num_classes: int, how many classes.

    Returns:
        Called with X, float tensor (b, channels, height, width), which is not modified: the
        logits, float tensor (b, num_classes), with the dtype and device of X.

    Formula:
        Z = PatchEmbedding(X), (b, n, num_hiddens)
        Z = dropout([class token, Z] + positions), (b, n + 1, num_hiddens)
        Z = ViTBlock(Z), for each block in turn
        logits = dense(LayerNorm(Z[:, 0])), with bias

        The class token and the positions, (n + 1, num_hiddens), are parameters.

    Example:
        >>> vit = ViT(img_size=36, patch_size=16, num_hiddens=8, mlp_num_hiddens=16, num_heads=2,
        ...     num_blks=2, emb_dropout=0.0, blk_dropout=0.0)
        >>> vit(torch.zeros(4, 3, 36, 36)).shape
        torch.Size([4, 10])

    Book: 11.8.4
    """

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
        raise NotImplementedError("ViT.__init__")

    def forward(self, X):
        raise NotImplementedError("ViT.forward")
