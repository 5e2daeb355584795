"""Objects that stay with the learner's code, and objects that the judge sends there."""

from __future__ import annotations

import copy
import functools

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from d2lgrade import wire
from d2lgrade.student.faults import StudentError
from d2lgrade.student.namespace import Handle
from d2lgrade.student.parcels import Secret

pytest_plugins = ["links"]

NET = """
    class Net(nn.Module):
        '''A net.'''
        size = 4
        def __init__(self, size=4, p=0.5):
            super().__init__()
            self.linear = nn.Linear(3, size)
            self.drop = nn.Dropout(p)
            self.norm = nn.BatchNorm1d(size)
            self.steps = 0
            self.register_buffer("mean", torch.zeros(size))
        def forward(self, X):
            self.steps += 1
            self.mean = self.mean + 1
            return self.norm(self.drop(self.linear(X)))
        def shape(self, *, times=1):
            return (self.size * times, "rows")
        @classmethod
        def of(cls, size):
            return cls(size)
    def is_net(net):
        return isinstance(net, Net)
    def use(net, X):
        return net(X)
"""


def named(net):
    return {name: p.detach().clone() for name, p in net.named_parameters()}


# Modules -----------------------------------------------------------------------------------------


def test_a_module_is_a_handle_that_names_its_type(learner):
    net = learner(NET).Net(size=2)
    assert isinstance(net, Handle)
    assert (net.type_name, net.kind) == ("Net", "module")
    assert "Net" in repr(net)


def test_attributes_are_read_and_written(learner):
    net = learner(NET).Net()
    assert (net.steps, net.size, net.drop.p) == (0, 4, 0.5)
    net.steps = 7
    net.drop.p = 0.0
    net(torch.randn(2, 3))
    assert net.steps == 8
    assert net.drop.p == 0.0
    with pytest.raises(AttributeError, match="nothing_like_it"):
        _ = net.nothing_like_it


def test_tensors_and_parameters_are_assigned(learner):
    net = learner(NET).Net(p=0.0)
    weight = nn.Parameter(torch.ones(4, 3))
    net.linear.weight = weight
    net.linear.bias.data = torch.zeros(4)
    assert net.linear.weight is weight
    assert next(iter(net.parameters())) is weight
    assert torch.equal(net.linear(torch.ones(1, 3)), torch.full((1, 4), 3.0))
    nn.init.constant_(weight, 2.0)
    assert torch.equal(net.linear(torch.ones(1, 3)), torch.full((1, 4), 6.0))


def test_methods_take_arguments(learner):
    net = learner(NET).Net()
    assert net.shape() == (4, "rows")
    assert net.shape(times=3) == (12, "rows")
    method = net.shape
    assert method(times=2) == (8, "rows")


def test_class_attributes_and_methods(learner):
    s = learner(NET)
    assert s.Net.size == 4
    assert s.Net.of(2).linear.weight.shape == (2, 3)


def test_train_and_eval_mode(learner):
    net, X = learner(NET).Net(), torch.randn(8, 3)
    assert net.training is True
    net.eval()
    assert net.training is net.norm.training is False
    assert torch.equal(net(X), net(X))
    net.train()
    assert not torch.equal(net(X), net(X))
    net.train(False)
    assert net.drop.training is False


def test_buffers_are_read_and_follow(learner):
    net = learner(NET).Net()
    net(torch.randn(8, 3))
    assert net.mean.tolist() == [1, 1, 1, 1]
    mean = net.norm.running_mean
    before = mean.clone()
    net(torch.randn(8, 3) + 5)
    assert net.norm.running_mean is mean
    assert not torch.equal(mean, before)
    assert dict(net.named_buffers())["norm.running_mean"] is mean
    mean.zero_()
    net.eval()
    assert net.norm.running_mean.tolist() == [0, 0, 0, 0]


def test_state_dicts_go_round(learner):
    s = learner(NET)
    one, two = s.Net(), s.Net()
    state = one.state_dict()
    assert list(state)[:2] == ["mean", "linear.weight"]
    two.load_state_dict(state)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    native = nn.Linear(3, 4)
    one.linear.load_state_dict(native.state_dict())
    assert torch.equal(one.linear.weight, native.weight)
    native.load_state_dict(two.linear.state_dict())
    assert torch.equal(two.linear.weight, native.weight)


