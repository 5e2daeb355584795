# expect: Seq2SeqAttentionDecoder=passed; loses:
"""Cells instead of nn.GRU, the batch first throughout, a dictionary as state, no base class."""

import torch
from torch import nn
from torch.nn import functional as F
from attention_scoring import AdditiveAttention


class Seq2SeqAttentionDecoder(nn.Module):
    def __init__(self, vocab_size, embed_size, num_hiddens, num_layers, dropout=0):
        super().__init__()
        self.out = nn.Linear(num_hiddens, vocab_size)
        self.layers = nn.ModuleList()
        width = num_hiddens + embed_size
        for _ in range(num_layers):
            self.layers.append(nn.GRUCell(width, num_hiddens))
            width = num_hiddens
        self.embed = nn.Embedding(vocab_size, embed_size)
        self.look = AdditiveAttention(num_hiddens, dropout)
        self.p = dropout

    def init_state(self, enc_outputs, enc_valid_lens):
        return {
            "memory": enc_outputs[0].transpose(0, 1).contiguous(),
            "hidden": tuple(enc_outputs[1].unbind()),
            "lens": enc_valid_lens,
        }

    def forward(self, X, state):
        hidden, memory = state["hidden"], state["memory"]
        self.attention_weights, logits = [], []
        for t in range(X.shape[1]):
            context = self.look(hidden[-1][:, None], memory, memory, state["lens"])
            self.attention_weights.append(self.look.attention_weights)
            x, after = torch.hstack((context[:, 0], self.embed(X[:, t]))), []
            for i, (cell, h) in enumerate(zip(self.layers, hidden)):
                if i:
                    x = F.dropout(x, self.p, self.training)
                x = cell(x, h)
                after.append(x)
            hidden = tuple(after)
            logits.append(self.out(x))
        return torch.stack(logits, dim=1), {**state, "hidden": hidden}
