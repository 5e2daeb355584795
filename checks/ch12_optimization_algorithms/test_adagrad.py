"""Hidden checks of section 12.7: init_adagrad_states, adagrad."""

import torch

from d2lgrade.testkit.stepping import Starting, State, Stepping
from d2lgrade.testkit.ways import Way, bowl, gorge, minibatches, sparse


@torch.no_grad()
def book_adagrad(params, states, hyperparams):
    """The book's recurrence. PyTorch's step differs: its eps is outside the root."""
    for p, s in zip(params, states, strict=True):
        s.addcmul_(p.grad, p.grad)
        p.addcmul_(p.grad, (s + 1e-6).rsqrt(), value=-hyperparams["lr"])
        p.grad = None


start = Starting("init_adagrad_states", (State("s"),))
adagrad = Stepping(
    "adagrad",
    book_adagrad,
    states=(State("s", squares=True),),
    settings=[{"lr": 0.5}, {"lr": 0.1}, {"lr": 2.0}],
    ways=[
        Way(bowl, 1, {"lr": 0.5}, 8),
        Way(bowl, 4, {"lr": 1.0}, 30),
        Way(gorge, 5, {"lr": 0.5}, 40),
        Way(sparse, 3, {"lr": 0.5}, 40),
        Way(minibatches, 2, {"lr": 0.3}, 30),
    ],
)

test_init_adagrad_states_values = start.values()
test_init_adagrad_states_apart = start.apart()

test_adagrad_step = adagrad.step("makes the book's step, at the start and later on")
test_adagrad_together = adagrad.together()
test_adagrad_states = adagrad.kept("adds the squared gradients to the state")
test_adagrad_cleared = adagrad.cleared()
test_adagrad_small = adagrad.small(
    "adds eps = 1e-6 inside the root, as small gradients show", (1e-2, 1e-3, 1e-5)
)
test_adagrad_trajectory = adagrad.trajectory("follows the book's recurrence over many steps")
test_adagrad_rules = adagrad.rules("torch.optim")
test_adagrad_refuses = adagrad.refuses()
test_adagrad_plain = adagrad.plain()
test_adagrad_dtype = adagrad.keeps_dtype()
test_adagrad_layout = adagrad.any_layout()
test_adagrad_device = adagrad.other_device()
