"""Ctrl-C at any moment: the run stops, says so, exits with 130, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from d2lgrade import interrupt
from grading import ROOT
from kits import FOLDER, TEST_POOLING, make_kit, write

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")

# The command as its console script runs it; a line tells when the script's first import is done.
PROGRAM = """\
import os, sys
from d2lgrade.__main__ import main
{prelude}
os.write(1, b"begun\\n")
sys.argv[0] = "d2lgrade"
main()
"""

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


@contextmanager
def started(
    folder: Path, *args: str, prelude: str = "", checks: str = TEST_POOLING
) -> Iterator[subprocess.Popen[str]]:
    """The command at work on the tiny kit, from the moment on when it has begun."""
    root = make_kit(folder)
    write(root / "checks" / FOLDER / "test_pooling.py", checks)
    (folder / "scratch").mkdir()
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "grader"),
        "TMPDIR": str(folder / "scratch"),
    }
    code = PROGRAM.format(prelude=prelude)
    with subprocess.Popen(
        [sys.executable, "-c", code, *args],
        cwd=root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "begun\n"
            yield process
        finally:
            process.kill()


def stopped(process: subprocess.Popen[str], number: int = signal.SIGINT) -> str:
    """Press Ctrl-C; what was printed before it stopped, as it should."""
    process.send_signal(number)
    return ended(process, number)


def ended(process: subprocess.Popen[str], number: int = signal.SIGINT) -> str:
    """What was printed until a press stopped the process."""
    printed, said = process.communicate(timeout=60)
    assert (process.returncode, said.strip()) == (128 + number, "Stopped."), said
    return printed


def children(process: subprocess.Popen[str]) -> list[int]:
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(pid) for pid in listed.read_text().split()]


def runs(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def soon(condition: object, seconds: float = 20.0) -> bool:
    """Whether something becomes true."""
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def left_behind(folder: Path, pids: list[int]) -> list[object]:
    """What is still there of a run that has ended, after some time to go."""
    scratch = folder / "scratch"
    soon(lambda: not any(map(runs, pids)) and not any(scratch.iterdir()))
    return [*filter(runs, pids), *scratch.iterdir()]


# Any moment --------------------------------------------------------------------------------------

# Importing click, the catalogue, torch (the zygote does too), pytest; collecting, checking.
DELAYS = [0.0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9, 1.15, 1.5, 2.0]


@linux
@pytest.mark.parametrize("seconds", DELAYS)
def test_ctrl_c_at_any_moment_stops(seconds: float, tmp_path: Path) -> None:
    marker = tmp_path / "running"
    answers = tmp_path / "answers" / FOLDER
    write(answers / "pooling.py", ENDLESS.format(marker=str(marker)))  # so that it has no end
    with started(tmp_path, "all", "--submission", "../answers") as process:
        time.sleep(seconds)
        pids = children(process)
        assert stopped(process) == ""
    assert left_behind(tmp_path, pids) == []
    assert not (tmp_path / "kit" / ".d2lgrade").exists()


@linux
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_learner_code_that_runs_is_ended(number: int, tmp_path: Path) -> None:
    marker = tmp_path / "running"
    write(tmp_path / "answers" / "pooling.py", ENDLESS.format(marker=str(marker)))
    with started(tmp_path, "pool2d", "--submission", "../answers") as process:
        assert soon(marker.exists, 60)
        pids = [*children(process), *map(int, marker.read_text().split())]
        assert len(pids) == 3
        assert all(map(runs, pids))
        assert stopped(process, number) == ""
    assert left_behind(tmp_path, pids) == []


def test_a_press_after_the_report_shows_no_traceback(tmp_path: Path) -> None:
    with started(tmp_path, "pool2d", "--submission", "solutions") as process:
        assert process.stdout is not None
        # Not from the file object: what it reads ahead, communicate() would not see.
        first = os.read(process.stdout.fileno(), 1).decode()
        process.send_signal(signal.SIGINT)
        printed, said = process.communicate(timeout=60)
    if process.returncode == 0:
        assert said == ""
        assert "2.5 of 2.5 points" in first + printed
    else:
        assert (process.returncode, said.strip()) == (130, "Stopped.")


# A press that Python loses -----------------------------------------------------------------------

SWALLOWED = {
    "in a finaliser": """
class Dying:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)
        signal.getsignal(signal.SIGINT)

def press():
    Dying()
""",
    "in the callback of a weakref": """
class Dying:
    pass

def called(reference):
    signal.raise_signal(signal.SIGINT)
    signal.getsignal(signal.SIGINT)

def press():
    dying = Dying()
    reference = weakref.ref(dying, called)
    del dying
""",
    "below a bare except": """
