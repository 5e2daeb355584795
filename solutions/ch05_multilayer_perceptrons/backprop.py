"""Section 5.3: Forward propagation, backward propagation, and computational graphs.

What backward() does, done by hand.
"""

import torch
from torch.nn import functional as F


def mlp_backward(X, y, params):
    """The gradients of a multilayer perceptron's loss, worked out by the chain rule.

    The network is that of `mlp`: one hidden layer with a relu. The loss is the cross-entropy of its
    scores, averaged over the examples. Go forward and keep what you will need, then backward from
    the loss to the first layer.

    Args:
        X: float tensor (n, d) with n >= 1, an example a row. Not modified.
        y: int64 tensor (n,), the right class of each example, from 0 to q - 1. Not modified.
        params: list [W1, b1, W2, b2] of float tensors of shapes (d, h), (h,), (h, q) and (q,). Not
            modified, neither are their `.grad`; they may require gradients or not.

    Returns:
        List [dW1, db1, dW2, db2] of float tensors, the gradients of the loss by the parameters:
        each with the shape, dtype and device of its parameter.

    Formula:
        Z = X @ W1 + b1,  H = relu(Z),  O = H @ W2 + b2
        loss = 1 / n * sum over i of (log(sum over k of exp(O[i, k])) - O[i, y[i]])

        The gradient of the loss by the scores is (softmax(O) - one_hot(y)) / n. The derivative of
        relu counts as 0 where Z is 0. All stays finite for scores up to 1e4 in size.

    Rules:
        Do it by hand: use neither backward() nor torch.autograd nor torch.func. PyTorch's softmax
        is allowed.

    Example:
        >>> W1, b1 = torch.tensor([[1.0, 0.5]]), torch.tensor([0.0, 0.0])
        >>> W2, b2 = torch.tensor([[0.0, 0.0], [0.0, 0.0]]), torch.tensor([0.0, 0.0])
        >>> grads = mlp_backward(torch.tensor([[2.0]]), torch.tensor([0]), [W1, b1, W2, b2])
        >>> grads[2]
        tensor([[-1.0000,  1.0000],
                [-0.5000,  0.5000]])
        >>> grads[3]
        tensor([-0.5000,  0.5000])

    Book: 5.3.3
    """
    # BEGIN SOLUTION
    # Parameters may require gradients; nobody is to record what happens here.
    with torch.no_grad():
        W1, b1, W2, b2 = params
        Z = X @ W1 + b1
        H = Z.clamp(min=0.0)
        # The loss meets the scores.
        # BLANK: P = torch.softmax(____, dim=1)
        P = torch.softmax(H @ W2 + b2, dim=1)
        # BLANK: dO = ____
        dO = (P - F.one_hot(y, P.shape[1])) / len(X)
        # Through the output layer to the hidden one, and through the bend.
        # BLANK: dH = ____
        dH = dO @ W2.T
        # BLANK: dZ = ____
        dZ = dH * (Z > 0)
        # Each weight saw the input of its layer, each bias saw a one; examples add up.
        # BLANK: return [____, dZ.sum(0), ____, dO.sum(0)]
        return [X.T @ dZ, dZ.sum(0), H.T @ dO, dO.sum(0)]
    # END SOLUTION
