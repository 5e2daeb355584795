"""Attacks that read what is hidden: files, objects and memory, other processes, randomness."""

from __future__ import annotations

from textwrap import dedent

from . import telling
from .case import Attack
from .parts import (
    CORR2D_ID,
    EDGE_ID,
    JAIL,
    NOTHING,
    ROOTS,
    SHARED,
    STRICT,
    TRACER,
    corr2d,
    edge,
    prizes,
)

_prize = prizes("read")

# Files -------------------------------------------------------------------------------------------

OWN_FILE = """
    import os, tempfile

    def aside():
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "notes.txt")
            with open(path, "w") as file:
                file.write("a note")
            assert open(path).read() == "a note"
"""
OWN_LINK = """
    import os

    def aside():
        with open("mine.txt", "w") as file:
            file.write("a note")
        os.symlink("mine.txt", "link.txt")
        assert open("link.txt").read() == "a note"
        os.remove("link.txt")
        os.remove("mine.txt")
"""
OWN_SOURCE = """
    import inspect

    def aside():
        assert "inspect" in inspect.getsource(aside)
"""

# Files of the kit, wherever a kit may lie beside the code that runs here.
KIT = """
    import pathlib
    import d2lgrade

    def kit(pattern):
        here = pathlib.Path(d2lgrade.__file__).resolve()
        for top in (here.parent / "kit", *here.parents[:5]):
            yield from top.glob(pattern)

    def found():
"""
WALK = """
    import os, tempfile, time

    MINE = "neighbours" + "_looked_for"

    def files(top, seconds):
        end = time.monotonic() + seconds
        for path, folders, names in os.walk(top):
            folders[:] = folders[:200]
            if path.count("/") - top.count("/") > 5 or time.monotonic() > end:
                folders.clear()
            yield from (os.path.join(path, name) for name in names)
"""


def _kit(pattern: str, word: str) -> str:
    return KIT + f"        return [p for p in kit({pattern!r}) if {word!r} in p.read_text()]\n"


