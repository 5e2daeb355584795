"""Hidden checks of section 12.10: init_adam_states, adam, yogi, Adam."""

import copy

import torch
from torch import nn
from torch.optim.adam import adam as one_step

from d2lgrade.testkit import Mismatch, assert_rules, assert_same, refuses
from d2lgrade.testkit.stepping import FAMILIES, Starting, State, Stepping, leaf, packed
from d2lgrade.testkit.truth import expected
from d2lgrade.testkit.ways import Way, bowl, gorge, minibatches, sparse, valley

STATES = (State("v"), State("s", squares=True))

# --- init_adam_states -----------------------------------------------------------------------

start = Starting("init_adam_states", STATES)
test_init_adam_states_values = start.values()
test_init_adam_states_apart = start.apart()

# --- adam -----------------------------------------------------------------------------------


@torch.no_grad()
def torch_step(params, states, lr, t, betas=(0.9, 0.999), eps=1e-6):
    """PyTorch's own step, as its optimizer makes it, with `t` the number of the step.

    The optimizer's function rather than torch.optim.Adam: making one imports a compiler first.
    """
    one_step(
        params,
        [p.grad for p in params],
        [v for v, _ in states],
        [s for _, s in states],
        [],
        [torch.tensor(t - 1.0) for _ in params],
        foreach=False,
        amsgrad=False,
        beta1=betas[0],
        beta2=betas[1],
        lr=lr,
        weight_decay=0.0,
        eps=eps,
        maximize=False,
    )


def torch_adam(params, states, hyperparams):
    """The same in the manner of `adam`."""
    torch_step(params, states, **hyperparams)
    hyperparams["t"] += 1
    for p in params:
        p.grad = None


SETTINGS = [
    {"lr": 0.5, "t": 3},
    {"lr": 0.25, "t": 1},
    {"lr": 1.5, "t": 2},
    {"lr": 0.5, "t": 30},
    {"lr": 0.5, "t": 5000},
]

adam = Stepping(
    "adam",
    torch_adam,
    states=STATES,
    settings=SETTINGS,
    ways=[
        Way(bowl, 1, {"lr": 0.1, "t": 1}, 12),
        Way(bowl, 4, {"lr": 0.5, "t": 1}, 30),
        Way(gorge, 5, {"lr": 0.05, "t": 1}, 40),
        Way(sparse, 3, {"lr": 0.1, "t": 1}, 40),
        Way(minibatches, 2, {"lr": 0.1, "t": 1}, 30),
    ],
)


def counted(student, exercise):
    """Fail unless t is advanced by one for each step, and nothing else changes in hyperparams."""
    for shapes in FAMILIES:
        for t in (1, 7):
            drawn = [adam.draw(*shape) for shape in shapes]
            params = [leaf(values, gradient) for values, gradient, *_ in drawn]
            hyperparams = {"lr": 0.5, "t": t}
            states = packed([(v, s) for _, _, v, s in drawn])
            getattr(student, exercise)(params, states, hyperparams)
            what = f"hyperparams after step {t} of {len(drawn)} parameters"
            assert_same(hyperparams, {"lr": 0.5, "t": t + 1}, what=what)


def too_early(exercise, t):
    """A step with that number, for the check of refusals."""

    def attempt(student):
        values, gradient, v, s = adam.draw(2)
        getattr(student, exercise)([leaf(values, gradient)], [(v, s)], {"lr": 0.5, "t": t})

    return attempt


test_adam_step = adam.step("makes the step that PyTorch's Adam makes, at any time")
test_adam_together = adam.together()
test_adam_states = adam.kept("writes both running means into the states, uncorrected")


def test_adam_time(student):
    """advances t by one for each step, and nothing else in hyperparams"""
    counted(student, "adam")


test_adam_cleared = adam.cleared()
test_adam_small = adam.small(
    "adds eps = 1e-6 to the root, as gradients of its size show", (1e-4, 1e-6, 1e-7)
)
test_adam_trajectory = adam.trajectory("follows PyTorch's Adam over many steps")
test_adam_rules = adam.rules("torch.optim")
test_adam_refuses = adam.refuses(too_early("adam", 0), too_early("adam", -1))
test_adam_plain = adam.plain()
test_adam_dtype = adam.keeps_dtype()
test_adam_layout = adam.any_layout()
test_adam_device = adam.other_device()

# --- yogi -----------------------------------------------------------------------------------


@torch.no_grad()
def book_yogi(params, states, hyperparams):
    """The recurrence in words of its own: s gains the share where the square is larger, else loses.

    PyTorch has no Yogi.
    """
    t = hyperparams["t"]
    for p, (v, s) in zip(params, states, strict=True):
        square = p.grad * p.grad
        share = 0.001 * square
        v.mul_(0.9).add_(p.grad, alpha=0.1)
        s.copy_(torch.where(square > s, s + share, torch.where(square < s, s - share, s)))
        root = (s / (1 - 0.999**t)).sqrt_().add_(1e-3)
        p.addcdiv_(v, root, value=-hyperparams["lr"] / (1 - 0.9**t))
        p.grad = None
    hyperparams["t"] += 1


