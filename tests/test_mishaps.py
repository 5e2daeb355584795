"""Bad kits, folders that cannot be written, early readers: told plainly, nothing lost."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from d2lgrade import catalog
from d2lgrade.judge.session import GraderFault, Job, Order, grade
from d2lgrade.submission import read
from grading import ROOT, Grader
from kits import FOLDER, make_kit, write

# The kit -----------------------------------------------------------------------------------------

MANIFEST, TEST_POOLING = f"checks/{FOLDER}/chapter.toml", f"checks/{FOLDER}/test_pooling.py"
KITS = {
    "broken TOML": (MANIFEST, ("zh = ", "zh == "), r"chapter\.toml.*line"),
    "a missing file": (
        f"solutions/{FOLDER}/pooling.py",
        None,
        r"solutions/.*pooling\.py is missing",
    ),
    "a check without points": (
        TEST_POOLING,
        ("def test_pool2d_mode", "def test_pool2d_modes"),
        r"No points in chapter\.toml for test_pooling\.py::test_pool2d_modes",
    ),
    "points without a check": (
        MANIFEST,
        ("mode = 0.5", "mode = 0.5, speed = 1"),
        r"lists checks that no test function holds: ch07/pool2d/speed",
    ),
    "checks that raise": (
        TEST_POOLING,
        ("SHAPES", "1 / 0\nSHAPES"),
        r"test_pooling\.py.*ZeroDivision",
    ),
    "checks that do not parse": (TEST_POOLING, ("import torch\n", "import\n"), "test_pooling.py"),
    "a check with another fixture": (
        TEST_POOLING,
        ("test_pool2d_mode(student)", "test_pool2d_mode(student, tmp_path)"),
        r"test_pool2d_mode takes student, tmp_path; a check takes `student`",
    ),
}


def broken_kit(name: str, folder: Path) -> Path:
    """The tiny kit with one thing broken."""
    root = make_kit(folder)
    file, change, _ = KITS[name]
    path = root / file
    if change is None:
        path.unlink()
    else:
        text = path.read_text("utf-8").replace("def max_pool", "SHAPES = ()\n\n\ndef max_pool")
        assert change[0] in text
        write(path, text.replace(*change, 1))
    return root


@pytest.mark.parametrize("name", KITS)
def test_a_broken_kit_is_told_as_the_graders_own_fault(
    name: str, tmp_path: Path, tiny: Grader
) -> None:
    root = broken_kit(name, tmp_path)

    def graded() -> None:
        course = catalog.load(root)
        exercises = catalog.resolve(course, ("pool2d",))
        job = Job(read(root / "exercises", course, exercises), exercises)
        grade(Order(course), [job], tiny.sandbox())

    with pytest.raises((GraderFault, catalog.CatalogError)) as caught:
        graded()
    assert re.search(KITS[name][2], str(caught.value), re.DOTALL), str(caught.value)


@pytest.mark.parametrize("name", ["broken TOML", "checks that raise"])
def test_a_broken_kit_exits_with_3(name: str, tmp_path: Path) -> None:
    root = broken_kit(name, tmp_path)
    done = run("pool2d", "--submission", "solutions", cwd=root)
    assert done.returncode == 3
    assert done.stderr.startswith("Error: ")
    assert re.search(KITS[name][2], done.stderr, re.DOTALL), done.stderr
    assert "Traceback" not in done.stderr.partition("pytest said")[0]
    assert done.stdout == ""


# A chapter beside others -------------------------------------------------------------------------

OTHER = "ch08_modern_convolutional_neural_networks"
OTHERS = {
    f"checks/{OTHER}/chapter.toml": """\
id = "ch08"
title = "Modern convolutional neural networks"
zh = "7"

[[section]]
number = "8.1"
zh = "7.1"
file = "alexnet"
title = "AlexNet"

[[section.exercise]]
name = "double"
title = "Twice as much"
signature = "double(X)"
builds_on = ["pool2d"]
core = { values = 1 }
hints = ["Add.", "X and X", "X + X"]
""",
    f"checks/{OTHER}/test_alexnet.py": """\
import torch

from d2lgrade.testkit import assert_same


def test_double_values(student):
    \"\"\"is twice as much\"\"\"
    assert_same(student.double(torch.ones(2)), torch.full((2,), 2.0))
