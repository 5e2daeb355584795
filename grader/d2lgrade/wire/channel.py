"""Frames over a stream socket.

Magic, sequence number, length of the body, number of buffers; the length of each buffer; the
body; the buffers.
"""

from __future__ import annotations

import socket
import struct
import time
from typing import Any

import torch

from .limits import (
    BODY_LIMIT,
    BUFFER_COUNT_LIMIT,
    BUFFERS_LIMIT,
    INLINE,
    Closed,
    Late,
    WireError,
)

MAGIC = 0xD2161EAD
HEADER = struct.Struct("<IIQI")
SMALL = 1 << 16  # frames up to this size are sent and received in one piece


class Channel:
    """Frames over a connected stream socket, one reusable receive buffer, strict sequence numbers.

    Deadlines are in `time.monotonic()` seconds.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._sent = 0
        self._received = 0
        self._view = memoryview(bytearray(SMALL))
        self._timeout = sock.gettimeout()

    def send(self, body: bytes, buffers: list[Any], deadline: float | None = None) -> None:
        """Send one message. `buffers` holds bytes or flat uint8 tensors.

        Raises:
            Closed, Late: see there.
            WireError: more than one message may hold.
        """
        sizes = [len(buffer) for buffer in buffers]
        total = sum(sizes)
        if total > BUFFERS_LIMIT or len(buffers) > BUFFER_COUNT_LIMIT:
            limit = f"{BUFFERS_LIMIT >> 20} MB in {BUFFER_COUNT_LIMIT} are allowed"
            raise WireError(f"{total >> 20} MB in {len(buffers)} tensors, where {limit}")
        self._sent += 1
        head = HEADER.pack(MAGIC, self._sent & 0xFFFFFFFF, len(body), len(buffers))
        if sizes:
            head += struct.pack(f"<{len(sizes)}Q", *sizes)
        large: list[Any] = []
        if total <= SMALL:
            pieces = [b if type(b) is bytes else _view(b) for b in buffers]
            start = b"".join([head, body, *pieces])
        else:
            start = head + body
            large = [b if type(b) is bytes else _view(b) for b in buffers]
        try:
            for piece in (start, *large):
                self._timed(deadline)
                self._sock.sendall(piece)
        except TimeoutError:
            raise Late("not taken in time") from None
        except OSError as error:
            raise Closed(str(error)) from None

    def receive(self, deadline: float | None = None) -> tuple[bytes, list[Any]]:
        """Receive one message: the body and the buffers, as bytes or (where large) uint8 tensors.

        Raises:
            Closed, Late: see there.
            WireError: a frame that breaks the protocol; the channel is of no more use.
        """
        try:
            return self._receive(deadline)
        except TimeoutError:
            raise Late("no answer in time") from None
        except OSError as error:
            raise Closed(str(error)) from None

    def _receive(self, deadline: float | None) -> tuple[bytes, list[Any]]:
        view, filled = self._view, 0
        while filled < HEADER.size:
            filled += self._read(view[filled:], deadline)
        magic, sequence, length, count = HEADER.unpack_from(view)
        self._received += 1
        if magic != MAGIC or sequence != self._received & 0xFFFFFFFF:
            raise WireError("a frame out of turn")
        if length > BODY_LIMIT or count > BUFFER_COUNT_LIMIT:
            raise WireError("a frame beyond the limits")
        at = HEADER.size

        def take(size: int) -> Any:
            """The next bytes of the frame, as bytes or (where large) as a uint8 tensor."""
            nonlocal at, filled
            if size <= INLINE:
                if filled - at < size:
                    view[: filled - at] = view[at:filled]
                    at, filled = 0, filled - at
                    while filled < size:
                        filled += self._read(view[filled:], deadline)
                at += size
                return bytes(view[at - size : at])
            have = min(size, filled - at)
            # Not zeroed, so that what is only announced takes no memory.
            piece = torch.empty(size, dtype=torch.uint8)
            into = _view(piece)
            into[:have] = view[at : at + have]
            at += have
            while have < size:
                have += self._read(into[have:], deadline)
            return piece

        sizes: tuple[int, ...] = ()
        if count:
            sizes = struct.unpack(f"<{count}Q", _bytes(take(8 * count)))
            if sum(sizes) > BUFFERS_LIMIT:
                raise WireError("more bytes of tensors than the limit")
        body = _bytes(take(length))
        buffers = [take(size) for size in sizes]
        if filled > at:
            raise WireError("more bytes than the frame announced")
        return body, buffers

    def _read(self, into: memoryview, deadline: float | None) -> int:
        self._timed(deadline)
        count = self._sock.recv_into(into)
        if not count:
            raise Closed("the other end closed the connection")
        return count

    def _timed(self, deadline: float | None) -> None:
        """Let the next operation on the socket last until the deadline, or a hundredth more."""
        if deadline is None:
            return
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        # Setting a timeout is a system call; within one exchange it hardly changes.
        if self._timeout is None or abs(self._timeout - left) > 0.01 * left:
            self._sock.settimeout(left)
            self._timeout = left

    def close(self) -> None:
        """Close the socket."""
        self._sock.close()


def _bytes(piece: Any) -> bytes:
    return piece if type(piece) is bytes else bytes(_view(piece))


def _view(flat: torch.Tensor) -> memoryview:
    return memoryview(flat.numpy())  # type: ignore[arg-type]  # an array is a buffer
