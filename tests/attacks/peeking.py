"""Attacks that look for hidden things among objects and in memory."""

from __future__ import annotations

from textwrap import dedent

from .case import Attack
from .parts import (
    CORR2D_ID,
    JAIL,
    NOTHING,
    OWN_BUFFER,
    SHARED,
    corr2d,
    prizes,
)

_prize = prizes("read")

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


ATTACKS: tuple[Attack, ...] = (*OBJECTS, *MEMORY)
