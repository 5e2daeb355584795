"""Section 4.4: Softmax regression from scratch.

Scores become probabilities, without overflow.
"""

import torch


def softmax(X):
    """Turn each row of scores into probabilities.

    A row runs along the last axis. Its entries are raised to the power of e and divided by their
    sum, so that they are positive and add up to 1. The same number added to a whole row changes
    nothing.

    Args:
        X: float tensor (..., q) with one axis or more and q >= 1, the scores. Each is at most 1e4
            in size, or -inf for a class that is ruled out; no row is -inf throughout. Not
            modified.

    Returns:
        Float tensor of the shape of X, with its dtype and device. Gradients flow back to X.

    Formula:
        P[..., j] = exp(X[..., j]) / (sum over k of exp(X[..., k]))

        The result is finite for all such scores, though exp(1e4) is not. An entry of -inf gives
        exactly 0. (The book's first version overflows; here it is not enough.)

    Raises:
        ValueError: X has no axis, or does not hold floating-point numbers.

    Rules:
        Write it yourself: do not call PyTorch's softmax, log_softmax or logsumexp, under whatever
        name.

    Example:
        >>> softmax(torch.tensor([[0.0, 0.0], [1e4, -1e4]]))
        tensor([[0.5000, 0.5000],
                [1.0000, 0.0000]])

    Book: 4.4.1, 4.5.2
    """
    raise NotImplementedError("softmax")
