"""Flags: what deserves a human look is named with its line; honest work raises none."""

from __future__ import annotations

from pathlib import Path

import pytest

from d2lgrade import catalog, master
from d2lgrade.judge import suspects
from d2lgrade.judge.flags import MOST, flags, spoils_testimony
from grading import ROOT, Case, Grader, exercise_of

# 6.6 is about files: that its answers read and write them is what a flag there tells, rightly.
ABOUT_FILES = "read_write"
HONEST = [
    path
    for path in sorted(
        [*(ROOT / "tests" / "answers").glob("*.py"), *(ROOT / "solutions").rglob("*.py")]
    )
    if not path.stem.startswith(ABOUT_FILES)
]


@pytest.mark.parametrize("path", HONEST, ids=lambda path: path.stem)
def test_honest_work_raises_no_flag(path: Path) -> None:
    text = path.read_text("utf-8")
    assert flags(text) == ()
    assert spoils_testimony(text) == ""


def test_neither_do_stubs() -> None:
    for section in [s for s in catalog.load(ROOT).sections if s.file != ABOUT_FILES]:
        text = (ROOT / "solutions" / section.path).read_text("utf-8")
        for level in ("open", "guided"):
            assert flags(master.stub(text, level)) == ()  # type: ignore[arg-type]


# What an honest learner may well write and the course's own answers happen not to.
PLAIN = '''\
"""Notes: I tried eval mode, gc and os.environ; see pytest and /proc in the docs."""

import collections
import math
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

np.random.seed(0)
torch.manual_seed(0)
torch.backends.cudnn.benchmark = True
LEGEND = ["train loss", "test_acc"]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.count = 0
        for i in range(2):
            setattr(self, f"layer{i}", nn.LazyLinear(3))

    def forward(self, X):
        self.count += 1
        history = []
        history.append(X)
        return getattr(self, "layer0")(X)


def train(net, data):
    net.train()
    net.eval()
    for module in net.modules():
        assert isinstance(module, nn.Module)
    torch.stack([torch.ones(1)])
    start = time.time()
    print("done in", time.time() - start, math.pi, collections.Counter("ab"))
    data.grad = None
'''


def test_what_learners_write_raises_none() -> None:
    assert flags(PLAIN) == ()


SUSPECT = {
    "open('/proc/self/maps')": "names a place outside its files ('/proc/self/maps')",
    "f = f'/proc/{1}/mem'": "names a place outside its files ('/proc/')",
    "import ctypes": "calls C code directly (ctypes)",
    "from cffi import FFI": "calls C code directly (cffi)",
    "import sys\nsys._getframe(1)": "walks frames (sys._getframe)",
    "import inspect\ninspect.stack()": "walks frames (inspect.stack)",
    "import inspect as i\ni.currentframe().f_back": "walks frames (f_back)",
    "error.tb_frame": "walks frames (error.tb_frame)",
    "getattr(x, '_getframe')": "walks frames (_getframe)",
    "import sys\nsys.settrace(f)": "walks frames (sys.settrace)",
    "import gc": "walks the garbage collector (gc)",
    "object.__subclasses__()": "reaches into Python's own objects (object.__subclasses__)",
    "f.__globals__": "reaches into Python's own objects (f.__globals__)",
    "f.__code__ = g.__code__": "reaches into Python's own objects (f.__code__)",
    "import sys\nsys.modules['x']": "looks through loaded modules (sys.modules)",
    "import importlib": "looks through loaded modules (importlib)",
    "import subprocess": "starts processes (subprocess)",
    "import os\nos.fork()": "starts processes (os.fork)",
    "import os\nos.execv('x', [])": "starts processes (os.execv)",
    "from os import system": "starts processes (os.system)",
    "import threading": "starts threads (threading)",
    "from concurrent.futures import ThreadPoolExecutor": "starts threads (concurrent.futures)",
    "import socket": "opens network connections (socket)",
    "import urllib.request": "opens network connections (urllib.request)",
    "open('x', 'w')": "writes files (open)",
    "open('x', mode=m)": "writes files (open)",
    "open('x')": "reads files (open)",
    "p.write_text('x')": "writes files (p.write_text)",
    "import torch\ntorch.save(x, 'x')": "writes files (torch.save)",
    "eval('1')": "runs text as code (eval)",
    "exec('1')": "runs text as code (exec)",
    "__import__('os')": "runs text as code (__import__)",
    "x = getattr(b, '__import__')": "runs text as code (__import__)",
    f"x = '{'QUJD' * 60}'": "holds a long encoded text (240 characters)",
    f"x = {bytes(range(256))!r}": "holds a long encoded text (256 characters)",
    "import base64": "decodes hidden text or code (base64)",
    "getattr(F, 'conv' + '2d')": "picks attributes by computed names (getattr)",
    "getattr(F, ''.join(['conv', '2d']))": "picks attributes by computed names (getattr)",
    "n = 0\ndef f():\n    global n\n    n += 1": "keeps something between calls (n)",
    "def f():\n    f.calls += 1": "keeps something between calls (f.calls)",
    "seen = {}\ndef f(X):\n    seen[1] = X": "keeps something between calls (seen)",
    "seen = []\ndef f(X):\n    seen.append(X)": "keeps something between calls (seen)",
    "from functools import lru_cache": "remembers answers (functools.lru_cache)",
    "def __torch_function__(cls): ...": "touches torch's dispatch (__torch_function__)",
    "from torch.overrides import x": "touches torch's dispatch (torch.overrides)",
    "import torch\ntorch._C._disabled": "touches torch's dispatch (torch._C)",
    "import torch\ntorch.allclose = f": "changes a library (torch.allclose)",
    "import torch\nsetattr(torch.Tensor, 'any', f)": "changes a library (setattr on torch.Tensor)",
    "import os\nos.environ": "looks at its surroundings (os.environ)",
    "import sys\nsys.argv": "looks at its surroundings (sys.argv)",
    "'PYTEST_CURRENT_TEST' in x": "looks for a test ('PYTEST_CURRENT_TEST')",
    "import pytest": "imports tests or what tests use (pytest)",
    "from d2lgrade import wire": "imports the grader (d2lgrade)",
    "x.data_ptr()": "reaches for raw memory (x.data_ptr)",
    "x.untyped_storage()": "reaches for raw memory (x.untyped_storage)",
    "import os\nos._exit(0)": "ends the process, or acts when it ends (os._exit)",
    "import atexit": "ends the process, or acts when it ends (atexit)",
    "import signal": "handles signals (signal)",
}


