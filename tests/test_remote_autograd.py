"""Autograd across the wire: it must not be seen that learner code runs elsewhere."""

from __future__ import annotations

import gc

import pytest
import torch
from torch import nn

from d2lgrade.student.faults import ContestantLost, StudentError

pytest_plugins = ["links"]

LINEAR = """
    def linear(X, w, b):
        return X @ w + b
    def square(X):
        return X ** 2
"""


def leaf(*shape):
    return torch.randn(*shape, requires_grad=True)


# Gradients to inputs -----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_gradients_reach_the_inputs(learner, seed):
    torch.manual_seed(seed)
    s = learner(LINEAR)
    X, w, b = leaf(4, 3), leaf(3, 2), leaf(2)
    s.linear(X, w, b).pow(3).sum().backward()
    got = [t.grad.clone() for t in (X, w, b)]
    expected = torch.autograd.grad((X @ w + b).pow(3).sum(), (X, w, b))
    for one, other in zip(got, expected, strict=True):
        torch.testing.assert_close(one, other)


def test_gradients_accumulate(learner):
    s, X = learner(LINEAR), torch.tensor([3.0], requires_grad=True)
    for times in (1, 2, 3):
        s.square(X).backward()
        assert X.grad.item() == 6 * times


def test_calls_can_be_chained(learner):
    s, X = learner(LINEAR), torch.tensor([2.0], requires_grad=True)
    Y = s.square(s.square(3 * s.square(X)) + 1)  # ((3 x²)² + 1)²
    Y.backward()
    assert Y.item() == 145**2
    assert X.grad.item() == 2 * 145 * 2 * 12 * 3 * 4


def test_no_graph_without_grad_mode(learner):
    s, X = learner(LINEAR), leaf(3)
    with torch.no_grad():
        assert not s.square(X).requires_grad
    assert s.square(X).requires_grad
    assert not s.square(torch.ones(2)).requires_grad


def test_a_graph_less_result_shows_as_one(learner):
    s = learner("def f(X):\n    return X.detach() * 2\ndef g(X):\n    return X.data + 1")
    X = leaf(2)
    assert not s.f(X).requires_grad
    assert not s.g(X).requires_grad


def test_no_gradient_where_none_flows(learner):
    s = learner("def f(X, Y):\n    return X * 2, Y.detach() * X")
    X, Y = leaf(2), leaf(2)
    one, two = s.f(X, Y)
    (one + two).sum().backward()
    assert Y.grad is None
    assert X.grad is not None
    assert torch.autograd.grad(s.f(X, Y)[0].sum(), (X, Y), allow_unused=True)[1] is None


def test_autograd_grad_leaves_grad_alone(learner):
    s, X = learner(LINEAR), torch.tensor([3.0], requires_grad=True)
    (grad,) = torch.autograd.grad(s.square(X), X)
    assert grad.item() == 6
    assert X.grad is None


def test_only_the_outputs_used_are_followed(learner):
    s = learner("def f(X):\n    return X * 2, X * 3")
    X = torch.tensor([1.0], requires_grad=True)
    two, three = s.f(X)
    three.backward(retain_graph=True)
    assert X.grad.item() == 3
    two.backward()
    assert X.grad.item() == 5


def test_gradients_through_containers_and_numbers(learner):
    s = learner("def f(d):\n    return {'sum': [sum(x.sum() for x in d['xs'])], 'n': 3}")
    xs = [leaf(2), leaf(3)]
    back = s.f({"xs": xs})
    (back["sum"][0] * back["n"]).backward()
    assert [x.grad.tolist() for x in xs] == [[3, 3], [3, 3, 3]]


def test_gradients_of_views_and_other_layouts(learner):
    s, X = learner(LINEAR), leaf(3, 4)
    s.square(X.T[1:]).sum().backward()
    expected = torch.zeros(3, 4)
    expected[:, 1:] = 2 * X.detach()[:, 1:]
    torch.testing.assert_close(X.grad, expected)


def test_gradcheck_passes(learner):
    s = learner("def f(X, w):\n    return torch.tanh(X @ w)")
    X = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    w = torch.randn(3, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda X, w: s.f(X, w), (X, w))


def test_a_backward_that_is_wrong_is_seen_as_wrong(learner):
    s = learner("""
        class Wrong(torch.autograd.Function):
            @staticmethod
            def forward(ctx, X):
                ctx.variable = X
                return X * 2
            @staticmethod
            def backward(ctx, grad):
                return grad * 5
        def f(X):
            return Wrong.apply(X)
    """)
    X = torch.tensor([1.0], requires_grad=True)
    s.f(X).backward()
    assert X.grad.item() == 5


