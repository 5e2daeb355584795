"""Section 5.2: Implementation of multilayer perceptrons.

Two linear layers and a bend between them, once as a function of its parameters, once as a module.
"""

import torch
from relu import relu
from torch import nn


def mlp(X, params):
    """A multilayer perceptron with one hidden layer, as a function of its parameters.

    Args:
        X: float tensor (n, ...) with d numbers an example, images for instance. Not modified.
        params: list [W1, b1, W2, b2] of float tensors of shapes (d, h), (h,), (h, q) and (q,): the
            weights and biases of the hidden layer and of the output layer. Not modified.

    Returns:
        Float tensor (n, q), the scores, with the dtype and device of X. Gradients flow back to X
        and to all four parameters.

    Formula:
        H = relu(X flattened to (n, d) @ W1 + b1),  scores = H @ W2 + b2

    Example:
        >>> W1, b1 = torch.tensor([[1.0, -1.0]]), torch.tensor([0.0, 0.0])
        >>> W2, b2 = torch.tensor([[1.0], [1.0]]), torch.tensor([0.5])
        >>> mlp(torch.tensor([[2.0], [-3.0]]), [W1, b1, W2, b2])
        tensor([[2.5000],
                [3.5000]])

    Book: 5.2.1
    """
    # BEGIN SOLUTION
    W1, b1, W2, b2 = params
    # BLANK: flat = torch.____
    flat = torch.flatten(X, start_dim=1)
    # BLANK: H = ____
    H = relu(flat @ W1 + b1)
    # BLANK: return ____
    return H @ W2 + b2
    # END SOLUTION


class MLP(nn.Module):
    """The same network of PyTorch's layers.

    Args:
        num_outputs: int, q, how many scores there are.
        num_hiddens: int, h, how wide the hidden layer is. How many numbers an example has shows
            with the first input.

    Returns:
        Called with a float tensor X of shape (n, ...), images for instance, not modified: a float
        tensor (n, q) of scores. Gradients flow from it back to X and to every parameter.

    Formula:
        In this order, with the shape that each step leaves:

        flatten                          (n, d)
        linear with a bias, ReLU         (n, h)
        linear with a bias               (n, q)

    Example:
        >>> net = MLP(10, 256)
        >>> net(torch.zeros(2, 1, 28, 28)).shape
        torch.Size([2, 10])
        >>> sum(parameter.numel() for parameter in net.parameters())
        203530

    Book: 5.2.2
    """

    def __init__(self, num_outputs, num_hiddens):
        super().__init__()
        # BEGIN SOLUTION
        # BLANK: self.net = nn.Sequential(nn.Flatten(), ____, ____, ____)
        self.net = nn.Sequential(
            nn.Flatten(), nn.LazyLinear(num_hiddens), nn.ReLU(), nn.LazyLinear(num_outputs)
        )
        # END SOLUTION

    def forward(self, X):
        # BEGIN SOLUTION
        # BLANK: return ____
        return self.net(X)
        # END SOLUTION
