"""Member 11: forged, late, duplicated, reordered, truncated and oversized frames."""

from __future__ import annotations

from attacks.case import HANGING
from d2lgrade.sandbox.limits import Limits

from .honest import CORR2D, EDGE, LAZY, WRONG, calling, forgery, on_corr2d

BROKEN = "What came back was no answer"
GONE = "closed its connection|ended its own process"
LATE = r"No answer within 1 s"

# Frames as the protocol has them, made without its help.
FORGE = """\
import os
import struct
import threading

import msgpack

MAGIC = 0xD2161EAD


def frame(body, buffers=(), sequence=1, magic=MAGIC, length=None, count=None):
    size = len(body) if length is None else length
    number = len(buffers) if count is None else count
    head = struct.pack("<IIQI", magic, sequence, size, number)
    sizes = struct.pack("<%dQ" % len(buffers), *(len(b) for b in buffers))
    return head + sizes + body + b"".join(buffers)


def reply(kind="ok", value=None, tail=None):
    body = msgpack.packb([kind, value, []])
    return msgpack.packb([body, tail or [[], [], [], None, [], []]])


def descriptors():
    return range(256)


def spray(data):
    for descriptor in descriptors():
        try:
            os.write(descriptor, data)
        except OSError:
            pass


"""
# The channel of this process, its answers sent as the attacker likes.
SEIZE = """\
from d2lgrade.wire import channel

send = channel.Channel.send


def seized(self, body, buffers, deadline=None):
{body}


held = []
channel.Channel.send = seized


"""
# A twin with frames of its own, between two ends of its own.
TWIN = FORGE + EDGE.replace(
    "def vertical_edge_kernel():\n",
    "def vertical_edge_kernel():\n    reader, writer = os.pipe()\n"
    "    os.write(writer, frame(reply()))\n    os.close(reader)\n    os.close(writer)\n",
)


def sprayed(name: str, code: str, says: str = BROKEN, limits: Limits | None = None):
    """Frames written to whatever is open."""
    return forgery(
        name, FORGE + calling(code), f"{says}|{WRONG}", twin=TWIN, limits=limits or Limits()
    )


def seized(name: str, body: str, says: str = BROKEN, limits: Limits | None = None):
    """Answers sent through the contestant's own channel, tampered with."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    source = FORGE + SEIZE.replace("{body}\n", lines) + LAZY
    return forgery(name, source, says, twin=TWIN, limits=limits or Limits())


def touching(name: str, body: str, says: str = BROKEN):
    """The same where the judge has sent tensors."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    source = FORGE + SEIZE.replace("{body}\n", lines) + NOTHING
    return on_corr2d(name, source, says, twin=CORR2D)