def test_the_same_result_returned_is_the_argument_with_its_graph(learner):
    s, X = learner("def same(X):\n    return X"), leaf(2)
    assert s.same(X) is X
    Y = X * 2
    assert s.same(Y) is Y
    s.same(Y).sum().backward()
    assert X.grad.tolist() == [2, 2]


# Repeated and double backward --------------------------------------------------------------------


def test_a_second_backward_needs_retain_graph(learner):
    s, X = learner(LINEAR), torch.tensor([3.0], requires_grad=True)
    Y = s.square(X)
    Y.backward(retain_graph=True)
    Y.backward()
    assert X.grad.item() == 12
    with pytest.raises(RuntimeError, match="second time"):
        Y.backward()


def test_double_backward_is_refused_clearly(far):
    s, X = far(LINEAR), torch.tensor([3.0], requires_grad=True)
    with pytest.raises(RuntimeError, match=r"double backward .* not supported"):
        torch.autograd.grad(s.square(X), X, create_graph=True)
    assert s.square(X).item() == 9


def test_an_exception_in_a_backward_arrives(learner):
    s = learner("""
        class Bad(torch.autograd.Function):
            @staticmethod
            def forward(ctx, X):
                return X * 2
            @staticmethod
            def backward(ctx, grad):
                raise KeyError("no gradient")
        def f(X):
            return Bad.apply(X)
    """)
    with pytest.raises(KeyError, match="no gradient") as caught:
        s.f(leaf(2)).sum().backward()
    if learner.remote:
        assert caught.value.fault.frames[-1].function == "backward"


def test_the_far_graph_goes_with_the_near_one(far):
    s = far("""
        import weakref, gc
        seen = []
        def f(X):
            Y = X * 2
            seen.append(weakref.ref(Y))
            return Y
        def alive():
            gc.collect()
            return [ref() is not None for ref in seen]
    """)
    X = leaf(2)
    kept = s.f(X)
    lost = s.f(X)
    assert s.alive() == [True, True]
    lost.sum().backward()
    del lost
    gc.collect()
    assert s.alive() == [True, False]
    kept.sum().backward()


def test_nothing_piles_up(far):
    gc.disable()  # what is dropped must go at once, not with the next collection
    s = far("""
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.net = nn.Linear(3, 2)
            def forward(self, X):
                return self.net(X)
    """)
    net = s.Net()
    params = list(net.parameters())
    optimizer = torch.optim.SGD(params, lr=0.1)
    sizes = []
    for _ in range(30):
        optimizer.zero_grad()
        net(torch.randn(4, 3)).sum().backward()
        optimizer.step()
        sizes.append(len(s._link._tensors))
    assert max(sizes) <= 2 * len(params) + 4
    assert sizes[5] == sizes[-1]


def test_garbage_of_the_backward_is_no_argument(far):
    s = far(LINEAR)
    for _ in range(50):
        Y = s.square(s.square(leaf(3)))
        Y.sum().backward()
        assert s.square(Y.detach()).shape == (3,)


# .grad, in both directions -----------------------------------------------------------------------


GRADS = """
    def grad_of(p):
        return p.grad
    def zero(p):
        p.grad.zero_()
    def zero_data(p):
        p.grad.data.zero_()
    def drop(p):
        p.grad = None
    def give(p):
        p.grad = torch.full_like(p, 7.0)
    def back(p):
        (p * p).sum().backward()
    def add(p):
        p.grad += 1
"""


def with_grad():
    p = torch.ones(3, requires_grad=True)
    p.grad = torch.full((3,), 2.0)
    return p


def test_grad_arrives_and_is_the_same_tensor(learner):
    s, p = learner(GRADS), with_grad()
    assert s.grad_of(p) is p.grad
    assert p.grad.tolist() == [2, 2, 2]
    p.grad.add_(1)
    assert s.grad_of(p).tolist() == [3, 3, 3]
    p.grad = None
    assert s.grad_of(p) is None
    p.grad = torch.zeros(3)
    assert s.grad_of(p) is p.grad


@pytest.mark.parametrize("zeroing", ["zero", "zero_data"])
def test_grad_zeroed_in_place_comes_back(learner, zeroing):
    s, p = learner(GRADS), with_grad()
    grad = p.grad
    getattr(s, zeroing)(p)
    assert p.grad is grad
    assert grad.tolist() == [0, 0, 0]