yogi = Stepping(
    "yogi",
    book_yogi,
    states=STATES,
    settings=SETTINGS,
    ways=[
        Way(bowl, 1, {"lr": 0.1, "t": 1}, 12),
        Way(bowl, 4, {"lr": 0.5, "t": 1}, 30),
        Way(valley, 5, {"lr": 0.2, "t": 1}, 40),
        Way(sparse, 3, {"lr": 0.1, "t": 1}, 40),
        Way(minibatches, 2, {"lr": 0.1, "t": 1}, 30),
    ],
)

test_yogi_step = yogi.step("makes the book's step, at any time")
test_yogi_together = yogi.together()
test_yogi_states = yogi.kept("writes both states, uncorrected")


def test_yogi_equal(student):
    """leaves s where it is when the new square equals it"""
    for shape in [(1,), (2, 2)]:
        drawn = (torch.randn(shape), torch.full(shape, -0.5), torch.randn(shape), torch.ones(shape))
        drawn = (*drawn[:3], drawn[3] / 4)
        [due] = yogi.due([drawn], SETTINGS[0])
        [found] = yogi.made(student, [drawn], SETTINGS[0])
        assert_same(found[2], due[2], what="the state s after a gradient whose square it was")


def test_yogi_time(student):
    """advances t by one for each step, and nothing else in hyperparams"""
    counted(student, "yogi")


test_yogi_cleared = yogi.cleared()
test_yogi_small = yogi.small(
    "adds eps = 1e-3 to the root, as gradients of its size show", (1e-1, 1e-3, 1e-4)
)
test_yogi_trajectory = yogi.trajectory("follows the book's recurrence over many steps")
test_yogi_rules = yogi.rules("torch.optim")
test_yogi_refuses = yogi.refuses(too_early("yogi", 0), too_early("yogi", -1))
test_yogi_plain = yogi.plain()
test_yogi_dtype = yogi.keeps_dtype()
test_yogi_layout = yogi.any_layout()
test_yogi_device = yogi.other_device()

# --- Adam -----------------------------------------------------------------------------------
# The journeys below run beside the learner's code, with a constructor of an optimizer; in the
# judge they run with `Plain`, which is no torch.optim.Optimizer, for making one is slow.


class Plain:
    """Just enough of an optimizer, around PyTorch's own step."""

    def __init__(self, params, lr=0.001, betas=(0.9, 0.999), eps=1e-6):
        given = list(params)
        groups = given if isinstance(given[0], dict) else [{"params": given}]
        self.param_groups = [{"lr": lr, "betas": betas, "eps": eps, **group} for group in groups]
        self.state = {}

    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    fresh = (0, torch.zeros_like(p), torch.zeros_like(p))
                    t, v, s = self.state.get(p, fresh)
                    torch_step([p], [(v, s)], group["lr"], t + 1, group["betas"], group["eps"])
                    self.state[p] = (t + 1, v, s)


def leaves(tensors):
    return [tensor.detach().clone().requires_grad_() for tensor in tensors]


def flat(params):
    return torch.cat([p.detach().flatten() for p in params])


def descend(params, optimizer, problem, numbers):
    """The path of all parameters, a step a row."""
    path = []
    for number in numbers:
        for p in params:
            p.grad = None
        problem(number, *params).backward()
        optimizer.step()
        path.append(flat(params))
    return torch.stack(path)


def journey(make, w, b, problem, steps, settings):
    """A whole way with settings for all parameters."""
    params = leaves([w, b])
    return descend(params, make(params, **settings), problem, range(steps))


def grouped(make, w, b, problem, steps):
    """A way with settings of its own for the bias, and a learning rate that changes on the way."""
    params = leaves([w, b])
    own = {"params": [params[1]], "lr": 0.5, "betas": (0.5, 0.9)}
    optimizer = make([{"params": [params[0]]}, own], lr=0.1, eps=1e-3)
    before = descend(params, optimizer, problem, range(steps))
    optimizer.param_groups[0]["lr"] = 0.02
    return torch.cat([before, descend(params, optimizer, problem, range(steps, 2 * steps))])


def late(make, w, b, problem, steps):
    """A way on which the bias has no gradient at first, and both lack theirs now and then."""
    params = leaves([w, b])
    optimizer, path = make(params, lr=0.1), []
    for number in range(steps):
        for p in params:
            p.grad = None
        problem(number, *params).backward()
        if number < steps // 2 or number == steps - 2:
            params[1].grad = None
        if number % 5 == 4:
            params[0].grad = None
        optimizer.step()
        path.append(flat(params))
    return torch.stack(path)


