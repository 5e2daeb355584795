"""Section 11.7: The transformer architecture.

Attention, a small network for each position, and between them sums and norms; no recurrence.
"""

import math

import torch
from d2l import torch as d2l
from multihead_attention import MultiHeadAttention
from positional_encoding import PositionalEncoding
from torch import nn


class PositionWiseFFN(nn.Module):
    """The same two-layer network for every position of a sequence.

    Args:
        ffn_num_hiddens: int, the width of the hidden layer.
        ffn_num_outputs: int, the width of the result.

    Returns:
        Called with X, float tensor (b, n, d) of any d, which is not modified: float tensor
        (b, n, ffn_num_outputs), with the dtype and device of X. Both layers have a bias;
        torch.nn.LazyLinear finds out d by itself.

    Formula:
        result = dense2(relu(dense1(X))), along the last axis

    Example:
        >>> ffn = PositionWiseFFN(ffn_num_hiddens=4, ffn_num_outputs=8)
        >>> Y = ffn(torch.ones(2, 3, 5))
        >>> Y.shape
        torch.Size([2, 3, 8])
        >>> bool((Y[0, 0] == Y[1, 2]).all())
        True

    Book: 11.7.2
    """

    def __init__(self, ffn_num_hiddens, ffn_num_outputs):
        super().__init__()
        raise NotImplementedError("PositionWiseFFN.__init__")

    def forward(self, X):
        raise NotImplementedError("PositionWiseFFN.forward")


class AddNorm(nn.Module):
    """A residual connection, then layer normalization.

    Args:
        norm_shape: int or tuple of ints, the axes to normalize over, the last ones of X, as
            torch.nn.LayerNorm takes them.
        dropout: float from 0 to 1, the probability that an entry of Y is dropped in training,
            before it is added, as torch.nn.Dropout does it. In eval mode nothing is dropped.

    Returns:
        Called with X and Y, float tensors of one shape, neither of which is modified: float tensor
        of the same shape, dtype and device. X is what entered a layer, and Y what that layer made
        of it.

    Formula:
        result = LayerNorm(X + dropout(Y)), with a scale and a shift to be learned

    Example:
        >>> add_norm = AddNorm(norm_shape=4, dropout=0.0)
        >>> add_norm(torch.zeros(1, 4), torch.tensor([[1.0, 1.0, 3.0, 3.0]])).round().detach()
        tensor([[-1., -1.,  1.,  1.]])

    Book: 11.7.3
    """

    def __init__(self, norm_shape, dropout):
        super().__init__()
        raise NotImplementedError("AddNorm.__init__")

    def forward(self, X, Y):
        raise NotImplementedError("AddNorm.forward")


class TransformerEncoderBlock(nn.Module):
    """Self-attention, then the position-wise network, each followed by an AddNorm of its own.

    Args:
        num_hiddens: int, the width of the sequence; a multiple of num_heads.
        ffn_num_hiddens: int, the width of the hidden layer in PositionWiseFFN.
        num_heads: int, how many heads the attention has.
        dropout: float from 0 to 1, for the attention weights and in both AddNorms; in training
            only.
        use_bias: bool, whether the four layers of MultiHeadAttention have a bias.

    Returns:
        Called with X, float tensor (b, n, num_hiddens), and valid_lens (None, or int64 of shape
        (b,) or (b, n), as in masked_softmax), neither of which is modified: float tensor
        (b, n, num_hiddens), with the dtype and device of X. Inputs have the width num_hiddens.

    Formula:
        Y = AddNorm(X, attention(X, X, X, valid_lens))
        result = AddNorm(Y, ffn(Y))

    Example:
        >>> block = TransformerEncoderBlock(
        ...     num_hiddens=24, ffn_num_hiddens=48, num_heads=8, dropout=0.0)
        >>> block(torch.ones(2, 100, 24), torch.tensor([3, 2])).shape
        torch.Size([2, 100, 24])

    Book: 11.7.4
    """

    def __init__(self, num_hiddens, ffn_num_hiddens, num_heads, dropout, use_bias=False):
        super().__init__()
        raise NotImplementedError("TransformerEncoderBlock.__init__")

    def forward(self, X, valid_lens):
        raise NotImplementedError("TransformerEncoderBlock.forward")


class TransformerEncoder(d2l.Encoder):
    """Tokens, their positions, and a stack of encoder blocks.

    Args:
        vocab_size: int, how many tokens there are.
        num_hiddens: int, the width of everything; a multiple of num_heads.
        ffn_num_hiddens: int, the width of the hidden layer in PositionWiseFFN.
        num_heads: int, how many heads the attention has.
        num_blks: int, how many blocks; at least 1.
        dropout: float from 0 to 1, for the positional encoding and in all blocks; in training only.
        use_bias: bool, whether the layers of MultiHeadAttention have a bias.

    Returns:
        Called with X, int64 tensor (b, n) of tokens, and valid_lens (None, or int64 of shape (b,)
        or (b, n), as in masked_softmax), neither of which is modified: float tensor
        (b, n, num_hiddens).

    Formula:
        Z = PositionalEncoding(embedding(X) * sqrt(num_hiddens)), with the usual max_len
        Z = block(Z, valid_lens), for each block in turn
        result = Z

        The positions' sines and cosines are about as large as 1; the root brings the embedding,
        torch.nn.Embedding, to a like size before they meet.

    Example:
        >>> encoder = TransformerEncoder(vocab_size=200, num_hiddens=24, ffn_num_hiddens=48,
        ...     num_heads=8, num_blks=2, dropout=0.0)
        >>> encoder(torch.ones(2, 100, dtype=torch.long), torch.tensor([3, 2])).shape
        torch.Size([2, 100, 24])

    Book: 11.7.4
    """

    def __init__(
        self, vocab_size, num_hiddens, ffn_num_hiddens, num_heads, num_blks, dropout, use_bias=False
    ):
        super().__init__()
        raise NotImplementedError("TransformerEncoder.__init__")

    def forward(self, X, valid_lens):
        raise NotImplementedError("TransformerEncoder.forward")


