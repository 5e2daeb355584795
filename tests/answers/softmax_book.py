# expect: softmax=failed, cross_entropy=passed, accuracy=passed, evaluate_accuracy=passed, SoftmaxRegressionScratch=passed; loses: ch04/softmax/axes, ch04/softmax/large, ch04/softmax/small, ch04/softmax/gradient, ch04/softmax/refuses, ch04/cross_entropy/refuses, ch04/accuracy/refuses, ch04/evaluate_accuracy/restores, ch04/evaluate_accuracy/refuses, ch04/SoftmaxRegressionScratch/registered, ch04/SoftmaxRegressionScratch/dtype, ch04/SoftmaxRegressionScratch/device
"""Along the book: its first softmax, parameters kept as plain tensors, an accumulator."""

import torch
from d2l import torch as d2l


def softmax(X):
    X_exp = torch.exp(X)
    total = X_exp.sum(1, keepdims=True)
    return X_exp / total  # the sums are spread over the columns


def cross_entropy(y_hat, y):
    return -torch.log(y_hat[list(range(len(y_hat))), y]).mean()


def accuracy(y_hat, y):
    if len(y_hat.shape) > 1 and y_hat.shape[1] > 1:
        y_hat = d2l.argmax(y_hat, axis=1)
    cmp = d2l.astype(y_hat, y.dtype) == y
    return float(d2l.reduce_sum(d2l.astype(cmp, y.dtype)))


def evaluate_accuracy(net, data_iter):
    if isinstance(net, torch.nn.Module):
        net.eval()
    metric = d2l.Accumulator(2)
    with torch.no_grad():
        for X, y in data_iter:
            metric.add(accuracy(net(X), y), d2l.size(y))
    return metric[0] / metric[1]


class SoftmaxRegressionScratch(d2l.Classifier):
    def __init__(self, num_inputs, num_outputs, lr, sigma=0.01):
        super().__init__()
        self.save_hyperparameters()
        self.W = torch.normal(0, sigma, size=(num_inputs, num_outputs),
                              requires_grad=True)
        self.b = torch.zeros(num_outputs, requires_grad=True)

    def parameters(self):
        return [self.W, self.b]


@d2l.add_to_class(SoftmaxRegressionScratch)
def forward(self, X):
    X = X.reshape((-1, self.W.shape[0]))
    return softmax(torch.matmul(X, self.W) + self.b)