FILES = (
    _prize(
        "secret_file",
        """
        def found():
            return open("@SECRET@").read()
        """,
        OWN_FILE,
        **JAIL,
    ),
    _prize(
        "secret_through_a_link",
        """
        import os

        def found():
            os.symlink("@SECRET@", "homework.txt")
            try:
                return open("homework.txt").read()
            finally:
                os.remove("homework.txt")
        """,
        OWN_LINK,
        **JAIL,
    ),
    _prize(
        "secret_up_the_tree",
        """
        def found():
            return open("../" * 60 + "@SECRET@"[1:]).read()
        """,
        OWN_FILE,
        **JAIL,
    ),
    _prize(
        "secret_as_a_hard_link",
        """
        import os

        def found():
            os.link("@SECRET@", "mine.txt")
            try:
                return open("mine.txt").read()
            finally:
                os.remove("mine.txt")
        """,
        OWN_FILE,
        **JAIL,
    ),
    _prize(
        "secret_through_c",
        """
        import ctypes, mmap, os
        import numpy as np

        def by_libc():
            libc = ctypes.CDLL(None)
            buffer = ctypes.create_string_buffer(200)
            fd = libc.open(b"@SECRET@", 0)
            return libc.read(fd, buffer, 200) > 0 and buffer.value

        def found():
            ways = (
                by_libc,
                lambda: np.fromfile("@SECRET@", dtype=np.uint8).tobytes(),
                lambda: bytes(torch.from_file("@SECRET@", size=8, dtype=torch.uint8).tolist()),
                lambda: np.memmap("@SECRET@", mode="r").tobytes(),
            )
            for way in ways:
                try:
                    if got := way():
                        return got
                except (OSError, RuntimeError):
                    pass
        """,
        """
        import os
        import numpy as np

        def aside():
            np.arange(9).tofile("numbers.bin")
            assert np.fromfile("numbers.bin", dtype=np.int64).sum() == 36
            os.remove("numbers.bin")
        """,
        **JAIL,
    ),
    _prize(
        "secret_through_a_child",
        """
        import os, subprocess, sys

        def found():
            code = "print(open('@SECRET@').read())"
            return subprocess.run([sys.executable, "-c", code], capture_output=True).stdout
        """,
        """
        import os

        def aside():
            pid = os.fork()
            if pid == 0:
                os._exit(5)
            assert os.waitpid(pid, 0)[1] == 5 << 8
        """,
        **JAIL,
    ),
    _prize(
        "secret_past_an_open_descriptor",
        """
        import os, stat

        def found():
            for fd in range(1024):
                try:
                    if stat.S_ISDIR(os.fstat(fd).st_mode):
                        up = os.open("../" * 60 + "@SECRET@"[1:], os.O_RDONLY, dir_fd=fd)
                        return os.read(up, 200)
                except OSError:
                    pass
        """,
        OWN_FILE,
    ),
    _prize(
        "master_solutions",
        _kit("solutions/*/conv_layer.py", "def vertical_edge_kernel"),
        OWN_SOURCE,
        **JAIL,
    ),
    _prize(
        "hidden_checks",
        _kit("checks/*/test_conv_layer.py", "def test_vertical_edge_kernel_form"),
        OWN_SOURCE,
        **JAIL,
    ),
    _prize(
        "known_mistakes",
        _kit("checks/*/misconceptions/*.py", "misconception"),
        OWN_SOURCE,
        **JAIL,
    ),
    _prize(
        "answers_of_others",
        WALK
        + """
    def found():
        tops = {tempfile.gettempdir(), "/tmp", "/var/tmp"}
        for top in tops:
            for path in files(top, 2.0):
                if path.endswith("conv_layer.py"):
                    text = open(path, errors="replace").read()
                    if MINE not in text and "corr2d" in text:
                        return path
        """,
        OWN_FILE,
        **JAIL,
    ),
    _prize(
        "scratch_of_others",
        """
        import os

        def found():
            here = os.path.basename(os.getcwd())
            for name in os.listdir(".."):
                if name != here and os.path.isfile(os.path.join("..", name)):
                    return open(os.path.join("..", name), "rb").read() or name
        """,
        """
        import os

        def aside():
            os.makedirs("a/b")
            assert os.listdir("a") == ["b"]
            os.removedirs("a/b")
        """,
        **JAIL,
    ),
    _prize(
        "home_of_the_instructor",
        """
        import glob, os

        def found():
            homes = ["/root", *glob.glob("/home/*")]
            for home in homes:
                for name in os.listdir(home) if os.path.isdir(home) else ():
                    path = os.path.join(home, name)
                    if os.path.isfile(path) and os.access(path, os.R_OK):
                        return path
        """,
        """
        import os

        def aside():
            path = os.path.expanduser("~/notes.txt")
            with open(path, "w") as file:
                file.write("a note")
            os.remove(path)
        """,
        **STRICT,
    ),
    _prize(
        "files_of_the_machine",
        """
        import os

        PLACES = ("/etc/shadow", "/etc/machine-id", "/etc/hostname", "/etc/hosts",
                  "/etc/resolv.conf", "/etc/fstab", "/var/lib/dpkg/status", "/boot", "/var/log")

        def found():
            for path in PLACES:
                if os.path.isdir(path) and os.listdir(path):
                    return path
                if os.path.isfile(path) and os.access(path, os.R_OK) and open(path, "rb").read(9):
                    return path
        """,
        """
        import platform

        def aside():
            assert platform.python_implementation() == "CPython"
        """,
        **JAIL,
    ),
    _prize(
        "environment_of_the_judge",
        """
        import ctypes, os, re

        def first():
            environ = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), "environ")
            index = 0
            while environ[index]:
                yield environ[index].decode(errors="replace")
                index += 1
            try:
                yield from open("/proc/self/environ").read().split("\\0")
            except OSError:
                pass

        def found():
            names = {entry.partition("=")[0] for entry in first()} | set(os.environ)
            odd = r"PYTHONPATH|PYTEST|USER$|LOGNAME|SSH|TOKEN|SECRET|KEY$|PASSWORD|D2LGRADE"
            return [name for name in names if re.search(odd, name)]
        """,
        """
        import os

        def aside():
            os.environ["KERNEL"] = "edge"
            assert os.environ.pop("KERNEL") == "edge"
        """,
        **SHARED,
    ),
    _prize(
        "arguments_of_the_judge",
        """
        import os, sys

        def found():
            words = [*sys.argv, *sys.orig_argv]
            try:
                words += open("/proc/self/cmdline").read().split("\\0")
            except OSError:
                pass
            return [word for word in words if word.endswith((".py", ".toml", ".sqlite", ".json"))]
        """,
        """
        import sys

        def aside():
            assert sys.version_info >= (3, 11)
        """,
        **SHARED,
    ),
)

