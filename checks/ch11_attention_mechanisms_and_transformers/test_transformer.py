"""Hidden checks of section 11.7: the transformer."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from d2lgrade.testkit.layers import Layer, Setting

# PyTorch's parts --------------------------------------------------------------------------------


def short_of(valid_lens, keys):
    """True where a key counts, to broadcast over (b, heads, q, k); None where all do."""
    if valid_lens is None:
        return None
    lens = valid_lens[:, None] if valid_lens.dim() == 1 else valid_lens
    return (torch.arange(keys) < lens[..., None])[:, None]


class Heads(nn.Module):
    """Multi-head attention by PyTorch's scaled dot-product attention."""

    def __init__(self, width, heads, dropout, bias=False):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(width, width, bias) for _ in range(4))
        self.heads, self.p = heads, dropout

    def forward(self, queries, keys, mask):
        split = (
            layer(X).unflatten(2, (self.heads, -1)).transpose(1, 2)
            for layer, X in zip(self.layers, (queries, keys, keys), strict=False)
        )
        p = self.p if self.training else 0.0
        joined = F.scaled_dot_product_attention(*split, attn_mask=mask, dropout_p=p)
        return self.layers[3](joined.transpose(1, 2).flatten(2))


class TorchFFN(nn.Sequential):
    def __init__(self, ffn_num_hiddens, ffn_num_outputs):
        super().__init__(
            nn.LazyLinear(ffn_num_hiddens), nn.ReLU(), nn.Linear(ffn_num_hiddens, ffn_num_outputs)
        )


class TorchAddNorm(nn.Module):
    def __init__(self, norm_shape, dropout):
        super().__init__()
        self.drop, self.norm = nn.Dropout(dropout), nn.LayerNorm(norm_shape)

    def forward(self, X, Y):
        return self.norm(self.drop(Y) + X)


class TorchBlock(nn.Module):
    """An encoder block, or with `target` the attentions of a decoder block."""

    def __init__(self, num_hiddens, ffn_num_hiddens, num_heads, dropout, use_bias=False, target=0):
        super().__init__()
        self.attentions = nn.ModuleList(
            Heads(num_hiddens, num_heads, dropout, use_bias) for _ in range(1 + target)
        )
        self.ffn = TorchFFN(ffn_num_hiddens, num_hiddens)
        self.norms = nn.ModuleList(TorchAddNorm(num_hiddens, dropout) for _ in range(2 + target))

    def mix(self, X, mask, *source):
        X = self.norms[0](X, self.attentions[0](X, X, mask))
        if source:
            X = self.norms[1](X, self.attentions[1](X, *source))
        return self.norms[-1](X, self.ffn(X))

    def forward(self, X, valid_lens):
        return self.mix(X, short_of(valid_lens, X.shape[1]))


class TorchDecoderBlock(TorchBlock):
    """A decoder block that computes all steps so far in each call, and gives the new ones."""

    def __init__(self, num_hiddens, ffn_num_hiddens, num_heads, dropout, i=0):
        super().__init__(num_hiddens, ffn_num_hiddens, num_heads, dropout, target=1)
        self.i = i

    def forward(self, X, state):
        source, lens, places = state
        n, past = X.shape[1], places[self.i]
        places[self.i] = X = X if past is None else torch.cat((past, X), 1)
        causal = torch.ones(X.shape[1], X.shape[1], dtype=torch.bool).tril()
        return self.mix(X, causal, source, short_of(lens, source.shape[1]))[:, -n:], state


def placed(X):
    """X with the pattern of its positions added."""
    n, h = X.shape[1:]
    j = torch.arange(h)
    angles = torch.arange(n, dtype=X.dtype)[:, None] / 10000 ** ((j - j % 2).to(X.dtype) / h)
    return X + torch.where(j % 2 == 0, angles.sin(), angles.cos())


class TorchEncoder(nn.Module):
    def __init__(self, vocab_size, num_hiddens, *widths, num_blks, dropout, **rest):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, num_hiddens)
        self.drop = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(
            self.block(num_hiddens, *widths, dropout=dropout, **rest) for _ in range(num_blks)
        )

    block = TorchBlock

    def embed(self, tokens):
        X = self.embedding(tokens)
        return self.drop(placed(X * math.sqrt(X.shape[2])))

    def forward(self, tokens, valid_lens):
        X = self.embed(tokens)
        for block in self.blocks:
            X = block(X, valid_lens)
        return X


