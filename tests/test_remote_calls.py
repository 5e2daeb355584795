"""Calls: arguments, tensors, what comes back in place, modes, seeds, prints, exceptions."""

from __future__ import annotations

import builtins
import math
import random
from collections import OrderedDict

import numpy as np
import pytest
import torch

from d2lgrade import wire
from d2lgrade.judge.seeds import seeded
from d2lgrade.student.faults import Fault, StudentError, exception
from d2lgrade.student.namespace import Handle

pytest_plugins = ["links"]

DTYPES = sorted(wire.DTYPES)


def sample(name: str) -> torch.Tensor:
    dtype = wire.DTYPES[name]
    return torch.tensor([[0.0, 1.0, 2.0], [3.0, 4.0, 1.0]], dtype=torch.float64).to(dtype)


def raw(tensor: torch.Tensor) -> bytes:
    return bytes(tensor.contiguous().view(-1).view(torch.uint8).tolist())


# Arguments and results ---------------------------------------------------------------------------


def test_positional_and_named_arguments_arrive(learner):
    s = learner("def f(a, b=2, *rest, c, **more):\n    return [a, b, rest, c, more]")
    assert s.f(1, c=3) == [1, 2, (), 3, {}]
    assert s.f(1, 5, 6, 7, c=8, d=9) == [1, 5, (6, 7), 8, {"d": 9}]


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -7,
        2**200,
        -(2**64),
        1.5,
        math.inf,
        2 + 3j,
        "héllo \x00",
        "lone \ud800 surrogate",
        b"\xff\x00",
        [],
        (),
        {},
        [1, (2, [3, (4,)])],
        {"a": 1, 2: [3], (4, 5): None, 1.5: (6,)},
    ],
    ids=repr,
)
def test_closed_values_cross_both_ways(learner, value):
    s = learner("def same(x):\n    return x")
    back = s.same(value)
    assert back == value
    assert type(back) is type(value)


def test_nan_crosses(learner):
    assert math.isnan(learner("def same(x):\n    return x").same(math.nan))


def test_devices_dtypes_and_sizes_cross(learner):
    s = learner("def f(d, t, size):\n    return [torch.zeros(size, device=d, dtype=t), d, t]")
    zeros, device, dtype = s.f(torch.device("cpu"), torch.float64, torch.Size([2, 3]))
    assert zeros.shape == (2, 3)
    assert zeros.dtype is dtype is torch.float64
    assert device == torch.device("cpu")


@pytest.mark.filterwarnings("ignore:ComplexHalf")  # torch says so once of complex32
@pytest.mark.parametrize("name", DTYPES)
def test_every_dtype_crosses(learner, name):
    s = learner("def same(X):\n    return X\ndef copy(X):\n    return X.clone()")
    X = sample(name)
    before = raw(X)
    assert s.same(X) is X
    back = s.copy(X)
    assert (back.dtype, back.shape, raw(back)) == (X.dtype, X.shape, before)


@pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3), (1, 1), (70_000,)])
def test_every_size_crosses(learner, shape):
    X = torch.randn(shape)
    back = learner("def copy(X):\n    return X.clone()").copy(X)
    assert torch.equal(back, X)
    assert back.shape == X.shape


def test_special_floats_keep_their_bits(far):
    X = torch.tensor([0x7FC00001, -0x400000, 0x7F800000, 1], dtype=torch.int32).view(torch.float32)
    assert raw(far("def copy(X):\n    return X.clone()").copy(X)) == raw(X)