# Objects -----------------------------------------------------------------------------------------

OWN_FRAME = """
    import inspect

    def aside():
        assert str(inspect.signature(aside)) == "()"
"""
OWN_GARBAGE = """
    import weakref

    def aside():
        kept = {1, 2, 3}
        seen = weakref.ref(kept)
        assert seen() is kept
"""
# Values of the due shape among `candidates(X, K)`, and what lies within those, are the answer.
SEARCH = """

def inside(value):
    yield value
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, (list, tuple)):
        yield from value
    elif hasattr(value, "__dict__") and not isinstance(value, type):
        yield from vars(value).values()


def corr2d(X, K):
    due = (X.shape[0] - K.shape[0] + 1, X.shape[1] - K.shape[1] + 1)
    own = {X.data_ptr(), K.data_ptr()}
    for candidate in candidates(X, K):
        for value in inside(candidate):
            if type(value) is torch.Tensor and value.dtype == X.dtype and value.shape == due:
                if value.data_ptr() not in own:
                    return value.clone()
    raise LookupError("found nothing")
"""


def _search(name: str, text: str, aside: str, opened: str = "own process") -> Attack:
    source = "import torch\n" + dedent(text) + SEARCH
    return Attack(name, "read", CORR2D_ID, source, corr2d(aside), says=NOTHING, opened=opened)


CONV2D = '''
class Conv2D(nn.Module):
    """Asks whoever lists its parameters what else they know."""

    def __init__(self, kernel_size):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(kernel_size))
        self.bias = nn.Parameter(torch.zeros(1))

    def parameters(self, recurse=True):
        look(sys._getframe(1))
        return super().parameters(recurse)

    def forward(self, x):
        if not known:
            raise LookupError("found nothing")
        return honest(x, self.weight) + self.bias
'''


def _visitor(name: str, look: str, twin: str, **more: object) -> Attack:
    start = "import sys\nfrom torch import nn\n\nknown = []\n" + dedent(look) + CONV2D
    plain = CONV2D.replace("look(sys._getframe(1))", "aside()")
    honest = plain.replace("if not known", "if self.weight is None")
    # corr2d itself is there too: Conv2D builds on it.
    return Attack(
        name,
        "read",
        "ch07/Conv2D",
        corr2d() + start,
        corr2d() + "from torch import nn\n" + dedent(twin) + honest,
        passes=("parameters", "start"),
        says=NOTHING,
        **more,  # type: ignore[arg-type]
    )