def test_grad_dropped_given_and_accumulated_comes_back(learner):
    s, p = learner(GRADS), with_grad()
    s.drop(p)
    assert p.grad is None
    s.give(p)
    assert p.grad.tolist() == [7, 7, 7]
    s.back(p)
    assert p.grad.tolist() == [9, 9, 9]
    s.add(p)
    assert p.grad.tolist() == [10, 10, 10]
    (3 * p).sum().backward()
    assert s.grad_of(p).tolist() == [13, 13, 13]


def test_backward_inside_and_outside_agree(learner):
    s, p = learner(GRADS), torch.ones(2, requires_grad=True)
    s.back(p)
    (p * 5).sum().backward()
    s.back(p)
    assert p.grad.tolist() == [9, 9]


# requires_grad and in-place operations -----------------------------------------------------------


def test_requires_grad_set_later_is_followed(learner):
    s, X = learner(LINEAR), torch.ones(2)
    assert not s.square(X).requires_grad
    X.requires_grad_()
    s.square(X).sum().backward()
    assert X.grad.tolist() == [2, 2]
    X.requires_grad_(False)
    assert not s.square(X).requires_grad


def test_requires_grad_set_there_comes_back(learner):
    s = learner("def on(X):\n    X.requires_grad_()\ndef off(X):\n    X.requires_grad = False")
    X = torch.ones(2)
    s.on(X)
    assert X.requires_grad
    s.off(X)
    assert not X.requires_grad


def test_a_flag_that_changes_spares_a_graph_in_use(learner):
    s, X = learner(LINEAR), leaf(2)
    Y = s.square(X)
    X.requires_grad_(False)
    s.square(X)
    X.requires_grad_(True)
    s.square(X)
    Y.sum().backward()
    torch.testing.assert_close(X.grad, 2 * X.detach())


def test_an_argument_that_is_no_leaf_can_be_changed_in_place(learner):
    s = learner("def f(Y):\n    Y.mul_(3)\n    return Y.sum()\ndef g(Y):\n    Y[0] = 0")
    X = torch.ones(3, requires_grad=True)
    Y = X * 2
    total = s.f(Y)
    assert Y.tolist() == [6, 6, 6]
    total.backward(retain_graph=True)
    assert X.grad.tolist() == [6, 6, 6]
    X.grad = None
    (Y * 1).sum().backward()
    assert X.grad.tolist() == [6, 6, 6]
    X.grad = None
    Y = X * 2
    s.g(Y)
    Y.sum().backward()
    assert X.grad.tolist() == [0, 2, 2]


def test_a_plain_argument_can_be_made_part_of_a_graph(learner):
    s = learner(
        "def f(out, X):\n    out += X * 2\n    return None\ndef sum(out):\n    return out.sum()"
    )
    X, out = torch.ones(2, requires_grad=True), torch.zeros(2)
    s.f(out, X)
    assert out.requires_grad
    assert out.tolist() == [2, 2]
    s.sum(out).backward()
    assert X.grad.tolist() == [2, 2]


def test_a_leaf_cannot_be_changed_in_place(learner):
    s = learner("def f(X):\n    X += 1")
    with pytest.raises(RuntimeError, match="leaf Variable"):
        s.f(leaf(2))


def test_no_grad_allows_it_along_the_book(learner):
    s = learner("""
        def sgd(params, lr, batch_size):
            with torch.no_grad():
                for p in params:
                    p -= lr * p.grad / batch_size
                    p.grad.zero_()
    """)
    w = torch.ones(2, requires_grad=True)
    for _ in range(3):
        (w * 2).sum().backward()
        s.sgd([w], 0.5, 2)
    assert torch.allclose(w.detach(), torch.tensor(-0.5))
    assert w.grad.tolist() == [0, 0]
    assert w.is_leaf


def test_a_saved_tensor_changed_in_between_is_noticed(learner):
    s, X = learner(LINEAR), leaf(3)
    Y = s.square(X)
    with torch.no_grad():
        X.add_(1)
    s.square(torch.ones(1))  # the change travels with the next call
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        Y.sum().backward()


def test_hooks_on_arguments_run(learner):
    s, X = learner(LINEAR), torch.tensor([3.0], requires_grad=True)
    seen = []
    X.register_hook(lambda grad: seen.append(grad.item()))
    Y = X * 1
    Y.register_hook(lambda grad: grad * 10)
    s.square(Y).backward()
    assert seen == [60]
    assert X.grad.item() == 60


# A remote module's parameters --------------------------------------------------------------------


