"""The sandbox level `process`: deadlines, crashes, limits, and that nothing is left running."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch

from d2lgrade.contestant import output
from d2lgrade.sandbox import endings
from d2lgrade.sandbox.limits import Limits
from d2lgrade.sandbox.process import ProcessSandbox, SandboxError
from d2lgrade.student.faults import Crash, Hang, StudentError
from d2lgrade.student.remote import RemoteLink
from links import HEAD, PATH, Learner, program, student

pytest_plugins = ["links"]

LINUX = sys.platform == "linux"
linux = pytest.mark.skipif(not LINUX, reason="reads /proc, which only Linux has")
ROOT = Path(output.__file__).parents[2]


@pytest.fixture
def sandbox():
    """A sandbox of the test's own, which it may break."""
    made = ProcessSandbox(Limits(seconds=20.0))
    yield made
    made.close()


@pytest.fixture
def own(sandbox):
    maker = Learner(sandbox)
    yield maker
    maker.close()


def alive(pid):
    """Whether a process exists and is more than a zombie."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


def gone_soon(*pids, seconds=10.0):
    end = time.monotonic() + seconds
    while any(alive(pid) for pid in pids) and time.monotonic() < end:
        time.sleep(0.02)
    return not any(alive(pid) for pid in pids)


# Deadlines ---------------------------------------------------------------------------------------


LOOPS = {
    "in Python": "while True: pass",
    "in C": "sum(range(10**12))",
    "asleep": "time.sleep(1000)",
    "in a kernel": "X = torch.ones(9000, 9000); X @ X @ X @ X @ X",
    "swallowing exceptions": "swallow()",
    "deaf to signals": "deaf()",
    "waiting for a child": "subprocess.run(['sleep', '1000'])",
    "waiting for a lock": "threading.Lock().acquire() and lock.acquire()",
}


@pytest.mark.parametrize("loop", LOOPS)
def test_a_call_has_a_deadline_and_the_line_is_named(far, loop):
    s = far(f"""
        import signal, subprocess, threading, time
        lock = threading.Lock()
        lock.acquire()
        def swallow():
            while True:
                try:
                    while True: pass
                except BaseException:
                    pass
        def deaf():
            for number in range(1, 32):
                if number not in (9, 10, 19):
                    signal.signal(number, signal.SIG_IGN)
            while True: pass
        def f():
            {LOOPS[loop]}
    """)
    start = time.monotonic()
    with s.deadline(0.5), pytest.raises(Hang, match=r"No answer within 0\.5 s") as caught:
        s.f()
    assert time.monotonic() - start < 10
    assert (caught.value.frames[0].path, caught.value.frames[0].function) == (PATH, "f")
    assert caught.value.frames[0].source == LOOPS[loop]
    assert caught.value.status == "timeout"


def test_a_backward_has_the_deadline_of_its_block(far):
    s = far("""
        import time
        class Slow(torch.autograd.Function):
            @staticmethod
            def forward(ctx, X):
                return X * 2
            @staticmethod
            def backward(ctx, grad):
                time.sleep(100)
        def f(X):
            return Slow.apply(X)
    """)
    Y = s.f(torch.ones(1, requires_grad=True))
    with s.deadline(0.3), pytest.raises(Hang):
        Y.backward()


def test_a_file_that_never_ends_its_import_has_the_deadline_too(far):
    s = far("def f():\n    pass\nwhile True: pass")
    with s.deadline(0.3), pytest.raises(Hang) as caught:
        s.f()
    assert caught.value.frames[0].function == "<module>"


def test_lines_of_others_are_not_named():
    trace = f"""
