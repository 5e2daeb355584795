"""Attacks that outlive their run, or hurt others: daemons, poisoned places, the kernel's doors."""

from __future__ import annotations

import os
import sysconfig

from . import doors
from .case import HANGING, Attack
from .parts import JAIL, ROOTS, STRICT, prizes, relays, tricks, where

_prize = prizes("outlive")
_relay = relays("outlive")
_trick = tricks("outlive")

OWN_CHILD = """
    import os

    def aside():
        pid = os.fork()
        if pid == 0:
            os._exit(5)
        assert os.waitpid(pid, 0)[1] == 5 << 8
"""
OWN_SIGNAL = """
    import signal

    def aside():
        seen = []
        before = signal.signal(signal.SIGUSR2, lambda *rest: seen.append(rest))
        signal.raise_signal(signal.SIGUSR2)
        signal.signal(signal.SIGUSR2, before)
        assert seen
"""
OWN_NAMES = """
    import os

    def aside():
        with open("mine.py", "w") as file:
            file.write("X = 1")
        assert os.stat("mine.py").st_size == 5
        os.remove("mine.py")
"""

# Survivors ---------------------------------------------------------------------------------------

# Whoever lives holds a name that every process of the machine can ask for: a socket without a file,
# and, where name spaces part them, a lock on a byte of a file that all of them have.
ALIVE = """
    import fcntl, hashlib, signal, socket, struct, time

    NAME = hashlib.sha256(b"@LOOT@").hexdigest()[:20]
    BYTE = int(NAME[:12], 16)

    def lock(kind):
        return struct.pack("hhqqi4x", kind, os.SEEK_SET, BYTE, 1, 0)

    def find():
        with socket.socket(socket.AF_UNIX) as asking:
            if asking.connect_ex("\\0" + NAME) == 0:
                return True
        with open(os.__file__) as file:
            try:
                held = fcntl.fcntl(file, fcntl.F_GETLK, lock(fcntl.F_WRLCK))
                return struct.unpack_from("h", held)[0] != fcntl.F_UNLCK
            except OSError:
                return False

    def live(seconds=20.0):
        end = time.monotonic() + seconds
        os.closerange(3, ready[1])  # the judge would wait as long as its connection is open
        os.closerange(ready[1] + 1, 256)
        here = socket.socket(socket.AF_UNIX)
        here.bind("\\0" + NAME)
        here.listen(9)
        file = open(os.__file__)
        try:
            fcntl.fcntl(file, fcntl.F_SETLK, lock(fcntl.F_RDLCK))
        except OSError:
            pass
        os.write(ready[1], b"x")
        while time.monotonic() < end:
            time.sleep(0.05)
        os._exit(0)

    ready = os.pipe()

    def leave():
        begin()
        os.read(ready[0], 1)
"""


def _survivor(name: str, begin: str, aside: str = OWN_CHILD, **more: object) -> Attack:
    return _relay(name, ALIVE + begin, aside, **more)