def test_a_state_dict_shows_the_module_s_own_tensors(learner):
    net = learner(NET).Net()
    state = net.state_dict()
    with torch.no_grad():
        net.linear.weight.fill_(2.0)
    net.shape()
    assert state["linear.weight"].mean() == 2
    state["linear.bias"].fill_(3.0)
    net.shape()
    assert net.linear.bias.mean() == 3


def test_what_a_state_dict_lacks_is_said(learner):
    with pytest.raises(RuntimeError, match="Missing key"):
        learner(NET).Net().load_state_dict({})


def test_modules_and_children_are_walked(learner):
    net = learner(NET).Net()
    assert [m.type_name for m in net.modules()] == [
        "Net",
        "torch.Linear",
        "torch.Dropout",
        "torch.BatchNorm1d",
    ]
    assert len(list(net.children())) == 3


def test_a_function_of_the_judge_is_applied(learner):
    net = learner(NET).Net()

    def init(module):
        if type(module) is nn.Linear:
            nn.init.constant_(module.weight, 0.25)

    net.apply(init)
    assert net.linear.weight.mean() == 0.25


def test_a_module_changes_its_dtype(learner):
    net = learner(NET).Net(p=0.0)
    net.to(torch.float64)
    assert net.linear.weight.dtype is torch.float64
    assert net(torch.randn(4, 3, dtype=torch.float64)).dtype is torch.float64


# Handles as values -------------------------------------------------------------------------------


def test_handles_are_arguments(learner):
    s = learner(NET)
    net = s.Net()
    assert s.is_net(net) is True
    assert s.is_net(s.Net) is False
    assert s.use(net, torch.randn(2, 3)).shape == (2, 4)
    assert s.use(net.linear, torch.randn(2, 3)).shape == (2, 4)
    assert s.use(net=net.forward, X=torch.randn(2, 3)).shape == (2, 4)


def test_handles_inside_containers(learner):
    s = learner("""
        def call(fs, table):
            return [f(2) for f in fs], table['f'](3)
        def f(x):
            return x * x
    """)
    assert s.call([s.f, s.f], {"f": s.f}) == ([4, 4], 9)


def test_handles_are_equal_where_the_objects_are_one(learner):
    net = learner(NET).Net()
    assert net.linear == net.linear
    assert net.linear != net.drop
    assert net.linear != 3
    assert len({net.linear, net.linear, net.drop}) == 2


def test_truth_length_items_and_iteration(learner):
    s = learner("""
        class Bag:
            def __init__(self, items):
                self.items = items
            def __len__(self):
                return len(self.items)
            def __getitem__(self, key):
                return self.items[key]
            def __iter__(self):
                return iter(self.items)
    """)
    bag = s.Bag([3, torch.ones(2)])
    assert len(bag) == 2
    assert bag[0] == 3
    assert torch.equal(bag[-1], torch.ones(2))
    assert [type(x) for x in bag] == [int, torch.Tensor]
    assert bag
    assert not s.Bag([])
    with pytest.raises(IndexError):
        bag[5]


def test_a_handle_is_copied_there(learner):
    net = learner(NET).Net()
    twin = copy.deepcopy(net)
    assert twin != net
    with torch.no_grad():
        net.linear.weight.zero_()
    net.shape()
    assert twin.linear.weight.abs().sum() > 0


def test_generators_and_iterators_are_walked(learner):
    s = learner("""
        def batches(X, size):
            for i in range(0, len(X), size):
                yield X[i : i + size], i
        class Count:
            def __init__(self):
                self.n = 0
            def __iter__(self):
                return self
            def __next__(self):
                self.n += 1
                if self.n > 3:
                    raise StopIteration
                return self.n
        def bad():
            yield 1
            raise ValueError("in between")
    """)
    found = list(s.batches(torch.arange(5), 2))
    assert [(X.tolist(), i) for X, i in found] == [([0, 1], 0), ([2, 3], 2), ([4], 4)]
    assert s.batches(torch.arange(5), 2).kind == "iterator"
    assert next(s.batches(torch.arange(3), 3))[1] == 0
    count = s.Count()
    assert list(count) == [1, 2, 3]
    assert list(count) == []
    with pytest.raises(StopIteration):
        next(count)
    walk = iter(s.bad())
    assert next(walk) == 1
    with pytest.raises(ValueError, match="in between"):
        next(walk)