def press():
    try:
        signal.raise_signal(signal.SIGINT)
        signal.getsignal(signal.SIGINT)
    except:
        pass
""",
}
HEAD = "import signal, sys, time, weakref\n"
SAY = 'print("still here", file=sys.__stdout__, flush=True)\n'
FIRST = '    """equals PyTorch on every shape"""\n'
LAST = '    """refuses another mode"""\n'


PLACES = [
    *((way, "first check") for way in SWALLOWED),
    ("in a finaliser", "last check"),
    ("in a finaliser", "collection"),
]


@pytest.mark.parametrize(("way", "where"), PLACES)
def test_a_press_that_is_swallowed_still_stops(way: str, where: str, tmp_path: Path) -> None:
    checks = HEAD + SWALLOWED[way] + TEST_POOLING
    lines = {"first check": FIRST, "last check": LAST}
    if where in lines:
        checks = checks.replace(lines[where], f"{lines[where]}    press()\n    {SAY}")
    else:
        checks += f"\n\npress()\n{SAY}"
    if where != "last check":
        checks = checks.replace(LAST, f"{LAST}    {SAY}")
    # With this long a grace nothing but the note can stop it.
    with started(
        tmp_path,
        "pool2d",
        "--submission",
        "solutions",
        prelude="from d2lgrade import interrupt; interrupt.GRACE = 1000.0",
        checks=checks,
    ) as process:
        assert ended(process) == "still here\n"  # swallowed, and heeded before the next check


STUCK = f"""\
{HEAD}

def test_pool2d_values(student):
    while True:
        try:
            {SAY.rstrip()}
            while True:
                time.sleep(0.01)
        except:
            pass


def test_pool2d_mode(student):
    pass
"""


@linux
def test_who_swallows_it_for_ever_is_ended_after_a_grace(tmp_path: Path) -> None:
    prelude = "from d2lgrade import interrupt; interrupt.GRACE = 0.2"
    with started(
        tmp_path, "pool2d", "--submission", "solutions", prelude=prelude, checks=STUCK
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "still here\n"
        pids = children(process)
        assert stopped(process) == "still here\n"
    assert left_behind(tmp_path, pids) == []


@linux
def test_a_second_press_ends_it_at_once(tmp_path: Path) -> None:
    prelude = "from d2lgrade import interrupt; interrupt.GRACE = 1000.0"
    with started(
        tmp_path, "pool2d", "--submission", "solutions", prelude=prelude, checks=STUCK
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "still here\n"
        pids = children(process)
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "still here\n"
        time.sleep(interrupt.ONE_PRESS * 1.5)
        assert stopped(process) == ""
    assert left_behind(tmp_path, pids) == []


# The handler -------------------------------------------------------------------------------------


def said(code: str, **options: object) -> str:
    """What a few lines print in a process of their own."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT / "grader")},
        capture_output=True,
        text=True,
        timeout=60,
        **options,  # type: ignore[call-overload]
    )
    assert done.stderr == ""
    return str(done.stdout)


def test_signals_close_to_each_other_are_one_press() -> None:
    code = """
from d2lgrade import interrupt
import signal
interrupt.watch()
interrupt.begin()
for _ in range(5):
    try:
        signal.raise_signal(signal.SIGINT)
        print("passed on")
    except KeyboardInterrupt:
        print("raised")
print(interrupt.noted())
"""
    # ONE_PRESS made long: a busy machine must not make two presses of it.
    code = code.replace("interrupt.watch()", "interrupt.watch(); interrupt.ONE_PRESS = 1000.0")
    assert said(code).split("\n") == ["raised", *["passed on"] * 4, "True", ""]


def test_where_ctrl_c_is_ignored_it_stays_so() -> None:
    code = "from d2lgrade import __main__; import signal; signal.raise_signal(2); print('on')"
    assert said(code, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)) == "on\n"


def test_debug_mode_leaves_ctrl_c_to_the_debugger(tmp_path: Path) -> None:
    answer = "import signal\n\ndef pool2d(*_):\n    print(signal.getsignal(signal.SIGINT))\n"
    write(tmp_path / "answers" / "pooling.py", answer)
    with started(tmp_path, "pool2d", "--submission", "../answers", "--debug") as process:
        printed, said = process.communicate(timeout=60)
    assert "default_int_handler" in printed
    assert (process.returncode, said) == (1, "")


def test_it_is_watched_for_before_anything_that_takes_time() -> None:
    code = """
import sys
before = set(sys.modules)
from d2lgrade import __main__
print(*set(sys.modules) - before)
"""
    imported = set(said(code).split())
    assert "d2lgrade.interrupt" in imported
    assert not imported & {"typing", "inspect", "pathlib", "click", "d2lgrade.cli"}
