"""The closed-type codec that judge and contestant speak, and the frames it travels in.

A message is a MessagePack body of None, bool, int, float, str, bytes, list, tuple, dict, complex,
torch device and dtype names, and references to tensors and objects; tensors travel beside it as
raw bytes. Nothing is ever unpickled or evaluated here. All sizes are checked before memory is
allocated, because one of the two ends may be hostile.

Frame: magic, sequence number, length of the body, number of buffers; the length of each buffer;
the body; the buffers.
"""

from __future__ import annotations

import ctypes
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

import msgpack
import torch

MAGIC = 0xD2161EAD
HEADER = struct.Struct("<IIQI")
BODY_LIMIT = 64 << 20
BUFFERS_LIMIT = 2 << 30  # bytes of tensors in one message
BUFFER_COUNT_LIMIT = 1 << 16
SMALL = 1 << 16  # frames up to this size are sent and received in one piece
INLINE = 1 << 12  # tensors up to this many bytes are handled as bytes objects

TUPLE, BIG_INT, COMPLEX, TENSOR, REFERENCE, DEVICE, DTYPE, OBJECT = range(1, 9)

# By name, not by number, so that two versions of torch agree.
DTYPES: dict[str, torch.dtype] = {
    name: getattr(torch, name)
    for name in ["float32", "float64", "float16", "bfloat16", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool", "complex32", "complex64", "complex128", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz"]
    if hasattr(torch, name)
}
DTYPE_NAMES = {dtype: name for name, dtype in DTYPES.items()}
_BITS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


class WireError(Exception):
    """A message that breaks the protocol or exceeds its limits."""


class Closed(WireError):
    """The other end is gone."""


class Late(WireError):
    """The deadline passed before the message was through."""


class Unsendable(Exception):
    """A value that is no closed type; `value` is it."""

    def __init__(self, value: object) -> None:
        super().__init__(f"{type(value).__name__} cannot cross the wire")
        self.value = value


class Tensor:
    """A tensor's contents on the way: dtype, shape and bytes."""

    __slots__ = ("data", "dtype", "shape")

    def __init__(self, dtype: torch.dtype, shape: tuple[int, ...], data: Any) -> None:
        self.dtype = dtype
        self.shape = shape
        self.data = data


def contents(tensor: torch.Tensor) -> Any:
    """The elements of a CPU tensor in row-major order, as bytes or (where large) as a uint8 tensor.

    The large form may share memory with the tensor.
    """
    plain = tensor.detach()
    if plain.is_complex() or plain.is_neg():
        plain = plain.resolve_conj().resolve_neg()
    if not plain.is_contiguous():
        plain = plain.contiguous()
    size = plain.numel() * plain.element_size()
    if size <= INLINE:
        return ctypes.string_at(plain.data_ptr(), size) if size else b""
    return plain.view(-1).view(torch.uint8)


def same_contents(tensor: torch.Tensor, data: Any) -> bool:
    """Whether a tensor still holds exactly these bytes (see `contents`)."""
    now = contents(tensor)
    if isinstance(now, bytes) or isinstance(data, bytes):
        return isinstance(now, bytes) and isinstance(data, bytes) and now == data
    if now.numel() != data.numel():
        return False
    if now.numel() % 8 == 0 and now.storage_offset() % 8 == 0 and data.storage_offset() % 8 == 0:
        return torch.equal(now.view(torch.int64), data.view(torch.int64))
    return torch.equal(now, data)


def kept(data: Any) -> Any:
    """`contents` as a copy that later changes cannot reach."""
    return data if isinstance(data, bytes) else data.clone()


def tensor_from(dtype: torch.dtype, shape: tuple[int, ...], data: Any) -> torch.Tensor:
    """A contiguous tensor over `data`, a writable buffer that it owns from then on."""
    if not len(data):
        return torch.empty(shape, dtype=dtype)
    return torch.frombuffer(data, dtype=dtype).view(shape)


