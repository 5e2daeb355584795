"""Wrong answers that people give in section 5.3, and what went wrong in them."""

import torch

from d2lgrade.testkit import misconception


def _passed(X, y, params, *, share=True, hot=1.0, bend=lambda Z, H: Z > 0, probabilities=None):
    """The backward pass with one thing wrong."""
    with torch.no_grad():
        W1, b1, W2, b2 = params
        Z = X @ W1 + b1
        H = Z.clamp(min=0.0)
        O = H @ W2 + b2  # noqa: E741 - the contract's name
        dO = torch.softmax(O, dim=1) if probabilities is None else probabilities(O)
        dO[torch.arange(len(X), device=dO.device), y] -= hot
        dO = dO / len(X) if share else dO
        dZ = dO @ W2.T * bend(Z, H)
        return [X.T @ dZ, dZ.sum(0), H.T @ dO, dO.sum(0)]


@misconception(
    "mlp_backward",
    "not-averaged",
    book="5.3.3",
    why="These are the gradients of the summed loss: they are n times too large. The loss is an "
    "average, so divide by the number of examples.",
)
def mlp_backward_summed(X, y, params):
    return _passed(X, y, params, share=False)


@misconception(
    "mlp_backward",
    "right-class-not-subtracted",
    book="4.1.2",
    why="The gradient by the scores is softmax minus one_hot(y). The one of the right class is not "
    "subtracted.",
)
def mlp_backward_not_subtracted(X, y, params):
    return _passed(X, y, params, hot=0.0)


@misconception(
    "mlp_backward",
    "sign",
    book="4.1.2",
    why="The signs are the wrong way round: it is softmax minus one_hot(y).",
)
def mlp_backward_sign(X, y, params):
    return [-gradient for gradient in _passed(X, y, params)]


@misconception(
    "mlp_backward",
    "softmax-forgotten",
    book="5.3.3",
    why="The scores are taken for probabilities: one_hot(y) is subtracted from them directly. "
    "Softmax comes first.",
)
def mlp_backward_scores(X, y, params):
    return _passed(X, y, params, probabilities=torch.clone)


def _naive(scores):
    powers = scores.exp()
    return powers / powers.sum(1, keepdim=True)


@misconception(
    "mlp_backward",
    "overflow",
    book="4.5.2",
    why="You take exp of the scores as they are, which overflows from 89 on. Subtract the largest "
    "score of each row first, or let torch.softmax do it.",
)
def mlp_backward_overflow(X, y, params):
    return _passed(X, y, params, probabilities=_naive)


@misconception(
    "mlp_backward",
    "bend-forgotten",
    book="5.3.3",
    why="On the way back the relu is passed over. Where it gave 0 nothing goes through.",
)
def mlp_backward_straight(X, y, params):
    return _passed(X, y, params, bend=lambda Z, H: 1.0)


@misconception(
    "mlp_backward",
    "values-for-slopes",
    book="5.3.3",
    why="On the way back you multiply by what the relu gave. Its derivative belongs there: 1 where "
    "it let something through, else 0.",
)
def mlp_backward_values(X, y, params):
    return _passed(X, y, params, bend=lambda Z, H: H)


@misconception(
    "mlp_backward",
    "slope-at-zero",
    book="5.1.2",
    why="Where a hidden unit is exactly 0, something gets through. The contract's derivative there "
    "is 0: compare with >, not with >=.",
)
def mlp_backward_at_zero(X, y, params):
    return _passed(X, y, params, bend=lambda Z, H: Z >= 0)


@misconception(
    "mlp_backward",
    "input-before-the-bend",
    book="5.3.3",
    why="The gradient of W2 is made with what came before the relu. The output layer saw H.",
)
def mlp_backward_before(X, y, params):
    with torch.no_grad():
        W1, b1, W2, b2 = params
        dW1, db1, _, db2 = _passed(X, y, params)
        Z = X @ W1 + b1
        dO = torch.softmax(Z.clamp(min=0.0) @ W2 + b2, dim=1)
        dO[torch.arange(len(X), device=dO.device), y] -= 1.0
        return [dW1, db1, Z.T @ dO / len(X), db2]


@misconception(
    "mlp_backward",
    "biases-averaged",
    book="5.3.3",
    why="The gradients of the biases are averaged over the examples once more. They add up; the "
    "average is in the loss already.",
)
def mlp_backward_mean(X, y, params):
    dW1, db1, dW2, db2 = _passed(X, y, params)
    return [dW1, db1 / len(X), dW2, db2 / len(X)]


@misconception(
    "mlp_backward",
    "weights-transposed",
    book="5.3.3",
    why="The gradients of the weights lie on their side. Each has the shape of its weight: inputs "
    "first.",
)
def mlp_backward_transposed(X, y, params):
    dW1, db1, dW2, db2 = _passed(X, y, params)
    return [dW1.T, db1, dW2.T, db2]
