"""Ctrl-C while an async world is open: it belongs to whoever runs the test.

Python raises KeyboardInterrupt in whatever frame is at work. Inside a world it would become
the outcome of some task, or be swallowed there, so the world is told and raises it again in
its hub.

trio has a second reason: it takes over Ctrl-C for as long as a run lives if it finds
Python's own handler, also while the hub has control, and it would come out at the end of
the world. Any other handler keeps it out. Worlds may close in any order, so they count and
share one.
"""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

__all__ = ["hear_interrupts", "ignore_interrupts", "told"]

#: Who is told of a Ctrl-C: the worlds that have control, the innermost last.
told: Final[list[Callable[[], None]]] = []

_open_worlds = 0
_outer: Any = None


def hear_interrupts() -> bool:
    """Install the handler for one more world; False off the main thread, where there is none."""
    global _open_worlds, _outer
    if threading.current_thread() is not threading.main_thread():
        return False
    if not _open_worlds:
        _outer = signal.signal(signal.SIGINT, _interrupt)
    _open_worlds += 1
    return True


def ignore_interrupts() -> None:
    """Take one world's part in the handler back."""
    global _open_worlds, _outer
    _open_worlds -= 1
    if not _open_worlds:
        if signal.getsignal(signal.SIGINT) is _interrupt and _outer is not None:
            signal.signal(signal.SIGINT, _outer)
        _outer = None


def _interrupt(signum: int, frame: FrameType | None) -> None:
    try:
        if callable(_outer):
            _outer(signum, frame)
        elif _outer is not signal.SIG_IGN:
            raise KeyboardInterrupt
    except BaseException:
        if told:
            told[-1]()
        raise
