"""Section 3.3: Synthetic regression data.

Examples whose law is known, and how a training loop is served them in minibatches.
"""

import torch


def synthetic_data(w, b, num_examples, noise=0.01, generator=None):
    """Make up examples of a linear model whose weights are known.

    Every feature is a draw of its own from the standard normal distribution. A label is what the
    linear model says of its example, plus a noise of its own: a normal draw with mean 0 and the
    standard deviation `noise`.

    Args:
        w: float tensor (d,), the true weights. Not modified.
        b: float, the true bias.
        num_examples: int, how many examples to make.
        noise: float, the standard deviation of the noise (not its variance); 0.01 unless given.
        generator: torch.Generator that all draws are made with, so that the same state of it gives
            the same examples; it moves on with each draw. None: PyTorch's own.

    Returns:
        Tuple (X, y): features (num_examples, d) and labels (num_examples, 1), float tensors with
        the dtype and device of w.

    Formula:
        y[i, 0] = X[i, 0] * w[0] + ... + X[i, d - 1] * w[d - 1] + b + e[i]
        X[i, j] ~ N(0, 1),  e[i] ~ N(0, noise^2)

    Raises:
        ValueError: w does not have one axis, or noise is less than 0.

    Example:
        >>> w = torch.tensor([2.0, -3.0])
        >>> X, y = synthetic_data(w, 4.0, 5)
        >>> X.shape, y.shape
        (torch.Size([5, 2]), torch.Size([5, 1]))
        >>> bool(((X @ w + 4.0 - y[:, 0]).abs() < 0.1).all())
        True

    Book: 3.3.1
    """
    # BEGIN SOLUTION
    if w.dim() != 1 or noise < 0:
        raise ValueError(
            f"w of shape {tuple(w.shape)} and noise {noise} do not fit: pass weights (d,) and a "
            "standard deviation of 0 or more"
        )
    like_w = {"generator": generator, "dtype": w.dtype, "device": w.device}
    # BLANK: X = torch.randn(____, **like_w)
    X = torch.randn(num_examples, len(w), **like_w)
    # A column from here on: the noise gets the shape of what it is added to.
    # BLANK: y = (____).reshape(-1, 1)
    y = (X @ w + b).reshape(-1, 1)
    # BLANK: return X, y + ____
    return X, y + noise * torch.randn(y.shape, **like_w)
    # END SOLUTION


def data_iter(batch_size, features, labels, shuffle=True, generator=None):
    """Serve a data set in minibatches: one epoch.

    Every example comes exactly once, together with its own label. All minibatches hold batch_size
    examples, but for the last one, which holds what is left.

    Args:
        batch_size: int, 1 or more.
        features: tensor (n, ...), an example a row. Not modified.
        labels: tensor (n, ...), a label a row. Not modified.
        shuffle: bool. True: the examples come in random order, each order equally likely, and anew
            in every call. False: they come as they are.
        generator: torch.Generator that the order is drawn with. None: any source will do.

    Returns:
        An iterable of pairs (X, y): rows of features and their rows of labels, with the dtypes and
        on the devices of these. A generator function (one with `yield`) returns such an iterable.

    Raises:
        ValueError: batch_size is less than 1, or features and labels differ in number. It may be
            raised by the call or when the first pair is asked for.

    Example:
        >>> features = torch.arange(5.0).reshape(5, 1)
        >>> for X, y in data_iter(2, features, 10 * features, shuffle=False):
        ...     print(X.flatten().tolist(), y.flatten().tolist())
        [0.0, 1.0] [0.0, 10.0]
        [2.0, 3.0] [20.0, 30.0]
        [4.0] [40.0]

    Book: 3.3.2
    """
    # BEGIN SOLUTION
    n = len(features)
    if batch_size < 1 or len(labels) != n:
        raise ValueError(
            f"batches of {batch_size} from {n} examples and {len(labels)} labels cannot be made: "
            "take 1 or more at a time, and a label for each example"
        )
    # BLANK: order = torch.____ if shuffle else torch.arange(n)
    order = torch.randperm(n, generator=generator) if shuffle else torch.arange(n)
    # BLANK: for start in range(____):
    for start in range(0, n, batch_size):
        # BLANK: rows = order[____]
        rows = order[start : start + batch_size]
        # The same rows of both, so that the pairs stay pairs.
        # BLANK: yield ____
        yield features[rows], labels[rows]
    # END SOLUTION
