"""Section 11.2: Attention pooling by similarity.

A prediction from examples: each votes with a weight, and near examples weigh more than far ones.
"""

import torch


def gaussian(x):
    """The Gaussian kernel: how much an example at distance x counts, fading smoothly.

    Args:
        x: float tensor of any shape, distances, of either sign. Not modified.

    Returns:
        Float tensor of the shape, dtype and device of x.

    Formula:
        K(x) = exp(-x^2 / 2)

        No factor stands before it, as it would cancel when the weights are made to add up to 1.

    Example:
        >>> gaussian(torch.tensor([0.0, 1.0, -2.0]))
        tensor([1.0000, 0.6065, 0.1353])

    Book: 11.2.1
    """
    raise NotImplementedError("gaussian")


def boxcar(x):
    """The boxcar kernel: whoever is nearer than 1 counts, all alike, and nobody else does.

    Args:
        x: float tensor of any shape, distances, of either sign. Not modified.

    Returns:
        Tensor of the shape and device of x: either bool, or of the dtype of x with 1 for True and
        0 for False.

    Formula:
        K(x) = 1 where |x| < 1, else 0; a distance of exactly 1 or -1 is too far.

    Example:
        >>> boxcar(torch.tensor([0.0, -0.9, 1.0, 3.0])).float()
        tensor([1., 1., 0., 0.])

    Book: 11.2.1
    """
    raise NotImplementedError("boxcar")


def constant(x):
    """The constant kernel: every example counts alike, however far it is.

    Args:
        x: float tensor of any shape, distances, all finite. Not modified.

    Returns:
        Float tensor of the shape, dtype and device of x.

    Formula:
        K(x) = 1

    Example:
        >>> constant(torch.tensor([0.0, -0.9, 3.0]))
        tensor([1., 1., 1.])

    Book: 11.2.1
    """
    raise NotImplementedError("constant")


def epanechikov(x):
    """The book's Epanechikov kernel: a triangle, which falls in straight lines to 0 at distance 1.

    Elsewhere this name (Epanechnikov) stands for a parabola, 1 - x^2 within reach. The book, and so
    this exercise, takes 1 - |x|.

    Args:
        x: float tensor of any shape, distances, of either sign. Not modified.

    Returns:
        Float tensor of the shape, dtype and device of x.

    Formula:
        K(x) = max(0, 1 - |x|)

    Example:
        >>> epanechikov(torch.tensor([0.0, -0.5, 1.0, 3.0]))
        tensor([1.0000, 0.5000, 0.0000, 0.0000])

    Book: 11.2.1
    """
    raise NotImplementedError("epanechikov")


def nadaraya_watson(x_train, y_train, x_val, kernel):
    """Nadaraya-Watson regression: predict the mean of all labels, weighted by nearness.

    In the words of attention: the queries are x_val, the keys x_train, the values y_train.

    Args:
        x_train: float tensor (n,), where the examples are; n >= 1. Not modified.
        y_train: float tensor (n,), their labels. Not modified.
        x_val: float tensor (m,), where to predict. Not modified.
        kernel: a function of a tensor of differences that works on each number by itself and gives
            a tensor of the same shape: weights, none negative, or bool as boxcar may. It is
            symmetric, so it does not matter which of two points is taken from the other.

    Returns:
        (y_hat, attention_w): the predictions, float tensor (m,), and the weights, float tensor
        (n, m), a column for each query, whose numbers add up to 1. Both have the dtype and device
        of y_train. Gradients flow back to y_train, and through the kernel to x_train and x_val.

    Formula:
        attention_w[i, j] = K(x_train[i] - x_val[j]) / sum over i' of K(x_train[i'] - x_val[j])
        y_hat[j] = sum over i of attention_w[i, j] * y_train[i]

        A query with no example in reach has K = 0 throughout, and 0 / 0 is nan. Such a query gives
        all examples the same weight, 1 / n: its prediction is the mean of y_train.

    Raises:
        ValueError: x_train is empty, or y_train has another shape than x_train.

    Example:
        >>> x_train, y_train = torch.tensor([0.0, 1.0, 2.0]), torch.tensor([0.0, 10.0, 20.0])
        >>> y_hat, weights = nadaraya_watson(x_train, y_train, torch.tensor([0.5, 9.0]), boxcar)
        >>> y_hat
        tensor([ 5., 10.])
        >>> weights
        tensor([[0.5000, 0.3333],
                [0.5000, 0.3333],
                [0.0000, 0.3333]])

    Book: 11.2.2
    """
    raise NotImplementedError("nadaraya_watson")
