"""The codec and its frames: what goes in comes out, and what is no message harms nobody."""

from __future__ import annotations

import resource
import socket
import struct
import threading
import time

import msgpack
import pytest
import torch

from d2lgrade import wire
from d2lgrade.student.faults import BrokenProtocol
from d2lgrade.student.namespace import Student
from d2lgrade.student.remote import RemoteLink
from d2lgrade.wire.bodies import BIG_INT, COMPLEX, DEVICE, DTYPE, TUPLE
from d2lgrade.wire.channel import HEADER, MAGIC, SMALL
from d2lgrade.wire.limits import INLINE


def frame(body=b"\xc0", buffers=(), sequence=1, magic=MAGIC, length=None, sizes=None):
    """The bytes of a frame, with whatever lies are asked for."""
    sizes = [len(b) for b in buffers] if sizes is None else sizes
    head = HEADER.pack(magic, sequence, len(body) if length is None else length, len(sizes))
    return b"".join([head, struct.pack(f"<{len(sizes)}Q", *sizes), body, *buffers])


@pytest.fixture
def pair():
    """A channel, and the bare socket of a stranger at its other end."""
    ours, theirs = socket.socketpair()
    channel = wire.Channel(ours)
    yield channel, theirs
    channel.close()
    theirs.close()


def soon(seconds=5.0):
    return time.monotonic() + seconds


# Bodies ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        None,
        [True, False, 0, -1, 2**63, -(2**63), 2**64, 10**4000],
        [0.0, -0.0, 1e308, float("inf"), 1j],
        ["", "é", "\ud800", "x" * 70_000, b"", b"\x00\xff"],
        [[], (), {}, ((),), [({},)]],
        {1: "a", "b": (2, [3]), (1, 2): None, None: 1.5, 2.5: []},
        [torch.float32, torch.bfloat16, torch.device("cpu"), torch.device("cuda", 1)],
    ],
)
def test_bodies_round_trip(value):
    back = wire.unpack(wire.pack(value, wire.refuse), wire.nothing)
    assert back == value
    assert repr(back) == repr(value)


def test_what_is_no_closed_type_is_given_to_the_caller():
    class Number(int):
        pass

    for value in (object(), {1, 2}, Number(3), torch.ones(1), range(3), bytearray(b"x")):
        if isinstance(value, bytearray):
            continue  # MessagePack takes it for bytes
        with pytest.raises(wire.Unsendable) as caught:
            wire.pack([value], wire.refuse)
        assert caught.value.value is value


def test_limits_are_kept_when_packing():
    endless = []
    endless.append(endless)
    knot = ([],)
    knot[0].append(knot)
    for value in (endless, knot, 10**5000, "x" * (wire.BODY_LIMIT + 1)):
        with pytest.raises(wire.WireError):
            wire.pack(value, wire.refuse)


def test_depth_is_told_without_recursion():
    value = []
    for _ in range(wire.DEPTH_LIMIT - 1):
        value = [value, 1]
    assert wire.shallow(value)
    assert not wire.shallow([{"a": (value,)}])
    endless = []
    endless += [endless, endless]
    assert not wire.shallow(endless)
    wide = []
    for _ in range(wire.DEPTH_LIMIT - 1):
        wide = [wide, wide]  # two to the sixtieth, were it walked as a tree
    assert wire.shallow(wide)


def ext(code, payload):
    return msgpack.packb(msgpack.ExtType(code, payload))


def nested(depth):
    packed = b"\x90"
    for _ in range(depth):
        packed = ext(TUPLE, b"\x91" + packed)
    return packed


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"\xc1",
        b"\xc0\xc0",
        b"\x92\x01",
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xffabc",
        b"\xc6\xff\xff\xff\xff",
        b"\xc9\xff\xff\xff\xff\x01",
        b"\x91" * 5000 + b"\xc0",
        b"\xdd\x00\xff\xff\xff" * 3000,
        b"\x81\x90\x01",
        b"\xa1\xff",
        ext(99, b"x"),
        ext(wire.TENSOR, b"\x01"),
        ext(wire.REFERENCE, b"\x90"),
        ext(TUPLE, b"\x01"),
        ext(TUPLE, b""),
        nested(2000),
        ext(BIG_INT, b"12x"),
        ext(BIG_INT, b"1" * 5000),
        ext(COMPLEX, b"12"),
        ext(DEVICE, b"nowhere"),
        ext(DEVICE, b"\xff"),
        ext(DTYPE, b"float33"),
        b"\xdc\xff\xff" + ext(TUPLE, b"\x90") * 65535 + ext(TUPLE, b"\x90"),
    ],
    ids=lambda packed: packed[:12].hex(),
)
def test_hostile_bodies_are_wire_errors(packed):
    with pytest.raises(wire.WireError):
        wire.unpack(packed, wire.nothing)