def test_grad_mode_inside_a_generator_follows(learner):
    s = learner("def f(w):\n    while True:\n        yield w * 2")
    w = torch.ones(2, requires_grad=True)
    walk = iter(s.f(w))
    assert next(walk).requires_grad
    with torch.no_grad():
        assert not next(walk).requires_grad


# Optimizers --------------------------------------------------------------------------------------


OPTIMIZERS = """
    class SGD(torch.optim.Optimizer):
        def __init__(self, params, lr=0.1, momentum=0.0):
            super().__init__(params, dict(lr=lr, momentum=momentum))
        @torch.no_grad()
        def step(self, closure=None):
            loss = None
            if closure is not None:
                with torch.enable_grad():
                    loss = closure()
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    v = self.state[p].setdefault("v", torch.zeros_like(p))
                    v.mul_(group["momentum"]).add_(p.grad)
                    p.sub_(group["lr"] * v)
            return loss
    class Plain:
        def __init__(self, params, lr):
            self.params, self.lr = params, lr
        def step(self):
            for p in self.params:
                p -= self.lr * p.grad
        def zero_grad(self):
            for p in self.params:
                if p.grad is not None:
                    p.grad.zero_()
    def linear():
        return nn.Linear(3, 1)
"""


def descend(optimizer, w, steps=5):
    for _ in range(steps):
        optimizer.zero_grad()
        ((w - 3) ** 2).sum().backward()
        optimizer.step()
    return w.detach().clone()


def test_an_optimizer_steps_over_local_tensors(learner):
    s = learner(OPTIMIZERS)
    w, v = torch.zeros(3, requires_grad=True), torch.zeros(3, requires_grad=True)
    mine = s.SGD([w], lr=0.1, momentum=0.9)
    assert mine.kind == "optimizer"
    expected = descend(torch.optim.SGD([v], lr=0.1, momentum=0.9), v)
    torch.testing.assert_close(descend(mine, w), expected)


def test_a_plain_class_updates_leaves_under_no_grad(learner):
    s, w = learner(OPTIMIZERS), torch.zeros(3, requires_grad=True)
    optimizer = s.Plain([w], 0.1)
    with torch.no_grad():
        w.grad = torch.ones(3)
        optimizer.step()
    assert torch.allclose(w.detach(), torch.tensor(-0.1))
    optimizer.zero_grad()
    assert w.grad.tolist() == [0, 0, 0]


def test_an_optimizer_over_a_remote_module_s_parameters(learner):
    s = learner(OPTIMIZERS)
    net = s.linear()
    optimizer = s.SGD(net.parameters(), lr=0.5)
    before = named(net)
    net(torch.ones(4, 3)).sum().backward()
    optimizer.step()
    for name, p in net.named_parameters():
        torch.testing.assert_close(p.detach(), before[name] - 0.5 * 4)
    optimizer.zero_grad()
    assert net.weight.grad is None


def test_a_local_optimizer_over_a_remote_module_s_parameters(learner):
    net = learner(OPTIMIZERS).linear()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
    before = named(net)
    net(torch.ones(4, 3)).sum().backward()
    optimizer.step()
    after = net(torch.ones(1, 3))
    expected = (before["weight"] - 2).sum() + before["bias"] - 2
    torch.testing.assert_close(after[0], expected)


def test_groups_with_their_own_settings(learner):
    s = learner(OPTIMIZERS)
    a, b = torch.zeros(1, requires_grad=True), torch.zeros(1, requires_grad=True)
    optimizer = s.SGD([{"params": [a], "lr": 1.0}, {"params": [b]}], lr=0.1)
    (a + b).sum().backward()
    optimizer.step()
    assert (a.item(), round(b.item(), 6)) == (-1, -0.1)
    groups = optimizer.param_groups
    assert [group["lr"] for group in groups] == [1.0, 0.1]
    assert groups[0]["params"][0] is a


