"""Section 11.3: Attention scoring functions.

Scores become weights, and only what really is there gets any.
"""

import torch


def masked_softmax(X, valid_lens):
    """Softmax over the keys, with the keys beyond a given length left out.

    Examples of different lengths share a batch by padding. The scores of the padding keys are
    there and mean nothing; their weight must be zero, and the others add up to 1 without them.

    Args:
        X: float tensor (b, q, k), a score for each example, query and key, at most 1e4 in size.
            Not modified.
        valid_lens: int64 tensor of how many keys count, each from 0 to k, on the device of X: of
            shape (b,), one number for all queries of an example, or (b, q), one for each query;
            or None, which leaves out nothing. Not modified.

    Returns:
        Float tensor (b, q, k), the weights, with the dtype and device of X. Gradients flow back to
        the scores that count, and none to those left out.

    Formula:
        W[b, i, j] = exp(X[b, i, j]) / (sum over j' < n of exp(X[b, i, j']))   for j < n,
        W[b, i, j] = 0, exactly,                                               for j >= n,
        where n is valid_lens[b] or valid_lens[b, i].

        A query of length 0 has nothing to attend to. Its row must hold finite numbers from 0 to 1
        and never nan, for nan would spread from there through the whole network. Which numbers is
        left to you: equal weights and zeros are both usual.

    Raises:
        ValueError: valid_lens has another shape than (b,) and (b, q).

    Example:
        >>> masked_softmax(torch.zeros(2, 1, 3), torch.tensor([2, 1]))
        tensor([[[0.5000, 0.5000, 0.0000]],
        <BLANKLINE>
                [[1.0000, 0.0000, 0.0000]]])
        >>> masked_softmax(torch.zeros(1, 2, 2), torch.tensor([[1, 2]]))
        tensor([[[1.0000, 0.0000],
                 [0.5000, 0.5000]]])

    Book: 11.3.2.1
    """
    raise NotImplementedError("masked_softmax")
