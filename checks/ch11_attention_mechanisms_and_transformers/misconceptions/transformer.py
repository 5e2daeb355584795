"""Wrong answers to section 11.7 that people really give."""

import math

import torch
from torch import nn

from d2lgrade.testkit import misconception

# The parts, and blocks that are right in steps; each answer below goes wrong in one of them.


class Attention(nn.Module):
    def __init__(self, width, heads, dropout, bias=False):
        super().__init__()
        self.W_q, self.W_k, self.W_v, self.W_o = (nn.Linear(width, width, bias) for _ in range(4))
        self.heads, self.dropout = heads, nn.Dropout(dropout)

    def forward(self, queries, keys, values, lens):
        Q, K, V = (
            W(X).unflatten(2, (self.heads, -1)).transpose(1, 2)
            for W, X in ((self.W_q, queries), (self.W_k, keys), (self.W_v, values))
        )
        scores = Q @ K.transpose(2, 3) / math.sqrt(Q.shape[3])
        if lens is not None:
            lens = lens[:, None, None, None] if lens.dim() == 1 else lens[:, None, :, None]
            hidden = torch.arange(K.shape[2], device=lens.device) >= lens
            scores = scores.masked_fill(hidden, -1e6)
        heads = self.dropout(scores.softmax(-1)) @ V
        return self.W_o(heads.transpose(1, 2).flatten(2))


class Network(nn.Module):
    def __init__(self, ffn_num_hiddens, ffn_num_outputs):
        super().__init__()
        self.one, self.two = nn.LazyLinear(ffn_num_hiddens), nn.LazyLinear(ffn_num_outputs)

    def forward(self, X):
        return self.two(self.one(X).relu())


class Sum(nn.Module):
    def __init__(self, norm_shape, dropout):
        super().__init__()
        self.ln, self.dropout = nn.LayerNorm(norm_shape), nn.Dropout(dropout)

    def forward(self, X, Y):
        return self.ln(self.dropout(Y) + X)


def with_positions(X, first=0):
    n, h = X.shape[1:]
    at = torch.arange(first, first + n, dtype=torch.float32, device=X.device)
    angles = at[:, None] / 10000 ** (torch.arange(0, h, 2, device=X.device) / h)
    return X + torch.stack((angles.sin(), angles.cos()), dim=2).flatten(1)[:, :h]


@misconception(
    "PositionWiseFFN",
    "no-activation",
    why="Nothing happens between your layers, and two linear layers in a row are but one. ReLU "
    "goes between them.",
    book="11.7.2",
)
class PositionWiseFFNLinear(Network):
    def forward(self, X):
        return self.two(self.one(X))


@misconception(
    "PositionWiseFFN",
    "activation-after",
    why="You apply ReLU to the result. It belongs between the two layers.",
    book="11.7.2",
)
class PositionWiseFFNAfter(Network):
    def forward(self, X):
        return self.two(self.one(X)).relu()


@misconception(
    "PositionWiseFFN",
    "gelu",
    why="You take GELU. The book's network has ReLU; GELU comes with the vision transformer.",
    book="11.7.2",
)
class PositionWiseFFNGelu(Network):
    def forward(self, X):
        return self.two(nn.functional.gelu(self.one(X)))


@misconception(
    "PositionWiseFFN",
    "positions-together",
    why="You flatten the sequence, so that one network sees all positions at once. Each position "
    "goes through alone: linear layers do so by themselves, along the last axis.",
    book="11.7.2",
)
class PositionWiseFFNFlat(Network):
    def forward(self, X):
        return self.two(self.one(X.flatten(1)).relu()).unsqueeze(1).repeat(1, X.shape[1], 1)


@misconception(
    "AddNorm",
    "norm-before-sum",
    why="You normalize Y and then add X. First the sum, then the norm of it all.",
    book="11.7.3",
)
class AddNormBefore(Sum):
    def forward(self, X, Y):
        return X + self.ln(self.dropout(Y))


@misconception(
    "AddNorm",
    "no-residual",
    why="X has no part in the result. Add it to Y.",
    book="11.7.3",
)
class AddNormAlone(Sum):
    def forward(self, X, Y):
        return self.ln(self.dropout(Y))


@misconception(
    "AddNorm",
    "shortcut-dropped",
    why="You drop entries of X, the shortcut. Dropout belongs to Y, what the layer made of it.",
    book="11.7.3",
)
class AddNormDropsX(Sum):
    def forward(self, X, Y):
        return self.ln(self.dropout(X) + Y)


@misconception(
    "AddNorm",
    "result-dropped",
    why="You drop entries of the result. Dropout belongs to Y, before the sum.",
    book="11.7.3",
)
class AddNormDropsResult(Sum):
    def forward(self, X, Y):
        return self.dropout(self.ln(Y + X))