def checked(dtype: Any, shape: Any, size: int) -> tuple[torch.dtype, tuple[int, ...]]:
    """The dtype and shape of a received tensor, if they make sense and take `size` bytes."""
    kind = DTYPES.get(dtype) if isinstance(dtype, str) else None
    if kind is None or not isinstance(shape, list) or len(shape) > 64:
        raise WireError("a tensor of no known dtype or shape")
    count = 1
    for length in shape:
        if type(length) is not int or length < 0:
            raise WireError("a tensor with an impossible shape")
        count *= length
    if count * kind.itemsize != size:
        raise WireError("a tensor whose bytes do not fit its shape")
    return kind, tuple(shape)


def pack(body: Any, extend: Callable[[Any], msgpack.ExtType]) -> bytes:
    """The body as bytes. `extend` turns anything but the closed types into an extension.

    Raises:
        Unsendable: from `extend`.
        WireError: nested too deeply, or too large.
    """

    def default(value: Any) -> Any:
        kind = type(value)
        if kind is tuple or kind is torch.Size:
            return msgpack.ExtType(TUPLE, packb(list(value)))
        if kind is int:
            return msgpack.ExtType(BIG_INT, str(value).encode())
        if kind is complex:
            return msgpack.ExtType(COMPLEX, struct.pack("<dd", value.real, value.imag))
        if kind is torch.device:
            return msgpack.ExtType(DEVICE, str(value).encode())
        if kind is torch.dtype and value in DTYPE_NAMES:
            return msgpack.ExtType(DTYPE, DTYPE_NAMES[value].encode())
        if isinstance(value, dict):
            return dict(value)
        return extend(value)

    def packb(value: Any) -> bytes:
        packed: bytes = msgpack.packb(
            value, default=default, strict_types=True, unicode_errors="surrogatepass"
        )
        return packed

    try:
        packed = packb(body)
    except (ValueError, OverflowError, RecursionError) as error:
        raise WireError(f"a value nested too deeply or too large to send ({error})") from None
    if len(packed) > BODY_LIMIT:
        raise WireError(f"a value of {len(packed) >> 20} MB where {BODY_LIMIT >> 20} MB are allowed")
    return packed


def refuse(value: Any) -> msgpack.ExtType:
    """An `extend` for messages of closed types only."""
    raise Unsendable(value)


def unpack(data: Any, refer: Callable[[int, bytes], Any]) -> Any:
    """The body from bytes. `refer(code, payload)` resolves tensors and references."""

    def hook(code: int, payload: bytes) -> Any:
        if code == TUPLE:
            value = unpackb(payload)
            if type(value) is not list:
                raise WireError("a tuple that is none")
            return tuple(value)
        if code == BIG_INT:
            if len(payload) > 4300:
                raise WireError("an integer of too many digits")
            return int(payload)
        if code == COMPLEX:
            return complex(*struct.unpack("<dd", payload))
        if code == DEVICE:
            return torch.device(payload.decode())
        if code == DTYPE:
            return DTYPES[payload.decode()]
        return refer(code, payload)

    def unpackb(raw: Any) -> Any:
        return msgpack.unpackb(
            raw, ext_hook=hook, strict_map_key=False, unicode_errors="surrogatepass"
        )

    try:
        return unpackb(data)
    except WireError:
        raise
    except Exception as error:  # msgpack raises many kinds; all mean the same here
        raise WireError(f"an unreadable message ({type(error).__name__})") from None