LAYOUTS = {
    "transposed": lambda: torch.arange(12.0).view(3, 4).T,
    "expanded": lambda: torch.arange(3.0).view(3, 1).expand(3, 4),
    "offset": lambda: torch.arange(12.0)[5:],
    "strided": lambda: torch.arange(24.0).view(4, 6)[::2, 1::3],
    "channels last": lambda: (
        torch.arange(24.0).view(1, 2, 3, 4).contiguous(memory_format=torch.channels_last)
    ),
    "windows": lambda: torch.arange(6.0).unfold(0, 3, 1),
    "large": lambda: torch.arange(40_000.0).view(200, 200).T,
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_are_reproduced(learner, layout):
    s = learner("""
        def look(X):
            return [X.stride(), X.storage_offset(), X.is_contiguous(), X.clone()]
    """)
    X = LAYOUTS[layout]()
    stride, offset, contiguous, values = s.look(X)
    assert (stride, offset, contiguous) == (X.stride(), X.storage_offset(), X.is_contiguous())
    assert torch.equal(values, X)


def test_a_view_shows_nothing_of_what_surrounds_it(far):
    s = far("""
        def around(X):
            return torch.empty(0).set_(X.untyped_storage()).clone()
    """)
    assert s.around(torch.arange(1.0, 9.0)[3:5]).tolist() == [0, 0, 0, 4, 5]


def test_conjugated_and_negated_views_cross_by_value(learner):
    Z = torch.tensor([1 + 2j, 3 - 4j])
    s = learner("def copy(X):\n    return X.clone()")
    assert torch.equal(s.copy(Z.conj()), Z.conj().resolve_conj())
    assert torch.equal(s.copy(Z.conj().imag), Z.conj().imag.resolve_neg())


def test_the_same_tensor_twice_is_one_tensor(learner):
    s = learner("def same(X, pair, more):\n    return X is pair[0] is pair[1] is more['X']")
    X = torch.ones(3)
    assert s.same(X, [X, X], {"X": X}) is True


def test_a_tensor_passed_again_is_the_same_object_there(learner):
    s = learner("""
        kept = []
        def keep(X):
            kept.append(X)
        def is_kept(X):
            return X is kept[-1]
    """)
    X = torch.ones(3)
    s.keep(X)
    assert s.is_kept(X) is True
    assert s.is_kept(torch.ones(3)) is False


def test_one_result_twice_is_one_tensor(learner):
    a, b = learner("def twice(X):\n    Y = X + 1\n    return Y, Y").twice(torch.ones(2))
    assert a is b


@pytest.mark.parametrize("order", ["base first", "view first"])
def test_views_of_one_storage_share_it(learner, order):
    s = learner("""
        def fill(X, row):
            row.fill_(7.0)
            return X.clone()
        def fill2(row, X):
            return fill(X, row)
    """)
    X = torch.zeros(2, 3)
    seen = s.fill(X, X[1]) if order == "base first" else s.fill2(X[1], X)
    assert seen.tolist() == X.tolist() == [[0, 0, 0], [7, 7, 7]]


def test_a_view_shares_the_storage_of_a_tensor_sent_earlier(learner):
    s = learner("""
        kept = []
        def keep(X):
            kept.append(X)
        def fill(row):
            row.fill_(7.0)
            return kept[0].clone()
    """)
    X = torch.zeros(2, 3)
    s.keep(X)
    assert s.fill(X[1]).tolist() == X.tolist() == [[0, 0, 0], [7, 7, 7]]


def test_views_of_another_dtype_share_the_storage(learner):
    s = learner("def fill(X, bits):\n    bits.fill_(0)\n    return X.clone()")
    X = torch.ones(4)
    assert s.fill(X, X.view(torch.int32)).tolist() == X.tolist() == [0, 0, 0, 0]


def test_new_memory_at_an_old_address_is_not_shared(far):
    s = far("def add(X):\n    X.add_(1)")
    for _ in range(20):
        X = torch.zeros(1000)
        s.add(X)
        other = torch.zeros(1000)
        s.add(other[:10])
        assert (X.sum(), other.sum()) == (1000, 10)
        X.data = torch.zeros(1000)
        again = torch.zeros(1000)
        s.add(again)
        assert (X.sum(), again.sum()) == (0, 1000)


# In place ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        "X.add_(1)",
        "X += 1",
        "X[:] = X + 1",
        "X.data += 1",
        "X.data = X.data + 1",
        "X.numpy()[:] += 1",
        "X.T.add_(1)",
    ],
)
@pytest.mark.parametrize("size", [(2, 3), (100, 200)])
def test_changes_in_place_come_back(learner, change, size):
    s = learner(f"def f(X):\n    {change}")
    X = torch.zeros(size)
    s.f(X)
    assert torch.equal(X, torch.ones(size))


def test_a_change_in_place_counts_as_one(learner):
    X = torch.zeros(3)
    version = X._version
    learner("def f(X):\n    X.add_(1)").f(X)
    assert X._version > version


def test_changes_of_the_caller_arrive(learner):
    s = learner("def total(X):\n    return X.sum().item()")
    X = torch.zeros(4)
    assert s.total(X) == 0
    X.add_(1)
    assert s.total(X) == 4
    X.data.add_(1)
    assert s.total(X) == 8


