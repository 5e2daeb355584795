"""Helper files of a learner: imported from beside a section, never in place of ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from d2lgrade.contestant.loader import File, Loader, Program
from d2lgrade.judge.reach import reached
from d2lgrade.judge.session import Job, Order, grade
from d2lgrade.results import Report
from d2lgrade.submission import read
from grading import ROOT, Grader, check_of, lost, statuses
from kits import CONV_LAYER, FOLDER, POOLING, make_kit, write

SLIDING = CONV_LAYER.replace("import torch\n", "import torch\n\nfrom utils import window\n", 1)
SLIDING = SLIDING.replace("(X[i : i + kh, j : j + kw] * K)", "(window(X, i, j, K.shape) * K)")
UTILS = """\
import torch


def window(X, i, j, shape):
    return X[i : i + shape[0], j : j + shape[1]]
"""


def graded(files: Mapping[str, str], folder: Path, tiny: Grader) -> Report:
    """The report on a folder that mirrors the tiny kit, with these files in its chapter."""
    for name, text in {"conv_layer.py": SLIDING, "pooling.py": POOLING, **files}.items():
        write(folder / FOLDER / name, text)
    exercises = tiny.exercises("all")
    job = Job(read(folder, tiny.course, exercises), exercises)
    return grade(Order(tiny.course), [job], tiny.sandbox())[0]


def test_a_helper_beside_the_sections_is_imported(tmp_path: Path, tiny: Grader) -> None:
    report = graded({"utils.py": UTILS}, tmp_path, tiny)
    assert report.passed
    assert report.notes == ()


def test_a_helper_may_import_another_and_a_section(tmp_path: Path, tiny: Grader) -> None:
    pooling = POOLING.replace("import torch\n", "import torch\n\nimport outer\n", 1)
    pooling = pooling.replace("window.max()", "outer.largest(window)")
    files = {
        "utils.py": "from .inner import window\n",
        "inner.py": UTILS,
        "outer.py": "import conv_layer\nlargest = torch = None\n\n\ndef largest(X):\n"
        "    assert conv_layer.corr2d(X[:1, :1], X[:1, :1]).shape == (1, 1)\n    return X.max()\n",
        "pooling.py": pooling,
    }
    assert lost(graded(files, tmp_path, tiny)) == set()


def test_a_missing_helper_costs_only_who_needs_it(tmp_path: Path, tiny: Grader) -> None:
    report = graded({}, tmp_path, tiny)
    assert statuses(report) == {"corr2d": "failed", "corr2d_twice": "failed", "pool2d": "passed"}
    failure = check_of(report, "corr2d/values").failure
    assert failure is not None
    assert "could not be imported: No module named 'utils'" in failure.message


def test_what_a_helper_raises_is_shown_with_its_line(tmp_path: Path, tiny: Grader) -> None:
    report = graded({"utils.py": UTILS.replace("return X", "return 1 / 0, X")}, tmp_path, tiny)
    failure = check_of(report, "corr2d/values").failure
    assert failure is not None
    assert "ZeroDivisionError" in failure.message
    shown = "\n".join(failure.traceback)
    assert f"{FOLDER}/utils.py:5, in window" in shown
    assert "return 1 / 0, X" in shown


SHADOWS = ("torch", "d2lgrade", "pytest", "numpy", "d2l", "random", "msgpack", "sympy", "os")


def test_no_helper_takes_the_place_of_a_library(tmp_path: Path, tiny: Grader) -> None:
    files = {f"{name}.py": "raise SystemExit('taken')\n" for name in SHADOWS}
    imports = "\n".join(f"import {name}" for name in SHADOWS if name != "d2lgrade")
    pooling = POOLING.replace("import torch\n", f"{imports}\nfrom d2l import torch as d2l\n", 1)
    report = graded({**files, "utils.py": UTILS, "pooling.py": pooling}, tmp_path, tiny)
    assert report.passed
    assert len(report.notes) == len(SHADOWS)
    assert all(f"{name}.py was left out" in " ".join(report.notes) for name in SHADOWS)


def test_nor_does_a_loose_file(tmp_path: Path, tiny: Grader) -> None:
    """A file may bear a library's name and hold an exercise; `import` still means the library."""
    write(tmp_path / "torch.py", "import torch\n\n\n" + POOLING.partition("import torch\n")[2])
    write(tmp_path / "sympy.py", CONV_LAYER)
    exercises = tiny.exercises("all")
    job = Job(read(tmp_path, tiny.course, exercises), exercises)
    report = grade(Order(tiny.course), [job], tiny.sandbox())[0]
    assert lost(report) == set()


