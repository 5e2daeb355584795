"""Hidden checks of section 12.8: init_rmsprop_states, rmsprop."""

import torch

from d2lgrade.testkit.stepping import Starting, State, Stepping
from d2lgrade.testkit.ways import Way, bowl, gorge, minibatches, sparse


@torch.no_grad()
def book_rmsprop(params, states, hyperparams):
    """The book's recurrence. PyTorch's step differs: its eps is outside the root."""
    for p, s in zip(params, states, strict=True):
        s.lerp_(p.grad.square(), 1 - hyperparams["gamma"])
        p.addcmul_(p.grad, (s + 1e-6).rsqrt(), value=-hyperparams["lr"])
        p.grad = None


start = Starting("init_rmsprop_states", (State("s"),))
rmsprop = Stepping(
    "rmsprop",
    book_rmsprop,
    states=(State("s", squares=True),),
    settings=[
        {"lr": 0.5, "gamma": 0.9},
        {"lr": 1.5, "gamma": 0.25},
        {"lr": 0.01, "gamma": 0.99},
    ],
    ways=[
        Way(bowl, 1, {"lr": 0.1, "gamma": 0.9}, 8),
        Way(bowl, 4, {"lr": 0.1, "gamma": 0.5}, 25),
        Way(gorge, 5, {"lr": 0.05, "gamma": 0.9}, 25),
        Way(sparse, 3, {"lr": 0.1, "gamma": 0.8}, 30),
        Way(minibatches, 2, {"lr": 0.05, "gamma": 0.9}, 30),
    ],
)

test_init_rmsprop_states_values = start.values()
test_init_rmsprop_states_apart = start.apart()

test_rmsprop_step = rmsprop.step("makes the book's step, at the start and later on")
test_rmsprop_together = rmsprop.together()
test_rmsprop_states = rmsprop.kept("writes the running mean of squares into the state")
test_rmsprop_cleared = rmsprop.cleared()
test_rmsprop_small = rmsprop.small(
    "adds eps = 1e-6 inside the root, as small gradients show", (1e-2, 1e-3, 1e-5)
)
test_rmsprop_trajectory = rmsprop.trajectory("follows the book's recurrence over many steps")
test_rmsprop_rules = rmsprop.rules("torch.optim")
test_rmsprop_refuses = rmsprop.refuses()
test_rmsprop_plain = rmsprop.plain()
test_rmsprop_dtype = rmsprop.keeps_dtype()
test_rmsprop_layout = rmsprop.any_layout()
test_rmsprop_device = rmsprop.other_device()