Current thread 0x00007f0000000000 (most recent call first):
  File "/usr/lib/python3.11/site-packages/torch/nn/functional.py", line 3 in linear
  File "{PATH}", line 2 in inner
  File "{PATH}", line 999999 in f\x1b[31m
  File "/grader/d2lgrade/contestant/session.py", line 9 in serve
"""
    found = endings.frames(trace, {PATH: "one\n  two\n"})
    assert [(f.line, f.function, f.source) for f in found] == [
        (999999, "f\x1b[31m", ""),
        (2, "inner", "two"),
    ]


# Crashes -----------------------------------------------------------------------------------------


ENDS = {
    "os._exit(0)": r"ended its own process \(exit status 0\)",
    "os._exit(3)": r"ended its own process \(exit status 3\)",
    "ctypes.string_at(0)": "segmentation fault",
    "os.kill(os.getpid(), 9)": "was killed: out of memory, or by its own hand",
    "os.kill(os.getpid(), 15)": "signal SIGTERM",
    "os.abort()": "signal SIGABRT",
    "os.killpg(0, 9)": "was killed",
    "os.closerange(3, 100)": "closed its connection",
}


@pytest.mark.parametrize("end", ENDS)
def test_a_crash_says_how_it_came_and_harms_nobody_else(far, end):
    source = f"""
        import ctypes, os, threading
        def f():
            print("before")
            {end}
            threading.Event().wait(1)
        def g(X):
            return X + 1
    """
    before, s, after = far(source), far(source), far(source)
    assert before.g(1) == 2
    with pytest.raises(Crash, match=ENDS[end]):
        s.f()
    assert far.printed() == "before\n"
    with pytest.raises(Crash, match="had ended before this call"):
        s.g(1)
    assert (before.g(1), after.g(2), far(source).g(3)) == (2, 3, 4)


def test_frames_of_its_own_make_no_answer(far):
    s = far("""
        import os
        def f():
            for fd in range(3, 64):
                try:
                    os.write(fd, b"nonsense " * 10)
                except OSError:
                    pass
            return 1
    """)
    with pytest.raises(Exception, match="What came back was no answer"):
        s.f()


# Limits ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small():
    """A sandbox whose contestants get little."""
    made = ProcessSandbox(Limits(seconds=20.0, memory=400 << 20, file_size=1 << 20, files=64))
    yield made
    made.close()


@pytest.fixture
def tight(small):
    maker = Learner(small)
    yield maker
    maker.close()


@linux
@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("keep.append(bytearray(50_000_000))", MemoryError),
        ("keep.append(torch.ones(20_000_000))", RuntimeError),
        ("keep.append(torch.empty(10**11))", RuntimeError),
        ("keep.append(np.ones(10_000_000))", MemoryError),
        ("keep.extend(range(10**6))", MemoryError),
    ],
)
def test_memory_is_limited(tight, code, kind):
    s = tight(f"""
        import numpy as np
        def f():
            keep = []
            while True:
                {code}
        def g():
            return torch.ones(10_000_000).sum().item()
    """)
    for _ in range(2):
        with pytest.raises(kind) as caught:
            s.f()
        assert caught.value.fault.frames[-1].function == "f"
    assert s.g() == 10_000_000  # what the failed call held is free again


def test_the_size_of_files_is_limited(tight):
    s = tight("""
        def f():
            with open("big", "wb") as file:
                for _ in range(100):
                    file.write(b"x" * 100_000)
    """)
    with pytest.raises(OSError, match="File too large"):
        s.f()


def test_descriptors_are_limited(tight):
    s = tight("def f():\n    return len([open('/dev/null') for _ in range(1000)])")
    with pytest.raises(OSError, match="Too many open files"):
        s.f()


def test_limits_cannot_be_raised(tight):
    s = tight("""
        import resource
        def f():
            for kind in (resource.RLIMIT_AS, resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE):
                soft, hard = resource.getrlimit(kind)
                if soft != hard:
                    return kind
            return [resource.getrlimit(resource.RLIMIT_CORE), hard]
    """)
    assert s.f() == [(0, 0), 1 << 20]


# What a contestant is given ----------------------------------------------------------------------


LOOK = """
    import os, sys, tempfile
    def environment():
        return dict(os.environ)
    def arguments():
        return [sys.argv, sys.orig_argv, open("/proc/self/cmdline").read()]
    def descriptors():
        return {int(n): os.readlink(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd")
                if os.path.exists(f"/proc/self/fd/{n}")}
    def modules():
        return sorted(sys.modules)
    def where():
        return [os.getcwd(), tempfile.gettempdir(), os.path.expanduser("~"), os.listdir()]
    def threads():
        return len(os.listdir("/proc/self/task"))
    def leave(name):
        open(name, "w").close()
    def pids():
        return [os.getpid(), os.getppid()]
"""


def test_the_environment_holds_nothing_of_the_judge_s(monkeypatch, own):
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    monkeypatch.setenv("PYTEST_ADDOPTS", "-x")
    found = own(LOOK).environment()
    assert not {"SECRET_TOKEN", "PYTHONPATH", "PYTEST_ADDOPTS", "PYTEST_CURRENT_TEST"} & set(found)
    assert "hunter2" not in str(found)
    assert str(Path.home()) not in (found["HOME"], found["TMPDIR"])
    assert (found["PYTHONHASHSEED"], found["OMP_NUM_THREADS"]) == ("0", "1")


@linux
def test_the_arguments_tell_nothing(far):
    text = str(far(LOOK).arguments())
    assert "pytest" not in text
    assert "tests" not in text


@linux
def test_the_descriptors_are_its_own(far):
    s = far(LOOK)
    found = s.descriptors()
    kinds = sorted(target.partition(":")[0] for target in found.values())
    assert found[0] == os.devnull
    assert found[1] == found[2]
    assert "d2lgrade-output" in found[1]
    assert len([kind for kind in kinds if kind == "socket"]) == 1
    assert [t for t in found.values() if "d2lgrade-trace" in t]
    assert len(found) == 5


def test_the_judge_s_modules_are_not_there(far):
    loaded = far(LOOK).modules()
    rooms = {name.split(".")[1] for name in loaded if name.startswith("d2lgrade.")}
    assert rooms <= {"contestant", "wire", "families", "reserved"}
    assert not {"pytest", "_pytest"} & set(loaded)


@linux
def test_the_zygote_and_its_contestants_have_one_thread(own):
    s = own(LOOK)
    zygote = s.pids()[1]
    time.sleep(0.8)  # meanwhile it imports what is rarely needed
    assert s.threads() == 1
    assert len(os.listdir(f"/proc/{zygote}/task")) == 1


def test_each_contestant_works_in_a_folder_of_its_own(own, sandbox):
    one, two = own(LOOK), own(LOOK)
    here, temporary, home, files = one.where()
    assert here == temporary == home
    assert files == []
    one.leave("notes")
    assert two.where()[0] != here
    assert two.where()[3] == []
    own.contestants[0].close()
    assert not Path(here).exists()
    two.leave("more")
    scratch = Path(here).parent
    assert scratch.exists()
    sandbox.close()
    assert not scratch.exists()


def test_a_folder_made_unreadable_is_removed_as_well(own, sandbox):
    s = own("""
        import os
        def f():
            os.makedirs("a/b/c")
            open("a/b/c/file", "w").close()
            os.chmod("a/b", 0)
            os.chmod("a", 0)
            return os.getcwd()
    """)
    here = Path(s.f())
    own.contestants[0].close()
    assert not here.exists()


def test_packages_are_found_where_the_judge_found_them(far):
    s = far("import torch, numpy\ndef f():\n    return [torch.__file__, numpy.__version__]")
    assert s.f()[0] == torch.__file__


# Nothing is left running -------------------------------------------------------------------------


BROOD = """
    import os, subprocess, sys, time
    def plain():
        return [os.getpid(), subprocess.Popen(["sleep", "1000"]).pid]
    def session():
        return [os.getpid(), subprocess.Popen(["sleep", "1000"], start_new_session=True).pid]
    def daemon():
        read, write = os.pipe()
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.write(write, str(os.getpid()).encode())
                while True:
                    time.sleep(1)
            os._exit(0)
        return [os.getpid(), int(os.read(read, 20))]
    def crash(make):
        pids = make()
        print(*pids)
        os._exit(1)
"""


@linux
@pytest.mark.parametrize("kind", ["plain", "session", "daemon"])
@pytest.mark.parametrize("end", ["close", "crash", "close all"])
def test_children_end_with_their_contestant(own, sandbox, kind, end):
    s = own(BROOD)
    if end == "crash":
        with s.deadline(2.0), pytest.raises(Crash, match="exit status 1"):
            s.crash(getattr(s, kind))
        pids = [int(pid) for pid in own.printed().split()]
    else:
        pids = getattr(s, kind)()
        assert all(alive(pid) for pid in pids)
        (own.contestants[0] if end == "close" else sandbox).close()
    assert len(pids) == 2
    assert gone_soon(*pids)


@linux
def test_a_killed_zygote_takes_its_contestants_along_and_is_replaced(own, sandbox):
    s = own(LOOK + "    def loop():\n        while True: pass\n")
    pid, zygote = s.pids()
    os.kill(zygote, signal.SIGKILL)
    assert gone_soon(pid, zygote)
    with pytest.raises(Crash):
        s.pids()
    fresh = own(LOOK)
    assert fresh.pids()[1] != zygote
    assert fresh.where()[3] == []


@linux
def test_a_contestant_may_kill_its_zygote(own):
    s = own("import os\ndef f():\n    os.kill(os.getppid(), 9)\n    os.kill(os.getpid(), 9)")
    with pytest.raises(Crash):
        s.f()
    assert own("def g():\n    return 1").g() == 1


def test_closing_twice_is_harmless(own, sandbox):
    s = own("def f():\n    return 1")
    assert s.f() == 1
    contestant = own.contestants[0]
    spare = None
    for _ in range(2):
        contestant.close()
        spare = spare or os.open(os.devnull, os.O_RDONLY)  # may get the number just given back
    os.fstat(spare)
    os.close(spare)
    sandbox.close()
    sandbox.close()
    assert contestant.printed() == ""
    assert own("def f():\n    return 2").f() == 2  # it starts anew when asked to


def test_closing_before_it_is_warm_is_harmless(sandbox):
    sandbox.start()
    sandbox.close()
    sandbox.start()
    sandbox.start()
    sandbox.close()


def test_what_keeps_the_zygote_from_starting_is_said(monkeypatch, own, tmp_path):
    # A torch that does not load, before any that is installed.
    (tmp_path / "d2lgrade").symlink_to(ROOT / "d2lgrade")
    (tmp_path / "torch.py").write_text("raise ImportError('libtorch_cpu.so: cannot open it')")
    monkeypatch.setattr("d2lgrade.sandbox.process._ROOT", str(tmp_path))
    said = r"(?s)must work in this environment.*ImportError: libtorch_cpu\.so: cannot open it"
    with pytest.raises(SandboxError, match=said):
        own("def f():\n    return 1")
    monkeypatch.undo()
    assert own("def f():\n    return 1").f() == 1


JUDGE = f"""
import sys, time
sys.path[:0] = [{str(ROOT)!r}, {str(Path(__file__).parent)!r}]
from links import Learner
from d2lgrade.sandbox.process import ProcessSandbox
sandbox = ProcessSandbox()
s = Learner(sandbox)('''
import os
def pids():
    return [os.getpid(), os.getppid()]
def loop():
    while True: pass
''')
print(*s.pids(), s._link._connection._sandbox._scratch, flush=True)
try:
    s.loop()
except KeyboardInterrupt:
    alive = s._link._connection.alive
    sandbox.close()
    print("interrupted", alive, flush=True)
"""


@contextlib.contextmanager
def judge():
    """A judge in a process of its own, in the middle of a call that never ends."""
    process = subprocess.Popen([sys.executable, "-c", JUDGE], stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline().split()
        time.sleep(0.3)
        yield process, [int(pid) for pid in line[:2]], Path(line[2])
    finally:
        process.kill()
        process.communicate()


@linux
def test_nothing_survives_a_judge_that_is_killed():
    with judge() as (process, pids, scratch):
        assert all(alive(pid) for pid in pids)
        process.send_signal(signal.SIGKILL)
        assert gone_soon(*pids)
        end = time.monotonic() + 5
        while scratch.exists() and time.monotonic() < end:
            time.sleep(0.02)
        assert not scratch.exists()


@linux
def test_ctrl_c_during_a_call_ends_cleanly():
    with judge() as (process, pids, scratch):
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=20)[0] == "interrupted False\n"
        assert process.returncode == 0
        assert gone_soon(*pids)
        assert not scratch.exists()


def test_an_interrupted_call_gives_its_contestant_up(own):
    s = own("def loop():\n    while True: pass\ndef f():\n    return 1")
    assert s.f() == 1
    timer = threading.Timer(0.3, signal.raise_signal, (signal.SIGINT,))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        s.loop()
    timer.join()
    assert not own.contestants[0].alive
    assert own("def f():\n    return 2").f() == 2


def test_many_contestants_leave_no_descriptor_behind(own, sandbox):
    link = RemoteLink(sandbox.contestant())
    before = len(os.listdir("/dev/fd"))
    for _ in range(10):
        contestant = sandbox.contestant()
        other = RemoteLink(contestant)
        other.load(program("def f():\n    return 1"))
        assert student(other).f() == 1
        contestant.close()
    assert len(os.listdir("/dev/fd")) == before
    link._connection.close()


def test_the_report_names_level_and_limits(sandbox):
    assert sandbox.describe() == {"level": "process", "seconds": 20.0, "memory_mb": 2048}


def test_an_error_while_forking_leaves_no_descriptor_behind(own, sandbox):
    own("def f():\n    return 1")
    before = len(os.listdir("/dev/fd"))
    command = sandbox._command
    sandbox._command = lambda *_: (_ for _ in ()).throw(SandboxError("no"))
    with pytest.raises(SandboxError, match="no"):
        sandbox.contestant()
    sandbox._command = command
    assert len(os.listdir("/dev/fd")) == before


def test_an_exception_of_the_learner_s_leaves_the_contestant_alive(own):
    s = own("def f():\n    raise ValueError('x')\ndef g():\n    return 1")
    with pytest.raises(StudentError):
        s.f()
    assert s.g() == 1
    assert HEAD.count("\n") == 2  # the line numbers above count from there