def test_nested_extensions_cannot_multiply_memory():
    packed = b"\x91\xc6" + struct.pack(">I", 8 << 20) + bytes(8 << 20)
    for _ in range(100):
        packed = b"\x91" + ext(TUPLE, packed)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(wire.WireError, match="too many references"):
        wire.unpack(packed, wire.nothing)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 << 10  # KB


@pytest.mark.parametrize("depth", [100, 800, 3000])
def test_nested_extensions_cannot_exhaust_the_stack(depth):
    padding = b"\xc6" + struct.pack(">I", 8 << 20) + bytes(8 << 20)
    with pytest.raises(wire.WireError, match="nested too deeply"):
        wire.unpack(b"\x92" + padding + nested(depth), wire.nothing)


# Tensors -----------------------------------------------------------------------------------------


def flat(data):
    """The bytes of a buffer, whichever form it has."""
    return bytes(data.tolist()) if isinstance(data, torch.Tensor) else bytes(data)


def received(data):
    """Bytes as the channel hands them out."""
    if len(data) <= INLINE:
        return data
    return torch.frombuffer(bytearray(data), dtype=torch.uint8)


@pytest.mark.filterwarnings("ignore:ComplexHalf")
@pytest.mark.parametrize("name", sorted(wire.DTYPES))
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3), (50, 100)])
def test_contents_make_the_same_tensor(name, shape):
    X = torch.rand(shape, dtype=torch.float64).mul(100).to(wire.DTYPES[name])
    data = wire.contents(X)
    back = wire.taken([received(flat(data))], 0, name, list(shape))
    assert (back.dtype, back.shape) == (X.dtype, X.shape)
    assert wire.same_contents(back, wire.kept(data))
    assert not back._is_view()
    assert back.is_contiguous()


def test_a_timestamp_is_read_and_of_no_use():
    # msgpack's own extension makes an object that no check can mistake for a tensor.
    value = wire.unpack(b"\xd6\xff\x00\x00\x00\x00", wire.nothing)
    assert isinstance(value, msgpack.Timestamp)


@pytest.mark.parametrize("size", [4, 4096])
def test_changes_are_seen_by_bytes(size):
    X = torch.zeros(size)
    kept = wire.kept(wire.contents(X))
    assert wire.same_contents(X, kept)
    X[-1] = -0.0
    assert not wire.same_contents(X, kept)
    X.fill_(float("nan"))
    assert wire.same_contents(X, wire.kept(wire.contents(X)))
    assert not wire.same_contents(X[1:], kept)


def test_writing_goes_through_every_layout():
    content = torch.arange(6.0).view(2, 3)
    expanded = torch.zeros(1, 3).expand(2, 3)
    wire.write(expanded, content[:1].expand(2, 3).contiguous())
    assert expanded.tolist() == [[0, 1, 2], [0, 1, 2]]
    transposed = torch.zeros(3, 2).T
    wire.write(transposed, content)
    assert torch.equal(transposed, content)
    leaf = torch.zeros(2, 3, requires_grad=True)
    wire.write(leaf, content)
    assert (leaf._version, leaf.is_leaf) == (1, True)
    wire.write(leaf, content + 1, quietly=True)
    assert leaf._version == 1
    assert torch.equal(leaf, content + 1)
    wire.write(leaf, torch.zeros(4))
    assert leaf.shape == (4,)