@misconception(
    "AddNorm",
    "argument-changed",
    why="X += Y writes the sum into the tensor of your caller. X + Y makes a new one.",
    book="11.7.3",
)
class AddNormInPlace(Sum):
    def forward(self, X, Y):
        with torch.no_grad():
            X += self.dropout(Y)
        return self.ln(X)


class Block(nn.Module):
    def __init__(self, num_hiddens, ffn_num_hiddens, num_heads, dropout, use_bias=False):
        super().__init__()
        self.attention = Attention(num_hiddens, num_heads, dropout, use_bias)
        self.sum1, self.sum2 = Sum(num_hiddens, dropout), Sum(num_hiddens, dropout)
        self.ffn = Network(ffn_num_hiddens, num_hiddens)

    def forward(self, X, valid_lens):
        Y = self.sum1(X, self.attention(X, X, X, valid_lens))
        return self.sum2(Y, self.ffn(Y))


@misconception(
    "TransformerEncoderBlock",
    "second-shortcut-too-long",
    why="Your second AddNorm adds X. Its shortcut starts where its layer does: it adds Y.",
    book="11.7.4",
)
class TransformerEncoderBlockLong(Block):
    def forward(self, X, valid_lens):
        Y = self.sum1(X, self.attention(X, X, X, valid_lens))
        return self.sum2(X, self.ffn(Y))


@misconception(
    "TransformerEncoderBlock",
    "one-addnorm-for-both",
    why="You use one AddNorm twice. There are two, each with a scale and a shift of its own.",
    book="11.7.4",
)
class TransformerEncoderBlockShared(Block):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.sum2 = self.sum1


@misconception(
    "TransformerEncoderBlock",
    "norm-first",
    why="You normalize before each layer, as newer transformers do. The book's block has the norm "
    "after the sum: AddNorm.",
    book="11.7.4",
)
class TransformerEncoderBlockPre(Block):
    def forward(self, X, valid_lens):
        Z = self.sum1.ln(X)
        X = X + self.attention(Z, Z, Z, valid_lens)
        return X + self.ffn(self.sum2.ln(X))


@misconception(
    "TransformerEncoderBlock",
    "lengths-ignored",
    why="valid_lens has no effect: hand it on to the attention.",
    book="11.7.4",
)
class TransformerEncoderBlockUnmasked(Block):
    def forward(self, X, valid_lens):
        return super().forward(X, None)


@misconception(
    "TransformerEncoderBlock",
    "bias-forgotten",
    why="use_bias has no effect: hand it on to MultiHeadAttention.",
    book="11.7.4",
)
class TransformerEncoderBlockNoBias(Block):
    def __init__(self, num_hiddens, ffn_num_hiddens, num_heads, dropout, use_bias=False):
        super().__init__(num_hiddens, ffn_num_hiddens, num_heads, dropout)


@misconception(
    "TransformerEncoderBlock",
    "dropout-forgotten",
    why="dropout has no effect: hand it on to the attention and to both AddNorms.",
    book="11.7.4",
)
class TransformerEncoderBlockNoDropout(Block):
    def __init__(self, num_hiddens, ffn_num_hiddens, num_heads, dropout, use_bias=False):
        super().__init__(num_hiddens, ffn_num_hiddens, num_heads, 0.0, use_bias)


class Stack(nn.Module):
    def __init__(
        self, vocab_size, num_hiddens, ffn_num_hiddens, num_heads, num_blks, dropout, use_bias=False
    ):
        super().__init__()
        self.embedding, self.dropout = nn.Embedding(vocab_size, num_hiddens), nn.Dropout(dropout)
        self.scale = math.sqrt(num_hiddens)
        self.blks = nn.ModuleList(
            Block(num_hiddens, ffn_num_hiddens, num_heads, dropout, use_bias)
            for _ in range(num_blks)
        )

    def embed(self, X):
        return self.dropout(with_positions(self.embedding(X) * self.scale))

    def forward(self, X, valid_lens):
        X = self.embed(X)
        for blk in self.blks:
            X = blk(X, valid_lens)
        return X


@misconception(
    "TransformerEncoder",
    "not-scaled",
    why="The embedding goes in as it is. Multiply it by the root of num_hiddens before the "
    "positions are added.",
    book="11.7.4",
)
class TransformerEncoderNotScaled(Stack):
    def embed(self, X):
        return self.dropout(with_positions(self.embedding(X)))


@misconception(
    "TransformerEncoder",
    "scaled-with-positions",
    why="You add the positions first and scale the sum. Only the embedding is multiplied by the "
    "root of num_hiddens.",
    book="11.7.4",
)
class TransformerEncoderScaledLate(Stack):
    def embed(self, X):
        return self.dropout(with_positions(self.embedding(X)) * self.scale)


