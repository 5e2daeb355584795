"""Section 11.4: The Bahdanau attention mechanism.

A decoder that looks back at the source sentence, anew for each word it writes.
"""

import torch
from attention_scoring import AdditiveAttention
from d2l import torch as d2l
from torch import nn


class Seq2SeqAttentionDecoder(d2l.AttentionDecoder):
    """A recurrent decoder that attends to the encoder's outputs before each step.

    Before it reads a token, the decoder asks: where in the source should I look now? The query is
    its own hidden state, that of the last layer after the step before; keys and values are the
    encoder's outputs. The answer, a context vector, enters the recurrent network together with the
    token.

    Args:
        vocab_size: int, how many tokens there are.
        embed_size: int, the width of a token's embedding.
        num_hiddens: int, the width of the hidden states, as in the encoder.
        num_layers: int, how many layers the recurrent network has, as in the encoder.
        dropout: float from 0 to 1, for the attention weights and between the recurrent layers, as
            torch.nn.GRU does it; in training only.

    Attributes:
        attention_weights: after a call, a list with the attention weights of each step: float
            tensors (b, 1, source steps), before dropout.

    Returns:
        init_state(enc_outputs, enc_valid_lens) gives a state for the first call. enc_outputs is a
        pair: the encoder's outputs, float tensor (source steps, b, num_hiddens), and its last
        hidden states, float tensor (num_layers, b, num_hiddens), with which the decoder starts.
        enc_valid_lens is None or int64 (b,): how many source steps count, the others being
        padding.

        Called with X, int64 tensor (b, steps), and a state: a pair of the logits, float tensor
        (b, steps, vocab_size), and the state after the last step. What a state is made of is left
        to you; a call with it goes on where the call that gave it ended. Nothing given to the
        decoder is modified.

    Formula:
        For each step t, with h the hidden states (num_layers, b, num_hiddens) so far:
        context = AdditiveAttention(num_hiddens, dropout), asked by the query h[-1]
        output, h = GRU([context, embedding(X[:, t])], h)
        logits[:, t] = dense(output)

        The context comes before the embedding. The parameters are those of AdditiveAttention,
        torch.nn.Embedding(vocab_size, embed_size), torch.nn.GRU with num_layers layers, and a
        linear layer.

    Example:
        >>> decoder = Seq2SeqAttentionDecoder(
        ...     vocab_size=10, embed_size=8, num_hiddens=16, num_layers=2)
        >>> enc_outputs = torch.zeros(7, 4, 16), torch.zeros(2, 4, 16)
        >>> state = decoder.init_state(enc_outputs, torch.tensor([7, 5, 3, 1]))
        >>> logits, state = decoder(torch.zeros(4, 5, dtype=torch.long), state)
        >>> logits.shape
        torch.Size([4, 5, 10])
        >>> len(decoder.attention_weights), decoder.attention_weights[0].shape
        (5, torch.Size([4, 1, 7]))

    Book: 11.4.2
    """

    def __init__(self, vocab_size, embed_size, num_hiddens, num_layers, dropout=0):
        super().__init__()
        # BEGIN SOLUTION
        self.attention = AdditiveAttention(num_hiddens, dropout)
        self.embedding = nn.Embedding(vocab_size, embed_size)
        # BLANK: self.rnn = nn.GRU(____, num_hiddens, num_layers, dropout=dropout)
        self.rnn = nn.GRU(num_hiddens + embed_size, num_hiddens, num_layers, dropout=dropout)
        self.dense = nn.Linear(num_hiddens, vocab_size)
        # END SOLUTION

    def init_state(self, enc_outputs, enc_valid_lens):
        # BEGIN SOLUTION
        outputs, hidden_state = enc_outputs
        # Attention wants the batch first.
        return outputs.transpose(0, 1), hidden_state, enc_valid_lens
        # END SOLUTION

    def forward(self, X, state):
        # BEGIN SOLUTION
        enc_outputs, hidden_state, enc_valid_lens = state
        outputs, self._attention_weights = [], []
        for token in self.embedding(X).unbind(1):
            # BLANK: query = ____
            query = hidden_state[-1].unsqueeze(1)
            # BLANK: context = self.attention(query, ____, ____, enc_valid_lens)
            context = self.attention(query, enc_outputs, enc_outputs, enc_valid_lens)
            self._attention_weights.append(self.attention.attention_weights)
            # One step of the GRU: (1, b, num_hiddens + embed_size).
            # BLANK: step = torch.cat((____, ____), dim=1).unsqueeze(0)
            step = torch.cat((context.squeeze(1), token), dim=1).unsqueeze(0)
            output, hidden_state = self.rnn(step, hidden_state)
            outputs.append(output)
        logits = self.dense(torch.cat(outputs)).transpose(0, 1)
        return logits, (enc_outputs, hidden_state, enc_valid_lens)
        # END SOLUTION

    @property
    def attention_weights(self):
        # BEGIN SOLUTION
        return self._attention_weights
        # END SOLUTION
