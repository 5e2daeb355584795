"""Hidden checks of section 6.2: tied_mlp."""

import torch
from torch import nn
from torch.nn import functional as F

from d2lgrade.testkit import Case, Mismatch, Network, assert_same, truth
from d2lgrade.testkit.networks import table


def torch_tied(num_hidden):
    """PyTorch's own layers, one of them in two places."""
    shared = nn.Linear(num_hidden, num_hidden)
    return nn.Sequential(
        *(nn.LazyLinear(num_hidden), nn.ReLU()),
        *(shared, nn.ReLU(), shared, nn.ReLU()),
        nn.Linear(num_hidden, 1),
    )


CASES = [
    Case((1, 1), {"num_hidden": 2}),
    Case((1, 3), {"num_hidden": 4}),
    Case((2, 5), {"num_hidden": 3}),
    Case((4, 3), {"num_hidden": 8}),
]
tied = Network("tied_mlp", torch_tied, CASES, positional=True)

test_tied_mlp_parameters = tied.parameters(*CASES[1:3])
test_tied_mlp_values = tied.values()


def weights(d, h):
    """Parameters that let hidden numbers through: weights, and one bias for all hidden layers."""
    hidden = [torch.randn(shape).abs() / 2 for shape in ((h, d), (h, h), (h,))]
    return [*hidden, torch.randn(1, h), torch.randn(1)]


def gradients_by_autograd(X, W1, W2, b, W3, c):
    """Gradients of the summed output by the weights: with middle layers apart, then added up."""
    with torch.enable_grad():
        W1, once, again, W3 = (W.detach().clone().requires_grad_() for W in (W1, W2, W2, W3))
        H = F.relu(F.linear(F.relu(F.linear(X, W1, b)), once, b))
        Y = F.linear(F.relu(F.linear(H, again, b)), W3, c)
        found = torch.autograd.grad(Y.sum(), (W1, once, again, W3))
    return found[0], found[1] + found[2], found[3]


def gradients_in(net, X, values):
    """Fill the net by shapes, and ask for its weights' gradients; beside the learner's code."""
    net(X)
    due = {tuple(value.shape): value for value in values}
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(due[tuple(parameter.shape)])
    weights = {tuple(p.shape): p for p in net.parameters() if p.dim() == 2}
    with torch.enable_grad():
        found = torch.autograd.grad(net(X).sum(), list(weights.values()), allow_unused=True)
    return dict(zip(map(str, weights), found, strict=True))


def test_tied_mlp_sum(student):
    """gives the shared layer the sum of the gradients of both uses"""
    for case, (n, d, h) in ((CASES[1], (1, 3, 4)), (CASES[2], (3, 5, 3))):
        X, values = torch.randn(n, d).abs(), weights(d, h)
        expected = truth(gradients_by_autograd, X, *values)
        net = tied.filled(student, case, table())  # says so where parameters are missing
        found = student.run(gradients_in, net, X, values)
        shapes = ((h, d), "first"), ((h, h), "shared"), ((1, h), "last")
        for (shape, name), due in zip(shapes, expected, strict=True):
            if found[str(shape)] is None:
                raise Mismatch(f"No gradient reaches the {name} layer's weight.")
            assert_same(found[str(shape)], due, what=f"the gradient of the {name} weight")


test_tied_mlp_gradient = tied.gradient(*CASES[1:3])
test_tied_mlp_arguments = tied.keeps_arguments(CASES[3])
test_tied_mlp_dtype = tied.keeps_dtype(CASES[3])
test_tied_mlp_layout = tied.any_layout(CASES[3])
test_tied_mlp_empty = tied.empty_batch(CASES[3])
test_tied_mlp_device = tied.other_device(CASES[3])