""",
    f"checks/{OTHER}/misconceptions/alexnet.py": "",
    f"checks/{OTHER}/substitutes.py": "def double(X):\n    return X * 2\n",
    f"solutions/{OTHER}/alexnet.py": "def double(X):\n    return X + X\n",
    f"exercises/{OTHER}/alexnet.py": "def double(X):\n    raise NotImplementedError\n",
}
INSTALLED = any(entry.name == "d2lgrade" for entry in entry_points(group="pytest11"))
PLUGIN = [] if INSTALLED else ["-p", "d2lgrade.judge.plugin"]
FAULTS = {
    "broken TOML": (f"checks/{OTHER}/chapter.toml", "not valid TOML"),
    "no checks": (f"checks/{OTHER}/test_alexnet.py", r"test_alexnet\.py is missing"),
    "no solution": (f"solutions/{OTHER}/alexnet.py", r"alexnet\.py is missing"),
}


def two_chapters(fault: str, folder: Path) -> Path:
    """The tiny kit and a second chapter, which lacks something."""
    root = make_kit(folder)
    for name, text in OTHERS.items():
        write(root / name, text)
    path = root / FAULTS[fault][0]
    if fault == "broken TOML":
        write(path, "id = \n")
    else:
        path.unlink()
    return root


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_chapter_costs_the_others_nothing(fault: str, tmp_path: Path) -> None:
    root = two_chapters(fault, tmp_path)
    done = run("ch7", "--submission", "solutions", cwd=root)
    assert (done.returncode, done.stderr) == (0, "")
    assert "7.5 of 7.5 points" in done.stdout
    hint = run("hint", "pool2d", cwd=root)
    assert (hint.returncode, hint.stderr) == (0, "")
    plain = subprocess.run(
        [sys.executable, "-m", "pytest", f"checks/{FOLDER}", "--submission", "solutions", *PLUGIN],
        cwd=root,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
    )
    assert plain.returncode == 0, plain.stdout
    for target in ("all", "ch8"):
        refused = run(target, cwd=root)
        assert refused.returncode == 3
        assert re.search(FAULTS[fault][1], refused.stderr), refused.stderr
        assert "Traceback" not in refused.stderr


def test_a_faulty_chapter_is_told_where_all_are_shown(tmp_path: Path) -> None:
    root = two_chapters("broken TOML", tmp_path)
    for args in (["list"], ["status"]):
        done = run(*args, cwd=root)
        assert done.returncode == 3
        assert re.search(r"pool2d|7 Convolutional", done.stdout)
        assert f"Error: checks/{OTHER}/chapter.toml: this is not valid TOML" in done.stderr
        assert done.stderr.endswith("The others can be used meanwhile: ch07.\n")
    assert run("list", "ch7", cwd=root).returncode == 0


def test_authors_are_held_to_every_chapter(tmp_path: Path) -> None:
    for fault in ("broken TOML", "no checks"):
        root = two_chapters(fault, tmp_path / fault)
        for args in (["dev", "check", "pool2d"], ["dev", "sync"]):
            done = run(*args, cwd=root)
            if fault == "no checks" and "sync" in args:
                continue  # it needs the masters alone
            assert done.returncode == 3
            assert re.search(FAULTS[fault][1], done.stderr), done.stderr


# The command -------------------------------------------------------------------------------------


def command(*args: str) -> list[str]:
    return [sys.executable, "-m", "d2lgrade", *args]


ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "grader")}


def run(*args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*args), cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, timeout=120
    )


def test_progress_that_cannot_be_saved_loses_nothing_else(tmp_path: Path) -> None:
    # What a read-only folder does to everybody, a file in the folder's place does even to root.
    root = make_kit(tmp_path)
    write(root / ".d2lgrade", "in the way")
    done = run("pool2d", cwd=root)
    assert done.returncode == 1
    assert "pool2d" in done.stdout
    assert "1 to do" in done.stdout
    assert "Your progress is not saved:" in done.stderr
    assert "make its folder writable" in done.stderr
    assert "Traceback" not in done.stderr
    status = run("status", cwd=root)
    assert (status.returncode, status.stderr) == (0, "")


def test_a_full_disk_is_told_and_progress_kept(tmp_path: Path) -> None:
    root = make_kit(tmp_path)
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command("pool2d"),
            cwd=root,
            env=ENVIRONMENT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 2
    assert "The report could not be written: " in done.stderr
    assert "Traceback" not in done.stderr
    assert (root / ".d2lgrade" / "progress.sqlite").exists()


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    root = make_kit(tmp_path)
    for args in (("pool2d", "--format", "json"), ("list",)):
        process = subprocess.Popen(
            command(*args),
            cwd=root,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        process.stderr.close()
        assert process.wait(60) in (0, 1)