@pytest.mark.parametrize(
    ("index", "dtype", "shape"),
    [
        (1, "float32", [2]),
        (-1, "float32", [2]),
        (None, "float32", [2]),
        (True, "float32", [2]),
        (10**30, "float32", [2]),
        (0, "float33", [2]),
        (0, None, [2]),
        (0, ["float32"], [2]),
        (0, "qint8", [8]),
        (0, "float32", [3]),
        (0, "float64", [2]),
        (0, "float32", 2),
        (0, "float32", (2,)),
        (0, "float32", [-2]),
        (0, "float32", [-1, -2]),
        (0, "float32", [2.0]),
        (0, "float32", [True, 2]),
        (0, "float32", [1] * 65),
        (0, "float32", [2**62, 2**62, 0]),
        (0, "uint8", [2**70]),
    ],
)
def test_impossible_tensors_are_wire_errors(index, dtype, shape):
    with pytest.raises(wire.WireError):
        wire.taken([bytes(8)], index, dtype, shape)


def test_an_empty_tensor_of_absurd_shape_is_an_error_of_some_kind():
    with pytest.raises((wire.WireError, RuntimeError)):
        wire.taken([b""], 0, "float32", [2**62, 2**62, 0])


def test_bytes_are_taken_once():
    buffers = [bytes(8)]
    wire.taken(buffers, 0, "float32", [2])
    with pytest.raises(wire.WireError, match="bytes of its own"):
        wire.taken(buffers, 0, "float32", [2])


@pytest.mark.parametrize("size", [4, 8192])
def test_truth_values_are_zero_or_one(size):
    X = wire.taken([received(b"\x02" * size)], 0, "bool", [size])
    assert bytes(X.view(torch.uint8).tolist()) == b"\x01" * size


