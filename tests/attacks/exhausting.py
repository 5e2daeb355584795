"""Attacks that exhaust the machine: time here, and all the others of this family."""

from __future__ import annotations

from . import answering, bombs, overflowing
from .case import HANGING, Attack
from .parts import (
    ABORTED,
    ALONE,
    BRIEF,
    CORR2D_ID,
    EDGE_ID,
    OWN_DEPTH,
    OWN_MEMORY,
    OWN_SIGNAL,
    SMALL,
    corr2d,
    edge,
    endless,
)

LOOP = """
    def aside():
        total = 0
        for number in range(1000):
            try:
                total += 1 // number
            except ZeroDivisionError:
                pass
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


ATTACKS: tuple[Attack, ...] = (
    *TIME,
    *IMPORTS,
    *bombs.ATTACKS,
    *overflowing.ATTACKS,
    *answering.ATTACKS,
)
