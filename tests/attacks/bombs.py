"""Attacks that take too much memory or too many processes, and those that crash."""

from __future__ import annotations

from .case import Attack
from .parts import (
    ABORTED,
    ALONE,
    BRIEF,
    JAIL,
    OWN_DEPTH,
    OWN_MEMORY,
    OWN_SIGNAL,
    SMALL,
    tricks,
)

_trick = tricks("exhaust")

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


ATTACKS: tuple[Attack, ...] = (*BOMBS, *CRASHES)
