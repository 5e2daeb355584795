"""Section 4.5: Concise implementation of softmax regression.

A loss that takes scores as they are, however large.
"""

import torch


def cross_entropy_from_logits(logits, y):
    """Average cross-entropy between scores and the right classes.

    The scores (logits) are what softmax would turn into probabilities. The loss of an example is
    minus the logarithm of the probability of its right class. The probabilities themselves are
    never needed: the logarithm of a quotient is a difference, and log undoes exp.

    Args:
        logits: float tensor (n, q) with n >= 1 and q >= 1, the scores, each at most 1e4 in size.
            Not modified.
        y: int64 tensor (n,), the right class of each example, from 0 to q - 1, on the device of
            logits. Not modified.

    Returns:
        Float tensor (), the mean over the n examples, with the dtype and device of logits.
        Gradients flow back to logits.

    Formula:
        loss = 1 / n * sum over i of (log(sum over k of exp(logits[i, k])) - logits[i, y[i]])

        It is finite for all such scores, though their probabilities may round to 0 or 1 and
        exp(1e4) is infinite. Its gradient by logits is (softmax(logits) - one_hot(y)) / n.

        Scores may be large and close together, such as 10000 and 9999. Then subtract the row's
        largest score first and take the logarithm afterwards: 10000 + log(...) has room for three
        decimals only.

    Raises:
        ValueError: y is not an int64 tensor of shape (n,), holds a class below 0 or above q - 1,
            or there is no example.

    Rules:
        Write it yourself: do not call PyTorch's cross_entropy, nll_loss, log_softmax or logsumexp,
        under whatever name.

    Example:
        >>> logits = torch.tensor([[0.0, 0.0], [1e4, -1e4]])
        >>> cross_entropy_from_logits(logits, torch.tensor([0, 0]))
        tensor(0.3466)
        >>> cross_entropy_from_logits(logits, torch.tensor([0, 1]))
        tensor(10000.3467)

    Book: 4.1.2, 4.5.2
    """
    raise NotImplementedError("cross_entropy_from_logits")
