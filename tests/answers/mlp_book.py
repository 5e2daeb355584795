# expect: mlp=passed, MLP=passed; loses:
"""In the manner of the book's section: a function of a list of parameters, a Classifier."""

import torch
from d2l import torch as d2l
from torch import nn


def relu(X):
    a = torch.zeros_like(X)
    return torch.max(X, a)


def mlp(X, params):
    W1, b1, W2, b2 = params
    num_inputs = W1.shape[0]
    X = X.reshape((-1, num_inputs))
    H = relu(torch.matmul(X, W1) + b1)
    return torch.matmul(H, W2) + b2


class MLP(d2l.Classifier):
    def __init__(self, num_outputs, num_hiddens, lr):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(nn.Flatten(), nn.LazyLinear(num_hiddens),
                                 nn.ReLU(), nn.LazyLinear(num_outputs))