def second_half(make, w, b, problem, steps, settings):
    """A way of twice as many steps, of which only the later ones are told."""
    return journey(make, w, b, problem, 2 * steps, settings)[steps:]


def resumed(make, w, b, problem, steps, settings):
    """The same by two optimizers: the second has other settings, and gets what the first saved."""
    params = leaves([w, b])
    optimizer = make(params, **settings)
    descend(params, optimizer, problem, range(steps))
    saved = copy.deepcopy(optimizer.state_dict())  # as a file would have it
    again = make(params, lr=0.7)
    again.load_state_dict(saved)
    return descend(params, again, problem, range(steps, 2 * steps))


def closed(make, p):
    """A step with a closure, by a caller who has gradients turned off."""
    [p] = leaves([p])
    optimizer, calls = make([p], lr=0.5), []

    def closure():
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        calls.append(loss.detach().clone())
        return loss

    with torch.no_grad():
        value = optimizer.step(closure)
    returned = value.detach().clone() if isinstance(value, torch.Tensor) else value
    return returned, len(calls), p.detach().clone(), optimizer.step()


def scheduled(make, w, b, problem, steps):
    """The learning rates that a scheduler of PyTorch gives it."""
    params = leaves([w, b])
    optimizer, rates = make(params, lr=0.5), []
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    for number in range(steps):
        optimizer.zero_grad()
        problem(number, *params).backward()
        optimizer.step()
        scheduler.step()
        rates.append(optimizer.param_groups[0]["lr"])
    return rates, flat(params)


def kind(make):
    """What the optimizer is, and what it leaves behind."""
    [p] = leaves([torch.ones(2)])
    optimizer = make([p], lr=0.5)
    (p * p).sum().backward()
    optimizer.step()
    kept = p.grad is not None and bool((p.grad == 2.0).all())
    optimizer.zero_grad()
    cleared = p.grad is None or not p.grad.any()
    tensors = [x for x in optimizer.state[p].values() if isinstance(x, torch.Tensor)]
    plain = p.is_leaf and p.requires_grad and not any(x.requires_grad for x in tensors)
    return isinstance(optimizer, torch.optim.Optimizer), kept, cleared, plain


def due(way, w, b, *rest):
    """The expected path, by PyTorch's own step."""
    exact = way(Plain, w.double(), b.double(), *rest)
    return expected(way(Plain, w, b, *rest), exact, exact)


def test_Adam_optimizer(student):
    """is an optimizer, which leaves gradients to zero_grad"""
    found = student.run(kind, student.Adam)
    for one, said in zip(
        found,
        (
            "Adam is no torch.optim.Optimizer: make it a subclass, and call super().__init__.",
            "The gradients have changed in the step. Leave them: zero_grad clears them.",
            "After zero_grad there still is a gradient.",
            "After a step the tensors are not plain any more; make it under torch.no_grad().",
        ),
        strict=True,
    ):
        if one is not True:
            raise Mismatch(said)


def test_Adam_trajectory(student):
    """follows PyTorch's Adam over many steps, with any settings"""
    for problem, n, steps, settings in [
        (bowl, 1, 1, {"lr": 0.1}),
        (bowl, 1, 8, {}),
        (bowl, 3, 12, {"lr": 0.5, "betas": (0.8, 0.9)}),
        (gorge, 5, 30, {"lr": 0.05, "eps": 1e-3}),
        (valley, 4, 20, {"lr": 0.2, "betas": (0.0, 0.5), "eps": 0.1}),
        (minibatches, 2, 20, {"lr": 0.1}),
    ]:
        w, b = torch.randn(n, 1), torch.randn(1)
        path = due(journey, w, b, problem, steps, settings)
        found = student.run(journey, student.Adam, w, b, problem, steps, settings)
        given = ", ".join(f"{name}={value}" for name, value in settings.items()) or "no settings"
        what = f"the path of (w, b) with {given}, a step a row, on the problem `{problem.__name__}`"
        assert_same(found, path, what=what)


def test_Adam_small(student):
    """adds eps = 1e-6 to the root unless told otherwise"""
    for problem, size in ((faint, 1e-6), (faint, 1e-5)):
        w, b = size * torch.randn(3, 1), size * torch.randn(1)
        path = due(journey, w, b, problem, 3, {"lr": 0.5})
        found = student.run(journey, student.Adam, w, b, problem, 3, {"lr": 0.5})
        what = f"the path of (w, b), a step a row, for gradients of about {size:g}"
        assert_same(found, path, what=what)


