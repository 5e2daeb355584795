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
    # BEGIN SOLUTION
    n, q = logits.shape
    if y.shape != (n,) or y.dtype != torch.int64:
        raise ValueError(
            f"y is {y.dtype} {tuple(y.shape)} where int64 ({n},) is due: give one class number for "
            "each example"
        )
    if not n:
        raise ValueError("there is no example, and so no mean: pass one at least")
    if y.min() < 0 or y.max() >= q:
        raise ValueError(f"classes are numbered from 0 to {q - 1}: correct y")
    # BLANK: shifted = ____
    shifted = logits - logits.amax(1, keepdim=True)
    # BLANK: log_partition = ____
    log_partition = torch.log(torch.exp(shifted).sum(1))
    # BLANK: of_right_class = shifted.gather(1, ____).squeeze(1)
    of_right_class = shifted.gather(1, y[:, None]).squeeze(1)
    # BLANK: return ____
    return (log_partition - of_right_class).mean()
    # END SOLUTION
