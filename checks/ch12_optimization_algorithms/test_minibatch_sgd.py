"""Hidden checks of sections 12.4 and 12.5: sgd."""

import torch
from torch.optim.sgd import sgd as one_step

from d2lgrade.testkit.stepping import Stepping
from d2lgrade.testkit.ways import Way, bowl, minibatches, sparse, valley


@torch.no_grad()
def torch_sgd(params, states, hyperparams):
    """PyTorch's own step, as its optimizer makes it.

    The optimizer's function rather than torch.optim.SGD: making one imports a compiler first.
    """
    one_step(
        params,
        [p.grad for p in params],
        [None] * len(params),
        foreach=False,
        weight_decay=0.0,
        momentum=0.0,
        lr=hyperparams["lr"],
        dampening=0.0,
        nesterov=False,
        maximize=False,
    )
    for p in params:
        p.grad = None


sgd = Stepping(
    "sgd",
    torch_sgd,
    states=(),
    settings=[{"lr": 0.5}, {"lr": 0.1}, {"lr": 2.0}],
    ways=[
        Way(bowl, 1, {"lr": 0.1}, 8),
        Way(bowl, 4, {"lr": 0.4}, 10),
        Way(valley, 5, {"lr": 0.1}, 30),
        Way(sparse, 3, {"lr": 0.2}, 30),
        Way(minibatches, 2, {"lr": 0.3}, 24),
    ],
)

test_sgd_step = sgd.step("makes the step that PyTorch's SGD makes")
test_sgd_together = sgd.together()
test_sgd_cleared = sgd.cleared()
test_sgd_trajectory = sgd.trajectory("follows PyTorch's SGD over many steps")
test_sgd_rules = sgd.rules("torch.optim")
test_sgd_plain = sgd.plain()
test_sgd_dtype = sgd.keeps_dtype()
test_sgd_layout = sgd.any_layout()
test_sgd_device = sgd.other_device()
