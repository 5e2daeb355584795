"""Ctrl-C, certain at any moment.

Python raises KeyboardInterrupt wherever the main thread happens to be. Raised in a `__del__`, in a
weakref's callback or below a bare `except`, it is lost and the program runs on. So a press is noted
as well: whoever works for long asks for it now and then (`heed`), and the entry point at the end.
A program that has not ended `GRACE` seconds after the press, or is pressed once more, is ended at
once; contestants and their scratch go with the judge's connection. SIGTERM is treated alike.

Does not cover Python's own start, before our first line, nor a call into C that does not return.
"""

from __future__ import annotations

import _thread
import contextlib
import os
import signal
import sys
import time

TYPE_CHECKING = False  # typing's own takes longer to import than all the rest, and time counts here
if TYPE_CHECKING:
    from types import FrameType
    from typing import NoReturn

GRACE = 5.0  # seconds that an orderly ending may take
ONE_PRESS = 0.3  # seconds within which signals are one press, passed on by wrappers
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SHOW_CURSOR = b"\r\x1b[?25h"

_raising = False
_pressed_at: float | None = None
_signal: int = signal.SIGINT


def watch() -> None:
    """From now on a press ends the program, at once: until `begin` there is nothing to clean up.

    Where SIGINT is ignored, as in the background, it stays so.
    """
    for number in _SIGNALS:
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _press)


def begin() -> None:
    """From now on a press is noted and raises KeyboardInterrupt; the caller catches it."""
    global _raising
    _raising = True


def leave_to_debugger() -> None:
    """Give Ctrl-C back to Python: a debugger has uses of its own for it."""
    if signal.getsignal(signal.SIGINT) is _press:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def finish() -> None:
    """The work is done and told: a press that comes now changes nothing."""
    for number in _SIGNALS:
        if signal.getsignal(number) is _press:
            signal.signal(number, signal.SIG_IGN)


def noted() -> bool:
    """Whether there was a press."""
    return _pressed_at is not None


def heed() -> None:
    """Raise KeyboardInterrupt if there was a press, whatever became of the first exception."""
    if noted():
        raise KeyboardInterrupt


def stop() -> NoReturn:
    """Say so and end the process: status 130 after Ctrl-C, 143 after SIGTERM.

    Without Python's own ending, which takes its time and in which a press would show a traceback.
    """
    with contextlib.suppress(Exception):  # a closed pipe; a write that this very call interrupts
        sys.stdout.flush()
    _end()


def _press(number: int, frame: FrameType | None) -> None:
    global _pressed_at, _signal
    now = time.monotonic()
    if _pressed_at is None:
        _pressed_at, _signal = now, number
        if not _raising:
            _end()
        # Not threading.Thread, whose locks the interrupted code may hold.
        _thread.start_new_thread(_end_later, ())
        raise KeyboardInterrupt
    if now - _pressed_at > ONE_PRESS:
        _end()


def _end_later() -> None:
    time.sleep(GRACE)
    _end()


def _end() -> NoReturn:
    with contextlib.suppress(OSError):
        for descriptor in (1, 2):
            if os.isatty(descriptor):  # the progress line may have hidden the cursor
                os.write(descriptor, _SHOW_CURSOR)
        os.write(2, b"Stopped.\n")
    os._exit(128 + _signal)