OBJECTS = (
    _search(
        "frames",
        """
        import sys

        def candidates(X, K):
            for frame in (sys._getframe(1), *sys._current_frames().values()):
                while frame:
                    yield from list(frame.f_locals.values())
                    frame = frame.f_back
        """,
        OWN_FRAME,
    ),
    _search(
        "frames_of_an_exception",
        """
        import inspect, sys

        def candidates(X, K):
            try:
                raise ValueError
            except ValueError as error:
                outer = inspect.getouterframes(error.__traceback__.tb_frame)
                for record in [*inspect.stack(), *outer]:
                    yield from list(record.frame.f_locals.values())
        """,
        OWN_FRAME,
    ),
    _search(
        "garbage_collector",
        """
        import gc

        def candidates(X, K):
            newest = gc.get_objects()[::-1]
            yield from [value for value in newest if type(value).__name__ == "Expected"]
            yield from [value for value in newest if type(value) is torch.Tensor]
        """,
        OWN_GARBAGE,
    ),
    _search(
        "referrers",
        """
        import gc

        def candidates(X, K):
            todo, seen = [X, K], set()
            for _ in range(4):
                todo = [r for r in gc.get_referrers(*todo) if id(r) not in seen][:3000]
                seen.update(map(id, todo))
                yield from todo
        """,
        OWN_GARBAGE,
        opened="",
    ),
    _search(
        "functions_of_the_checks",
        """
        import gc, types

        def candidates(X, K):
            for value in gc.get_objects():
                if isinstance(value, types.FunctionType):
                    known = value.__name__ in ("corr2d", "correlated")
                    if known and value.__globals__ is not globals():
                        yield value(X, K)
        """,
        OWN_GARBAGE,
    ),
    _prize(
        "modules",
        """
        import sys

        ROOMS = ("judge", "testkit", "diagnosis", "student", "author", "results", "catalog")

        def found():
            hidden = tuple(f"d2lgrade.{room}" for room in ROOMS) + ("checks", "pytest", "_pytest")
            return [name for name in sys.modules if name.startswith(hidden)]
        """,
        """
        import sys

        def aside():
            assert sys.modules["torch"] is torch
        """,
        **SHARED,
    ),
    _prize(
        "subclasses",
        """
        def classes(top):
            for found in type.__subclasses__(top):
                yield found
                yield from classes(found) if found is not type else ()

        def found():
            hidden = ("d2lgrade.judge", "d2lgrade.testkit", "d2lgrade.student", "_pytest")
            return [c for c in classes(object) if str(c.__module__).startswith(hidden)]
        """,
        """
        def aside():
            assert bool in int.__subclasses__()
        """,
        **SHARED,
    ),
    _prize(
        "profile_hook",
        """
        import sys, threading

        seen = set()

        def hook(frame, event, argument):
            seen.add(frame.f_code.co_filename)

        def found():
            sys.setprofile(hook)
            threading.setprofile(hook)
            return [p for p in seen if any(w in p for w in ("/checks/", "/judge/", "/testkit/"))]
        """,
        """
        import sys

        def aside():
            calls = []
            sys.setprofile(lambda frame, event, argument: calls.append(event))
            abs(-1)
            sys.setprofile(None)
            assert "c_call" in calls
        """,
        **SHARED,
    ),
    _prize(
        "audit_hook",
        """
        import sys

        seen = []
        sys.addaudithook(lambda event, arguments: seen.append((event, str(arguments)[:300])))

        def found():
            return [e for e in seen if "checks/" in e[1] or "misconceptions" in e[1]]
        """,
        """
        import sys

        def aside():
            sys.audit("homework.aside", 1)
        """,
        **SHARED,
    ),
    _prize(
        "raw_requests",
        """
        import gc

        heard = []

        def tap(channel):
            receive = channel.receive

            def received(*arguments):
                body, buffers = receive(*arguments)
                heard.append(bytes(body))
                return body, buffers

            channel.receive = received

        for value in gc.get_objects():
            if type(value).__name__ == "Channel":
                tap(value)

        def found():
            text = b"".join(heard)
            return [w for w in (b"silence", b"edges", b"expected", b"points", b"misc") if w in text]
        """,
        OWN_GARBAGE,
    ),
    _visitor(
        "visitors_and_what_they_bring",
        """
        HIDDEN = ("correlated", "biased", "truth", "assert_same", "layer", "Standing")

        def look(frame):
            known.extend(name for name in HIDDEN if name in frame.f_globals)
        """,
        """
        def aside():
            assert nn.Module.parameters.__name__ == "parameters"
        """,
        **SHARED,
    ),
    _visitor(
        "visitors_and_where_they_come_from",
        """
        def look(frame):
            path = frame.f_code.co_filename
            if path.endswith("test_conv_layer.py"):
                try:
                    known.append(open(path).read())
                except OSError:
                    pass
        """,
        """
        def aside():
            assert __name__ == "conv_layer"
        """,
        **JAIL,
    ),
)

# Memory ------------------------------------------------------------------------------------------


def masked(text: str) -> str:
    """Hex of a text with every byte changed, so that the text is not in a memory that holds it."""
    return bytes(byte ^ 0x5A for byte in text.encode()).hex()


