"""Hidden checks of section 6.1: MySequential, FixedHiddenMLP."""

import torch
from torch import nn

from d2lgrade.testkit import (
    Mismatch,
    Standing,
    assert_mean,
    assert_same,
    gradients,
    truth,
    unchanged,
)
from d2lgrade.testkit.gradient import pattern

# --- MySequential ---------------------------------------------------------------------------


def chains():
    """Modules for chains, from one alone upward."""
    return [
        [nn.Linear(2, 3)],
        [nn.Linear(2, 3), nn.ReLU()],
        [nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 2)],
        [nn.Linear(2, 5), nn.Sequential(nn.ReLU(), nn.Linear(5, 5)), nn.Tanh(), nn.Linear(5, 1)],
    ]


def after(modules, X):
    """What the modules make of X, one after the other."""
    with torch.no_grad():
        for module in modules:
            X = module(X)
    return X


def test_MySequential_values(student):
    """applies its modules one after the other"""
    for modules in chains():
        X = torch.randn(3, 2)
        expected = truth(lambda X: after([m.to(X.dtype) for m in modules], X), X)
        for module in modules:
            module.float()
        net = student.MySequential(*modules)
        assert_same(net(X), expected)


def test_MySequential_many(student):
    """keeps the order of more than ten modules"""
    modules = [nn.Hardtanh(-1 - k, 12.0 - k) if k % 2 else nn.Linear(3, 3) for k in range(13)]
    X = torch.randn(2, 3)
    expected = after(modules, X)
    assert_same(student.MySequential(*modules)(X), expected)


def listed(net):
    """What the chain says it holds; runs beside the learner's code."""
    parameters = sorted(tuple(p.shape) for p in net.parameters())
    entries = sorted(tuple(value.shape) for value in net.state_dict().values())
    return parameters, entries


def test_MySequential_registered(student):
    """holds the parameters and the state of its modules"""
    for modules in (*chains(), [nn.Linear(2, 3), nn.BatchNorm1d(3)], [nn.ReLU()]):
        reference = nn.ModuleList(modules)
        due = listed(reference)
        found = student.run(listed, student.MySequential(*modules))
        for name, one, other in zip(("parameters()", "state_dict()"), found, due, strict=True):
            if list(map(tuple, one)) != other:
                raise Mismatch(
                    f"{name} of the chain does not hold what its modules hold.",
                    expected=", ".join(map(str, other)) or "nothing",
                    got=", ".join(map(str, map(tuple, one))) or "nothing",
                )


def modes(net):
    """Modes and dtypes of all modules after .eval() and .double(); beside the learner's code."""
    net.eval()
    net.double()
    return [
        (module.training, str(parameter.dtype))
        for module in net.modules()
        for parameter in module.parameters(recurse=False)
    ]


def test_MySequential_reached(student):
    """hands .eval and .double on to its modules, the inner ones too"""
    for modules in chains()[:1] + chains()[3:]:
        count = len(list(nn.ModuleList(modules).parameters()))
        found = student.run(modes, student.MySequential(*modules))
        if [tuple(entry) for entry in found] != [(False, "torch.float64")] * count:
            raise Mismatch(
                "After .eval() and .double() some module of the chain is still in train mode or "
                "in float32: it is not registered."
            )


def slopes(net, X, weigh):
    """Gradients of X and of all parameters, largest first; runs beside the learner's code."""
    X = X.detach().clone().requires_grad_()
    leaves = [X, *sorted(net.parameters(), key=lambda p: -p.numel())]
    with torch.enable_grad():
        Y = net(X)
        total = (Y * weigh(Y.detach())).sum()
    return list(torch.autograd.grad(total, leaves, allow_unused=True))


def test_MySequential_gradient(student):
    """gradients reach the input and every parameter"""
    modules = chains()[2]
    X = torch.randn(3, 2)
    due = slopes(nn.Sequential(*modules), X, pattern)
    found = student.run(slopes, student.MySequential(*modules), X, pattern)
    if len(found) != len(due) or None in [None if g is None else 0 for g in found]:
        raise Mismatch("No gradient reaches some parameter of the chain.")
    for index, (one, other) in enumerate(zip(found, due, strict=True)):
        assert_same(one, other, what=f"the gradient of {'parameter' if index else 'the input'}")


