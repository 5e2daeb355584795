"""Hidden checks of section 12.10: init_adam_states, adam."""

import torch
from torch.optim.adam import adam as one_step

from d2lgrade.testkit import Mismatch, Standing, assert_same, refuses, truth

# --- init_adam_states -----------------------------------------------------------------------


def test_init_adam_states_values(student):
    """makes zeros in the shapes of weight and bias, a pair for each"""
    for feature_dim in (1, 2, 5):
        weight, bias = torch.zeros(feature_dim, 1), torch.zeros(1)
        found = student.init_adam_states(feature_dim)
        assert_same(found, ((weight, weight), (bias, bias)), what="the states")


def written(init):
    """Write another number into each state of two calls, then read all; runs beside the code."""
    states = [state for _ in range(2) for pair in init(2) for state in pair]
    for number, state in enumerate(states):
        state.fill_(number)
    return [(state.min().item(), state.max().item()) for state in states]


def test_init_adam_states_apart(student):
    """gives every state memory of its own, anew in each call"""
    found = student.run(written, student.init_adam_states)
    due = [(float(number), float(number)) for number in range(8)]
    if found != due:
        raise Mismatch(
            "Two of the states share their memory: what is written into one shows in another. "
            "adam changes them in place, so each needs a tensor of its own.",
            expected=", ".join(f"{low:g}" for low, _ in due),
            got=", ".join(f"{low:g}" for low, _ in found),
        )


# --- adam -----------------------------------------------------------------------------------

SHAPES = [(1,), (2, 1), (3,), (4, 2), (2, 1, 3)]


def draw(*shape, size=1.0):
    """A parameter, its gradient, and the two states of some earlier steps."""
    values, gradient, v = torch.randn(shape), size * torch.randn(shape), size * torch.randn(shape)
    return values, gradient, v, size**2 * (0.25 + torch.rand(shape))


def started(*shape, size=1.0):
    """A parameter, its gradient, and the two states before the first step."""
    values, gradient, _, _ = draw(*shape, size=size)
    return values, gradient, torch.zeros(shape), torch.zeros(shape)


def torch_adam(params, states, hyperparams):
    """PyTorch's own step, as its optimizer makes it, in the manner of `adam`.

    The optimizer's function rather than torch.optim.Adam: making one costs three seconds, once.
    """
    with torch.no_grad():
        one_step(
            list(params),
            [p.grad for p in params],
            [v for v, _ in states],
            [s for _, s in states],
            [],
            [torch.tensor(hyperparams["t"] - 1.0) for _ in params],
            foreach=False,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=hyperparams["lr"],
            weight_decay=0.0,
            eps=1e-6,
            maximize=False,
        )
    hyperparams["t"] += 1
    for p in params:
        p.grad = None


def torch_step(values, gradient, v, s, lr, t):
    """What PyTorch's Adam makes of a parameter and of its two states."""
    p, v, s = leaf(values.clone(), gradient), v.clone(), s.clone()
    torch_adam([p], [(v, s)], {"lr": lr, "t": t})
    return p.detach(), v, s


def leaf(values, gradient):
    """The parameter as it is after backward()."""
    p = values.detach().requires_grad_()
    p.grad = gradient.detach()
    return p


def step(student, values, gradient, v, s, lr, t):
    """The same from the learner's adam, all in place."""
    p = leaf(values, gradient)
    student.adam([p], [(v, s)], {"lr": lr, "t": t})
    return p.detach(), v, s


def test_adam_step(student):
    """makes the step that PyTorch's Adam makes, at any time"""
    for shape in SHAPES:
        for drawn, lr, t in (
            (started(*shape), 0.5, 1),
            (draw(*shape), 0.25, 1),
            (draw(*shape), 1.5, 2),
            (draw(*shape), 0.5, 30),
            (draw(*shape), 0.5, 5000),
        ):
            expected = truth(torch_step, *drawn, lr, t)
            found = step(student, *drawn, lr, t)
            assert_same(found[0], expected[0], what=f"the parameter after step {t}")


