"""What a world changes in the process while it has control, besides trio's own state.

It shows virtual time in ``time``, refuses to start real threads, and tells a Ctrl-C that
hits code in the world from one that hits the hub.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, final

from quiesce.worlds.interrupts import told
from quiesce.worlds.virtual_time import Place, VirtualClock, show, showing

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Process"]


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
        told.append(self.interrupted)

    def leave(self) -> None:
        """Undo them."""
        told.pop()
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
