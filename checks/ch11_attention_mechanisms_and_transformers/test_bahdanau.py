"""Hidden checks of section 11.4: the decoder with attention."""

import torch
from torch import nn

from d2lgrade.testkit.layers import Layer, Setting


class TorchDecoder(nn.Module):
    """The right decoder, its layers of torch.nn.GRU written as one cell after another."""

    def __init__(self, vocab_size, embed_size, num_hiddens, num_layers, dropout=0):
        super().__init__()
        self.one, self.two = (nn.Linear(num_hiddens, num_hiddens, bias=False) for _ in range(2))
        self.three = nn.Linear(num_hiddens, 1, bias=False)
        widths = [num_hiddens + embed_size] + [num_hiddens] * (num_layers - 1)
        self.cells = nn.ModuleList(nn.GRUCell(width, num_hiddens) for width in widths)
        self.embedding = nn.Embedding(vocab_size, embed_size)
        self.dense = nn.Linear(num_hiddens, vocab_size)
        self.dropout = nn.Dropout(dropout)

    def init_state(self, enc_outputs, enc_valid_lens):
        return enc_outputs[0].transpose(0, 1), list(enc_outputs[1]), enc_valid_lens

    def forward(self, X, state):
        source, hidden, lens = state
        logits, self.attention_weights = [], []
        for token in self.embedding(X).unbind(1):
            scores = self.three((self.one(hidden[-1])[:, None] + self.two(source)).tanh())
            if lens is not None:
                padding = torch.arange(source.shape[1]) >= lens[:, None]
                scores = scores.masked_fill(padding[:, :, None], -torch.inf)
            weights = scores.softmax(1)
            self.attention_weights.append(weights.mT)
            x = torch.cat(((self.dropout(weights) * source).sum(1), token), dim=1)
            hidden = list(hidden)
            for layer, cell in enumerate(self.cells):
                hidden[layer] = cell(self.dropout(x) if layer else x, hidden[layer])
                x = hidden[layer]
            logits.append(self.dense(x))
        return torch.stack(logits, 1), (source, hidden, lens)


# Ways to ask; they run beside the learner's code. The encoder's outputs and hidden states come
# batch first, as all tensors of a setting do, and are handed on with the batch second.


def start(net, outputs, hidden, lens):
    encoded = outputs.transpose(0, 1), hidden.transpose(0, 1).contiguous()
    return net.init_state(encoded, lens)


def decode(net, tokens, outputs, hidden, lens):
    return net(tokens, start(net, outputs, hidden, lens))[0]


def step_by_step(net, tokens, outputs, hidden, lens):
    state, logits = start(net, outputs, hidden, lens), []
    for token in tokens.split(1, dim=1):
        one, state = net(token, state)
        logits.append(one)
    return torch.cat(logits, dim=1)


def twice_from_the_start(net, tokens, outputs, hidden, lens):
    state = start(net, outputs, hidden, lens)
    net(tokens, state)
    return net(tokens, state)[0]


def weights_kept(net, tokens, outputs, hidden, lens):
    net(tokens, start(net, outputs, hidden, lens))
    return torch.stack(tuple(net.attention_weights))


def setting(b, steps, source, lens=None, embed=3, hiddens=2, layers=1, dropout=0):
    vocab = 5
    options = {"vocab_size": vocab, "embed_size": embed, "num_hiddens": hiddens}
    options |= {"num_layers": layers} | ({"dropout": dropout} if dropout else {})

    def draw():
        tokens = torch.randint(vocab, (b, steps))
        outputs, hidden = torch.randn(b, source, hiddens), torch.randn(b, layers, hiddens)
        return tokens, outputs, hidden, None if lens is None else torch.tensor(lens)

    return Setting(draw, options)


MASKED = setting(3, 2, 4, [4, 1, 2], layers=2, hiddens=4)
decoder = Layer(
    "Seq2SeqAttentionDecoder",
    TorchDecoder,
    [setting(1, 1, 1, hiddens=1), setting(1, 1, 2), setting(2, 3, 2, embed=1)],
    decode,
)
test_Seq2SeqAttentionDecoder_values = decoder.values(title="attends, then takes a step, one by one")
test_Seq2SeqAttentionDecoder_layers = decoder.values(
    setting(1, 1, 2, layers=2),
    setting(2, 2, 3, layers=3, hiddens=4),
    title="asks with the hidden state of the last layer",
)
test_Seq2SeqAttentionDecoder_lengths = decoder.values(
    setting(1, 1, 2, [1]),
    setting(2, 2, 3, [1, 3]),
    MASKED,
    title="leaves out the encoder's padding",
)
test_Seq2SeqAttentionDecoder_steps = decoder.values(
    setting(1, 2, 1),
    setting(2, 4, 3, [3, 2], layers=2),
    call=step_by_step,
    title="goes on from the state of the call before",
)
test_Seq2SeqAttentionDecoder_weights = decoder.values(
    setting(1, 1, 1),
    setting(2, 3, 4, [1, 3]),
    call=weights_kept,
    title="keeps the weights of each step in attention_weights",
)
test_Seq2SeqAttentionDecoder_gradient = decoder.gradient(MASKED)


def test_Seq2SeqAttentionDecoder_arguments(student):
    """leaves alone its arguments, the state among them"""
    decoder.keeps_arguments(MASKED)(student)
    decoder.values(setting(2, 3, 4, [3, 2], layers=2), call=twice_from_the_start)(student)


test_Seq2SeqAttentionDecoder_dropout = decoder.dropped(
    setting(2, 2, 3, layers=2),
    setting(2, 2, 3, [3, 2], layers=2, dropout=1.0),
    title="drops attention weights, and hidden entries between layers, in training only",
)
test_Seq2SeqAttentionDecoder_dtype = decoder.keeps_dtype(MASKED)
test_Seq2SeqAttentionDecoder_layout = decoder.any_layout(MASKED)
test_Seq2SeqAttentionDecoder_empty = decoder.empty_batch(MASKED)
test_Seq2SeqAttentionDecoder_device = decoder.other_device(MASKED)