# Frames ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 8, 4096, 4097, SMALL - 40, SMALL, SMALL + 1, 3_000_000])
def test_frames_round_trip(pair, size):
    channel, theirs = pair
    other = wire.Channel(theirs)
    data = torch.arange(size, dtype=torch.int64).to(torch.uint8)
    sent = [wire.contents(data), b"", b"abc"]
    thread = threading.Thread(target=other.send, args=(b"\x93" + b"x" * (size // 3), sent))
    thread.start()
    body, buffers = channel.receive(soon())
    thread.join()
    assert body == b"\x93" + b"x" * (size // 3)
    assert [flat(buffer) for buffer in buffers] == [flat(data), b"", b"abc"]


def test_many_buffers_round_trip(pair):
    channel, theirs = pair
    other = wire.Channel(theirs)
    sent = [b"%d" % n for n in range(20_000)]
    thread = threading.Thread(target=other.send, args=(b"\xc0", sent))
    thread.start()
    assert [bytes(b) for b in channel.receive(soon())[1]] == sent
    thread.join()


def test_frames_follow_one_another(pair):
    channel, theirs = pair
    other = wire.Channel(theirs)
    for n in range(5):
        other.send(b"%d" % n, [b"x" * n])
        assert channel.receive(soon())[0] == b"%d" % n


@pytest.mark.parametrize(
    "data",
    [
        frame(magic=0),
        frame(magic=MAGIC ^ 1),
        frame(sequence=0),
        frame(sequence=2),
        frame(length=wire.BODY_LIMIT + 1),
        frame(length=2**63),
        frame(sizes=[wire.BUFFERS_LIMIT + 1]),
        frame(sizes=[2**64 - 1, 1]),
        frame(sizes=[2**63] * 4),
        HEADER.pack(MAGIC, 1, 1, wire.BUFFER_COUNT_LIMIT + 1),
        HEADER.pack(MAGIC, 1, 1, 2**32 - 1),
        frame() + b"more",
        frame() + frame(sequence=2),
        b"GET / HTTP/1.1\r\nHost: judge\r\n\r\n",
        bytes(100),
    ],
    ids=lambda data: data[:28].hex(),
)
def test_hostile_frames_are_wire_errors(pair, data):
    channel, theirs = pair
    theirs.sendall(data)
    with pytest.raises(wire.WireError) as caught:
        channel.receive(soon())
    assert not isinstance(caught.value, wire.Late | wire.Closed)


@pytest.mark.parametrize(
    "data", [b"", frame()[:7], frame(length=100), frame(sizes=[50]), frame(sizes=[2**30])]
)
def test_truncated_frames_end_with_the_connection(pair, data):
    channel, theirs = pair
    theirs.sendall(data)
    theirs.shutdown(socket.SHUT_WR)
    with pytest.raises(wire.Closed):
        channel.receive(soon())


@pytest.mark.parametrize("data", [b"", frame()[:7], frame(length=100), frame(sizes=[2**30])])
def test_truncated_frames_end_with_the_deadline(pair, data):
    channel, theirs = pair
    theirs.sendall(data)
    start = time.monotonic()
    with pytest.raises(wire.Late):
        channel.receive(soon(0.2))
    assert time.monotonic() - start < 2


def test_a_deadline_that_has_passed_is_one(pair):
    channel, theirs = pair
    theirs.sendall(frame())
    with pytest.raises(wire.Late):
        channel.receive(time.monotonic() - 1)
    with pytest.raises(wire.Late):
        channel.send(b"", [], time.monotonic())


def test_dripping_bytes_do_not_move_the_deadline(pair):
    channel, theirs = pair
    stop = threading.Event()

    def drip():
        theirs.sendall(frame(length=10_000))
        while not stop.wait(0.02):
            theirs.sendall(b"x")

    thread = threading.Thread(target=drip)
    thread.start()
    start = time.monotonic()
    with pytest.raises(wire.Late):
        channel.receive(soon(0.3))
    took = time.monotonic() - start
    stop.set()
    thread.join()
    assert took < 2


def test_a_stranger_who_does_not_listen_ends_with_the_deadline(pair):
    channel, _ = pair
    with pytest.raises(wire.Late):
        channel.send(b"x" * (8 << 20), [], soon(0.2))


def test_what_is_only_announced_takes_no_memory(pair):
    channel, theirs = pair
    theirs.sendall(frame(sizes=[wire.BUFFERS_LIMIT]) + bytes(1000))
    theirs.shutdown(socket.SHUT_WR)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(wire.Closed):
        channel.receive(soon())
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 << 10  # KB


def test_too_much_is_not_sent(pair):
    channel, theirs = pair
    with pytest.raises(wire.WireError, match="where 2048 MB in 65536 are allowed"):
        channel.send(b"", [b""] * (wire.BUFFER_COUNT_LIMIT + 1))
    channel.send(b"\xc0", [])  # nothing of it was
    assert wire.Channel(theirs).receive(soon())[0] == b"\xc0"


# Replies -----------------------------------------------------------------------------------------


class Stranger:
    """A connection that answers everything with one prepared message."""

    def __init__(self, message, buffers=()):
        self.message, self.buffers = message, list(buffers)
        self.sources, self.gone = {}, False

    def exchange(self, body, buffers, seconds):
        return self.message, list(self.buffers)

    def broken(self, reason):
        self.gone = True
        return BrokenProtocol(reason)


def extended(value):
    return value if isinstance(value, msgpack.ExtType) else wire.refuse(value)


def reply(body=None, tail=None, raw=None):
    """A message as a contestant sends it; `raw` instead of the packed body."""
    packed = wire.pack(["ok", None, []] if body is None else body, extended)
    good = [[], [], [], None, [], []]
    return wire.pack([packed if raw is None else raw, good if tail is None else tail], wire.refuse)


def tail(**parts):
    names = ("values", "table", "grads", "graph", "states", "modes")
    usual = {"graph": None}
    return [parts.get(name, usual.get(name, [])) for name in names]


def number(n):
    return msgpack.ExtType(wire.TENSOR, n.to_bytes(8, "little", signed=True))


def place(n):
    return msgpack.ExtType(wire.OBJECT, n.to_bytes(8, "little"))


def reference(*parts):
    return msgpack.ExtType(wire.REFERENCE, msgpack.packb(parts))


def asked(message, buffers=(), *args):
    connection = Stranger(message, buffers)
    link = RemoteLink(connection)
    link.student = Student(link, lambda name: f"ch00/{name}")
    return link.student.f(*args)


EIGHT = bytes(8)
VALUE = ["float32", [2], 0, -1]


def test_a_good_reply_is_understood():
    assert asked(reply()) is None
    assert asked(reply(["ok", [1, (2,)], []])) == [1, (2,)]
    X = asked(reply(["ok", place(0), []], tail(values=[VALUE])), [EIGHT])
    assert X.tolist() == [0, 0]
    p = asked(reply(["ok", number(-1), []], tail(table=[[-1, "float32", [2], 7, 0]])), [EIGHT])
    assert isinstance(p, torch.nn.Parameter)
    table = {}
    asked(reply(["ok", None, [[0, {"a": 1}]]]), (), table)
    assert table == {"a": 1}


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\xc0",
        b"\x93\x01\x02\x03",
        reply(raw=3),
        reply(raw="text"),
        reply(raw=b""),
        reply(raw=b"\xc1"),
        reply(3),
        reply([]),
        reply(["ok", 1]),
        reply([1, 2, 3]),
        reply(["ok", None, 3]),
        reply(["ok", None, [3]]),
        reply(["ok", None, [[0, {}]]]),
        reply(["error", None, []]),
        reply(["error", {"kinds": 3}, []]),
        reply(["error", {"frames": [[1, 2]]}, []]),
        reply(["error", {"frames": [["a", "b", "c", "d"]]}, []]),
        reply(["ok", number(5), []]),
        reply(["ok", number(-5), []]),
        reply(["ok", place(0), []]),
        reply(["ok", place(2**63), []]),
        reply(["ok", msgpack.ExtType(77, b""), []]),
        reply(["ok", msgpack.ExtType(wire.TENSOR, b""), []]),
        reply(["ok", reference(1), []]),
        reply(["ok", reference(1, "x", "y", "z"), []]),
        reply(["ok", reference(1, 1, 2, 3), []]),
        reply(["ok", reference(2, "text", "", ""), []]),
        reply(["ok", reference(3, 0, "", ""), []]),
        reply(["ok", reference(3, -1, "", ""), []]),
        reply(["ok", reference(9, 1, "", ""), []]),
        reply(tail=[]),
        reply(tail=3),
        reply(tail=tail(values=3)),
        reply(tail=tail(values=[3])),
        reply(tail=tail(values=[VALUE, VALUE])),
        reply(tail=tail(values=[["float32", [3], 0, -1]])),
        reply(tail=tail(values=[["float32", [2], 0, "x"]], graph=[1, [], []])),
        reply(tail=tail(table=[[1]])),
        reply(tail=tail(table=[[-1, "float32", [2], "x", 0]])),
        reply(tail=tail(table=[[-1, "int32", [2], 7, 0]])),
        reply(tail=tail(table=[[-1, "float32", [2], 0, 0], [-2, "float32", [2], 0, 0]])),
        reply(tail=tail(table=[[[], "float32", [2], 0, 0]])),
        reply(tail=tail(grads=[3])),
        reply(tail=tail(table=[[-1, "float32", [2], 7, 0]], grads=[[-1, -2]])),
        reply(tail=tail(table=[[-1, "float32", [2], 7, 0]], grads=[[-1, -1], [[], 1]])),
        reply(tail=tail(graph=3)),
        reply(tail=tail(graph=[1, [2], []])),
        reply(tail=tail(graph=[1, [], [5]])),
        reply(tail=tail(graph=[1, [[]], [{}]])),
        reply(tail=tail(states=[3])),
        reply(tail=tail(modes=[3])),
    ],
    ids=lambda message: message.hex()[:60],
)
def test_hostile_replies_are_broken_protocol(message):
    with pytest.raises(BrokenProtocol):
        asked(message, [EIGHT])


def test_a_reply_nested_too_deeply_is_broken_protocol():
    value = 1
    for _ in range(wire.DEPTH_LIMIT + 5):
        value = [value]
    with pytest.raises(BrokenProtocol, match="nested too deeply"):
        asked(reply(["ok", value, []]))


def test_a_knot_tied_into_an_argument_is_broken_protocol():
    knot = reply(["ok", None, [[0, [reference(3, 0, "", "")]]]])
    with pytest.raises(BrokenProtocol, match="hold itself"):
        asked(knot, (), [1])


@pytest.mark.parametrize("kinds", [("a\x00b",), ("",), ("1",), ("\ud800",), ("Exception", 3), ()])
def test_odd_names_of_exceptions_do_no_harm(kinds):
    with pytest.raises(Exception, match="hello"):
        asked(reply(["error", {"kinds": kinds, "text": "hello"}, []]))


def test_endless_new_kinds_of_exceptions_do_not_pile_up():
    from d2lgrade.student.faults import _class

    for n in range(400):
        with pytest.raises(ValueError, match="x"):
            asked(reply(["error", {"kinds": (f"Kind{n}", "ValueError"), "text": "x"}, []]))
    assert _class.cache_info().currsize <= 256