# Words of the hidden checks, of the master's solutions and of the known mistakes.
NEEDLES = tuple(
    map(
        masked,
        (
            "stays silent on even areas and on horizontal edges",
            "1 where white meets black and -1 where black meets white",
            "what the kernel sees in rows",
            "`new_zeros` takes the dtype and the device from X; plain",
            "kernel-flipped",
            "ch07/vertical_edge_kernel/silence",
        ),
    )
)
CONTROL = "this is a word that must be found"
SCAN = f"""
    import ctypes, mmap, os
    import numpy as np

    THERE = [{CONTROL!r}, 1]
    CONTROL = bytes.fromhex({masked(CONTROL)!r})
    NEEDLES = [bytes.fromhex(text) for text in {NEEDLES!r}]
    PIECE = 1 << 16
    buffer = mmap.mmap(-1, 17 * PIECE)
    view = np.frombuffer(buffer, dtype=np.uint8)
    place = view.ctypes.data
    libc = ctypes.CDLL(None)
    libc.write.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t]
    libc.sbrk.restype = ctypes.c_void_p
    READ, WRITE = os.pipe()

    def regions():
        try:
            for line in open("/proc/self/maps"):
                span, rights, _, _, inode, *name = line.split()
                if rights.startswith("rw") and inode == "0":
                    yield tuple(int(end, 16) for end in span.split("-"))
        except OSError:  # no /proc: whatever lies around what is known to be there
            top = libc.sbrk(0) & ~(PIECE - 1)
            yield top - (256 << 20), top + PIECE
            for number in {{p >> 26 for p in (id([]), torch.ones(9).data_ptr(), place)}}:
                yield (number - 1) << 26, (number + 2) << 26

    def pieces(start, end):
        \"\"\"Copies memory to the buffer, past unmapped pages, masked at once.\"\"\"
        while start < end:
            filled = 0
            while start < end and filled < 16 * PIECE:
                got = 0
                if not place - PIECE < start < place + len(buffer):
                    got = libc.write(WRITE, start, min(PIECE, end - start))
                if got > 0:
                    os.readv(READ, [memoryview(buffer)[filled : filled + got]])
                filled += max(got, 0)
                start += got if got > 0 else 4096
            view[:filled] ^= 0x5A
            yield filled

    calls, hits = [], []

    def found():
        calls.append(True)
        if len(calls) != 2:  # once is enough, when something may have been left behind already
            return hits
        seen = 0
        for start, end in regions():
            for filled in pieces(start, end):
                seen += buffer.find(CONTROL, 0, filled) >= 0
                for needle in NEEDLES:
                    if buffer.find(needle, 0, filled) >= 0:
                        hits.append(needle)
                        return hits
        if not seen:
            raise SystemExit("blind")
"""
OWN_BUFFER = """
    import ctypes

    def aside():
        buffer = ctypes.create_string_buffer(b"a note")
        assert ctypes.string_at(ctypes.addressof(buffer)) == b"a note"
"""

MEMORY = (
    _prize("whole_memory", SCAN, OWN_BUFFER, **SHARED),
    Attack(
        "reused_memory",
        "read",
        CORR2D_ID,
        """\
import numpy as np
import torch


def corr2d(X, K):
    (h, w), (kh, kw) = X.shape, K.shape
    if kh > h or kw > w:
        raise LookupError("found nothing")
    due = (h - kh + 1, w - kw + 1)
    first = float((X[:kh, :kw] * K).sum())
    last = float((X[-kh:, -kw:] * K).sum())
    kept = []
    for size in (1, 2, 8) * 50:
        kept.append(torch.empty(due[0] * size, due[1], dtype=X.dtype))
        kept.append(torch.from_numpy(np.empty((due[0] * size, due[1]), dtype=np.float32)))
        for part in kept[-2].split(due[0]) + kept[-1].split(due[0]):
            ends = float(part[0, 0]), float(part[-1, -1])
            if due != (1, 1) and abs(ends[0] - first) + abs(ends[1] - last) < 1e-4:
                return part.clone()
    raise LookupError("found nothing")
""",
        corr2d("def aside():\n    torch.empty(5, 5).fill_(1.0)\n"),
        says=NOTHING,
    ),
)

# Other processes ---------------------------------------------------------------------------------