def test_the_state_of_an_optimizer_goes_round(learner):
    s = learner(OPTIMIZERS)
    w, v = torch.zeros(2, requires_grad=True), torch.zeros(2, requires_grad=True)
    one, two = s.SGD([w], momentum=0.9), s.SGD([v], momentum=0.9)
    descend(one, w, 3)
    state = copy.deepcopy(one.state_dict())
    assert state["param_groups"][0]["momentum"] == 0.9
    assert state["state"][0]["v"].shape == (2,)
    v.data.copy_(w.data)
    two.load_state_dict(state)
    torch.testing.assert_close(descend(one, w, 2), descend(two, v, 2))


def test_a_closure_is_called_there(learner):
    s = learner(OPTIMIZERS)
    w = torch.ones(2, requires_grad=True)
    optimizer = s.SGD([w], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 2
    torch.testing.assert_close(w.detach(), torch.full((2,), 0.8))
    assert optimizer.step(closure).item() == pytest.approx(1.28)


# What the judge sends by value -------------------------------------------------------------------


def test_callables_of_the_judge_run_there(learner):
    s = learner("def call(f, *args):\n    return f(*args)")
    scale = torch.tensor([2.0], requires_grad=True)
    assert s.call(lambda x: x + 1, 2) == 3
    assert s.call(math_of_this_module, 3) == 10
    assert s.call(functools.partial(math_of_this_module, extra=5), 3) == 14
    s.call(lambda X: X * scale, torch.ones(3)).sum().backward()
    assert scale.grad.item() == 3
    assert s.call(torch.exp, torch.zeros(1)).item() == 1


def math_of_this_module(x, extra=1):
    return helper_of_this_module(x) + extra


def helper_of_this_module(x):
    return x**2


def test_a_callable_that_has_changed_is_sent_anew(learner):
    s = learner("def call(f):\n    return f()")
    factor = 1

    def f():
        return factor

    assert s.call(f) == 1
    factor = 2
    assert s.call(f) == 2


def test_callables_may_use_handles_and_exercises(learner):
    more = "    def call(f, X):\n        return f(X)\n    def twice(x):\n        return x * 2"
    s = learner(NET + more)
    net, twice = s.Net(), s.twice
    assert s.call(lambda X: twice(net.linear(X)).sum(), torch.ones(1, 3)).shape == ()


def test_student_itself_cannot_be_sent(far):
    s = far("def call(f):\n    return f()")
    with pytest.raises(TypeError, match=r"cannot be sent .*uses `student`"):
        s.call(lambda: s.call)


def test_what_cannot_be_sent_is_the_check_s_fault_and_says_so(far):
    s = far("def f(x):\n    return 1")
    with pytest.raises(TypeError, match="a generator cannot be sent to learner code"):
        s.f(i for i in range(3))
    with pytest.raises(wire.Unsendable):
        s.f(torch.eye(2).to_sparse())
    with pytest.raises(wire.WireError, match="MB"):
        s.f("x" * (20 << 20))
    assert s.f(1) == 1


def test_answers_of_the_course_are_never_sent(far):
    namespace = {"__name__": "d2lgrade_reference_ch00"}
    exec("def answer():\n    return 42\nclass Net:\n    pass", namespace)
    s = far("def f(x):\n    return 1")
    for secret in (namespace["answer"], namespace["Net"], namespace["Net"]()):
        with pytest.raises(Secret, match="belongs to the course's answers"):
            s.f(secret)
        with pytest.raises(Secret, match="belongs to the course's answers"):
            s.f(lambda secret=secret: secret)


def test_modules_of_the_judge_run_there_and_follow(learner):
    s = learner("""
        def call(net, X):
            return net(X)
        def train(net, X):
            assert net.training
            net(X).pow(3).sum().backward()
            with torch.no_grad():
                for p in net.parameters():
                    p -= p.grad
            net.eval()
        def mode(net):
            return net.training
    """)
    net = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5), nn.BatchNorm1d(2))
    X = torch.randn(16, 2)
    before = net[0].weight.detach().clone()
    s.train(net, X)
    assert not torch.equal(net[0].weight, before)
    assert net[0].weight.grad is not None
    assert net[2].num_batches_tracked == 1
    assert net.training is net[1].training is False
    torch.testing.assert_close(s.call(net, X), net(X))
    net.train()
    assert s.mode(net) is True
    with torch.no_grad():
        net[0].weight.zero_()
        net[0].bias.zero_()
    net.eval()
    torch.testing.assert_close(s.call(net, X), net(X))
    s.call(net, X).sum().backward()