def test_expanded_tensors_follow_in_both_directions(learner):
    s = learner("def f(X, row):\n    row.add_(1)\n    return X.sum().item()")
    row = torch.zeros(1, 3)
    X = row.expand(4, 3)
    assert s.f(X, row) == 12
    assert X.sum() == 12
    row.add_(1)
    assert s.f(X, row) == 36


def test_a_new_shape_or_dtype_comes_back(learner):
    s = learner(
        "def f(X, Y, Z):\n    X.t_()\n    Y.resize_(6)\n    Z.data = Z.data.to(torch.int32)"
    )
    X, Y, Z = torch.zeros(2, 3), torch.zeros(2, 3), torch.zeros(2)
    s.f(X, Y, Z)
    assert (X.shape, Y.shape, Z.dtype) == ((3, 2), (6,), torch.int32)


def test_numbers_in_dicts_come_back(learner):
    s = learner("def step(hyperparams):\n    hyperparams['t'] += 1")
    hyperparams = {"t": 1, "lr": 0.1}
    s.step(hyperparams)
    s.step(hyperparams=hyperparams)
    assert hyperparams == {"t": 3, "lr": 0.1}


def test_containers_within_containers_come_back(learner):
    s = learner("""
        def f(a, b, *, c):
            a[0][1].append(9)
            b[1]['k'].append(torch.ones(2))
            b[0].add_(1)
            c['x'][0]['y'] = (1, 2)
            del c['z']
    """)
    inner, deep, tensor, table = [2], {"y": 0}, torch.zeros(2), {"k": []}
    a, b, c = [[1, inner]], (tensor, table), {"x": [deep], "z": 1}
    s.f(a, b, c=c)
    assert inner == [2, 9]
    assert a == [[1, [2, 9]]]
    assert a[0][1] is inner
    assert torch.equal(table["k"][0], torch.ones(2))
    assert torch.equal(tensor, torch.ones(2))
    assert deep == {"y": (1, 2)}
    assert c == {"x": [deep]}


def test_containers_that_move_stay_themselves(learner):
    s = learner("def rotate(rows):\n    rows.append(rows.pop(0))\n    rows[0].append(0)")
    one, two = [1], [2]
    rows = [one, two]
    s.rotate(rows)
    assert rows[0] is two
    assert rows[1] is one
    assert (one, two) == ([1], [2, 0])


def test_a_container_that_is_returned_is_the_caller_s(learner):
    s = learner("def f(items):\n    items.append(1)\n    return [items, 2]")
    items = []
    assert s.f(items)[0] is items
    assert items == [1]


def test_states_of_an_optimizer_along_the_book(learner):
    s = learner("""
        def init(p):
            return [(torch.zeros_like(q), torch.zeros_like(q)) for q in p]
        def step(params, states, hyperparams):
            for p, (v, s) in zip(params, states):
                with torch.no_grad():
                    v[:] = 0.9 * v + 0.1 * p.grad
                    s[:] = s + 1
                    p[:] -= hyperparams['lr'] * v
                p.grad.data.zero_()
            hyperparams['t'] += 1
    """)
    w = torch.ones(3, requires_grad=True)
    states, hyperparams = s.init([w]), {"lr": 1.0, "t": 1}
    for _ in range(2):
        (2 * w).sum().backward()
        s.step([w], states, hyperparams)
    assert torch.allclose(w.detach(), torch.tensor(1 - 0.2 - 0.38))
    assert torch.allclose(states[0][0], torch.tensor(0.38))
    assert (states[0][1].tolist(), hyperparams["t"]) == ([2, 2, 2], 3)
    assert torch.equal(w.grad, torch.zeros(3))


def test_mappings_of_other_kinds_come_back(far):
    s = far("def f(table):\n    table['b'] = 2")
    table = OrderedDict(a=1)
    s.f(table)
    assert table == OrderedDict(a=1, b=2)


def test_what_changed_before_an_exception_comes_back(learner):
    s = learner("def f(X, table):\n    X.add_(1)\n    table['n'] = 1\n    raise ValueError('no')")
    X, table = torch.zeros(2), {}
    with pytest.raises(ValueError, match="no"):
        s.f(X, table)
    assert (X.tolist(), table) == ([1, 1], {"n": 1})