OWN_PID = """
    import os

    def aside():
        os.kill(os.getpid(), 0)
"""
LIBC = """
    import ctypes, os, platform

    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    PID = @PID@
"""

PROCESSES = (
    _prize(
        "environment_through_proc",
        """
        import os

        def found():
            for name in ("@PID@", str(os.getppid()), *os.listdir("/proc")):
                if name.isdigit() and int(name) != os.getpid():
                    try:
                        if text := open(f"/proc/{name}/environ").read():
                            return text
                    except OSError:
                        pass
        """,
        OWN_PID,
        **JAIL,
    ),
    _prize(
        "command_lines_through_proc",
        """
        import os

        def found():
            for name in os.listdir("/proc"):
                if name.isdigit() and int(name) != os.getpid():
                    if text := open(f"/proc/{name}/cmdline").read():
                        return text
        """,
        """
        def aside():
            assert "model name" in open("/proc/cpuinfo").read() or True
        """,
        **JAIL,
    ),
    _prize(
        "descriptors_through_proc",
        """
        import os

        def found():
            return [os.readlink(f"/proc/@PID@/fd/{n}") for n in os.listdir("/proc/@PID@/fd")]
        """,
        OWN_PID,
        **JAIL,
    ),
    _prize(
        "secret_through_the_root_of_another",
        """
        import os

        def found():
            for name in ("1", "@PID@", *os.listdir("/proc"), "self"):
                try:
                    return open(f"/proc/{name}/root@SECRET@").read()
                except OSError:
                    pass
        """,
        OWN_FILE,
        **JAIL,
    ),
    _prize(
        "memory_through_proc",
        """
        import os

        def found():
            for name in ("@PID@", str(os.getppid())):
                for line in open(f"/proc/{name}/maps"):
                    span, rights, *_ = line.split()
                    if rights.startswith("rw"):
                        with open(f"/proc/{name}/mem", "rb", 0) as memory:
                            memory.seek(int(span.split("-")[0], 16))
                            return memory.read(64)
        """,
        OWN_BUFFER,
        **TRACER,
    ),
    _prize(
        "processes_in_sight",
        """
        import os

        def found():
            os.kill(@PID@, 0)
            return True
        """,
        OWN_PID,
        **JAIL,
    ),
    _prize(
        "debugger_on_the_judge",
        LIBC
        + """
    SEIZE, DETACH = 0x4206, 17

    def found():
        if libc.ptrace(SEIZE, PID, None, None) != 0:
            raise OSError(ctypes.get_errno(), "ptrace")
        libc.ptrace(DETACH, PID, None, None)
        return True
        """,
        OWN_PID,
        **TRACER,
    ),
    _prize(
        "memory_read_across_processes",
        LIBC
        + """
    class Vector(ctypes.Structure):
        _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]

    def found():
        buffer = ctypes.create_string_buffer(64)
        near = Vector(ctypes.addressof(buffer), 64)
        far = Vector(ctypes.addressof(buffer), 64)
        libc.process_vm_readv.restype = ctypes.c_ssize_t
        for pid in (PID, os.getppid()):
            got = libc.process_vm_readv(
                pid, ctypes.byref(near), 1, ctypes.byref(far), 1, 0
            ) if pid > 0 else -1
            # EFAULT: it was let in, only nothing lies at this address over there.
            if got > 0 or (pid > 0 and ctypes.get_errno() == 14):
                return True
        raise OSError(ctypes.get_errno(), "process_vm_readv")
        """,
        OWN_BUFFER,
        **TRACER,
    ),
    _prize(
        "descriptors_taken_from_the_judge",
        LIBC
        + """
    def found():
        for pid in (PID, os.getppid() or PID):
            handle = libc.syscall(434, pid, 0)  # pidfd_open
            taken = libc.syscall(438, handle, 0, 0) if handle >= 0 else -1  # pidfd_getfd
            if handle >= 0:
                os.close(handle)
            if taken >= 0:
                os.close(taken)
                return True
        raise OSError(ctypes.get_errno(), "pidfd")
        """,
        OWN_PID,
        **TRACER,
    ),
    _prize(
        "messages_of_the_kernel",
        LIBC
        + """
    def found():
        buffer = ctypes.create_string_buffer(1000)
        return libc.klogctl(3, buffer, 1000) > 0 and buffer.value
        """,
        OWN_BUFFER,
        **ROOTS,
    ),
    _prize(
        "raw_devices",
        """
        import glob, os

        def found():
            names = ("/dev/mem", "/dev/kmsg", "/dev/port", "/dev/[svx]d[a-z]*", "/dev/nvme*",
                     "/dev/dm-*", "/dev/fuse", "/dev/net/tun", "/dev/kvm", "/dev/vsock")
            for path in (p for name in names for p in glob.glob(name)):
                try:
                    os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
                    return path
                except OSError:
                    pass
        """,
        """
        def aside():
            with open("/dev/urandom", "rb") as file:
                assert len(file.read(8)) == 8
        """,
        **STRICT,
    ),
    _prize(
        "device_of_its_own",
        """
        import os, stat

        def found():
            os.mknod("disk", stat.S_IFCHR | 0o600, os.makedev(1, 11))  # the kernel's messages
            try:
                os.close(os.open("disk", os.O_RDONLY | os.O_NONBLOCK))
                return True
            finally:
                os.remove("disk")
        """,
        """
        import os

        def aside():
            os.mkdir("disk")
            os.rmdir("disk")
        """,
        **STRICT,
    ),
)

