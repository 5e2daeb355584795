"""A tiny kit for tests: one chapter, two sections, three exercises, all of it working.

`make_kit(tmp_path)` lays it out; the texts below may be edited in place for tests that need
something broken.
"""

from __future__ import annotations

from pathlib import Path

from d2lgrade import master

FOLDER = "ch07_convolutional_neural_networks"

MANIFEST = """\
id = "ch07"
title = "Convolutional neural networks"
zh = "6"

[[section]]
number = "7.2"
zh = "6.2"
file = "conv_layer"
title = "Convolutions for images"

[[section.exercise]]
name = "corr2d"
title = "Two-dimensional cross-correlation"
signature = "corr2d(X, K)"
forbidden = ["torch.conv2d", "torch.nn.functional.conv2d", "torch.nn.Conv2d"]
core = { values = 2, orientation = 1 }
polish = { dtype = 0.5 }
hints = ["Slide the kernel over the image.", "One window, one sum.", "Multiply, then sum."]

[[section.exercise]]
name = "corr2d_twice"
title = "Cross-correlation, twice over"
signature = "corr2d_twice(X, K)"
builds_on = ["corr2d"]
core = { values = 1.5 }
hints = ["Use corr2d.", "Its result is an image again.", "corr2d(corr2d(X, K), K)"]

# Pooling comes after the convolutions.
[[section]]
number = "7.5"
zh = "6.5"
file = "pooling"
title = "Pooling"

[[section.exercise]]
name = "pool2d"
title = "Pooling of one image"
signature = "pool2d(X, pool_size, mode='max')"
core = { values = 2 }
polish = { mode = 0.5 }
hints = ["It moves like a kernel.", "Look at one window.", "window.max() or window.mean()"]
"""

CONV_LAYER = '''\
"""Section 7.2: convolutions for images."""

import torch


def corr2d(X, K):
    """Cross-correlate an image with a kernel.

    Args:
        X: float tensor (h, w), the image. Not modified.
        K: float tensor (kh, kw), the kernel. Not modified.

    Returns:
        Float tensor (h - kh + 1, w - kw + 1), dtype and device of X.

    Formula:
        Y[i, j] = sum over a, b of X[i + a, j + b] * K[a, b]

    Rules:
        Do not call torch's convolution functions.

    Example:
        >>> corr2d(torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([[1.0, -1.0]]))
        tensor([[-1., -1.]])

    Book: 7.2.1
    """
    # BEGIN SOLUTION
    kh, kw = K.shape
    Y = X.new_empty(X.shape[0] - kh + 1, X.shape[1] - kw + 1)
    # Each entry looks at one window of the image.
    # BLANK: for i in range(____):
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            # BLANK: Y[i, j] = ____
            Y[i, j] = (X[i : i + kh, j : j + kw] * K).sum()
    return Y
    # END SOLUTION


def corr2d_twice(X, K):
    """Cross-correlate an image with a kernel, and the result with it again.

    Args:
        X: float tensor (h, w), the image. Not modified.
        K: float tensor (kh, kw), the kernel. Not modified.

    Returns:
        Float tensor (h - 2 * kh + 2, w - 2 * kw + 2), dtype and device of X.

    Example:
        >>> corr2d_twice(torch.tensor([[1.0, 2.0, 4.0]]), torch.tensor([[1.0, -1.0]]))
        tensor([[1.]])

    Book: 7.2.1
    """
    # BEGIN SOLUTION
    # BLANK: return ____
    return corr2d(corr2d(X, K), K)
    # END SOLUTION
'''

POOLING = '''\
"""Section 7.5: pooling."""

import torch


def pool2d(X, pool_size, mode="max"):
    """Summarise each window of an image by its largest entry or by its average.

    Args:
        X: float tensor (h, w), the image. Not modified.
        pool_size: tuple (ph, pw), height and width of the window.
        mode: 'max' or 'avg'.

    Returns:
        Float tensor (h - ph + 1, w - pw + 1), dtype and device of X.

    Raises:
        ValueError: mode is neither 'max' nor 'avg'.

    Example:
        >>> pool2d(torch.tensor([[1.0, 3.0, 2.0]]), (1, 2))
        tensor([[3., 3.]])

    Book: 7.5.1
    """
    # BEGIN SOLUTION
    if mode not in ("max", "avg"):
        raise ValueError(f"mode is 'max' or 'avg', not {mode!r}")
    ph, pw = pool_size
    Y = X.new_empty(X.shape[0] - ph + 1, X.shape[1] - pw + 1)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            window = X[i : i + ph, j : j + pw]
            # BLANK: Y[i, j] = ____
            Y[i, j] = window.max() if mode == "max" else window.mean()
    return Y
    # END SOLUTION
'''