# Modes and seeds ---------------------------------------------------------------------------------


def test_grad_mode_follows(learner):
    modes = "[torch.is_grad_enabled(), torch.is_inference_mode_enabled()]"
    s = learner(f"def mode():\n    return {modes}")
    assert s.mode() == [True, False]
    with torch.no_grad():
        assert s.mode() == [False, False]
    with torch.inference_mode():
        assert s.mode() == [False, True]
    assert s.mode() == [True, False]


def test_grad_mode_that_a_learner_leaves_behind_does_no_harm(far):
    s = far("""
        def careless():
            torch.set_grad_enabled(False)
        def mode():
            return torch.is_grad_enabled()
    """)
    s.careless()
    assert s.mode() is True


def test_tensors_of_inference_mode_work_in_place(learner):
    s = learner("def f(X):\n    X.add_(1)\n    return X * 2")
    with torch.inference_mode():
        X = torch.zeros(2000)
        Y = s.f(X)
        assert (X[0], Y[0]) == (1, 2)
        s.f(X)
        assert X[0] == 2


RANDOM = """
    import random
    import numpy as np
    def draw():
        return [torch.randn(3), float(np.random.rand()), random.random()]
    def order():
        return list({'apple', 'pear', 'plum', 'fig', 'date', 'lime'})
    def seeds():
        return [torch.initial_seed(), int(np.random.get_state()[1][0]), random.getstate()[1][0]]
"""


def draws(learner, number):
    s = learner(RANDOM)
    with seeded("ch00/draw/values", number, s.seeded):
        first = s.draw()
        torch.manual_seed(5)
        again = [s.draw(), s.draw()]
        torch.manual_seed(5)
        same = s.draw()
        np.random.seed(1)
        random.seed(1)
        other = s.draw()
    return [[row[0].tolist(), *row[1:]] for row in (first, *again, same, other)]


def test_seeds_follow_and_repeat(learner):
    one, two, rotated = draws(learner, 0), draws(learner, 0), draws(learner, 1)
    assert one == two
    assert one[0] != rotated[0]
    assert one[1][0] == one[3][0]  # torch.manual_seed of the check
    assert one[1] != one[2]


def test_a_seed_given_before_a_backward_is_not_lost(far):
    s = far(RANDOM + "    def f(X):\n        return X * 2\n")

    def draw(between):
        X = torch.ones(2, requires_grad=True)
        Y = s.f(X).sum()
        s.seeded(3)
        if between:
            Y.backward()
        return s.draw()[1:]

    assert draw(True) == draw(False)


def test_the_order_of_a_set_is_the_same_in_every_run(far):
    assert far(RANDOM).order() == far(RANDOM).order()


def test_the_seed_of_the_judge_cannot_be_read(far):
    s = far(RANDOM)
    with seeded("ch00/draw/values", 0, s.seeded):
        mine = {torch.initial_seed(), torch.initial_seed() % 2**32, random.getstate()[1][0]}
        s.draw()
        theirs = set(s.seeds())
    assert not mine & theirs


# Prints ------------------------------------------------------------------------------------------


def test_prints_are_captured(learner):
    s = learner("""
        import sys
        def f():
            print("one")
            print("two", file=sys.stderr)
            sys.stdout.write("three\\n")
    """)
    s.f()
    assert learner.printed() == "one\ntwo\nthree\n"
    assert learner.printed() == ""


def test_prints_below_python_are_captured(far):
    s = far("""
        import ctypes, os, sys, subprocess
        def f():
            os.write(1, b"raw\\n")
            ctypes.CDLL(None).puts(b"from C")
            print("late", file=sys.__stdout__)
            os.system("echo a child")
    """)
    s.f()
    assert far.printed() == "raw\nfrom C\nlate\na child\n"


def test_a_flood_of_prints_is_cut_for_each_check_anew(far):
    source = "def f(n):\n    for _ in range(n):\n        print('x' * 999)"
    s = far(source)
    s.f(1000)
    text = far.printed()
    assert text.endswith("[more output was dropped]\n")
    assert 250_000 < len(text) < 270_000
    s._link._reset = True  # the next check on this contestant
    s.f(1)
    assert far.printed() == "x" * 999 + "\n"