class TransformerDecoderBlock(nn.Module):
    """Masked self-attention, attention to the encoder, and the position-wise network.

    In training the whole target sequence is there at once, and each step may look at itself and
    the steps before it, never ahead. In prediction there is one new step at a time; what the block
    was given at the steps before is kept in the state, so that it need not be computed again.

    Args:
        num_hiddens: int, the width of the sequence; a multiple of num_heads.
        ffn_num_hiddens: int, the width of the hidden layer in PositionWiseFFN.
        num_heads: int, how many heads each attention has.
        dropout: float from 0 to 1, for all attention weights and in all three AddNorms; in training
            only.
        i: int, which block of the decoder this is, counted from 0: its place in the state.

    Returns:
        Called with X, float tensor (b, n, num_hiddens), and state, a list of three:
            state[0]: the encoder's outputs, float tensor (b, m, num_hiddens),
            state[1]: how many of these count, int64 (b,), or None for all,
            state[2]: a list with a place for each block. state[2][i] holds the inputs X of this
                block at all steps so far, side by side, (b, steps, num_hiddens), or None before
                the first call. The other places belong to other blocks.
        Gives a pair: float tensor (b, n, num_hiddens) with the dtype and device of X, and the
        state with state[2][i] brought up to date; that may be the list given. No tensor is
        modified. Inputs have the width num_hiddens.

        In training mode a call has all steps, and state[2][i] is None. In eval mode calls have one
        step each, n = 1.

    Formula:
        K = state[2][i] and X, side by side along axis 1; just X if there is None
        Y = AddNorm(X, attention1(X, K, K)), each step attending to itself and those before it
        Z = AddNorm(Y, attention2(Y, state[0], state[0], state[1]))
        result = AddNorm(Z, ffn(Z))

        Both attentions are MultiHeadAttention without bias. Step by step in eval mode gives what
        the whole sequence gives at once in training mode, but for dropout.

    Example:
        >>> block = TransformerDecoderBlock(
        ...     num_hiddens=24, ffn_num_hiddens=48, num_heads=8, dropout=0.0, i=0)
        >>> X, state = torch.ones(2, 5, 24), [torch.ones(2, 7, 24), torch.tensor([3, 2]), [None]]
        >>> Y, state = block(X, state)
        >>> Y.shape, state[2][0].shape
        (torch.Size([2, 5, 24]), torch.Size([2, 5, 24]))

    Book: 11.7.5
    """

    def __init__(self, num_hiddens, ffn_num_hiddens, num_heads, dropout, i):
        super().__init__()
        raise NotImplementedError("TransformerDecoderBlock.__init__")

    def forward(self, X, state):
        raise NotImplementedError("TransformerDecoderBlock.forward")


class TransformerDecoder(d2l.Decoder):
    """Tokens, their positions, a stack of decoder blocks, and a score for each token.

    Args:
        vocab_size: int, how many tokens there are.
        num_hiddens: int, the width of everything; a multiple of num_heads.
        ffn_num_hiddens: int, the width of the hidden layer in PositionWiseFFN.
        num_heads: int, how many heads each attention has.
        num_blks: int, how many blocks; at least 1.
        dropout: float from 0 to 1, for the positional encoding and in all blocks; in training only.

    Returns:
        init_state(enc_outputs, enc_valid_lens) gives the state for the first call, in the form
        that TransformerDecoderBlock takes, with a place for each block. enc_outputs is a float
        tensor (b, m, num_hiddens), enc_valid_lens is None or int64 (b,).

        Called with X, int64 tensor (b, n) of tokens, and a state: a pair of the logits, float
        tensor (b, n, vocab_size), and the state to go on with. No tensor is modified. In training
        mode a call has all steps; in eval mode calls have one step each, n = 1.

    Formula:
        Z = PositionalEncoding(embedding(X) * sqrt(num_hiddens)), with the usual max_len
        Z, state = block(Z, state), for block number 0, 1, ... in turn
        logits = dense(Z)

        Positions count from the start of the sequence. So when decoding step by step, the third
        token is at position 2 though it comes alone; the blocks' places in the state tell how many
        came before. (The book's code gives position 0 to every token that comes alone.) Then
        step by step in eval mode gives what the whole sequence gives at once in training mode, but
        for dropout.

    Example:
        >>> decoder = TransformerDecoder(vocab_size=200, num_hiddens=24, ffn_num_hiddens=48,
        ...     num_heads=8, num_blks=2, dropout=0.0)
        >>> state = decoder.init_state(torch.ones(2, 7, 24), torch.tensor([3, 2]))
        >>> logits, state = decoder(torch.ones(2, 5, dtype=torch.long), state)
        >>> logits.shape
        torch.Size([2, 5, 200])

    Book: 11.7.5
    """

    def __init__(self, vocab_size, num_hiddens, ffn_num_hiddens, num_heads, num_blks, dropout):
        super().__init__()
        raise NotImplementedError("TransformerDecoder.__init__")

    def init_state(self, enc_outputs, enc_valid_lens):
        raise NotImplementedError("TransformerDecoder.init_state")

    def forward(self, X, state):
        raise NotImplementedError("TransformerDecoder.forward")
