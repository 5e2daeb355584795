"""Attacks that exhaust the machine: time, memory, processes, disk, answers, and whoever reads."""

from __future__ import annotations

from . import overflowing
from .case import HANGING, Attack
from .parts import CORR2D_ID, EDGE_ID, JAIL, SMALL, corr2d, edge, endless, tricks

_trick = tricks("exhaust")

BRIEF = """
    import time

    def aside():
        time.sleep(0.001)
"""
LOOP = """
    def aside():
        total = 0
        for number in range(1000):
            try:
                total += 1 // number
            except ZeroDivisionError:
                pass
"""
OWN_SIGNAL = """
    import signal

    def aside():
        before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, before)
"""
OWN_THREAD = """
    import threading

    def aside():
        done = []
        threads = [threading.Thread(target=done.append, args=(n,)) for n in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(done) == [0, 1, 2]
"""
# The first process of its namespace is deaf to what it sends itself, and goes on.
ALONE = "result is None"
OWN_CHILD = """
    import os

    def aside():
        children = []
        for number in range(3):
            pid = os.fork()
            if pid == 0:
                os._exit(number)
            children.append(pid)
        assert [os.waitpid(pid, 0)[1] >> 8 for pid in children] == [0, 1, 2]
"""
OWN_MEMORY = """
    def aside():
        kept = [bytearray(1 << 20) for _ in range(20)] + [torch.ones(1 << 20)]
        assert sum(map(len, kept)) > 0
"""
OWN_DEPTH = """
    def depth(n):
        return n and 1 + depth(n - 1)

    def aside():
        assert depth(400) == 400
"""

# Time --------------------------------------------------------------------------------------------

TIME = (
    endless(
        "loop_in_python",
        """
        def deed(X, K):
            while True:
                X = X + 0
        """,
        LOOP,
    ),
    endless(
        "loop_in_c",
        """
        def deed(X, K):
            return 3 ** (10**9)  # one instruction; no signal handler runs until it ends
        """,
        """
        def aside():
            assert sum(range(1000)) == 499500
        """,
    ),
    endless(
        "loop_that_swallows_everything",
        """
        def deed(X, K):
            while True:
                try:
                    while True:
                        pass
                except BaseException:
                    continue
                finally:
                    continue
        """,
        LOOP,
    ),
    endless(
        "loop_deaf_to_signals",
        """
        import faulthandler, signal

        def deed(X, K):
            faulthandler.unregister(signal.SIGUSR1)
            for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
                try:
                    signal.signal(number, signal.SIG_IGN)
                except OSError:
                    pass
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
            while True:
                pass
        """,
        OWN_SIGNAL,
    ),
    endless(
        "ended_by_the_question_where_it_is",
        """
        import signal, time

        def deed(X, K):
            signal.signal(signal.SIGUSR1, signal.SIG_DFL)  # asked where it is, it dies
            while True:
                time.sleep(1)
        """,
        OWN_SIGNAL,
    ),
    endless(
        "sleep",
        """
        import time

        def deed(X, K):
            time.sleep(10**6)
        """,
        BRIEF,
    ),
    endless(
        "waiting_for_what_never_comes",
        """
        import os

        def deed(X, K):
            read, write = os.pipe()
            return os.read(read, 1)
        """,
        """
        import os

        def aside():
            read, write = os.pipe()
            os.write(write, b"x")
            assert os.read(read, 1) == b"x"
            os.close(read)
            os.close(write)
        """,
    ),
    endless(
        "stops_itself",
        """
        import os, signal

        def deed(X, K):
            os.kill(os.getpid(), signal.SIGSTOP)
        """,
        OWN_SIGNAL,
        says=f"No answer within 1 s|{ALONE}",
    ),
    endless(
        "message_that_never_ends",
        """
        class Odd(Exception):
            def __str__(self):
                while True:
                    pass

        def deed(X, K):
            raise Odd
        """,
        """
        class Own(Exception):
            def __str__(self):
                return "own"

        def aside():
            assert str(Own()) == "own"
        """,
    ),
    endless(
        "answer_drop_by_drop",
        """
        import gc, struct, time

        def deed(X, K):
            [channel] = [v for v in gc.get_objects() if type(v).__name__ == "Channel"]
            head = struct.pack("<IIQI", 0xD2161EAD, (channel._sent + 1) & 0xFFFFFFFF, 1 << 20, 0)
            for byte in head + bytes(1 << 20):
                channel._sock.sendall(bytes([byte]))
                time.sleep(0.01)
        """,
        BRIEF,
    ),
    Attack(
        "backward_without_end",
        "exhaust",
        CORR2D_ID,
        corr2d(
            """
            class Slow(torch.autograd.Function):
                @staticmethod
                def forward(ctx, X):
                    return X.clone()

                @staticmethod
                def backward(ctx, grad):
                    while True:
                        pass

            def aside():
                pass
            """
        ).replace("return honest(X, K)", "return Slow.apply(honest(X, K))"),
        corr2d(
            """
            class Plain(torch.autograd.Function):
                @staticmethod
                def forward(ctx, X):
                    return X.clone()

                @staticmethod
                def backward(ctx, grad):
                    return grad

            def aside():
                pass
            """
        ).replace("return honest(X, K)", "return Plain.apply(honest(X, K))"),
        passes=(
            *("values", "rectangles", "arguments", "rules"),
            *("refuses", "dtype", "layout", "device", "watched"),
        ),
        says="No answer within 1 s",
        limits=HANGING,
    ),
)

