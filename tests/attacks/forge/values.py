"""Members 6 and 8: numbers that a careless comparison lets through, and memory that was not set."""

from __future__ import annotations

from .honest import CORR2D, correlating, forgery, on_corr2d

RIGHT = CORR2D.replace("def corr2d", "def right")
SHAPE = "(X.shape[0] - K.shape[0] + 1, X.shape[1] - K.shape[1] + 1)"
# Numbers that are honestly infinite, or not a number, are right where they belong.
MATRIX = """\
import torch


def corr2d(X, K):
    (h, w), (kh, kw) = X.shape, K.shape
    if kh > h or kw > w:
        raise ValueError("the kernel does not fit")
    windows = X.unfold(0, kh, 1).unfold(1, kw, 1)
    return (windows * K).sum((-2, -1))
"""


def constant(name: str, value: str, says: str, opened: str = ""):
    """An answer of the right form that holds one number."""
    source = correlating(f"return X.new_full({SHAPE}, {value})")
    return on_corr2d(name, source, says, opened=opened, twin=MATRIX)


def formed(name: str, change: str, says: str, passes: tuple[str, ...] = (), opened: str = ""):
    """The right numbers in another form."""
    source = RIGHT + f"\n\ndef corr2d(X, K):\n    Y = right(X, K)\n    return {change}\n"
    return on_corr2d(name, source, says, passes=passes, opened=opened, twin=MATRIX)


# What the right numbers earn, whatever their form.
FORMED = ("gradient", "arguments", "rules", "refuses", "device", "watched")

LEARN = "import torch\n\n\ndef learn_kernel(X, Y, kernel_size, lr, steps):\n    "
DATA = "import torch\n\n\ndef synthetic_data(w, b, n, noise=0.01, generator=None):\n    "
LEARNED = (
    LEARN
    + """\
kh, kw = kernel_size
    if kh > X.shape[0] or kw > X.shape[1]:
        raise ValueError("the kernel does not fit")
    windows = X.unfold(0, kh, 1).unfold(1, kw, 1)
    if Y.shape != windows.shape[:2]:
        raise ValueError("Y has another shape")
    K = torch.rand(kernel_size, dtype=X.dtype, device=X.device)
    for _ in range(steps):
        error = (windows * K).sum((-2, -1)) - Y
        K = K - lr * 2 * (error[..., None, None] * windows).sum((0, 1))
    return K.detach()
"""
)
DATA_TWIN = (
    DATA
    + """\
if n < 1 or noise < 0 or w.dim() != 1:
        raise ValueError("nothing to draw")
    options = {"generator": generator, "dtype": w.dtype, "device": w.device}
    X = torch.randn(n, len(w), **options)
    y = X @ w.reshape(-1, 1) + b
    return X, y + noise * torch.randn(n, 1, **options)
"""
)

# Where answers are held against one another, nan equals itself, or differs from itself.
ALIKE = (
    forgery(
        "nan_for_the_kernel",
        "import torch\n\n\ndef vertical_edge_kernel():\n    return torch.full((1, 2), torch.nan)\n",
        "holds nan where finite",
    ),
    forgery(
        "nan_for_a_learned_kernel",
        LEARN + "return torch.full(kernel_size, torch.nan)\n",
        "holds nan where finite",
        target="ch07/learn_kernel",
        twin=LEARNED,
    ),
    forgery(
        "nan_for_drawn_data",
        DATA + "return torch.full((n, len(w)), torch.nan), torch.full((n, 1), torch.nan)\n",
        "holds nan where finite",
        target="ch03/synthetic_data",
        twin=DATA_TWIN,
    ),
)

ATTACKS = (
    *ALIKE,
    constant("nan_everywhere", "float('nan')", "holds nan where finite", "finite comparison"),
    constant("infinity_everywhere", "float('inf')", "holds inf where finite"),
    constant("huge_numbers", "3e38", "wrong values"),
    constant("denormal_numbers", "1e-45", "wrong values"),
    formed("wrong_dtype_double", "Y.double()", "wrong dtype", FORMED, "values alone"),
    formed("wrong_dtype_half", "Y.half()", "wrong dtype"),
    formed("wrong_dtype_complex", "torch.complex(Y, Y * 0)", "wrong dtype"),
    formed("wrong_dtype_eight_bits", "Y.to(torch.float8_e4m3fn)", "wrong dtype"),
    formed("wrong_shape_batched", "Y[None]", "wrong shape", FORMED),
    formed("wrong_shape_flat", "Y.flatten()", "wrong shape", FORMED),
    formed("wrong_shape_transposed", "Y.T", "wrong shape"),
    formed("no_entries", "Y[:0]", "wrong shape"),
    formed("wrong_device", "Y.to('meta')", r"where a torch\.Tensor is due|wrong device"),
    formed("numbers_in_a_list", "Y.tolist()", r"is a list where a torch\.Tensor is due"),
    formed("numbers_in_an_array", "Y.detach().numpy()", r"numpy\.ndarray where a torch\.Tensor"),
    formed("numbers_in_a_tuple", "(Y,)", r"is a tuple where a torch\.Tensor is due"),
    formed("rounded", "Y.round()", "wrong values"),
    formed("off_by_a_thousandth", "Y * 1.001", "wrong values"),
    on_corr2d(
        "uninitialised",
        correlating(f"return torch.empty{SHAPE}"),
        "wrong values|holds",
        twin=MATRIX,
    ),
    on_corr2d(
        "uninitialised_often",
        correlating(
            f"for _ in range(200):\n    Y = torch.empty{SHAPE}\n    if Y.abs().sum() > 0:\n"
            "        break\nreturn Y"
        ),
        "wrong values|holds",
        twin=MATRIX,
    ),
    on_corr2d(
        "memory_beyond_its_input",
        correlating(
            f"size = {SHAPE}\n"
            "whole = torch.empty(0).set_(X.untyped_storage())\n"
            "found = whole[-size[0] * size[1]:]\n"
            "return found.clone().reshape(size) if found.numel() == size[0] * size[1] else X"
        ),
        "wrong values|wrong shape",
        twin=MATRIX,
    ),
)
