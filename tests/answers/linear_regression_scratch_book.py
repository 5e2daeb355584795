# expect: sgd=passed; loses: ch03/sgd/without_gradient
"""In the manner of the book's section: every parameter is taken to have a gradient."""

import torch


def sgd(params, lr, batch_size):
    with torch.no_grad():
        for param in params:
            param -= lr * param.grad / batch_size
            param.grad.zero_()
