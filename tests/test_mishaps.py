"""Bad kits, folders that cannot be written, early readers, Ctrl-C: told plainly, nothing lost."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
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


ENDLESS = """\
import os
import subprocess
from pathlib import Path


def pool2d(X, pool_size, mode="max"):
    child = subprocess.Popen(["sleep", "600"])
    Path({marker!r}).with_suffix(".part").write_text(f"{{os.getpid()}} {{child.pid}}")
    Path({marker!r}).with_suffix(".part").rename({marker!r})
    while True:
        pass
"""


def runs(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(pids: list[int], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while any(map(runs, pids)):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def interrupted(process: subprocess.Popen[str]) -> str:
    """Press Ctrl-C; what was said, once it has ended as it should."""
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    # A shell calls both 130; Python prefers the signal where an import was interrupted.
    assert process.returncode in (130, -signal.SIGINT), said
    assert time.monotonic() - started < 6  # far less than a deadline; two seconds when quiet
    return said


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_ctrl_c_while_learner_code_runs_leaves_nothing_behind(tmp_path: Path) -> None:
    root, marker = make_kit(tmp_path), tmp_path / "running"
    write(root / "exercises" / FOLDER / "pooling.py", ENDLESS.format(marker=str(marker)))
    process = subprocess.Popen(
        command("pool2d"),
        cwd=root,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    end = time.monotonic() + 60
    while not marker.exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    assert interrupted(process).strip() == "Stopped."
    assert gone([int(pid) for pid in marker.read_text().split()], 5)
    assert not (root / ".d2lgrade").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize("seconds", [0.7, 1.6])
def test_ctrl_c_at_any_moment_stops(seconds: float, tmp_path: Path) -> None:
    root = make_kit(tmp_path)
    process = subprocess.Popen(
        command("all", "--submission", "solutions"),
        cwd=root,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    children: list[int] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        listed = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        children += map(int, listed.read_text().split())
        time.sleep(0.05)
    assert interrupted(process).strip() == "Stopped."
    assert gone(list(set(children)), 5)