NETS = """
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Linear(3, 4)
            self.second = nn.Linear(4, 1)
        def forward(self, X):
            return self.second(torch.relu(self.first(X)))
    class Lazy(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = nn.Sequential(nn.LazyLinear(4), nn.ReLU(), nn.LazyLinear(1))
        def forward(self, X):
            return self.net(X)
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Linear(3, 3)
            self.b = nn.Linear(3, 3)
            self.b.weight = self.a.weight
        def forward(self, X):
            return self.b(self.a(X))
    class Frozen(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.ones(3), requires_grad=False)
            self.v = nn.Parameter(torch.ones(3))
        def forward(self, X):
            return X * self.w * self.v
    W = torch.ones(3, requires_grad=True)
    def hidden(X):
        return X * W
    def hidden_grad():
        return W.grad
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.ones(3))
            self.kept = None
        def forward(self, X):
            self.kept = X * self.w
            return self.kept
"""


@pytest.mark.parametrize("name", ["Net", "Lazy"])
def test_gradients_reach_the_parameters(learner, name):
    s = learner(NETS)
    net, X = getattr(s, name)(), torch.randn(5, 3)
    net(X)  # a lazy one is made here
    clone = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    params = list(net.parameters())
    with torch.no_grad():
        for mine, theirs in zip(clone.parameters(), params, strict=True):
            mine.copy_(theirs)
    net(X).pow(2).mean().backward()
    clone(X).pow(2).mean().backward()
    for mine, theirs in zip(clone.parameters(), params, strict=True):
        torch.testing.assert_close(theirs.grad, mine.grad)


def test_gradients_are_there_though_nobody_asked_for_the_parameters(learner):
    s = learner(NETS)
    net = s.Net()
    net(torch.randn(2, 3)).sum().backward()
    gc.collect()
    assert all(p.grad is not None for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())


def test_a_parameter_is_the_same_tensor_every_time(learner):
    net = learner(NETS).Net()
    first = list(net.parameters())
    net(torch.randn(2, 3)).sum().backward()
    assert all(a is b for a, b in zip(first, net.parameters(), strict=True))
    assert net.first.weight is first[0]
    assert isinstance(first[0], nn.Parameter)


def test_shared_parameters_are_one(learner):
    net = learner(NETS).Tied()
    assert net.a.weight is net.b.weight
    assert len(list(net.parameters())) == 3
    X = torch.randn(2, 3)
    net(X).sum().backward()
    W, a, b = net.a.weight, net.a.bias, net.b.bias
    expected = torch.autograd.grad((nn.functional.linear(X, W, a) @ W.T + b).sum(), W)[0]
    torch.testing.assert_close(W.grad, expected)


def test_frozen_parameters_stay_without_gradient(learner):
    net = learner(NETS).Frozen()
    net(torch.ones(3)).sum().backward()
    assert net.w.grad is None
    assert net.v.grad.tolist() == [1, 1, 1]
    net.w.requires_grad_()
    net(torch.ones(3)).sum().backward()
    assert net.w.grad.tolist() == [1, 1, 1]


def test_parameters_that_the_judge_trains(learner):
    net = learner(NETS).Net()
    params = list(net.parameters())
    optimizer = torch.optim.Adam(params, lr=0.1)
    X = torch.randn(20, 3)
    y, losses = X.sum(1, keepdim=True), []
    for _ in range(25):
        optimizer.zero_grad()
        loss = (net(X) - y).pow(2).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]


def test_gradients_of_what_the_learner_hides(learner):
    s = learner(NETS)
    s.hidden(torch.full((3,), 2.0)).sum().backward()
    assert s.hidden_grad().tolist() == [2, 2, 2]


def test_an_attribute_with_a_graph_keeps_it(learner):
    net = learner(NETS).Own()
    net(torch.full((3,), 2.0))
    assert net.kept.requires_grad
    net.kept.sum().backward()
    assert net.w.grad.tolist() == [2, 2, 2]


def test_autograd_grad_of_parameters(learner):
    net = learner(NETS).Frozen()
    v = net.v
    (grad,) = torch.autograd.grad((net(torch.full((3,), 3.0)) * v).sum(), v)
    assert grad.tolist() == [6, 6, 6]


def test_gradients_of_another_shape_are_no_answer(far):
    s = far("""
        def f(X):
            from d2lgrade.contestant.graphs import Graphs
            Graphs.backward = lambda self, number, grads, wanted: [torch.ones(7)]
            return X * 2
    """)
    with pytest.raises(ContestantLost, match="a gradient that does not fit"):
        s.f(leaf(2)).sum().backward()


def test_an_error_is_not_taken_for_a_gradient(learner):
    s = learner("def f(X):\n    return X.sum().item() * X.foo")
    with pytest.raises(StudentError):
        s.f(leaf(2))
