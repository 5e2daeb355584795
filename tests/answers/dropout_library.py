# expect: dropout_layer=failed; loses: ch05/dropout_layer/rules
"""PyTorch's own function, which the Rules rule out."""

from torch.nn import functional as F


def dropout_layer(X, dropout):
    return F.dropout(X, dropout, training=True)
