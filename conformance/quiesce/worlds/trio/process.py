"""What a world changes in the process while it has control, besides trio's own state.

It shows virtual time in ``time``, refuses to start real threads, and tells a Ctrl-C that
hits code in the world from one that hits the hub.
"""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Any, final

from quiesce.worlds.virtual_time import Place, VirtualClock, show, showing

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

__all__ = ["Process", "hear_interrupts", "ignore_interrupts"]


@final
class Process:
    """One world's changes to the process.

    Args:
      clock: what the functions of ``time`` show.
      places: where else they are bound.
      refuse: makes the error for starting a real thread.
      interrupted: told that a Ctrl-C is raised in the midst of the world.
    """

    def __init__(
        self,
        clock: VirtualClock,
        places: tuple[Place, ...],
        refuse: Callable[[str], BaseException],
        interrupted: Callable[[], None],
    ) -> None:
        self.refuse = refuse
        self.interrupted = interrupted
        self._clock = clock
        self._places = places
        self._outside: Any = ()

    def enter(self) -> None:
        """Make the changes."""
        self._outside = (threading.Thread.start, showing())
        threading.Thread.start = _refuse_to_start  # type: ignore[method-assign, assignment]  # until leave()
        show(self._clock, self._places)
        _inside.append(self)

    def leave(self) -> None:
        """Undo them."""
        _inside.pop()
        start, clock = self._outside
        self._outside = ()
        show(None, self._places)
        if clock is not None:
            show(clock)
        threading.Thread.start = start  # type: ignore[method-assign]  # what enter() found


# Those that have control, the innermost last.
_inside: list[Process] = []


def _refuse_to_start(thread: threading.Thread) -> None:
    raise _inside[-1].refuse(thread.name)


# trio takes over Ctrl-C for as long as a run lives if it finds Python's own handler, also
# while the hub has control; it would then come out at the end of the world. Any other
# handler keeps it out. Worlds may close in any order, so they count and share one.
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
        if _inside:
            _inside[-1].interrupted()
        raise