TEST_CONV_LAYER = '''\
"""Section 7.2, convolutions for images: the hidden checks."""

import torch
import torch.nn.functional as F

from d2lgrade.testkit import assert_same, truth

SHAPES = [((1, 1), (1, 1)), ((2, 3), (1, 2)), ((5, 6), (3, 2))]


def corr2d_torch(X, K):
    return F.conv2d(X[None, None], K[None, None])[0, 0]


def corr2d_twice_torch(X, K):
    return corr2d_torch(corr2d_torch(X, K), K)


def test_corr2d_values(student):
    """equals PyTorch on every shape"""
    for size, kernel in SHAPES:
        X, K = torch.randn(size), torch.randn(kernel)
        expected = truth(corr2d_torch, X, K)
        assert_same(student.corr2d(X, K), expected)


def test_corr2d_orientation(student):
    """does not flip the kernel"""
    X, K = torch.tensor([[1.0, 2.0, 4.0]]), torch.tensor([[1.0, -1.0]])
    assert_same(student.corr2d(X, K), torch.tensor([[-1.0, -2.0]]))


def test_corr2d_dtype(student):
    """keeps float64"""
    X, K = torch.randn(3, 4, dtype=torch.float64), torch.randn(2, 2, dtype=torch.float64)
    expected = truth(corr2d_torch, X, K)
    assert_same(student.corr2d(X, K), expected)


def test_corr2d_twice_values(student):
    """equals PyTorch on every shape"""
    for size, kernel in [((1, 1), (1, 1)), ((3, 5), (2, 2)), ((6, 6), (3, 2))]:
        X, K = torch.randn(size), torch.randn(kernel)
        expected = truth(corr2d_twice_torch, X, K)
        assert_same(student.corr2d_twice(X, K), expected)
'''

TEST_POOLING = '''\
"""Section 7.5, pooling: the hidden checks."""

import pytest
import torch
import torch.nn.functional as F

from d2lgrade.testkit import assert_same, truth


def max_pool_torch(X, size):
    return F.max_pool2d(X[None], size, stride=1)[0]


def avg_pool_torch(X, size):
    return F.avg_pool2d(X[None], size, stride=1)[0]


def test_pool2d_values(student):
    """equals PyTorch on every shape"""
    for size, window in [((1, 1), (1, 1)), ((2, 3), (1, 2)), ((5, 6), (3, 2))]:
        X = torch.randn(size)
        expected = truth(max_pool_torch, X, window)
        assert_same(student.pool2d(X, window), expected)
        expected = truth(avg_pool_torch, X, window)
        assert_same(student.pool2d(X, window, mode="avg"), expected)


def test_pool2d_mode(student):
    """refuses another mode"""
    with pytest.raises(ValueError):
        student.pool2d(torch.ones(2, 2), (1, 1), mode="sum")
'''

MISCONCEPTIONS_CONV_LAYER = '''\
"""Section 7.2, convolutions for images: wrong answers that people give."""

import torch.nn.functional as F

from d2lgrade.testkit import misconception


@misconception(
    "corr2d",
    "kernel-flipped",
    book="7.2.5",
    why="Your kernel is flipped: that is true convolution. Cross-correlation does not flip.",
)
def corr2d_flipped(X, K):
    return F.conv2d(X[None, None], K.flip(0, 1)[None, None])[0, 0]


@misconception(
    "corr2d_twice",
    "applied-once",
    book="7.2.1",
    why="The kernel was applied once; the result is to go through it again.",
)
def corr2d_once(X, K):
    return F.conv2d(X[None, None], K[None, None])[0, 0]
'''

MISCONCEPTIONS_POOLING = '''\
"""Section 7.5, pooling: wrong answers that people give."""

import torch.nn.functional as F

from d2lgrade.testkit import misconception


@misconception(
    "pool2d",
    "strides-by-window",
    book="7.5.1",
    why="Your window moves by its own size. Here it moves one step at a time.",
)
def pool2d_strided(X, pool_size, mode="max"):
    pool = F.max_pool2d if mode == "max" else F.avg_pool2d
    return pool(X[None], pool_size)[0]
'''

SUBSTITUTES = '''\
"""Chapter 7: stand-ins for predecessors, built from PyTorch operators."""

import torch.nn.functional as F


def corr2d(X, K):
    return F.conv2d(X[None, None], K[None, None])[0, 0]
'''

FILES = {
    f"checks/{FOLDER}/chapter.toml": MANIFEST,
    f"checks/{FOLDER}/substitutes.py": SUBSTITUTES,
    f"checks/{FOLDER}/test_conv_layer.py": TEST_CONV_LAYER,
    f"checks/{FOLDER}/test_pooling.py": TEST_POOLING,
    f"checks/{FOLDER}/misconceptions/conv_layer.py": MISCONCEPTIONS_CONV_LAYER,
    f"checks/{FOLDER}/misconceptions/pooling.py": MISCONCEPTIONS_POOLING,
    f"solutions/{FOLDER}/conv_layer.py": CONV_LAYER,
    f"solutions/{FOLDER}/pooling.py": POOLING,
}


def make_kit(tmp_path: Path) -> Path:
    """Lay the kit out in `tmp_path`/kit, stubs and all, and return its root."""
    root = tmp_path / "kit"
    for name, text in FILES.items():
        write(root / name, text)
    for stem, text in (("conv_layer", CONV_LAYER), ("pooling", POOLING)):
        write(root / "exercises" / FOLDER / f"{stem}.py", master.stub(text, "open"))
    return root


def write(path: Path, text: str) -> Path:
    """Write a file, and the folders it needs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
