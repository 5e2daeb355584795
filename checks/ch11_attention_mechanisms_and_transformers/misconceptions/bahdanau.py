"""Wrong answers to section 11.4 that people really give."""

import torch
from torch import nn

from d2lgrade.testkit import misconception


class Decoder(nn.Module):
    """A right answer in steps; each answer below goes wrong in one of them."""

    def __init__(self, vocab_size, embed_size, num_hiddens, num_layers, dropout=0):
        super().__init__()
        self.W_q, self.W_k = (nn.LazyLinear(num_hiddens, bias=False) for _ in range(2))
        self.w_v = nn.LazyLinear(1, bias=False)
        self.drop = nn.Dropout(dropout)
        self.embedding = nn.Embedding(vocab_size, embed_size)
        between = dropout if num_layers > 1 else 0
        self.rnn = nn.GRU(embed_size + num_hiddens, num_hiddens, num_layers, dropout=between)
        self.dense = nn.LazyLinear(vocab_size)

    def init_state(self, enc_outputs, enc_valid_lens):
        outputs, hidden = enc_outputs
        return outputs.permute(1, 0, 2), hidden, enc_valid_lens

    def attend(self, query, source, lens):
        scores = self.w_v(torch.tanh(self.W_q(query) + self.W_k(source)))
        if lens is not None:
            padding = torch.arange(source.shape[1], device=source.device) >= lens[:, None]
            scores = scores.masked_fill(padding[:, :, None], -1e6)
        weights = scores.softmax(1).transpose(1, 2)
        self.attention_weights.append(weights)
        return self.drop(weights) @ source

    def query(self, hidden, first):
        return hidden[-1].unsqueeze(1)

    def input(self, context, token):
        return torch.cat((context, token.unsqueeze(1)), dim=-1)

    def advance(self, output, hidden):
        return hidden

    def forward(self, X, state):
        source, first, lens = state
        hidden, outputs, self.attention_weights = first, [], []
        for token in self.embedding(X).permute(1, 0, 2):
            context = self.attend(self.query(hidden, first), source, lens)
            output, hidden = self.rnn(self.input(context, token).permute(1, 0, 2), hidden)
            outputs.append(output)
        logits = self.dense(torch.cat(outputs)).permute(1, 0, 2)
        return logits, (source, self.advance(first, hidden), lens)


@misconception(
    "Seq2SeqAttentionDecoder",
    "embedding-first",
    why="You put the embedding before the context. The GRU reads the context first: the contract "
    "settles the order, since the weights depend on it.",
    book="11.4.2",
)
class Seq2SeqAttentionDecoderSwapped(Decoder):
    def input(self, context, token):
        return torch.cat((token.unsqueeze(1), context), dim=-1)


@misconception(
    "Seq2SeqAttentionDecoder",
    "first-layer-asks",
    why="You ask with the hidden state of the first layer. The query is that of the last: h[-1].",
    book="11.4.2",
)
class Seq2SeqAttentionDecoderFirstLayer(Decoder):
    def query(self, hidden, first):
        return hidden[0].unsqueeze(1)


@misconception(
    "Seq2SeqAttentionDecoder",
    "same-query-every-step",
    why="You ask with the encoder's last state at every step, so all contexts are the same. The "
    "query is the decoder's own state after the step before.",
    book="11.4.1",
)
class Seq2SeqAttentionDecoderFixed(Decoder):
    def query(self, hidden, first):
        return first[-1].unsqueeze(1)


@misconception(
    "Seq2SeqAttentionDecoder",
    "padding-attended",
    why="enc_valid_lens has no effect, so the decoder attends to the encoder's padding.",
    book="11.4.2",
)
class Seq2SeqAttentionDecoderUnmasked(Decoder):
    def attend(self, query, source, lens):
        return super().attend(query, source, None)


@misconception(
    "Seq2SeqAttentionDecoder",
    "starts-over",
    why="The state you return still holds the hidden state from the start, so the next call begins "
    "again. Return the one after the last step.",
    book="11.4.2",
)
class Seq2SeqAttentionDecoderForgets(Decoder):
    def advance(self, first, hidden):
        return first


@misconception(
    "Seq2SeqAttentionDecoder",
    "hidden-state-zero",
    why="The decoder starts from zeros. It starts from the encoder's last hidden states, which "
    "init_state is given.",
    book="11.4.2",
)
class Seq2SeqAttentionDecoderZero(Decoder):
    def init_state(self, enc_outputs, enc_valid_lens):
        outputs, hidden = enc_outputs
        return outputs.permute(1, 0, 2), torch.zeros_like(hidden), enc_valid_lens


@misconception(
    "Seq2SeqAttentionDecoder",
    "context-of-all-tokens",
    why="The weights add up to 1 over the examples of the batch. Each query spreads its attention "
    "over the source steps; mind which axis is which after init_state.",
    book="11.4.2",
)
class Seq2SeqAttentionDecoderBatch(Decoder):
    def attend(self, query, source, lens):
        scores = self.w_v(torch.tanh(self.W_q(query) + self.W_k(source)))
        weights = scores.softmax(0).transpose(1, 2)
        self.attention_weights.append(weights)
        return self.drop(weights) @ source


@misconception(
    "Seq2SeqAttentionDecoder",
    "weights-of-last-step",
    why="attention_weights holds the last step only. Keep a list, an entry for each step.",
    book="11.4.2",
)
class Seq2SeqAttentionDecoderLastWeights(Decoder):
    def forward(self, X, state):
        result = super().forward(X, state)
        self.attention_weights = self.attention_weights[-1:]
        return result


@misconception(
    "Seq2SeqAttentionDecoder",
    "dropout-forgotten",
    why="dropout has no effect. Hand it on to the attention and to nn.GRU.",
    book="11.4.2",
)
class Seq2SeqAttentionDecoderNoDropout(Decoder):
    def __init__(self, vocab_size, embed_size, num_hiddens, num_layers, dropout=0):
        super().__init__(vocab_size, embed_size, num_hiddens, num_layers)