class TorchDecoder(TorchEncoder):
    """A decoder that keeps all tokens so far and goes through them again in each call."""

    block = TorchDecoderBlock

    def __init__(self, vocab_size, num_hiddens, *widths, **rest):
        super().__init__(vocab_size, num_hiddens, *widths, **rest)
        self.dense = nn.Linear(num_hiddens, vocab_size)

    def init_state(self, enc_outputs, enc_valid_lens):
        return enc_outputs, enc_valid_lens, []

    def forward(self, tokens, state):
        source, lens, past = state
        past = [*past, tokens]
        X = self.embed(torch.cat(past, 1))
        for block in self.blocks:
            X, _ = block(X, [source, lens, [None]])
        return self.dense(X[:, -tokens.shape[1] :]), (source, lens, past)


# What is drawn, and how modules are called; the calls run beside the learner's code. --------------


def floats(*shapes):
    return lambda: tuple(torch.randn(shape) for shape in shapes)


def sequences(b, n, h, lens=None):
    """Draws (b, n, h) and lengths."""
    return lambda: (torch.randn(b, n, h), None if lens is None else torch.tensor(lens))


def texts(b, n, lens=None):
    """Draws tokens (b, n) and lengths."""
    return lambda: (torch.randint(5, (b, n)), None if lens is None else torch.tensor(lens))


def targets(b, n, m, h, lens=None):
    """Draws a target sequence, the encoder's outputs, and how many of these count."""
    more = sequences(b, m, h, lens)
    return lambda: (torch.randn(b, n, h), *more())


def translations(b, n, m, h, lens=None):
    """The same with tokens."""
    more = sequences(b, m, h, lens)
    return lambda: (torch.randint(5, (b, n)), *more())


def at_once(net, X, source, lens):
    return net(X, [source, lens, [None, None, None]])[0]


def stepwise(net, X, source, lens):
    """Step by step in eval mode."""
    net.eval()
    state, outputs = [source, lens, [None, None, None]], []
    for x in X.split(1, dim=1):
        Y, state = net(x, state)
        outputs.append(Y)
    return torch.cat(outputs, dim=1)


def among_others(net, X, source, lens):
    """With a state whose other places are taken; they must be the same afterwards."""
    others = torch.ones(len(X), 2, X.shape[2])
    places = [others, others, others]
    places[1] = None
    Y, state = net(X, [source, lens, places])
    return torch.cat((Y, state[2][0], state[2][2]), dim=1)


def decode(net, tokens, source, lens):
    return net(tokens, net.init_state(source, lens))[0]


def decode_stepwise(net, tokens, source, lens):
    """Step by step in eval mode."""
    net.eval()
    state, outputs = net.init_state(source, lens), []
    for token in tokens.split(1, dim=1):
        logits, state = net(token, state)
        outputs.append(logits)
    return torch.cat(outputs, dim=1)


# The parts --------------------------------------------------------------------------------------


def widths(hiddens, outputs):
    return {"ffn_num_hiddens": hiddens, "ffn_num_outputs": outputs}


ffn = Layer(
    "PositionWiseFFN",
    TorchFFN,
    [
        Setting(floats((1, 1, 1)), widths(1, 1)),
        Setting(floats((1, 2, 1)), widths(2, 1)),
        Setting(floats((2, 1, 3)), widths(5, 2)),
        Setting(floats((2, 3, 4)), widths(6, 4)),
    ],
)
test_PositionWiseFFN_values = ffn.values()
test_PositionWiseFFN_gradient = ffn.gradient()
test_PositionWiseFFN_arguments = ffn.keeps_arguments()
test_PositionWiseFFN_dtype = ffn.keeps_dtype()
test_PositionWiseFFN_layout = ffn.any_layout()
test_PositionWiseFFN_empty = ffn.empty_batch()
test_PositionWiseFFN_device = ffn.other_device()


def norm(shape, dropout=0.0):
    return {"norm_shape": shape, "dropout": dropout}


