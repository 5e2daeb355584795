"""Bad kits, folders that cannot be written, early readers: told plainly, nothing lost."""

from __future__ import annotations

import os
import re
import subprocess
import sys
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