def test_adam_together(student):
    """makes the step for every parameter, each with its own states"""
    for shapes in [[(2, 1), (1,)], [(1,), (1,), (1,)], [(3,), (2, 2), (1,), (4,)]]:
        for t in (1, 3):
            drawn = [draw(*shape) for shape in shapes]
            expected = [truth(torch_step, *inputs, 0.5, t)[0] for inputs in drawn]
            params = [leaf(values, gradient) for values, gradient, _, _ in drawn]
            student.adam(list(params), [(v, s) for _, _, v, s in drawn], {"lr": 0.5, "t": t})
            for index, (p, due) in enumerate(zip(params, expected, strict=True)):
                assert_same(p, due, what=f"parameter {index + 1} of {len(params)} after step {t}")


def test_adam_states(student):
    """writes both running means into the states, uncorrected"""
    for shape in SHAPES:
        for drawn, t in ((started(*shape), 1), (draw(*shape), 2), (draw(*shape), 50)):
            expected = truth(torch_step, *drawn, 0.5, t)
            found = step(student, *drawn, 0.5, t)
            for name, index in (("v", 1), ("s", 2)):
                assert_same(found[index], expected[index], what=f"the state {name} after step {t}")


def test_adam_time(student):
    """advances t by one for each step, and nothing else in hyperparams"""
    for shapes in [[(1,)], [(2, 1), (1,)], [(1,), (2,), (3,)]]:
        for t in (1, 7):
            drawn = [draw(*shape) for shape in shapes]
            params = [leaf(values, gradient) for values, gradient, _, _ in drawn]
            hyperparams = {"lr": 0.5, "t": t}
            student.adam(list(params), [(v, s) for _, _, v, s in drawn], hyperparams)
            what = f"hyperparams after step {t} of {len(params)} parameters"
            assert_same(hyperparams, {"lr": 0.5, "t": t + 1}, what=what)


def test_adam_cleared(student):
    """leaves no gradient for the next backward to add to"""
    for shapes in [[(1,)], [(2, 1), (1,)]]:
        drawn = [draw(*shape) for shape in shapes]
        params = [leaf(values, gradient) for values, gradient, _, _ in drawn]
        student.adam(list(params), [(v, s) for _, _, v, s in drawn], {"lr": 0.5, "t": 2})
        for p in params:
            if p.grad is not None:
                assert_same(p.grad, torch.zeros(p.shape), what="the gradient after the step")


def test_adam_small(student):
    """adds eps = 1e-6 to the root, as gradients of its size show"""
    for shape in SHAPES:
        for size in (1e-4, 1e-6, 1e-7):
            drawn = started(*shape, size=size)
            expected = truth(torch_step, *drawn, 0.5, 1)
            found = step(student, *drawn, 0.5, 1)
            what = f"the parameter for gradients of about {size:g}"
            assert_same(found[0], expected[0], what=what)


def quadratic(step, w, b):
    """A bowl: every entry has its own slope, all of one scale."""
    target = torch.arange(w.numel()).reshape(w.shape) - 1.5
    return ((w - target) ** 2).sum() + ((b + 2.0) ** 2).sum()


def badly_scaled(step, w, b):
    """A valley: curvatures from 1e-4 to 1e4."""
    scale = 10.0 ** torch.linspace(-4, 4, w.numel()).reshape(w.shape)
    return (scale * (w - 3.0) ** 2).sum() + 100.0 * ((b - w.sum()) ** 2).sum()


