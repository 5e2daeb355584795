"""Member 5: objects that pass for an answer."""

from __future__ import annotations

from .honest import calling, forgery

EQUAL = """\
import torch


class Anything:
    shape = property(lambda self: self)
    dtype = torch.float32
    device = torch.device("cpu")

    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    __lt__ = __gt__ = __le__ = __ge__ = __contains__ = __eq__
    __hash__ = object.__hash__

    def __call__(self, *args, **kwargs):
        return self

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __iter__(self):
        return iter(())

    def __bool__(self):
        return True

    def __float__(self):
        return 0.0
"""
SUBCLASS = """\
import torch


class Agreeable(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func.__name__ in ("eq", "__eq__", "isclose"):
            return torch.ones(args[0].shape, dtype=torch.bool)
        if func.__name__ in ("allclose", "equal"):
            return True
        return super().__torch_function__(func, types, args, kwargs or {})
"""
LYING = '''\
import torch


class Lazy(torch.Tensor):
    """Decides what it is when somebody looks."""

    @staticmethod
    def __new__(cls, shape):
        return torch.Tensor._make_wrapper_subclass(cls, shape, dtype=torch.float32)

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        if func.__name__.startswith(("eq", "le", "lt", "isfinite", "logical")):
            return torch.ones(args[0].shape, dtype=torch.bool)
        return torch.zeros(args[0].shape)
'''
SEVENS = "Y = torch.tensor([[7.0, 7.0]])\n"
TENSOR = r"where a torch\.Tensor is due"
# An honest answer in a container of its own is unpacked before it is returned.
TWIN_CLASS = """\
import torch


class Kernel(torch.Tensor):
    pass


def vertical_edge_kernel():
    kernel = torch.tensor([[0.5, -0.5]]).as_subclass(Kernel)
    return (2 * kernel).as_subclass(torch.Tensor)
"""
SHAPE = """\
def conv_output_shape(n, k, p, s):
    if s < 1 or k > n + p:
        raise ValueError("no such window")
    return (n - k + p + s) // s
"""


def shaped(name: str, head: str, result: str, says: str = "where an int"):
    """A conv_output_shape that returns an odd number."""
    source = f"{head}\n\ndef conv_output_shape(n, k, p, s):\n    return {result}\n"
    return forgery(name, source, says, target="ch07/conv_output_shape", twin=SHAPE)


ALWAYS = """\
class Number({base}):
    __eq__ = __le__ = __ge__ = __lt__ = __gt__ = lambda self, other: True
    __ne__ = lambda self, other: False
    __hash__ = {base}.__hash__
    __sub__ = __rsub__ = lambda self, other: 0
    __abs__ = lambda self: 0
"""

ATTACKS = (
    forgery("equals_everything", calling("return Anything()", EQUAL), f"is an Anything {TENSOR}"),
    forgery(
        "disguised_by_class",
        calling(
            "return Fake()",
            EQUAL + "\n\nclass Fake(Anything):\n    __class__ = property(lambda s: torch.Tensor)\n",
        ),
        f"is an? (Fake|Tensor|torch.Tensor) {TENSOR}",
    ),
    forgery(
        "tensor_subclass",
        calling(SEVENS + "return Y.as_subclass(Agreeable)", SUBCLASS),
        f"is an Agreeable {TENSOR}",
        twin=TWIN_CLASS,
        opened="own process",
    ),
    forgery(
        "parameter_subclass",
        calling(
            SEVENS + "return Weight(Y)",
            SUBCLASS + "\n\nclass Weight(Agreeable, torch.nn.Parameter):\n    pass\n",
        ),
        f"Weight {TENSOR}|raised",
        twin=TWIN_CLASS,
    ),
    forgery(
        "lazy_tensor",
        calling("return Lazy((1, 2))", LYING),
        f"is a Lazy {TENSOR}",
        twin=TWIN_CLASS,
    ),
    forgery(
        "another_tensor_each_look",
        calling(
            "return Changing(torch.ones(1, 2))",
            """\
import torch


class Changing:
    def __init__(self, X):
        self.X = X

    def __getattr__(self, name):
        return getattr(torch.randn(self.X.shape), name)

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return torch.randn(1)
""",
        ),
        f"is a Changing {TENSOR}",
    ),
    forgery(
        "endless_generator",
        calling(SEVENS + "def numbers():\n    while True:\n        yield Y\nreturn numbers()"),
        f"is a generator {TENSOR}",
    ),
    forgery(
        "endless_counter",
        calling("import itertools\nreturn itertools.count()"),
        f"is a count {TENSOR}",
    ),
    forgery(
        "returns_its_function", calling("return vertical_edge_kernel"), f"is a function {TENSOR}"
    ),
    forgery("returns_a_module", calling("return torch"), f"is a module {TENSOR}"),
    forgery(
        "returns_a_mock",
        calling(
            "return mock.MagicMock(spec=torch.Tensor)",
            "from unittest import mock\n\nimport torch\n",
        ),
        TENSOR,
    ),
    forgery("sparse_tensor", calling(SEVENS + "return Y.to_sparse()"), TENSOR),
    forgery(
        "quantised_tensor",
        calling(SEVENS + "return torch.quantize_per_tensor(Y, 0.1, 0, torch.qint8)"),
        f"{TENSOR}|raised|cannot",
    ),
    forgery(
        "nested_tensor",
        calling("return torch.nested.nested_tensor([torch.ones(2), torch.ones(2)])"),
        TENSOR,
    ),
    forgery(
        "unmade_parameter", calling("return torch.nn.UninitializedParameter()"), f"{TENSOR}|raised"
    ),
    shaped("number_that_equals_all", ALWAYS.format(base="int"), "Number(1)"),
    shaped("float_that_equals_all", ALWAYS.format(base="float"), "Number(1)"),
    shaped("string_that_equals_all", ALWAYS.format(base="str"), "Number(1)"),
    shaped("object_for_a_number", EQUAL, "Anything()"),
    shaped("truth_for_a_number", "", "True"),
    shaped("float_for_a_number", "", "float((n - k + p + s) // s)"),
    shaped("tensor_for_a_number", "import torch\n", "torch.tensor((n - k + p + s) // s)"),
    shaped("more_digits_than_python_prints", "", "10**5000", "."),
    shaped("nan_for_a_number", "", "float('nan')"),
)
