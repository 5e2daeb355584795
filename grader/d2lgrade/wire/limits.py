"""What a message may hold, and what is raised where it holds more or is none."""

from __future__ import annotations

BODY_LIMIT = 16 << 20  # bytes of a message beside its tensors
BUFFERS_LIMIT = 2 << 30  # bytes of tensors in one message
BUFFER_COUNT_LIMIT = 1 << 16
INLINE = 1 << 12  # tensors up to this many bytes are handled as bytes objects


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