add_norm = Layer(
    "AddNorm",
    TorchAddNorm,
    [
        Setting(floats((1, 1, 2), (1, 1, 2)), norm(2)),
        Setting(floats((1, 2, 3), (1, 2, 3)), norm(3)),
        Setting(floats((2, 3), (2, 3)), norm(3)),
        Setting(floats((2, 3, 4), (2, 3, 4)), norm((3, 4))),
        Setting(floats((2, 3, 5), (2, 3, 5)), norm((5,))),
    ],
)
test_AddNorm_values = add_norm.values()
test_AddNorm_gradient = add_norm.gradient()
test_AddNorm_arguments = add_norm.keeps_arguments()
test_AddNorm_dropout = add_norm.dropped(
    Setting(floats((2, 3, 4), (2, 3, 4)), norm(4, 1.0)),
    title="drops entries of Y before the sum, in training only",
)
test_AddNorm_dtype = add_norm.keeps_dtype()
test_AddNorm_layout = add_norm.any_layout()
test_AddNorm_empty = add_norm.empty_batch()
test_AddNorm_device = add_norm.other_device()

# The encoder ------------------------------------------------------------------------------------


def block(h=4, ffn=3, heads=2, dropout=0.0, **more):
    options = {"num_hiddens": h, "ffn_num_hiddens": ffn, "num_heads": heads, "dropout": dropout}
    return options | more


LENGTHS = Setting(sequences(3, 4, 4, [4, 1, 2]), block(ffn=5))
encoder_block = Layer(
    "TransformerEncoderBlock",
    TorchBlock,
    [
        Setting(sequences(1, 1, 2), block(h=2, ffn=1, heads=1)),
        Setting(sequences(1, 2, 4), block(heads=1)),
        Setting(sequences(2, 3, 6), block(h=6, heads=3)),
    ],
)
test_TransformerEncoderBlock_values = encoder_block.values()
test_TransformerEncoderBlock_lengths = encoder_block.values(
    Setting(sequences(1, 2, 4, [1]), block()),
    LENGTHS,
    Setting(sequences(1, 2, 4, [[1, 2]]), block()),
    title="leaves out what lies beyond each length",
)
test_TransformerEncoderBlock_bias = encoder_block.values(
    Setting(sequences(2, 3, 4), block(use_bias=True)),
    title="has a bias in the attention if asked to",
)
test_TransformerEncoderBlock_gradient = encoder_block.gradient(LENGTHS)
test_TransformerEncoderBlock_arguments = encoder_block.keeps_arguments(LENGTHS)
test_TransformerEncoderBlock_dropout = encoder_block.dropped(
    Setting(sequences(2, 3, 4, [1, 3]), block(dropout=1.0))
)
test_TransformerEncoderBlock_dtype = encoder_block.keeps_dtype(LENGTHS)
test_TransformerEncoderBlock_layout = encoder_block.any_layout(LENGTHS)
test_TransformerEncoderBlock_empty = encoder_block.empty_batch(LENGTHS)
test_TransformerEncoderBlock_device = encoder_block.other_device(LENGTHS)


def stack(blocks=1, **options):
    return {"vocab_size": 5, **block(**options), "num_blks": blocks}


def torch_encoder(vocab_size, num_hiddens, ffn_num_hiddens, num_heads, **rest):
    return TorchEncoder(vocab_size, num_hiddens, ffn_num_hiddens, num_heads, **rest)


PADDED = Setting(texts(3, 4, [4, 1, 2]), stack())
encoder = Layer(
    "TransformerEncoder",
    torch_encoder,
    [
        Setting(texts(1, 1), stack(h=2, heads=1)),
        Setting(texts(1, 3), stack(heads=1)),
        Setting(texts(2, 5), stack(h=6, heads=3)),
    ],
)
test_TransformerEncoder_values = encoder.values(
    title="scales the embedding, adds the positions, and goes through the block"
)
test_TransformerEncoder_blocks = encoder.values(
    Setting(texts(2, 2), stack(3)), title="has blocks of its own"
)
test_TransformerEncoder_lengths = encoder.values(
    Setting(texts(1, 2, [1]), stack()), PADDED, title="leaves out what lies beyond each length"
)
test_TransformerEncoder_gradient = encoder.gradient(PADDED)
test_TransformerEncoder_arguments = encoder.keeps_arguments(PADDED)
test_TransformerEncoder_bias = encoder.values(
    Setting(texts(2, 3), stack(use_bias=True)), title="has a bias in the attention if asked to"
)
test_TransformerEncoder_dropout = encoder.dropped(Setting(texts(2, 3, [1, 3]), stack(dropout=1.0)))
test_TransformerEncoder_layout = encoder.any_layout(PADDED)
test_TransformerEncoder_empty = encoder.empty_batch(PADDED)
test_TransformerEncoder_device = encoder.other_device(PADDED)

