"""Section 3.4: Linear regression from scratch.

A model, a loss, the step that turns gradients into learning, and the loop around them.
"""

import torch
from synthetic_data import data_iter


def linreg(X, w, b):
    """The linear model: weigh the features of each example, and add the bias.

    Args:
        X: float tensor (n, d), an example a row. Not modified.
        w: float tensor (d, 1), the weights. Not modified.
        b: float tensor (1,), the bias. Not modified.

    Returns:
        Float tensor (n, 1), the predictions, with the dtype and device of X. Gradients flow back
        to X, w and b.

    Formula:
        y_hat[i, 0] = X[i, 0] * w[0, 0] + ... + X[i, d - 1] * w[d - 1, 0] + b[0]

    Raises:
        ValueError: w is not of shape (d, 1), d being the number of columns of X.

    Example:
        >>> X = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
        >>> linreg(X, torch.tensor([[10.0], [1.0]]), torch.tensor([0.5]))
        tensor([[12.5000],
                [34.5000]])

    Book: 3.4.1
    """
    raise NotImplementedError("linreg")


def squared_loss(y_hat, y):
    """Half the squared error of every prediction.

    Predictions may be a column and labels a flat vector, or the other way round. Subtracted as they
    are, they would spread out to n * n differences; so the labels take the shape of the predictions
    first.

    Args:
        y_hat: float tensor of any shape, the predictions, for instance (n, 1). Not modified.
        y: float tensor with as many entries in the same order, for instance (n,). Not modified.

    Returns:
        Float tensor of the shape of y_hat: a loss for each prediction, neither summed nor averaged.
        Gradients flow back to y_hat.

    Formula:
        loss[i] = (y_hat[i] - y[i])^2 / 2

    Raises:
        ValueError: y_hat and y do not have the same number of entries.

    Example:
        >>> squared_loss(torch.tensor([[1.0], [5.0]]), torch.tensor([2.0, 2.0]))
        tensor([[0.5000],
                [4.5000]])

    Book: 3.4.2
    """
    raise NotImplementedError("squared_loss")


def sgd(params, lr, batch_size):
    """Take one step of minibatch stochastic gradient descent, in place.

    Every parameter moves against its gradient. The gradients come from a loss that was summed
    over the minibatch, so the step divides by the number of examples. Afterwards the gradients
    are cleared, ready for the next minibatch: backward() adds to what is there.

    Args:
        params: list of float tensors that require gradients, of any shapes. Their `.grad` holds
            the gradient of the summed loss. Modified in place: they stay the same tensors, leaves
            that require gradients, and the step leaves no trace in any graph. A parameter whose
            `.grad` is None is left as it is.
        lr: float, the learning rate.
        batch_size: int, the number of examples that the loss was summed over.

    Returns:
        None. After the step each `.grad` is zero (or None, as you like).

    Formula:
        p <- p - lr * p.grad / batch_size

    Rules:
        Write it yourself: do not use torch.optim.

    Example:
        >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
        >>> (w * torch.tensor([10.0, 20.0])).sum().backward()
        >>> sgd([w], lr=0.5, batch_size=10)
        >>> w
        tensor([0.5000, 1.0000], requires_grad=True)

    Book: 3.4.3
    """
    raise NotImplementedError("sgd")


def train_linreg(features, labels, lr, num_epochs, batch_size, generator=None):
    """Fit a line: train linear regression with minibatch stochastic gradient descent.

    The weights start from small normal draws, with mean 0 and standard deviation 0.01, the bias
    from 0. An epoch goes through the data once, in minibatches and in a new random order, as
    `data_iter` serves them. Each minibatch gives one step against the gradient of its average loss:
    the sum of its `squared_loss`, divided by the number of examples that it holds.

    Args:
        features: float tensor (n, d). Not modified.
        labels: float tensor (n, 1) or (n,). Not modified.
        lr: float, the learning rate.
        num_epochs: int, how many times to go through the data.
        batch_size: int, the number of examples in a minibatch. The last one of an epoch may hold
            fewer, and its step is then divided by what it holds. (The book divides by batch_size
            even so, and takes a shorter step.)
        generator: torch.Generator that the start and every order are drawn with. None: any source
            will do.

    Returns:
        Tuple (w, b): the weights (d, 1) and the bias (1,) after the last step, with the dtype and
        device of features. They may require gradients or not.

    Formula:
        in each step:  w <- w - lr * (gradient of the minibatch's average loss by w), b likewise

    Raises:
        ValueError: batch_size is less than 1, or features and labels differ in number.

    Example:
        >>> features = torch.arange(8.0).reshape(8, 1) / 4
        >>> w, b = train_linreg(features, 3 * features - 1, 0.3, 200, 4)
        >>> round(w.item(), 2), round(b.item(), 2)
        (3.0, -1.0)

    Book: 3.4.4
    """
    raise NotImplementedError("train_linreg")
