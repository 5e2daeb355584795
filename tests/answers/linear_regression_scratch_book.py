# expect: linreg=passed, squared_loss=passed, sgd=passed, train_linreg=passed; loses: ch03/linreg/refuses, ch03/squared_loss/refuses, ch03/sgd/without_gradient, ch03/train_linreg/uneven, ch03/train_linreg/generator, ch03/train_linreg/dtype, ch03/train_linreg/device
"""In the manner of the book's section: every gradient is there, every minibatch is full."""

import torch
from d2l import torch as d2l


def linreg(X, w, b):
    return torch.matmul(X, w) + b


def squared_loss(y_hat, y):
    return (y_hat - y.reshape(y_hat.shape)) ** 2 / 2


def sgd(params, lr, batch_size):
    with torch.no_grad():
        for param in params:
            param -= lr * param.grad / batch_size
            param.grad.zero_()


def train_linreg(features, labels, lr, num_epochs, batch_size, generator=None):
    w = torch.normal(0, 0.01, size=(features.shape[1], 1), requires_grad=True)
    b = torch.zeros(1, requires_grad=True)
    net = linreg
    loss = squared_loss
    for epoch in range(num_epochs):
        for X, y in d2l.data_iter(batch_size, features, labels):
            l = loss(net(X, w, b), y)  # noqa: E741
            l.sum().backward()
            sgd([w, b], lr, batch_size)
        with torch.no_grad():
            train_l = loss(net(features, w, b), labels)
            print(f'epoch {epoch + 1}, loss {float(train_l.mean()):f}')
    return w, b