@misconception(
    "TransformerEncoder",
    "no-positions",
    why="The positions are never added, so the encoder cannot tell one order of the tokens from "
    "another.",
    book="11.7.4",
)
class TransformerEncoderNoPositions(Stack):
    def embed(self, X):
        return self.dropout(self.embedding(X) * self.scale)


@misconception(
    "TransformerEncoder",
    "one-block-again-and-again",
    why="All your blocks are one object, with one set of parameters. Make a new block for each "
    "round.",
    book="11.7.4",
)
class TransformerEncoderSameBlock(Stack):
    def __init__(
        self, vocab_size, num_hiddens, ffn_num_hiddens, num_heads, num_blks, dropout, use_bias=False
    ):
        super().__init__(
            vocab_size, num_hiddens, ffn_num_hiddens, num_heads, num_blks, dropout, use_bias
        )
        self.blks = nn.ModuleList([self.blks[0]] * num_blks)


@misconception(
    "TransformerEncoder",
    "blocks-not-registered",
    why="The blocks are in a plain list, where PyTorch does not find their parameters. "
    "nn.ModuleList or nn.Sequential registers them.",
    book="11.7.4",
)
class TransformerEncoderPlainList(Stack):
    def __init__(
        self, vocab_size, num_hiddens, ffn_num_hiddens, num_heads, num_blks, dropout, use_bias=False
    ):
        super().__init__(
            vocab_size, num_hiddens, ffn_num_hiddens, num_heads, num_blks, dropout, use_bias
        )
        self.__dict__["blocks"] = list(self.blks)
        self.blks = nn.ModuleList()

    def forward(self, X, valid_lens):
        X = self.embed(X)
        for blk in self.blocks:
            X = blk(X, valid_lens)
        return X


@misconception(
    "TransformerEncoder",
    "lengths-ignored",
    why="valid_lens has no effect: hand it on to every block.",
    book="11.7.4",
)
class TransformerEncoderUnmasked(Stack):
    def forward(self, X, valid_lens):
        return super().forward(X, None)


class Target(nn.Module):
    def __init__(self, num_hiddens, ffn_num_hiddens, num_heads, dropout, i):
        super().__init__()
        self.i = i
        self.att1, self.att2 = (Attention(num_hiddens, num_heads, dropout) for _ in range(2))
        self.sums = nn.ModuleList(Sum(num_hiddens, dropout) for _ in range(3))
        self.ffn = Network(ffn_num_hiddens, num_hiddens)

    def seen(self, X):
        return torch.arange(1, X.shape[1] + 1, device=X.device).repeat(len(X), 1)

    def remember(self, X, state):
        past = state[2][self.i]
        state[2][self.i] = X if past is None else torch.cat((past, X), dim=1)
        return state[2][self.i]

    def ask(self, Y, source, lens):
        return self.att2(Y, source, source, lens)

    def forward(self, X, state):
        keys = self.remember(X, state)
        Y = self.sums[0](X, self.att1(X, keys, keys, self.seen(X) if self.training else None))
        Z = self.sums[1](Y, self.ask(Y, state[0], state[1]))
        return self.sums[2](Z, self.ffn(Z)), state


@misconception(
    "TransformerDecoderBlock",
    "looks-ahead",
    why="In training every step attends to the whole target, the words it has to guess included. "
    "Give each query a length: 1 for the first step, 2 for the second, and so on.",
    book="11.7.5",
)
class TransformerDecoderBlockAhead(Target):
    def seen(self, X):
        return None


@misconception(
    "TransformerDecoderBlock",
    "one-step-short",
    why="Your lengths start at 0, so that a step does not see itself. They start at 1.",
    book="11.7.5",
)
class TransformerDecoderBlockShort(Target):
    def seen(self, X):
        return super().seen(X) - 1


@misconception(
    "TransformerDecoderBlock",
    "past-forgotten",
    why="In prediction the new step attends to itself alone. Put what state[2][i] holds before it.",
    book="11.7.5",
)
class TransformerDecoderBlockForgets(Target):
    def remember(self, X, state):
        state[2][self.i] = X
        return X


@misconception(
    "TransformerDecoderBlock",
    "past-behind",
    why="You put the new step in front of the past. The order of time is: first what state[2][i] "
    "holds, then X.",
    book="11.7.5",
)
class TransformerDecoderBlockBehind(Target):
    def remember(self, X, state):
        past = state[2][self.i]
        state[2][self.i] = X if past is None else torch.cat((X, past), dim=1)
        return past if past is not None else X


@misconception(
    "TransformerDecoderBlock",
    "past-written-by-first-only",
    why="You store the first step and never add to it. state[2][i] grows with every step.",
    book="11.7.5",
)
class TransformerDecoderBlockFirstOnly(Target):
    def remember(self, X, state):
        past = state[2][self.i]
        if past is None:
            state[2][self.i] = X
            return X
        return torch.cat((past, X), dim=1)