def test_MySequential_arguments(student):
    """leaves its input alone"""
    X = torch.randn(3, 2)
    net = student.MySequential(*chains()[2])
    with unchanged(X):
        net(X)


sequential = Standing("MySequential", None, lambda: (torch.randn(2, 2),))
test_MySequential_rules = sequential.rules("torch.nn.Sequential")


def test_MySequential_empty(student):
    """passes X through when there is no module"""
    X = torch.randn(2, 3)
    expected = X.clone()
    assert_same(student.MySequential()(X), expected)


def repeated(chain, X):
    """A chain with the same layer twice; runs beside the learner's code."""
    layer = nn.Linear(2, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[0.0, 2.0], [1.0, 0.0]]))
        layer.bias.copy_(torch.tensor([1.0, -1.0]))
    net = chain(layer, nn.ReLU(), layer)
    return net(X).detach(), sum(p.numel() for p in net.parameters())


def test_MySequential_repeated(student):
    """applies a module as often as it stands in the chain"""
    X = torch.tensor([[1.0, 2.0], [0.0, -3.0]])
    expected, count = repeated(nn.Sequential, X)
    found = student.run(repeated, student.MySequential, X)
    assert_same(found[0], expected, what="the result of layer, ReLU and the same layer again")
    assert_same(found[1], count, what="the number of parameters")


def nested(chain, X):
    """A chain in a chain; runs beside the learner's code."""
    torch.manual_seed(3)
    inner = chain(nn.Linear(2, 4), nn.ReLU())
    net = chain(inner, chain(nn.Linear(4, 1)))
    return net(X).detach(), len(net.state_dict())


def test_MySequential_nested(student):
    """works inside another chain"""
    X = torch.randn(3, 2)
    expected, count = nested(nn.Sequential, X)
    found = student.run(nested, student.MySequential, X)
    assert_same(found[0], expected)
    assert_same(found[1], count, what="the number of entries in state_dict()")


# --- FixedHiddenMLP -------------------------------------------------------------------------

NEAR = 1e-3  # how near to the brink of one more halving a case may not come


def unhalved(X, W, b, constant):
    """The network up to its loop."""
    return torch.relu((X @ W.T + b) @ constant + 1) @ W.T + b


def fixed_hidden(X, W, b, constant):
    C = unhalved(X, W, b, constant)
    while C.abs().sum() > 1:
        C = C / 2
    return C.sum()


def drawn(n, scale):
    """An input, a linear layer and a constant, in no doubt about the number of halvings."""
    while True:
        W, b = scale * torch.randn(20, 20) / 4, torch.randn(20) * scale
        X, constant = torch.randn(n, 20), torch.rand(20, 20)
        size = unhalved(*(v.double() for v in (X, W, b, constant))).abs().sum()
        if float(size) and float((size.log2() - size.log2().round()).abs()) > NEAR:
            return X, W, b, constant


def biased(*entries):
    """An input and a linear layer that makes these numbers of it, whatever it is."""
    b = torch.zeros(20)
    b[: len(entries)] = torch.tensor(entries)
    return torch.randn(1, 20), torch.zeros(20, 20), b, torch.ones(20, 20)


def fill(net, W, b, constant):
    """Show the net an input, then set layer and constant; runs beside the learner's code."""
    with torch.no_grad():
        net(torch.zeros(1, 20))
        found = sorted(tuple(p.shape) for p in net.parameters())
        if found == sorted([(20, 20), (20,)]):
            for parameter in net.parameters():
                parameter.copy_(W if parameter.dim() == 2 else b)
        net.rand_weight.copy_(constant)
    return found


def filled(student, W, b, constant):
    """The learner's network with these numbers."""
    net = student.FixedHiddenMLP()
    found = [tuple(shape) for shape in student.run(fill, net, W, b, constant)]
    if found != [(20,), (20, 20)]:
        raise Mismatch(
            "The parameters are not those of one linear layer from 20 to 20 numbers.",
            expected="(20,), (20, 20)",
            got=", ".join(map(str, found)) or "none",
        )
    return net