# Imports -----------------------------------------------------------------------------------------


def _import(name: str, text: str, aside: str, says: str) -> Attack:
    limits = HANGING if "never ended" in says else SMALL
    return Attack(
        name, "exhaust", EDGE_ID, edge() + "\n" + text, edge(aside), says=says, limits=limits
    )


ABORTED = "SIGABRT|segmentation fault"
NEVER = "import of your file never ended"
IMPORTS = (
    _import("import_that_loops", "while True:\n    pass\n", LOOP, NEVER),
    _import("import_that_sleeps", "import time\n\ntime.sleep(10**6)\n", BRIEF, NEVER),
    _import(
        "import_that_cannot_be_interrupted",
        "while True:\n    try:\n        while True:\n            pass\n"
        "    except BaseException:\n        pass\n",
        LOOP,
        NEVER,
    ),
    _import(
        "import_of_itself",
        "def again():\n    import importlib\n    import sys\n\n"
        "    importlib.reload(sys.modules['conv_layer'])\n\n\nagain()\n",
        """
        import importlib, json

        def aside():
            assert importlib.reload(json) is json
        """,
        "could not be imported",
    ),
    _import("import_too_deep", "def dig():\n    dig()\n\n\ndig()\n", OWN_DEPTH, "RecursionError"),
    _import(
        "import_that_takes_all_memory",
        "kept = []\nfor _ in range(100):\n    kept.append(bytearray(10 << 20))\n",
        OWN_MEMORY,
        "(?i)memory",
    ),
    _import("import_that_ends_it", "import os\n\nos.abort()\n", BRIEF, ABORTED),
)

# Memory, threads, processes ----------------------------------------------------------------------

# Each stops by itself at 1 GB, or at some hundred of what it makes, and then answers: a gain.


def _bomb(name: str, text: str, aside: str, says: str, **more: object) -> Attack:
    given = {"limits": SMALL, **more}
    return _trick(name, text, aside, says, **given)


