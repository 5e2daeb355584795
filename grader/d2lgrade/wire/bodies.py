"""Values to bytes and back: MessagePack, with extensions for what it lacks."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import partial
from typing import Any

import msgpack
import torch

from .contents import DTYPE_NAMES, DTYPES
from .limits import BODY_LIMIT, BUFFER_COUNT_LIMIT, Unsendable, WireError

TUPLE, BIG_INT, COMPLEX, TENSOR, REFERENCE, DEVICE, DTYPE, OBJECT = range(1, 9)

DEPTH_LIMIT = 60  # containers within containers
TOO_DEEP = f"nested too deeply: it holds itself, or goes deeper than {DEPTH_LIMIT} levels"
DIGITS_LIMIT = 4300  # of an integer, as Python's own limit
_DOUBLES = struct.Struct("<dd")


def pack(body: Any, extend: Callable[[Any], msgpack.ExtType]) -> bytes:
    """The body as bytes. `extend` turns anything but the closed types into an extension.

    Raises:
        Unsendable: from `extend`.
        WireError: nested too deeply, or too large.
    """
    try:
        packed = _packed(extend, body)
    except (ValueError, OverflowError, RecursionError) as error:
        raise WireError(f"a value nested too deeply or too large to send ({error})") from None
    if len(packed) > BODY_LIMIT:
        size, limit = len(packed) >> 20, BODY_LIMIT >> 20
        raise WireError(f"a value of {size} MB, where {limit} MB beside the tensors are allowed")
    return packed


def _packed(extend: Callable[[Any], msgpack.ExtType], value: Any) -> bytes:
    packer = msgpack.Packer(
        default=partial(_default, extend), strict_types=True, unicode_errors="surrogatepass"
    )
    packed: bytes = packer.pack(value)
    return packed


def _default(extend: Callable[[Any], msgpack.ExtType], value: Any) -> Any:
    """What MessagePack has no type for."""
    kind = type(value)
    if kind is torch.Tensor:
        return extend(value)
    if kind is tuple or kind is torch.Size:
        return msgpack.ExtType(TUPLE, _packed(extend, list(value)))
    if kind is int:
        return msgpack.ExtType(BIG_INT, str(value).encode())
    if kind is complex:
        return msgpack.ExtType(COMPLEX, _DOUBLES.pack(value.real, value.imag))
    if kind is torch.device:
        return msgpack.ExtType(DEVICE, str(value).encode())
    if kind is torch.dtype and value in DTYPE_NAMES:
        return msgpack.ExtType(DTYPE, DTYPE_NAMES[value].encode())
    if isinstance(value, dict):
        return dict(value)
    return extend(value)


def refuse(value: Any) -> msgpack.ExtType:
    """An `extend` for messages of closed types only."""
    raise Unsendable(value)


def unpack(data: Any, refer: Callable[[int, bytes], Any]) -> Any:
    """The body from bytes. `refer(code, payload)` resolves tensors and references.

    Raises:
        WireError: it is no message, or made to take more memory than a message may.
        Exception: whatever `refer` raises.
    """
    unpacking = _Unpacking(refer, 8 * len(data) + 1024)
    try:
        return _unpacked(data, unpacking.hook)
    except WireError:
        raise
    except Exception as error:  # msgpack raises many kinds; all mean the same here
        if error is unpacking.raised:
            raise
        raise WireError(f"an unreadable message ({type(error).__name__})") from None


def _unpacked(data: Any, hook: Callable[[int, bytes], Any]) -> Any:
    return msgpack.unpackb(
        data, ext_hook=hook, strict_map_key=False, unicode_errors="surrogatepass"
    )


class _Unpacking:
    """The hooks of one `unpack`, and how much it may still produce."""

    __slots__ = ("_bytes_left", "_depth", "_left", "_refer", "raised")

    def __init__(self, refer: Callable[[int, bytes], Any], size: int) -> None:
        self._refer = refer
        self._depth = 0
        self._left = BUFFER_COUNT_LIMIT
        self._bytes_left = size  # of extensions, which may lie within one another
        self.raised: Exception | None = None  # by `refer`

    def hook(self, code: int, payload: bytes) -> Any:
        self._left -= 1
        self._bytes_left -= len(payload)
        if self._left < 0 or self._bytes_left < 0:
            raise WireError("a message of too many references")
        if code == TUPLE:
            self._depth += 1
            if self._depth > DEPTH_LIMIT:  # each level takes 32 KB of the C stack
                raise WireError("a value nested too deeply")
            value = _unpacked(payload, self.hook)
            self._depth -= 1
            if type(value) is not list:
                raise WireError("a tuple that is none")
            return tuple(value)
        if code == BIG_INT:
            if len(payload) > DIGITS_LIMIT:
                raise WireError("an integer of too many digits")
            return int(payload)
        if code == COMPLEX:
            return complex(*_DOUBLES.unpack(payload))
        if code == DEVICE:
            return torch.device(payload.decode())
        if code == DTYPE:
            return DTYPES[payload.decode()]
        try:
            return self._refer(code, payload)
        except Exception as error:
            self.raised = error
            raise


def nothing(code: int, payload: bytes) -> Any:
    """A `refer` for messages of closed types only."""
    raise WireError("a reference where none belongs")


def shallow(value: Any) -> bool:
    """Whether containers within containers go no deeper than DEPTH_LIMIT, and none holds itself."""
    if type(value) not in _CONTAINERS or not value:
        return True
    level = [value]
    for _ in range(DEPTH_LIMIT):
        if not level:
            return True
        inner: dict[int, Any] = {}
        for container in level:
            for item in container.values() if type(container) is dict else container:
                if type(item) in _CONTAINERS:
                    inner[id(item)] = item
        level = list(inner.values())
    return not level


_CONTAINERS = frozenset({list, tuple, dict})