def test_a_flood_below_python_neither_blocks_nor_fills_the_judge(far):
    s = far("""
        import os
        def f():
            try:
                while True:
                    os.write(1, b"x" * (1 << 20))
            except OSError:
                return "full"
    """)
    assert s.f() == "full"
    assert len(far.printed()) == 1 << 20
    assert s.f() == "full"


def test_odd_text_is_printed_whole(far):
    s = far("def f():\n    print('\\ud800 \\x1b[31m é')")
    s.f()
    assert far.printed() == "\\ud800 \x1b[31m é\n"


# Exceptions --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "kind", "text"),
    [
        ("1 / 0", ZeroDivisionError, "division by zero"),
        ("{}['missing']", KeyError, "'missing'"),
        ("[][3]", IndexError, "list index out of range"),
        ("b'\\xff'.decode()", UnicodeDecodeError, "can't decode byte 0xff"),
        ("open('nowhere')", FileNotFoundError, "No such file"),
        ("torch.ones(2) @ torch.ones(3)", RuntimeError, "inconsistent tensor size"),
        ("__import__('pandas_')", ModuleNotFoundError, "No module named"),
        ("next(iter([]))", StopIteration, ""),
        ("(_ for _ in ()).throw(GeneratorExit)", StudentError, ""),
        ("raise_(Own('mine'))", ValueError, "mine"),
        ("raise_(ExceptionGroup('two', [ValueError(1), TypeError(2)]))", ExceptionGroup, "two (2"),
        ("__import__('sys').exit(3)", StudentError, "3"),
    ],
)
def test_exceptions_arrive_as_their_own_kind(learner, code, kind, text):
    s = learner(f"""
        class Own(ValueError):
            pass
        def raise_(error):
            raise error
        def f():
            {code}
    """)
    with pytest.raises(StudentError) as caught:
        s.f()
    assert isinstance(caught.value, kind)
    assert text in str(caught.value)
    assert text in caught.value.fault.text


BUILTIN = [c for c in vars(builtins).values() if isinstance(c, type) and issubclass(c, Exception)]


@pytest.mark.parametrize("kind", BUILTIN, ids=lambda kind: kind.__name__)
def test_every_built_in_kind_can_arrive(kind):
    names = tuple(cls.__name__ for cls in kind.__mro__)
    for kinds in (names, ("Own", *names)):
        error = exception(Fault(kinds, "what it says", arguments=("one", 2)))
        assert isinstance(error, kind)
        assert isinstance(error, StudentError)
        assert str(error) == "what it says"
        assert error.args == ("one", 2)


def test_the_kind_of_an_own_exception_is_kept(learner):
    s = learner("class Broken(KeyError):\n    pass\ndef f():\n    raise Broken('a')")
    with pytest.raises(KeyError) as caught:
        s.f()
    assert type(caught.value).__name__ == "Broken"
    assert caught.value.fault.kinds[:2] == ("Broken", "KeyError")
    assert caught.value.args == ("a",)


def test_an_interrupt_raised_by_a_learner_does_not_end_the_judge(far):
    with pytest.raises(StudentError) as caught:
        far("def f():\n    raise KeyboardInterrupt").f()
    assert caught.value.fault.kind == "KeyboardInterrupt"
    assert not isinstance(caught.value, KeyboardInterrupt)


def test_only_the_learner_s_frames_are_named(learner):
    s = learner("""
        def inner(X):
            return torch.nn.functional.linear(X, X, bias=3)
        def f(X):
            return inner(X)
    """)
    with pytest.raises(TypeError) as caught:
        s.f(torch.ones(2, 2))
    frames = caught.value.fault.frames
    assert [(f.path, f.function) for f in frames] == [
        ("exercises/learner.py", "f"),
        ("exercises/learner.py", "inner"),
    ]
    assert frames[1].source == "return torch.nn.functional.linear(X, X, bias=3)"