def faint(step, w, b):
    """A slope as small as the parameters are at the start."""
    return ((w.detach() if step else w) * w).sum() / 2 + (b * b).sum() / 2


def test_Adam_groups(student):
    """takes every setting from the parameter's group, as it is in that step"""
    for problem, n in ((bowl, 1), (valley, 3)):
        w, b = torch.randn(n, 1), torch.randn(1)
        path = due(grouped, w, b, problem, 6)
        found = student.run(grouped, student.Adam, w, b, problem, 6)
        assert_same(found, path, what="the path of (w, b) in two groups, a step a row,")


def test_Adam_late(student):
    """passes over a parameter without gradient, whose own count stands still"""
    for problem, n in ((bowl, 1), (valley, 3)):
        w, b = torch.randn(n, 1), torch.randn(1)
        path = due(late, w, b, problem, 12)
        found = student.run(late, student.Adam, w, b, problem, 12)
        assert_same(found, path, what="the path of (w, b), a step a row, b joining late,")


def test_Adam_resumes(student):
    """goes on from a state_dict as if it had never stopped"""
    for problem, n in ((bowl, 1), (valley, 3)):
        w, b = torch.randn(n, 1), torch.randn(1)
        settings = {"lr": 0.1, "betas": (0.8, 0.95)}
        path = due(second_half, w, b, problem, 6, settings)
        found = student.run(resumed, student.Adam, w, b, problem, 6, settings)
        assert_same(found, path, what="the path of (w, b), a step a row, after load_state_dict")


def test_Adam_closure(student):
    """calls a closure once, with gradients on, and returns its loss"""
    for p in (torch.tensor([2.0]), torch.tensor([[1.0, -3.0]])):
        value, calls, moved, nothing = student.run(closed, student.Adam, p)
        assert_same(calls, 1, what="the number of calls of the closure")
        assert_same(value, (p * p).sum(), what="what step(closure) returns")
        assert_same(moved, p - 0.5 * p.sign(), what="the parameter after step(closure)")
        assert_same(nothing, None, what="what step() returns")


def test_Adam_rules(student):
    """keeps the Rules: written by hand"""
    assert_rules(student, "Adam", ["torch.optim.Adam"])


def test_Adam_scheduler(student):
    """obeys PyTorch's schedulers"""
    w, b = torch.randn(2, 1), torch.randn(1)
    rates, _ = student.run(scheduled, student.Adam, w, b, bowl, 4)
    assert_same(list(rates), [0.5, 0.25, 0.25, 0.125], what="the learning rates under StepLR")


def test_Adam_refuses(student):
    """refuses settings that make no sense"""
    for settings in (
        {"lr": -0.1},
        {"eps": -1e-9},
        {"betas": (1.0, 0.9)},
        {"betas": (0.9, 1.0)},
        {"betas": (-0.1, 0.9)},
    ):
        refuses(ValueError, student.Adam, params=leaves([torch.ones(2)]), **settings)
    for settings in ({"lr": 0.0}, {"eps": 0.0}, {"betas": (0.0, 0.0)}):
        student.Adam(params=leaves([torch.ones(2)]), **settings)


def test_Adam_dtype(student):
    """computes in the dtype it is given"""
    for dtype in (torch.float32, torch.float64):
        w, b = torch.randn(3, 1).to(dtype), torch.randn(1).to(dtype)
        path = due(journey, w, b, bowl, 5, {"lr": 0.1})
        found = student.run(journey, student.Adam, w, b, bowl, 5, {"lr": 0.1})
        assert_same(found, path, what="the path of (w, b), a step a row,")


def test_Adam_device(student):
    """works on another device than the CPU"""
    w = leaf(torch.randn(3, 2), torch.randn(3, 2))
    with student.other_device():
        optimizer = student.Adam(params=[w])
        optimizer.step()
        optimizer.step()


def learned(make, net, X, y, steps):
    """The loss of a network before and after some steps, and whether each parameter moved."""
    before = [p.detach().clone() for p in net.parameters()]
    optimizer, losses = make(net.parameters(), lr=0.01), []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(net(X), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    moved = [bool((p != q).any()) for p, q in zip(net.parameters(), before, strict=True)]
    return losses[0], losses[-1], moved


def test_Adam_network(student):
    """trains a network, all of its parameters"""
    net = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))
    X = torch.randn(32, 3)
    first, last, moved = student.run(learned, student.Adam, net, X, X.sum(1, keepdim=True), 60)
    if not (all(moved) and last < first / 4):
        raise Mismatch(
            f"Sixty steps on a small network took the loss from {first:.3g} to {last:.3g}; "
            f"{sum(moved)} of its {len(moved)} parameters moved.",
            expected="a loss of at most a quarter, and all parameters moved",
            got=f"{last / first:.2g} of the loss, {sum(moved)} of {len(moved)} parameters",
        )