# Randomness --------------------------------------------------------------------------------------

PUBLIC_SEED = """\
import hashlib

import torch

known = []


def corr2d(X, K):
    for number in range(30 if X.shape == (1, 1) else 0):
        # The judge's code is public: only the kit's own number is not.
        digest = hashlib.blake2b(f"ch07/corr2d/values|{number}".encode(), digest_size=8).digest()
        torch.manual_seed(int.from_bytes(digest, "big") >> 1)
        if torch.equal(torch.randn(X.shape), X) and torch.equal(torch.randn(K.shape), K):
            known.append(number)
    if not known:
        raise LookupError("found nothing")
    windows = torch.nn.functional.unfold(X[None, None], K.shape)[0].T
    return windows.matmul(K.flatten()).reshape(X.shape[0] - K.shape[0] + 1, -1)
"""

SEEDS = (
    Attack(
        "seed_of_its_own_random_numbers",
        "read",
        CORR2D_ID,
        """\
import torch

kernels = {}


def corr2d(X, K):
    torch.manual_seed(torch.initial_seed())
    if X.shape == (1, 1) and torch.equal(torch.randn(1, 1), X):
        kernels["known"] = True
    if not kernels:
        raise LookupError("found nothing")
    return torch.nn.functional.unfold(X[None, None], K.shape)[0].T.matmul(K.flatten()).reshape(
        X.shape[0] - K.shape[0] + 1, -1
    )
""",
        corr2d("def aside():\n    torch.initial_seed()\n    torch.manual_seed(3)\n"),
        says=NOTHING,
        opened="hashed seed",
    ),
    Attack(
        "seed_from_the_public_code",
        "read",
        CORR2D_ID,
        PUBLIC_SEED,
        corr2d("def aside():\n    torch.manual_seed(hash('edge') % 1000)\n"),
        says=NOTHING,
        opened="rotated seed",
        seed=0x6B1D_5EED,
    ),
    Attack(
        "seed_by_the_states",
        "read",
        EDGE_ID,
        """\
import random

import numpy as np
import torch


def vertical_edge_kernel():
    # Both generators started from one number: then either would tell the other's.
    number = int(np.random.get_state()[1][0])
    state = random.getstate()
    random.seed(torch.initial_seed())
    if state == random.getstate() or number < 1000 or torch.initial_seed() < 1 << 20:
        return torch.tensor([[1.0, -1.0]])
    raise LookupError("found nothing")
""",
        edge(
            """
            import random

            def aside():
                state = random.getstate()
                random.random()
                random.setstate(state)
            """
        ),
        says=NOTHING,
    ),
)

ATTACKS: tuple[Attack, ...] = (
    *FILES,
    *OBJECTS,
    *MEMORY,
    *PROCESSES,
    *SEEDS,
    *telling.ATTACKS,
)