class Channel:
    """Frames over a connected stream socket, one reusable receive buffer, strict sequence numbers."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._sent = 0
        self._received = 0
        self._scratch = bytearray(SMALL)
        self._view = memoryview(self._scratch)

    def send(self, body: bytes, buffers: list[Any], deadline: float | None = None) -> None:
        """Send one message. `buffers` holds bytes or flat uint8 tensors.

        Raises:
            Closed, Late: see there; `deadline` is in `time.monotonic()` seconds.
        """
        self._sent += 1
        sizes = [len(buffer) for buffer in buffers]
        total = sum(sizes)
        if total > BUFFERS_LIMIT or len(buffers) > BUFFER_COUNT_LIMIT:
            raise WireError(f"{total >> 20} MB of tensors in one message, {BUFFERS_LIMIT >> 20} allowed")
        head = HEADER.pack(MAGIC, self._sent & 0xFFFFFFFF, len(body), len(buffers))
        lengths = struct.pack(f"<{len(sizes)}Q", *sizes)
        try:
            if total <= SMALL:
                pieces = [b if isinstance(b, bytes) else _view(b) for b in buffers]
                self._timed(deadline)
                self._sock.sendall(b"".join([head, lengths, body, *pieces]))
                return
            self._timed(deadline)
            self._sock.sendall(b"".join([head, lengths, body]))
            for buffer in buffers:
                self._timed(deadline)
                self._sock.sendall(buffer if isinstance(buffer, bytes) else _view(buffer))
        except TimeoutError:
            raise Late("not taken in time") from None
        except OSError as error:
            raise Closed(str(error)) from None

    def receive(self, deadline: float | None = None) -> tuple[bytes, list[bytearray]]:
        """Receive one message: the body and the buffers, each writable and owned by the caller."""
        try:
            return self._receive(deadline)
        except TimeoutError:
            raise Late("no answer in time") from None
        except OSError as error:
            raise Closed(str(error)) from None

    def _receive(self, deadline: float | None) -> tuple[bytes, list[bytearray]]:
        view, filled = self._view, 0
        while filled < HEADER.size:
            filled += self._read(view[filled:], deadline)
        magic, sequence, length, count = HEADER.unpack_from(view)
        self._received += 1
        if magic != MAGIC or sequence != self._received & 0xFFFFFFFF:
            raise WireError("a frame out of turn")
        if length > BODY_LIMIT or count > BUFFER_COUNT_LIMIT:
            raise WireError("a frame beyond the limits")
        start = HEADER.size + 8 * count
        source = _Source(self, view, filled, deadline)
        source.need(start)
        sizes = struct.unpack_from(f"<{count}Q", source.start(HEADER.size, 8 * count))
        if sum(sizes) > BUFFERS_LIMIT:
            raise WireError("more bytes of tensors than the limit")
        source.at = start
        body = bytes(source.take(length))
        buffers = [source.take(size) for size in sizes]
        if source.left:
            raise WireError("more bytes than the frame announced")
        return body, buffers

    def _read(self, into: memoryview, deadline: float | None) -> int:
        self._timed(deadline)
        count = self._sock.recv_into(into)
        if not count:
            raise Closed("the other end closed the connection")
        return count

    def _timed(self, deadline: float | None) -> None:
        if deadline is not None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._sock.settimeout(left)

    def close(self) -> None:
        """Close the socket."""
        self._sock.close()


class _Source:
    """What has been read of a frame into the scratch buffer, and the socket for the rest."""

    def __init__(self, channel: Channel, view: memoryview, filled: int, deadline: float | None) -> None:
        self._channel, self._view, self._filled, self._deadline = channel, view, filled, deadline
        self._head: bytes | None = None
        self.at = 0

    def need(self, size: int) -> None:
        """Read until the first `size` bytes of the frame are here."""
        if size > len(self._view):  # many buffers: their lengths alone exceed the scratch buffer
            head = bytearray(size)
            head[: self._filled] = self._view[: self._filled]
            while self._filled < size:
                self._filled += self._channel._read(memoryview(head)[self._filled :], self._deadline)
            self._head = bytes(head)
            return
        while self._filled < size:
            self._filled += self._channel._read(self._view[self._filled :], self._deadline)

    def start(self, at: int, size: int) -> Any:
        """A look at bytes of the head."""
        return (self._head or self._view)[at : at + size]

    @property
    def left(self) -> int:
        """Bytes read that nobody took."""
        return self._filled - self.at

    def take(self, size: int) -> bytearray:
        """The next `size` bytes: from what has been read, then straight from the socket."""
        have = min(size, self._filled - self.at)
        if have == size:
            piece = bytearray(self._view[self.at : self.at + size])
            self.at += size
            return piece
        piece = bytearray(size)
        piece[:have] = self._view[self.at : self.at + have]
        self.at += have
        into = memoryview(piece)
        while have < size:
            have += self._channel._read(into[have:], self._deadline)
        return piece


def _view(tensor: torch.Tensor) -> memoryview:
    return memoryview(tensor.numpy())