def on_fixed_hidden(student, X, W, b, constant):
    return filled(student, W, b, constant)(X)


hidden = Standing("FixedHiddenMLP", fixed_hidden, lambda: drawn(3, 1.0), call=on_fixed_hidden)


def test_FixedHiddenMLP_values(student):
    """computes what the contract says, the loop included"""
    sizes = [(1, 0.01), (1, 0.1), (1, 1.0), (2, 0.3), (3, 1.0), (5, 3.0)]
    for inputs in [biased(6.0, -2.5), *(drawn(*size) for size in sizes)]:
        expected = truth(fixed_hidden, *inputs)
        assert_same(on_fixed_hidden(student, *inputs), expected)


def test_FixedHiddenMLP_brink(student):
    """halves while the sum is greater than 1, and not when it is 1 exactly"""
    for entries in ([1.0], [0.5, -0.5], [2.0], [1.0, -1.0, 2.0], [0.25]):
        inputs = biased(*entries)
        expected = fixed_hidden(*inputs)
        assert_same(on_fixed_hidden(student, *inputs), expected)


def test_FixedHiddenMLP_gradient(student):
    """gradients reach the input and both parameters, through both uses of the layer"""
    for n, scale in ((1, 0.1), (3, 1.0)):
        X, W, b, constant = drawn(n, scale)
        expected = truth(gradients(fixed_hidden, (0, 1, 2)), X, W, b, constant)
        net = filled(student, W, b, constant)
        found = student.run(slopes, net, X, pattern)
        # Largest first: the weight before the bias.
        for name, one, due in zip(("input", "weight", "bias"), found, expected, strict=True):
            if one is None:
                raise Mismatch(f"No gradient reaches the {name}.")
            assert_same(one, due, what=f"the gradient of the {name}")


test_FixedHiddenMLP_arguments = hidden.keeps_arguments()


def constants(make):
    """The constants of two new networks, one of them used before; beside the learner's code."""
    one, other = make(), make()
    before = one.rand_weight.detach().clone()
    for _ in range(2):
        one(torch.ones(1, 20))
    names = [p for p in one.parameters() if p is one.rand_weight]
    return before, one.rand_weight.detach(), other.rand_weight.detach(), len(names)


def test_FixedHiddenMLP_constant(student):
    """draws a constant once, uniformly from 0 to 1"""
    before, after_use, other, learned = student.run(constants, student.FixedHiddenMLP)
    for value in (before, after_use, other):
        if not isinstance(value, torch.Tensor) or value.shape != (20, 20):
            raise Mismatch.of_type(value, "a tensor (20, 20)", "rand_weight")
    assert_same(after_use, before, what="rand_weight after two calls")
    if learned:
        raise Mismatch("rand_weight is a parameter: an optimizer would change it.")
    if torch.equal(before, other):
        raise Mismatch("Two networks have the same constant: draw it in the constructor.")
    both = torch.cat([before, other])
    if bool((both < 0).any()) or bool((both >= 1).any()):
        raise Mismatch("rand_weight has entries outside of [0, 1).")
    assert_mean(both, 0.5, 12**-0.5, "An entry of rand_weight")
    assert_mean((both - 0.5) ** 2, 1 / 12, 180**-0.5, "The squared deviation of an entry")


def saved(net):
    """Whether state_dict and .double() reach the constant; runs beside the learner's code."""
    net(torch.zeros(1, 20))
    count = sum(value.numel() for value in net.state_dict().values())
    net.double()
    return count, str(net.rand_weight.dtype)


def test_FixedHiddenMLP_buffer(student):
    """saves and converts the constant with the network"""
    count, dtype = student.run(saved, student.FixedHiddenMLP())
    if count != 820 or dtype != "torch.float64":
        raise Mismatch(
            "The constant is a plain tensor: state_dict() lacks it and .to() leaves it behind. "
            "Register it as a buffer.",
            expected="820 numbers in state_dict(), float64 after .double()",
            got=f"{count} numbers, {dtype.removeprefix('torch.')}",
        )


def test_FixedHiddenMLP_device(student):
    """works on another device than the CPU"""
    net = filled(student, *drawn(1, 1.0)[1:])
    with student.other_device():
        net(torch.randn(2, 20))