@pytest.mark.parametrize("source", SUSPECT, ids=lambda source: source[:40])
def test_what_deserves_a_look_is_named_with_its_line(source: str) -> None:
    found = flags(f"\n\n{source}\n")
    named = [flag for flag in found if flag.endswith(f": {SUSPECT[source]}")]
    assert len(named) == 1, found
    number = int(named[0].removeprefix("line ").partition(":")[0])
    assert 3 <= number <= 2 + len(source.splitlines())


def test_the_same_thing_is_told_once_and_where_it_is_first_seen() -> None:
    assert flags("import gc\nimport gc\n") == ("line 1: walks the garbage collector (gc)",)


def test_many_flags_are_cut_and_counted() -> None:
    text = "".join(f"x{i}.__globals__\n" for i in range(MOST + 5))
    assert len(flags(text)) == MOST + 1
    assert flags(text)[-1] == "… and 5 more"


@pytest.mark.parametrize("text", ["def (", "\0", "(" * 5000, "x = " + "-" * 50_000 + "1", ""])
def test_what_is_no_python_raises_none(text: str) -> None:
    assert flags(text) == ()
    assert spoils_testimony(text) == ""


def test_only_what_reaches_the_probes_spoils_testimony() -> None:
    harmless = ("import threading", "open('x', 'w')", "import os\nos.environ", "import inspect")
    assert [spoils_testimony(text) for text in harmless] == [""] * len(harmless)
    reaching = (
        "import gc",
        "import sys\nsys.modules",
        "exec('1')",
        "import d2lgrade",
        "import ctypes",
    )
    assert all(spoils_testimony(text) for text in reaching)
    assert spoils_testimony("class A:\n    def __torch_dispatch__(s): ...") == "__torch_dispatch__"
    assert any(suspect.spoils for suspect in suspects.NAMES.values())


def test_flags_are_no_points(grader: Grader) -> None:
    plain = grader.solution("conv_layer")
    flagged = f"import threading\n{plain}"
    one, other = grader.grade([Case({"conv_layer": t}, ("corr2d",)) for t in (plain, flagged)])
    assert (one.points, other.points) == (one.exercises[0].max_points,) * 2
    assert exercise_of(one, "corr2d").flags == ()
    assert exercise_of(other, "corr2d").flags == ("line 1: starts threads (threading)",)


def test_a_file_of_far_too_much_code_is_flagged_for_that_and_keeps_nobody_waiting() -> None:
    many = "".join(f"def f{n}(): pass\n" for n in range(40_000))
    [flag] = flags(many)
    assert "is too long to be looked through" in flag
    assert spoils_testimony(many)
    assert flags("".join(f"def f{n}(): pass\n" for n in range(1_000))) == ()