@misconception(
    "TransformerDecoderBlock",
    "one-place-for-all",
    why="Every block uses place 0 of the state, so that blocks read one another's past. Yours is "
    "state[2][i].",
    book="11.7.5",
)
class TransformerDecoderBlockPlaceZero(Target):
    def __init__(self, num_hiddens, ffn_num_hiddens, num_heads, dropout, i):
        super().__init__(num_hiddens, ffn_num_hiddens, num_heads, dropout, 0)


@misconception(
    "TransformerDecoderBlock",
    "padding-attended",
    why="state[1] has no effect, so the decoder attends to the encoder's padding.",
    book="11.7.5",
)
class TransformerDecoderBlockUnmasked(Target):
    def ask(self, Y, source, lens):
        return super().ask(Y, source, None)


@misconception(
    "TransformerDecoderBlock",
    "encoder-only-as-keys",
    why="In your second attention the values are the decoder's own. Keys and values are both the "
    "encoder's outputs, the queries alone come from the decoder.",
    book="11.7.5",
)
class TransformerDecoderBlockOwnValues(Target):
    def ask(self, Y, source, lens):
        own = Y[:, :1].expand(-1, source.shape[1], -1)
        return self.att2(Y, source, own, lens)


@misconception(
    "TransformerDecoderBlock",
    "dropout-forgotten",
    why="dropout has no effect: hand it on to both attentions and to all three AddNorms.",
    book="11.7.5",
)
class TransformerDecoderBlockNoDropout(Target):
    def __init__(self, num_hiddens, ffn_num_hiddens, num_heads, dropout, i):
        super().__init__(num_hiddens, ffn_num_hiddens, num_heads, 0.0, i)


class Decoder(nn.Module):
    def __init__(self, vocab_size, num_hiddens, ffn_num_hiddens, num_heads, num_blks, dropout):
        super().__init__()
        self.embedding, self.dropout = nn.Embedding(vocab_size, num_hiddens), nn.Dropout(dropout)
        self.scale = math.sqrt(num_hiddens)
        self.blks = nn.ModuleList(
            Target(num_hiddens, ffn_num_hiddens, num_heads, dropout, i) for i in range(num_blks)
        )
        self.dense = nn.LazyLinear(vocab_size)

    def init_state(self, enc_outputs, enc_valid_lens):
        return [enc_outputs, enc_valid_lens, [None] * len(self.blks)]

    def first(self, state):
        return 0 if state[2][0] is None else state[2][0].shape[1]

    def embed(self, X, state):
        return self.dropout(with_positions(self.embedding(X) * self.scale, self.first(state)))

    def score(self, X):
        return self.dense(X)

    def forward(self, X, state):
        X = self.embed(X, state)
        for blk in self.blks:
            X, state = blk(X, state)
        return self.score(X), state


@misconception(
    "TransformerDecoder",
    "every-step-the-first",
    why="Step by step, each token comes alone, and gets position 0 from you. Count from the start "
    "of the sequence. The book's code leaves this as it is.",
    book="11.7.5",
)
class TransformerDecoderFirst(Decoder):
    def first(self, state):
        return 0


@misconception(
    "TransformerDecoder",
    "not-scaled",
    why="The embedding goes in as it is. Multiply it by the root of num_hiddens before the "
    "positions are added.",
    book="11.7.5",
)
class TransformerDecoderNotScaled(Decoder):
    def embed(self, X, state):
        return self.dropout(with_positions(self.embedding(X), self.first(state)))


@misconception(
    "TransformerDecoder",
    "probabilities",
    why="You return probabilities. Return the scores (logits) as they are; the loss takes softmax "
    "itself.",
    book="11.7.5",
)
class TransformerDecoderSoftmax(Decoder):
    def score(self, X):
        return self.dense(X).softmax(-1)


@misconception(
    "TransformerDecoder",
    "all-blocks-number-zero",
    why="All your blocks have i = 0, so they share one place in the state and read one another's "
    "past. Number them.",
    book="11.7.5",
)
class TransformerDecoderUnnumbered(Decoder):
    def __init__(self, vocab_size, num_hiddens, ffn_num_hiddens, num_heads, num_blks, dropout):
        super().__init__(vocab_size, num_hiddens, ffn_num_hiddens, num_heads, num_blks, dropout)
        for blk in self.blks:
            blk.i = 0


@misconception(
    "TransformerDecoder",
    "padding-attended",
    why="The encoder's lengths are not in your state, so the blocks attend to padding.",
    book="11.7.5",
)
class TransformerDecoderUnmasked(Decoder):
    def init_state(self, enc_outputs, enc_valid_lens):
        return super().init_state(enc_outputs, None)
