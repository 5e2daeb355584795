"""Hidden checks of section 12.6: init_momentum_states, sgd_momentum."""

import torch
from torch.optim.sgd import sgd as one_step

from d2lgrade.testkit.stepping import Starting, State, Stepping
from d2lgrade.testkit.ways import Way, bowl, minibatches, sparse, valley


@torch.no_grad()
def torch_momentum(params, states, hyperparams):
    """PyTorch's own step, as its optimizer makes it.

    The optimizer's function rather than torch.optim.SGD: making one imports a compiler first.
    """
    one_step(
        params,
        [p.grad for p in params],
        list(states),
        foreach=False,
        weight_decay=0.0,
        momentum=hyperparams["momentum"],
        lr=hyperparams["lr"],
        dampening=0.0,
        nesterov=False,
        maximize=False,
    )
    for p in params:
        p.grad = None


start = Starting("init_momentum_states", (State("v"),))
momentum = Stepping(
    "sgd_momentum",
    torch_momentum,
    states=(State("v"),),
    settings=[
        {"lr": 0.5, "momentum": 0.5},
        {"lr": 0.25, "momentum": 0.9},
        {"lr": 1.5, "momentum": 0.125},
    ],
    ways=[
        Way(bowl, 1, {"lr": 0.1, "momentum": 0.5}, 8),
        Way(bowl, 4, {"lr": 0.1, "momentum": 0.9}, 30),
        Way(valley, 5, {"lr": 0.05, "momentum": 0.8}, 40),
        Way(sparse, 3, {"lr": 0.1, "momentum": 0.7}, 40),
        Way(minibatches, 2, {"lr": 0.1, "momentum": 0.9}, 30),
    ],
)

test_init_momentum_states_values = start.values()
test_init_momentum_states_apart = start.apart()

test_sgd_momentum_step = momentum.step("makes the step that PyTorch's SGD with momentum makes")
test_sgd_momentum_together = momentum.together()
test_sgd_momentum_states = momentum.kept("writes the new velocity into the state")
test_sgd_momentum_cleared = momentum.cleared()
test_sgd_momentum_trajectory = momentum.trajectory(
    "follows PyTorch's SGD with momentum over many steps"
)
test_sgd_momentum_rules = momentum.rules("torch.optim")
test_sgd_momentum_refuses = momentum.refuses()
test_sgd_momentum_plain = momentum.plain()
test_sgd_momentum_dtype = momentum.keeps_dtype()
test_sgd_momentum_layout = momentum.any_layout()
test_sgd_momentum_device = momentum.other_device()
