"""The closed-type codec that judge and contestant speak, and the frames it travels in.

A message is a MessagePack body of None, bool, int, float, str, bytes, list, tuple, dict, complex,
torch device and dtype names, and references to tensors and objects; tensors travel beside it as
raw bytes. Nothing is ever unpickled or evaluated here. All sizes are checked before memory is
allocated, because one of the two ends may be hostile.
"""

from .bodies import (
    DEPTH_LIMIT,
    OBJECT,
    REFERENCE,
    TENSOR,
    TOO_DEEP,
    nothing,
    pack,
    refuse,
    shallow,
    unpack,
)
from .channel import Channel
from .contents import DTYPE_NAMES, DTYPES, contents, kept, same_contents, taken, write
from .limits import (
    BODY_LIMIT,
    BUFFER_COUNT_LIMIT,
    BUFFERS_LIMIT,
    Closed,
    Late,
    Unsendable,
    WireError,
)

__all__ = [
    "BODY_LIMIT",
    "BUFFERS_LIMIT",
    "BUFFER_COUNT_LIMIT",
    "DEPTH_LIMIT",
    "DTYPES",
    "DTYPE_NAMES",
    "OBJECT",
    "REFERENCE",
    "TENSOR",
    "TOO_DEEP",
    "Channel",
    "Closed",
    "Late",
    "Unsendable",
    "WireError",
    "contents",
    "kept",
    "nothing",
    "pack",
    "refuse",
    "same_contents",
    "shallow",
    "taken",
    "unpack",
    "write",
]