def test_in_a_process_of_its_own_only_free_names_are_entered() -> None:
    names = ("my_helper_", "pip", "torch")  # free; installed, but not imported; reserved
    code = f"""
import sys
from d2lgrade.contestant.loader import File, Loader, Program
files = {{n: File(n, f"a/{{n}}.py", "found = True") for n in {names!r}}}
before = set(sys.modules)
loader = Loader(Program(files, {{}}), public=True)
print(*[vars(loader.module(n)).get("found") for n in {names!r}])
print(*sorted((set(sys.modules) - before) & set({names!r})))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT / "grader")},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "True True True\nmy_helper_\n", done.stderr


def two_folders() -> Program:
    files = [
        File("one", "a/one.py", "from utils import name\n"),
        File("two", "b/two.py", "import utils\nname = utils.name\n"),
        File("three", "c/three.py", "try:\n    import utils\nexcept ImportError:\n    name = 3\n"),
        File("a/utils", "a/utils.py", "name = 'a'\n"),
        File("b/utils", "b/utils.py", "name = 'b'\n"),
    ]
    return Program({file.key: file for file in files}, {f"x/{n}": n for n in ("one", "two")})


def test_each_chapter_has_helpers_of_its_own() -> None:
    loader = Loader(two_folders())
    assert [vars(loader.module(n))["name"] for n in ("one", "two", "three")] == ["a", "b", 3]


def test_what_a_file_reaches_is_read_off_the_sources() -> None:
    program = two_folders()
    assert [f.key for f in reached(program, "one")] == ["a/utils", "one"]
    assert [f.key for f in reached(program, "three")] == ["three"]
    circle = {
        "p": File("p", "p.py", "import json, \\\n q\n"),
        "q": File("q", "q.py", "def f():\n    import r\nfrom . import p\n"),
        "r": File("r", "r.py", "import p, missing, torch\n"),
    }
    assert [f.key for f in reached(Program(circle, {}), "p")] == ["r", "q", "p"]
    assert reached(Program(circle, {}), "nothing") == ()


def test_a_helper_s_doings_are_flagged_and_spoil_testimony(tmp_path: Path, tiny: Grader) -> None:
    report = graded({"utils.py": "import ctypes\n" + UTILS}, tmp_path, tiny)
    found = {e.id: e.flags for e in report.exercises}
    assert found["ch07/corr2d"] == found["ch07/corr2d_twice"]
    assert any(flag.startswith("utils.py, line 1: ") for flag in found["ch07/corr2d"])
    assert found["ch07/pool2d"] == ()


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kit whose learner has a helper, and files named after libraries, beside the sections."""
    root = make_kit(tmp_path_factory.mktemp("helpers"))
    write(root / "exercises" / FOLDER / "conv_layer.py", SLIDING)
    write(root / "exercises" / FOLDER / "utils.py", UTILS)
    for name in ("torch", "pytest", "d2lgrade", "click", "random"):
        write(root / "exercises" / FOLDER / f"{name}.py", "raise SystemExit('taken')\n")
    return root


@pytest.mark.parametrize("below", ["", f"exercises/{FOLDER}"])
@pytest.mark.parametrize("options", [[], ["--debug"]])
def test_the_command_takes_them_along(below: str, options: list[str], course: Path) -> None:
    """Also where it is called from the folder in which a torch.py lies."""
    # As the console script does it; `python -m d2lgrade` would take a d2lgrade.py that lies here.
    code = "from d2lgrade.__main__ import main; main()"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, "corr2d", "--format", "json", *options],
        cwd=course / below,
        env={**os.environ, "PYTHONPATH": str(ROOT / "grader")},
        capture_output=True,
        text=True,
    )
    report = json.loads(done.stdout[done.stdout.index("{") :])  # debugging has a prompt before it
    assert (done.returncode, report["passed"]) == (0, True)
    assert len(report["notes"]) == 5