SURVIVORS = (
    _survivor(
        "child",
        """
    def begin():
        if os.fork() == 0:
            live()
        """,
    ),
    _survivor(
        "daemon",
        """
    def begin():
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                live()
            os._exit(0)
        """,
    ),
    _survivor(
        "daemon_deaf_to_signals",
        """
    def begin():
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
                    try:
                        signal.signal(number, signal.SIG_IGN)
                    except OSError:
                        pass
                signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
                live()
            os._exit(0)
        """,
    ),
    _survivor(
        "daemon_that_forgets_its_parent",
        """
    import ctypes

    def begin():
        libc = ctypes.CDLL(None)
        libc.prctl(36, 1, 0, 0, 0)  # orphans come to us
        if os.fork() == 0:
            libc.prctl(1, 0, 0, 0, 0)  # no signal when the parent dies
            libc.prctl(4, 0, 0, 0, 0)  # and nobody may look inside
            os.setsid()
            if os.fork() == 0:
                libc.prctl(1, 0, 0, 0, 0)
                live()
            os._exit(0)
        """,
    ),
    _survivor(
        "brother",
        """
    import ctypes, platform

    def begin():
        libc = ctypes.CDLL(None)
        number = 56 if platform.machine() == "x86_64" else 220
        # A child of our parent: nobody would look for it among ours.
        pid = libc.syscall(number, ctypes.c_long(0x8000 | signal.SIGCHLD), 0, 0, 0, 0)
        if pid == 0:
            os.setsid()
            live()
        if pid < 0:
            raise OSError("no brothers here")
        """,
    ),
    _survivor(
        "stopped_child",
        """
    def begin():
        pid = os.fork()
        if pid == 0:
            os.setsid()
            live()
        os.read(ready[0], 1)
        os.kill(pid, signal.SIGSTOP)
        os.write(ready[1], b"x")
        """,
    ),
    _survivor(
        "program_of_its_own",
        """
    import subprocess, sys

    CODE = "import socket, sys, time; s = socket.socket(socket.AF_UNIX); " \\
        "s.bind(chr(0) + sys.argv[1]); s.listen(9); print('ready', flush=True); time.sleep(20)"

    def begin():
        try:
            child = subprocess.Popen(
                [sys.executable, "-S", "-c", CODE, NAME],
                stdout=subprocess.PIPE,
                start_new_session=True,
            )
            child.stdout.readline()
        finally:
            os.write(ready[1], b"x")
        """,
    ),
    _survivor(
        "hopping_daemon",
        """
    def begin():
        if os.fork() == 0:
            os.setsid()
            end = time.monotonic() + 3
            os.write(ready[1], b"x")
            os.closerange(3, 256)
            while time.monotonic() < end:  # always somebody else by the time it is looked for
                try:
                    if os.fork():
                        os._exit(0)
                except OSError:
                    pass
            os._exit(0)
        """,
        **STRICT,
    ),
    _survivor(
        "thread_that_stays",
        """
    import threading

    def begin():
        os.closerange = lambda *ends: None
        threading.Thread(target=live, daemon=False).start()  # and its process ends without it
        """,
        """
        import threading

        def aside():
            thread = threading.Thread(target=print, args=("aside",))
            thread.start()
            thread.join()
        """,
    ),
)

# Blows at others ---------------------------------------------------------------------------------

# `near` tells whether a blow would reach the judge: then it is not dealt, and the prize is taken.
NEAR = """
    import os, signal

    def near():
        try:
            os.kill(@PID@, 0)
            return True
        except ProcessLookupError:
            return False
"""
BLOWS = (
    _prize(
        "kill_everyone",
        NEAR
        + """
    def found():
        if near():
            return True
        if os.fork() == 0:
            os.kill(-1, signal.SIGKILL)
            os._exit(0)
        os.wait()
        """,
        OWN_SIGNAL,
        **{**JAIL, "says": "found nothing|killed|ended|closed"},
    ),
    _prize(
        "kill_the_first",
        NEAR
        + """
    def found():
        if near():
            return True
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP):
            for pid in (1, 2, 3):
                try:
                    os.kill(pid, number)
                except OSError:
                    pass
        """,
        OWN_SIGNAL,
        **{**JAIL, "says": "found nothing|killed|ended|signal|No answer"},
    ),
    _prize(
        "kill_the_judge_in_other_ways",
        """
        import ctypes, os, signal

        def found():
            libc = ctypes.CDLL(None, use_errno=True)
            libc.syscall.restype = ctypes.c_long
            if libc.sigqueue(@PID@, 0, None) == 0 or os.killpg(@PID@, 0) is None:
                return True
        """,
        OWN_SIGNAL,
        **JAIL,
    ),
    _prize(
        "kill_the_judge_when_it_writes",
        """
        import fcntl, struct

        def found():
            with open("/dev/null") as file:
                fcntl.fcntl(file, fcntl.F_SETOWN, @PID@)  # who is sent a signal of our choice
                return fcntl.fcntl(file, fcntl.F_GETOWN) == @PID@
        """,
        OWN_SIGNAL,
        **JAIL,
    ),
    _trick(
        "kill_the_zygote",
        """
        import os, signal, time

        def deed(X, K):
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(1)
            raise LookupError("it lives")
        """,
        OWN_SIGNAL,
        r"killed|ended|closed|it lives",
    ),
    _trick(
        "stop_the_zygote",
        """
        import os, signal

        def deed(X, K):
            if os.getppid() > 1:
                os.kill(os.getppid(), 0)
                return honest(X, K)
            raise LookupError("nobody there")
        """,
        OWN_SIGNAL,
        "nobody there|raised",
        **JAIL,
    ),
    _prize(
        "limits_of_the_zygote",
        """
        import os, resource

        def found():
            if os.getppid() > 1:
                before = resource.prlimit(os.getppid(), resource.RLIMIT_CORE)
                resource.prlimit(os.getppid(), resource.RLIMIT_CORE, before)
                return True
        """,
        """
        import resource

        def aside():
            assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 9
        """,
        **JAIL,
    ),
    _prize(
        "priority_of_the_zygote",
        """
        import os

        def found():
            if os.getppid() > 1:
                parent = os.getppid()
                os.setpriority(os.PRIO_PROCESS, parent, os.getpriority(os.PRIO_PROCESS, parent))
                os.sched_setaffinity(parent, os.sched_getaffinity(parent))
                return True
        """,
        """
        import os

        def aside():
            assert os.sched_getaffinity(0)
        """,
        **JAIL,
    ),
    _trick(
        "traced_by_the_zygote",
        """
        import ctypes, os, signal

        def deed(X, K):
            if ctypes.CDLL(None).ptrace(0, 0, None, None) != 0:  # be a prisoner of the parent
                raise LookupError("refused")
            os.kill(os.getpid(), signal.SIGSTOP)
            return honest(X, K)
        """,
        OWN_SIGNAL,
        r"No answer|ended|killed|signal|refused",
        limits=HANGING,
    ),
    _trick(
        "locked_in_by_its_own_filter",
        """
        import ctypes

        def deed(X, K):
            libc = ctypes.CDLL(None)
            if libc.prctl(22, 1, 0, 0, 0) != 0:  # only read, write and exit from here on
                raise LookupError("refused")
            return honest(X, K)
        """,
        OWN_SIGNAL,
        r"killed|ended|signal|No answer|refused",
        limits=HANGING,
    ),
)