# The decoder ------------------------------------------------------------------------------------

MASKED = Setting(targets(3, 3, 4, 4, [4, 1, 2]), block(ffn=5, i=0))
decoder_block = Layer(
    "TransformerDecoderBlock",
    TorchDecoderBlock,
    [
        Setting(targets(1, 1, 1, 2), block(h=2, ffn=1, heads=1, i=0)),
        Setting(targets(2, 1, 3, 6), block(h=6, heads=3, i=2)),
    ],
    at_once,
    training=True,
)
CAUSAL = [
    Setting(targets(1, 2, 1, 4), block(heads=1, i=0)),
    Setting(targets(2, 3, 2, 4), block(i=0)),
    Setting(targets(2, 2, 3, 6), block(h=6, heads=3, i=1)),
]
test_TransformerDecoderBlock_values = decoder_block.values(
    title="attends to itself, then to the encoder"
)
test_TransformerDecoderBlock_causal = decoder_block.values(
    *CAUSAL, title="never looks ahead in training"
)
test_TransformerDecoderBlock_lengths = decoder_block.values(
    MASKED, title="leaves out the encoder's padding"
)
test_TransformerDecoderBlock_steps = decoder_block.values(
    *CAUSAL[1:], call=stepwise, title="gives step by step what it gives for the whole sequence"
)
test_TransformerDecoderBlock_gradient = decoder_block.gradient(MASKED)
test_TransformerDecoderBlock_arguments = decoder_block.keeps_arguments(MASKED)
test_TransformerDecoderBlock_place = decoder_block.values(
    Setting(targets(2, 2, 3, 4), block(i=1)),
    call=among_others,
    title="keeps to its own place in the state",
)
test_TransformerDecoderBlock_dropout = decoder_block.dropped(
    Setting(targets(2, 1, 3, 4, [1, 3]), block(dropout=1.0, i=0))
)
test_TransformerDecoderBlock_dtype = decoder_block.keeps_dtype(MASKED)
test_TransformerDecoderBlock_layout = decoder_block.any_layout(MASKED)
test_TransformerDecoderBlock_empty = decoder_block.empty_batch(MASKED)
test_TransformerDecoderBlock_device = decoder_block.other_device(MASKED)


def torch_decoder(vocab_size, num_hiddens, ffn_num_hiddens, num_heads, **rest):
    return TorchDecoder(vocab_size, num_hiddens, ffn_num_hiddens, num_heads, **rest)


WHOLE = Setting(translations(3, 3, 4, 4, [4, 1, 2]), stack())
decoder = Layer(
    "TransformerDecoder",
    torch_decoder,
    [
        Setting(translations(1, 1, 1, 2), stack(h=2, heads=1)),
        Setting(translations(2, 4, 3, 6), stack(h=6, heads=3)),
    ],
    decode,
    training=True,
)
test_TransformerDecoder_values = decoder.values(
    title="scales the embedding, adds the positions, goes through the block, and scores"
)
test_TransformerDecoder_blocks = decoder.values(
    Setting(translations(2, 3, 2, 4), stack(2)),
    title="has blocks of its own, and never looks ahead in training",
)
test_TransformerDecoder_lengths = decoder.values(WHOLE, title="leaves out the encoder's padding")
test_TransformerDecoder_gradient = decoder.gradient(WHOLE)
test_TransformerDecoder_arguments = decoder.keeps_arguments(WHOLE)
test_TransformerDecoder_steps = decoder.values(
    Setting(translations(1, 2, 1, 4), stack()),
    Setting(translations(2, 4, 3, 4, [1, 3]), stack(2)),
    call=decode_stepwise,
    title="gives step by step what it gives for the whole sequence",
)
test_TransformerDecoder_dropout = decoder.dropped(
    Setting(translations(2, 1, 3, 4, [1, 3]), stack(dropout=1.0))
)
test_TransformerDecoder_layout = decoder.any_layout(WHOLE)
test_TransformerDecoder_empty = decoder.empty_batch(WHOLE)
test_TransformerDecoder_device = decoder.other_device(WHOLE)