def test_gradients_reach_a_module_of_the_judge(learner):
    s = learner("def loss(net, X):\n    return net(X).sum()")
    net = nn.Linear(2, 1)
    s.loss(net, torch.ones(3, 2)).backward()
    assert net.weight.grad.tolist() == [[3, 3]]
    torch.optim.SGD(net.parameters(), lr=1.0).step()
    assert torch.allclose(s.loss(net, torch.ones(1, 2)), net(torch.ones(1, 2)).sum())


def test_optimizers_of_the_judge_step_there(learner):
    s = learner("def step(optimizer, w):\n    (w * w).sum().backward()\n    optimizer.step()")
    w, v = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    mine, other = torch.optim.SGD([w], 0.1, momentum=0.9), torch.optim.SGD([v], 0.1, momentum=0.9)
    for _ in range(3):
        s.step(mine, w)
        (v * v).sum().backward()
        other.step()
    torch.testing.assert_close(w, v)


@pytest.mark.parametrize("kind", ["list", "loader"])
def test_data_iterators_of_the_judge(learner, kind):
    s = learner("""
        def total(data):
            return sum((X.sum() * y.sum()).item() for X, y in data)
    """)
    X, y = torch.arange(6.0).view(3, 2), torch.ones(3, 1)
    batches = [(X[:2], y[:2]), (X[2:], y[2:])]
    data = batches if kind == "list" else DataLoader(TensorDataset(X, y), batch_size=2)
    assert s.total(data) == s.total(data) == 6 * 2 + 9


def test_generators_of_random_numbers_follow_both_ways(learner):
    s = learner("def draw(generator, n=3):\n    return torch.rand(n, generator=generator)")
    mine, other = torch.Generator().manual_seed(1), torch.Generator().manual_seed(1)
    for _ in range(2):
        assert torch.equal(s.draw(mine), torch.rand(3, generator=other))
        assert torch.equal(torch.rand(2, generator=mine), torch.rand(2, generator=other))


def test_a_generator_inside_a_sent_object_goes_on(learner):
    s = learner("def epoch(loader):\n    return [x.item() for (x,) in loader]")
    X = torch.arange(20)

    def shuffled():
        generator = torch.Generator().manual_seed(3)
        return DataLoader(TensorDataset(X), batch_size=None, shuffle=True, generator=generator)

    mine, other = shuffled(), shuffled()
    first, second = s.epoch(mine), s.epoch(mine)
    assert [first, second] == [[x.item() for (x,) in other] for _ in range(2)]
    assert first != second
    assert [x.item() for (x,) in mine] == [x.item() for (x,) in other]


def test_run_builds_and_looks_at_things_there(learner):
    s = learner(NET)
    net = s.run(lambda: nn.Sequential(nn.LazyLinear(3), nn.ReLU()))
    assert net.kind == "module"
    assert net(torch.ones(2, 5)).shape == (2, 3)
    assert s.run(lambda net: [tuple(p.shape) for p in net.parameters()], net) == [(3, 5), (3,)]
    assert s.run(lambda cls: cls.__doc__, s.Net) == "A net."


def test_a_new_check_begins_with_a_clean_slate(far):
    s = far("def make():\n    return object()\ndef see(x):\n    return 1")
    thing = s.make()
    s._link._reset = True
    with pytest.raises(StudentError):
        s.see(thing)
    assert s.see(1) == 1


OPTIMIZER = """
class Halve(torch.optim.Optimizer):
    def __init__(self, params):
        super().__init__(params, {})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                assert p.device.type == "cuda", p.device
                p.mul_(0.5)
"""


def test_the_parameters_of_an_optimizer_move_to_the_device_with_its_methods(learner):
    student = learner(OPTIMIZER)
    w = torch.ones(3, requires_grad=True)
    optimizer = student.Halve([w])
    with student.other_device():
        optimizer.step()
    assert w.tolist() == [0.5, 0.5, 0.5]
