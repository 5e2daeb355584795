# expect: dropout_layer=failed, DropoutMLP=passed; loses: ch05/dropout_layer/rules
"""PyTorch's own function, which the Rules rule out."""

from torch import nn
from torch.nn import functional as F


def dropout_layer(X, dropout):
    return F.dropout(X, dropout, training=True)


class DropoutMLP(nn.Module):
    def __init__(self, num_outputs, num_hiddens_1, num_hiddens_2, dropout_1, dropout_2):
        super().__init__()
        self.p1, self.p2 = dropout_1, dropout_2
        self.a, self.b, self.c = map(nn.LazyLinear, (num_hiddens_1, num_hiddens_2, num_outputs))

    def forward(self, X):
        H = F.dropout(F.relu(self.a(X.flatten(1))), self.p1, training=self.training)
        H = F.dropout(F.relu(self.b(H)), self.p2, training=self.training)
        return self.c(H)