# Poisoned places ---------------------------------------------------------------------------------

PURE = sysconfig.get_paths()["purelib"]
STDLIB = sysconfig.get_paths()["stdlib"]
OWN_MODULE = """
    import importlib.util

    def aside():
        assert importlib.util.find_spec("torch").name == "torch"
"""


def _made(name: str, place: str, there: str, **more: object) -> Attack:
    """Takes the prize if a file can be made in a place that others run code from."""
    text = f"""
        import os, sys, sysconfig

        def found():
            path = os.path.join({place}, f"poison-{{os.getpid()}}.txt")
            with open(path, "w") as file:
                file.write("poison")
            os.remove(path)
            return True
    """
    return _prize(name, text, OWN_NAMES, **(more or where(os.access(there, os.W_OK))))


def _changed(name: str, path: str, there: str) -> Attack:
    """Takes the prize if a file that others run can be opened for writing."""
    text = f"""
        import os, sys
        import d2lgrade.contestant.session, numpy

        def found():
            os.close(os.open({path}, os.O_RDWR))
            return True
    """
    return _prize(name, text, OWN_MODULE, **where(os.access(there, os.W_OK)))


POISONS = (
    _made("poisoned_packages", "sysconfig.get_paths()['purelib']", PURE),
    _made("poisoned_library", "sysconfig.get_paths()['stdlib']", STDLIB),
    _made("poisoned_compiled_files", "os.path.join(torch.__path__[0], '__pycache__')", PURE),
    _made("poisoned_home", "os.path.expanduser('~root')", "/", **ROOTS),
    _made("poisoned_autostart", "'/etc/cron.d'", "/", **STRICT),
    _changed("poisoned_torch", "torch.__file__", os.path.join(PURE, "torch")),
    _changed("poisoned_numpy", "numpy.__file__", os.path.join(PURE, "numpy")),
    _changed("poisoned_grader", "d2lgrade.contestant.session.__file__", os.path.dirname(__file__)),
    _relay(
        "poisoned_zygote",
        """
    import sys

    def find():
        return torch.nn.functional.conv2d is leave or "poison" in os.environ or "poison" in sys.path

    def leave():
        torch.nn.functional.conv2d = leave
        os.environ["poison"] = os.environ["PATH"] = "poison"
        sys.path.insert(0, "poison")
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        """,
        """
        def aside():
            assert torch.get_default_dtype() is torch.float32
        """,
    ),
    _prize(
        "keys_typed_at_the_terminal",
        """
        import fcntl, glob, os, termios

        def found():
            for path in ("/dev/tty", "/dev/console", *glob.glob("/dev/pts/*"), 0, 1, 2):
                try:
                    fd = path if isinstance(path, int) else os.open(path, os.O_RDWR | os.O_NOCTTY)
                    fcntl.ioctl(fd, termios.TIOCGWINSZ, bytes(8))  # a terminal it is: it could type
                    return path
                except OSError:
                    pass
        """,
        """
        import os

        def aside():
            assert not os.isatty(0)
        """,
        **STRICT,
    ),
)

ATTACKS: tuple[Attack, ...] = (*SURVIVORS, *BLOWS, *POISONS, *doors.ATTACKS)