OUT = "ran out of memory"
NO_MEMORY = r"ran out of memory|[Cc]annot allocate memory|Errno 12|[Tt]oo large"
BOMBS = (
    _bomb(
        "memory_touched",
        """
        def deed(X, K):
            kept = [bytearray(b"x" * (10 << 20)) for _ in range(100)]
            return honest(X, K)
        """,
        OWN_MEMORY,
        OUT,
    ),
    _bomb(
        "memory_in_small_pieces",
        """
        def deed(X, K):
            kept = []
            for number in range(200_000):
                kept.append([number] * 700)
            return honest(X, K)
        """,
        OWN_MEMORY,
        OUT,
    ),
    _bomb(
        "memory_in_tensors",
        """
        def deed(X, K):
            kept = [torch.ones(2_500_000) for _ in range(100)]
            return honest(X, K)
        """,
        OWN_MEMORY,
        OUT,
    ),
    _bomb(
        "memory_untouched",
        """
        import mmap

        def deed(X, K):
            kept = mmap.mmap(-1, 1 << 30, flags=mmap.MAP_PRIVATE | 0x4000)
            return honest(X, K)
        """,
        OWN_MEMORY,
        NO_MEMORY,
    ),
    _bomb(
        "memory_shared",
        """
        import mmap

        def deed(X, K):
            kept = [mmap.mmap(-1, 10 << 20, flags=mmap.MAP_SHARED) for _ in range(100)]
            for piece in kept:
                piece.write(b"x" * (10 << 20))
            return honest(X, K)
        """,
        OWN_MEMORY,
        NO_MEMORY,
    ),
    _bomb(
        "memory_in_nameless_files",
        """
        import os

        def deed(X, K):
            piece = b"x" * (4 << 20)
            for number in range(200):
                os.write(os.memfd_create(str(number)), piece)
            return honest(X, K)
        """,
        OWN_MEMORY,
        r"raised OSError|No space|memory",
        **JAIL,
    ),
    _bomb(
        "memory_in_pipes",
        """
        import fcntl, os

        def deed(X, K):
            total = 0
            for _ in range(110):
                read, write = os.pipe()
                os.set_blocking(write, False)
                try:
                    fcntl.fcntl(write, 1031, 1 << 20)
                    while total < 1 << 40:
                        total += os.write(write, bytes(1 << 16))
                except BlockingIOError:
                    pass
            if total < 64 << 20:
                raise MemoryError("pipes hold little")
            return honest(X, K)
        """,
        OWN_MEMORY,
        r"memory|raised (OSError|PermissionError)",
        **JAIL,
    ),
    _bomb(
        "memory_of_many",
        """
        import os, time

        def deed(X, K):
            read, write = os.pipe()
            for _ in range(6):
                if os.fork() == 0:
                    try:
                        kept = torch.ones(50_000_000)
                        os.write(write, b"x")
                        time.sleep(20)
                    finally:
                        os._exit(0)
            os.close(write)
            got = b""
            while len(got) < 6 and (more := os.read(read, 6)):
                got += more
            if len(got) < 6:
                raise MemoryError(f"{len(got)} of 6 got theirs")
            return honest(X, K)
        """,
        OWN_CHILD,
        r"memory|killed|ended|No answer|BlockingIOError",
        **JAIL,
    ),
    _bomb(
        "tensor_beyond_all_memory",
        """
        def deed(X, K):
            return torch.ones(10**12)
        """,
        OWN_MEMORY,
        OUT,
    ),
    _bomb(
        "list_beyond_all_memory",
        """
        def deed(X, K):
            return [None] * 10**12
        """,
        OWN_MEMORY,
        OUT,
    ),
    _bomb(
        "threads",
        """
        import threading

        def deed(X, K):
            wait = threading.Event()
            for _ in range(600):
                threading.Thread(target=wait.wait, daemon=True).start()
            return honest(X, K)
        """,
        OWN_THREAD,
        r"start new thread|memory",
    ),
    _bomb(
        "forks",
        """
        import os, time

        def deed(X, K):
            for _ in range(100):
                if os.fork() == 0:
                    time.sleep(20)
                    os._exit(0)
            return honest(X, K)
        """,
        OWN_CHILD,
        r"BlockingIOError|memory|killed|processes",
        **JAIL,
    ),
    _bomb(
        "forks_of_forks",
        """
        import os, select, time

        def deed(X, K):
            read, write = os.pipe()
            for _ in range(7):  # 128 in all
                try:
                    os.fork()
                except OSError:
                    pass
            os.write(write, b"x")
            if os.getpid() != judged:
                time.sleep(20)
                os._exit(0)
            count = 0
            while count < 128 and select.select([read], [], [], 1.0)[0]:
                count += len(os.read(read, 128))
            if count < 128:
                raise BlockingIOError(f"only {count}")
            return honest(X, K)

        judged = os.getpid()
        """,
        OWN_CHILD,
        r"BlockingIOError|memory|killed|processes",
        **JAIL,
    ),
    _bomb(
        "recursion",
        """
        def deed(X, K):
            return deed(X, K)
        """,
        OWN_DEPTH,
        "calls itself without end",
    ),
    _bomb(
        "recursion_without_a_limit",
        """
        import sys

        class Deep:
            def __add__(self, other):
                return sum([self, self], self)

        def deed(X, K):
            sys.setrecursionlimit(10**9)
            return Deep() + Deep()
        """,
        OWN_DEPTH,
        r"segmentation fault|memory|No answer",
    ),
    _bomb(
        "recursion_in_c",
        """
        import sys

        def deed(X, K):
            sys.setrecursionlimit(10**9)
            nest = ()
            for _ in range(10**6):
                nest = (nest,)
            return hash(nest)
        """,
        OWN_DEPTH,
        r"segmentation fault|memory|RecursionError",
    ),
)

# Crashes -----------------------------------------------------------------------------------------

OWN_POINTER = """
    import array

    def aside():
        numbers = array.array("i", [1, 2, 3])
        memoryview(numbers)[1] = 5
        assert numbers[1] == 5
"""
CRASHES = (
    _bomb(
        "segmentation_fault",
        "import ctypes\n\ndef deed(X, K):\n    ctypes.string_at(0)\n",
        OWN_POINTER,
        "segmentation fault",
    ),
    _bomb("abort", "import os\n\ndef deed(X, K):\n    os.abort()\n", BRIEF, ABORTED),
    _bomb(
        "heap_overwritten",
        """
        import ctypes

        def deed(X, K):
            Y = honest(X, K)
            ctypes.memset(Y.data_ptr() - 4096, 0xFF, 16384)
            ctypes.memset(id(type(Y)), 0xFF, 400)
            return Y + 1
        """,
        OWN_POINTER,
        r"crashed|signal",
    ),
    _bomb(
        "illegal_instruction",
        """
        import os, signal

        def deed(X, K):
            os.kill(os.getpid(), signal.SIGILL)
        """,
        OWN_SIGNAL,
        f"SIGILL|{ALONE}",
    ),
    _bomb(
        "every_descriptor_closed",
        """
        import os, time

        def deed(X, K):
            os.closerange(0, 256)
            time.sleep(20)
        """,
        """
        import os

        def aside():
            os.close(os.dup(1))
        """,
        "closed its connection",
    ),
    _bomb(
        "processor_time_used_up",
        """
        import resource

        def deed(X, K):
            resource.setrlimit(resource.RLIMIT_CPU, (0, 0))
            while True:
                pass
        """,
        """
        import resource

        def aside():
            assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 0
        """,
        r"processor time|killed",
    ),
)

ATTACKS: tuple[Attack, ...] = (*TIME, *IMPORTS, *BOMBS, *CRASHES, *overflowing.ATTACKS)
