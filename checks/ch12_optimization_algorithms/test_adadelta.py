"""Hidden checks of section 12.9: init_adadelta_states, adadelta."""

import torch
from torch.optim.adadelta import adadelta as one_step

from d2lgrade.testkit.stepping import Starting, State, Stepping
from d2lgrade.testkit.ways import Way, bowl, gorge, minibatches, sparse


@torch.no_grad()
def torch_adadelta(params, states, hyperparams):
    """PyTorch's own step with lr = 1 and the book's eps, as its optimizer makes it.

    The optimizer's function rather than torch.optim.Adadelta: making one imports a compiler first.
    """
    one_step(
        params,
        [p.grad for p in params],
        [s for s, _ in states],
        [delta for _, delta in states],
        [torch.tensor(0.0) for _ in params],
        foreach=False,
        lr=1.0,
        rho=hyperparams["rho"],
        eps=1e-5,
        weight_decay=0.0,
        maximize=False,
    )
    for p in params:
        p.grad = None


STATES = (State("s", squares=True), State("delta", squares=True))
start = Starting("init_adadelta_states", STATES)
adadelta = Stepping(
    "adadelta",
    torch_adadelta,
    states=STATES,
    settings=[{"rho": 0.9}, {"rho": 0.25}, {"rho": 0.99}],
    ways=[
        Way(bowl, 1, {"rho": 0.9}, 8),
        Way(bowl, 4, {"rho": 0.5}, 40),
        Way(gorge, 5, {"rho": 0.9}, 40),
        Way(sparse, 3, {"rho": 0.8}, 40),
        Way(minibatches, 2, {"rho": 0.9}, 30),
    ],
)

test_init_adadelta_states_values = start.values()
test_init_adadelta_states_apart = start.apart()

test_adadelta_step = adadelta.step("makes the step of PyTorch's Adadelta with lr=1 and eps=1e-5")
test_adadelta_together = adadelta.together()
test_adadelta_states = adadelta.kept("writes both running means into the states, in order")
test_adadelta_cleared = adadelta.cleared()
test_adadelta_small = adadelta.small(
    "adds eps = 1e-5 inside both roots, as small gradients show", (1e-1, 3e-3, 1e-4)
)
test_adadelta_trajectory = adadelta.trajectory("follows PyTorch's Adadelta with lr=1 and eps=1e-5")
test_adadelta_rules = adadelta.rules("torch.optim")
test_adadelta_refuses = adadelta.refuses()
test_adadelta_plain = adadelta.plain()
test_adadelta_dtype = adadelta.keeps_dtype()
test_adadelta_layout = adadelta.any_layout()
test_adadelta_device = adadelta.other_device()