def test_a_signature_that_does_not_fit_is_told_apart(learner):
    s = learner("def f(a, b):\n    return a + b\ndef g(a):\n    return a + 'x'")
    with pytest.raises(TypeError) as caught:
        s.f(1)
    assert caught.value.fault.signature == "(a, b)"
    with pytest.raises(TypeError) as caught:
        s.g(1)
    assert caught.value.fault.signature == ""


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("def __str__(self): raise SystemExit", "cannot be shown"),
        ("def __str__(self): return 'x' * 100_000_000", "(100000000 characters)"),
        ("def __str__(self): return Text('plain')", "plain"),
        ("args = property(lambda self: 1 / 0)", "cannot be shown"),
    ],
)
def test_exceptions_that_cannot_be_shown(learner, body, text):
    s = learner(f"""
        class Text(str):
            def __len__(self):
                raise RuntimeError
        class Odd(Exception):
            {body}
        def f():
            raise Odd
        def g():
            return 1
    """)
    with pytest.raises(StudentError) as caught:
        s.f()
    assert text in caught.value.fault.text
    assert len(caught.value.fault.text) < 5000
    assert s.g() == 1


def test_endless_recursion_is_an_exception(learner):
    s = learner("def f():\n    return f()")
    with pytest.raises(RecursionError) as caught:
        s.f()
    assert len(caught.value.fault.frames) <= 13


def test_missing_and_broken_files_are_told_apart(learner):
    s = learner("def f():\n    return 1")
    with pytest.raises(LookupError) as caught:
        s.g()
    assert caught.value.fault.missing == "g"
    s = learner("def f():\n    return 1\n1 / 0")
    with pytest.raises(ZeroDivisionError) as caught:
        s.f()
    assert caught.value.fault.loading


# What cannot cross -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "name"),
    [
        ("np.ones(3)", "numpy.ndarray"),
        ("{1, 2}", "set"),
        ("(i for i in range(3))", "generator"),
        ("torch.eye(2).to_sparse()", "torch.Tensor"),
        ("torch.empty(2, device='meta')", "torch.Tensor"),
        ("Sub(torch.ones(2))", "Sub"),
        ("np.complex64(1)", "numpy.complex64"),
        ("np.longdouble(1)", "numpy.longdouble"),
        ("lambda: 1", "function"),
        ("object()", "object"),
        ("Point(1, 2)", "Point"),
    ],
)
def test_what_cannot_cross_stays_there_under_its_name(learner, expression, name):
    s = learner(f"""
        import collections
        import numpy as np
        Point = collections.namedtuple("Point", "x y")
        def Sub(data):
            return data.as_subclass(type("Sub", (torch.Tensor,), {{}}))
        def f():
            return [{expression}, 1]
    """)
    value, one = s.f()
    if "torch.empty" in expression and not isinstance(value, Handle):
        pytest.skip("in one process a meta tensor is simply itself")
    if isinstance(value, torch.Tensor):
        assert not learner.remote
    else:
        assert isinstance(value, Handle)
        assert value.type_name == name
    assert one == 1


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("np.float32(0.5)", 0.5),
        ("np.float64(0.25)", 0.25),
        ("np.int64(7)", 7),
        ("np.bool_(True)", True),
    ],
)
def test_numpy_s_numbers_arrive_as_numbers(learner, expression, value):
    back = learner(f"import numpy as np\ndef f():\n    return {expression}").f()
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize(
    "making",
    [
        "x = []\n    x.append(x)",
        "x = {}\n    x['x'] = [x]",
        "x = []\n    for _ in range(100):\n        x = [x]",
        "x = ()\n    for _ in range(5000):\n        x = (x,)",
    ],
)
def test_endless_and_very_deep_answers_are_refused(learner, making):
    s = learner(f"def f():\n    {making}\n    return x\ndef g():\n    return 1")
    with pytest.raises(ValueError, match="nested too deeply"):
        s.f()
    assert s.g() == 1


def test_an_argument_made_endless_is_refused(far):
    s = far("def f(x):\n    x.append(x)\ndef g():\n    return 1")
    with pytest.raises(ValueError, match="nested too deeply"):
        s.f([])
    assert s.g() == 1


@pytest.mark.parametrize("making", ["10 ** 5000", "'x' * (20 << 20)", "[0] * (20 << 20)"])
def test_answers_beyond_the_limits_are_refused(far, making):
    s = far(f"def f():\n    return {making}\ndef g():\n    return 1")
    with pytest.raises(ValueError, match=r"too large|MB"):
        s.f()
    assert s.g() == 1


def test_a_tensor_that_becomes_sparse_is_refused_as_an_error(far):
    s = far("def f(X):\n    X.data = X.data.to_sparse()\ndef g():\n    return 1")
    X = torch.eye(3)
    with pytest.raises(StudentError):
        s.f(X)