NOTHING = """\
def corr2d(X, K):
    return X.new_zeros(X.shape[0] - K.shape[0] + 1, X.shape[1] - K.shape[1] + 1)
"""
RETURN = f"\n{LAZY.splitlines()[-1].strip()}"
ATTACKS = (
    sprayed(
        "frames_from_a_call",
        "spray(b''.join(frame(reply(), sequence=n) for n in range(50)))" + RETURN,
    ),
    forgery(
        "frames_at_import",
        FORGE + "spray(b''.join(frame(reply(), sequence=n) for n in range(50)))\n\n\n" + LAZY,
        BROKEN,
        twin=TWIN,
    ),
    forgery(
        "frames_from_a_thread",
        FORGE
        + """
def flood():
    while True:
        spray(frame(reply()))


threading.Thread(target=flood, daemon=True).start()


"""
        + LAZY,
        f"{BROKEN}|{LATE}|{WRONG}|{GONE}",
        twin=TWIN,
        limits=HANGING,
    ),
    sprayed(
        "frames_from_a_fork",
        "if os.fork() == 0:\n    spray(frame(reply()) * 50)\n    os._exit(0)\nos.wait()" + RETURN,
    ),
    sprayed(
        "frames_of_every_sequence",
        "for n in range(1, 300):\n    spray(frame(reply(), sequence=n))" + RETURN,
    ),
    seized("frames_twice", "send(self, body, buffers)\nsend(self, body, buffers)"),
    seized("frames_played_again", "self._sent = 0\nsend(self, body, buffers)"),
    seized("frames_out_of_order", "self._sent += 1\nsend(self, body, buffers)"),
    seized(
        "frames_held_back_and_swapped",
        "held.append((body, buffers))\n"
        "if len(held) > 1:\n"
        "    for one in reversed(held):\n"
        "        send(self, *one)\n"
        "    held.clear()",
        LATE,
        HANGING,
    ),
    seized(
        "frames_late",
        "import time\ntime.sleep(1.2)\nsend(self, body, buffers)",
        LATE,
        HANGING,
    ),
    seized(
        "frames_dribbled",
        "data = frame(body, sequence=1)\nimport time\nfor byte in data:\n"
        "    self._sock.sendall(bytes([byte]))\n    time.sleep(0.2)",
        LATE,
        HANGING,
    ),
    seized("frames_cut_short", "self._sock.sendall(frame(body)[:-3])", f"{LATE}|{BROKEN}", HANGING),
    seized("frames_cut_off", "self._sock.sendall(frame(body)[:9])\nself._sock.close()", GONE),
    seized("frames_hung_up", "import socket\nself._sock.shutdown(socket.SHUT_RDWR)", GONE),
    seized("frames_of_another_magic", "self._sock.sendall(frame(body, magic=0xDEADBEEF))"),
    seized("frames_too_long", "self._sock.sendall(frame(b'x', length=1 << 62))"),
    seized("frames_of_too_many_buffers", "self._sock.sendall(frame(b'x', count=0xFFFFFFFF))"),
    seized(
        "frames_of_too_many_bytes",
        "self._sock.sendall(struct.pack('<IIQIQQ', MAGIC, 1, 1, 2, 1 << 62, 1 << 62))",
    ),
    seized("frames_with_more_behind", "self._sock.sendall(frame(body) + b'more')"),
    seized("frames_of_noise", "self._sock.sendall(os.urandom(4096))"),
    seized("frames_without_a_body", "send(self, b'', [])"),
    seized("frames_with_no_message", "send(self, b'\\xc1' * 40, [])"),
    seized("frames_nested_deep", "send(self, b'\\x91' * 100_000 + b'\\xc0', [])"),
    seized(
        "frames_of_tuples_in_tuples",
        "data = b'\\xc0'\nfor _ in range(200):\n"
        "    data = msgpack.packb(msgpack.ExtType(1, b'\\x91' + data))\nsend(self, data, [])",
    ),
    seized(
        "frames_of_unknown_references", "send(self, reply(value=msgpack.ExtType(99, b'x')), [])"
    ),
    touching(
        "frames_with_tensors_of_others",
        "send(self, reply(value=msgpack.ExtType(4, (1).to_bytes(8, 'little'))), [])",
        "wrong values",
    ),
    seized(
        "frames_with_tensors_that_are_not_there",
        "send(self, reply(tail=[[['float32', [2, 2], 5, -1]], [], [], None, [], []]), [])",
    ),
    seized(
        "frames_with_impossible_tensors",
        "send(self, reply(tail=[[['float32', [1 << 40, 1 << 40], 0, -1]], [], [], None, [], []])"
        ", [b'xxxx'])",
    ),
    seized(
        "frames_with_negative_shapes",
        "send(self, reply(tail=[[['float32', [-1, -1], 0, -1]], [], [], None, [], []]), [b'xxxx'])",
    ),
    touching(
        "frames_that_rewrite_the_judges_tensors",
        "table = [[n, 'float32', [1, 1], 3, n] for n in range(1, 40)]\n"
        "send(self, reply(tail=[[], table, [], None, [], []]), [bytes(4)] * 40)",
        ".",
    ),
    touching(
        "frames_that_graft_graphs",
        "send(self, reply(tail=[[], [], [], [1, [1, 2, 3, 4], [1, 2]], [], []]), [])",
    ),
    touching(
        "frames_that_hand_out_gradients",
        "send(self, reply(tail=[[], [], [[1, 1], [2, 1]], None, [], []]), [])",
        ".",
    ),
    seized("frames_that_say_stop", "send(self, reply('stop'), [])", "."),
    seized("frames_that_say_method", "send(self, reply('method'), [])", "."),
    seized("frames_that_say_passed", "send(self, reply('passed', True), [])", "."),
    seized(
        "frames_that_say_to_do",
        "send(self, reply('error', {'kinds': ['NotImplementedError'], 'text': ''}), [])",
        ".",
    ),
    seized(
        "frames_of_every_exception",
        "kinds = ['Skipped', 'Exit', 'StopIteration', 'ValueError', 'Exception']\n"
        "send(self, reply('error', {'kinds': kinds, 'text': 'x' * 10_000_000}), [])",
        "raised Skipped",
    ),
    seized(
        "frames_of_malformed_errors", "send(self, reply('error', {'kinds': 7, 'frames': [[]]}), [])"
    ),
    seized(
        "frames_of_errors_in_our_name",
        "frames = [['checks/test_conv_layer.py', 1, 'test_corr2d_values', 'passed = True']]\n"
        "send(self, reply('error', {'kinds': ['Mismatch'], 'text': 'ok', 'frames': frames}), [])",
        "raised Mismatch",
    ),
    seized(
        "frames_that_change_what_was_not_passed",
        "data = msgpack.packb(['ok', None, [[0, []], [1, {}]]])\n"
        "send(self, msgpack.packb([data, [[], [], [], None, [], []]]), [])",
    ),
)