def sparse(step, w, b):
    """Every entry has no gradient at all in most steps, the last one for long at the start."""
    row = (7 * step + step // 5) % w.shape[0] if step >= 15 else step % max(1, w.shape[0] - 1)
    return ((w[row] - 2.0) ** 2).sum() + (step % 3 == 2) * ((b - 1.0) ** 2).sum()


PROBLEMS = [
    (quadratic, (1, 1), 0.1, 12),
    (quadratic, (4, 1), 0.5, 30),
    (badly_scaled, (5, 1), 0.05, 40),
    (sparse, (3, 1), 0.1, 40),
]


def travel(adam, problem, w, b, lr, steps):
    """All parameters on the way, by a function like `adam`; runs beside the learner's code."""
    params = [w.clone().requires_grad_(), b.clone().requires_grad_()]
    states = tuple((torch.zeros_like(p), torch.zeros_like(p)) for p in params)
    hyperparams, path = {"lr": lr, "t": 1}, []
    for number in range(steps):
        problem(number, *params).backward()
        adam(list(params), states, hyperparams)
        path.append(torch.cat([p.detach().flatten() for p in params]))
    return path


def torch_travel(*way):
    """The same way by PyTorch's Adam."""
    return travel(torch_adam, *way)


def test_adam_trajectory(student):
    """follows PyTorch's Adam over many steps"""
    for problem, shape, lr, steps in PROBLEMS:
        w, b = torch.randn(shape), torch.randn(1)
        expected = truth(torch_travel, problem, w, b, lr, steps)
        found = student.run(travel, student.adam, problem, w, b, lr, steps)
        for number, (one, due) in enumerate(zip(found, expected, strict=True)):
            problem_name = problem.__name__.replace("_", " ")
            what = f"the pair (w, b) after step {number + 1} on a {problem_name} problem"
            assert_same(one, due, what=what)


def leftovers(adam, values, gradient, v, s):
    """What of autograd is left on the tensors after a step; runs beside the learner's code."""
    p = values.clone().requires_grad_()
    # A gradient that is itself part of a graph, as backward(create_graph=True) leaves it.
    p.grad = gradient * p
    params = [p]
    adam(params, [(v, s)], {"lr": 0.5, "t": 2})
    return params[0] is p, p.is_leaf, p.requires_grad, v.requires_grad, s.requires_grad


def test_adam_plain(student):
    """keeps parameters leaves, and the states free of any graph"""
    found = student.run(leftovers, student.adam, *draw(3))
    names = ("params holds the tensor", "it is a leaf", "it requires gradients")
    names += ("v requires gradients", "s requires gradients")
    due = (True, True, True, False, False)
    if tuple(found) != due:
        raise Mismatch(
            "After a step with a gradient that has a graph of its own, the tensors are not plain "
            "any more; make the whole step under torch.no_grad(), in place.",
            expected=", ".join(f"{n}: {x}" for n, x in zip(names, due, strict=True)),
            got=", ".join(f"{n}: {x}" for n, x in zip(names, found, strict=True)),
        )


adam = Standing(
    "adam",
    lambda *inputs: torch_step(*inputs)[0],
    lambda: (*draw(3, 4), 0.5, 3),
    call=lambda student, *inputs: step(student, *inputs)[0],
)

test_adam_rules = adam.rules("torch.optim")
test_adam_dtype = adam.keeps_dtype()
test_adam_device = adam.other_device()


def test_adam_layout(student):
    """takes transposed and sliced parameters and states"""
    for change in (lambda x: x.T.contiguous().T, lambda x: torch.cat([x, x], 1)[:, :2]):
        values, gradient, v, s = draw(3, 2)
        expected = truth(torch_step, values, gradient, v, s, 0.5, 3)
        found = step(student, change(values), change(gradient), change(v), change(s), 0.5, 3)
        names = ("parameter", "state v", "state s")
        for name, one, due in zip(names, found, expected, strict=True):
            assert_same(one, due, what=f"the {name}")


def test_adam_refuses(student):
    """refuses steps before the first, and states that do not match the parameters"""

    def attempt(t, pairs):
        values, gradient, v, s = draw(2)
        states = [(v.clone(), s.clone()) for _ in range(pairs)]
        student.adam([leaf(values, gradient)], states, {"lr": 0.5, "t": t})

    for t, pairs in [(0, 1), (-1, 1), (1, 0), (1, 2)]:
        refuses(ValueError, attempt, t, pairs)
