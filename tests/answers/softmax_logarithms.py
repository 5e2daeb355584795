# expect: softmax=passed, cross_entropy=passed, accuracy=passed, evaluate_accuracy=passed, SoftmaxRegressionScratch=passed; loses:
"""By way of log softmax, gather and topk; the whole data set put together before it is judged."""

import torch


def softmax(X):
    if X.dim() == 0 or X.dtype not in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        raise ValueError("rows of floats, please")
    top, _ = X.detach().max(dim=-1, keepdim=True)
    X = X - top
    return torch.exp(X - torch.exp(X).sum(dim=-1, keepdim=True).log())


def cross_entropy(y_hat, y):
    if y.ndim != 1 or len(y) != len(y_hat) or len(y) == 0 or y.dtype != torch.long:
        raise ValueError("labels do not fit")
    if not bool(((y >= 0) & (y < y_hat.shape[1])).all()):
        raise ValueError("no such class")
    return y_hat.log().gather(1, y.unsqueeze(1)).neg().mean()


def accuracy(y_hat, y):
    if y.ndim != 1 or y.size(0) != y_hat.size(0):
        raise ValueError("labels do not fit")
    return y_hat.max(1).indices.eq(y).count_nonzero().item()


def evaluate_accuracy(net, data_iter):
    mode = net.training
    net.train(False)
    with torch.inference_mode():
        answers = [(net(X).clone(), y) for X, y in data_iter]
    net.train(mode)
    answers = [(P, y) for P, y in answers if len(y)]
    if not answers:
        raise ValueError("nothing to judge")
    P, y = map(torch.cat, zip(*answers))
    return accuracy(P, y) / len(y)


class SoftmaxRegressionScratch(torch.nn.Module):
    def __init__(self, num_inputs, num_outputs, sigma=0.01):
        super().__init__()
        bias = torch.nn.Parameter(torch.zeros(num_outputs))
        weight = torch.nn.Parameter(torch.empty(num_inputs, num_outputs).normal_(std=sigma))
        self.register_parameter("bias", bias)
        self.register_parameter("weight", weight)

    def forward(self, X):
        return softmax(torch.einsum("nd,dq->nq", X.flatten(1), self.weight) + self.bias)
