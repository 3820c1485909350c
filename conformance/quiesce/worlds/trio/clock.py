"""trio's clock for a world: virtual, and the place where a quiescent run is parked.

trio asks its clock for a time to sleep exactly when no task is ready, and says when the
next deadline is. That is quiescence and the next due time at once.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, final

import trio

from quiesce.worlds.trio.state import idle_cushion, in_task
from quiesce.worlds.virtual_time import due_ns

if TYPE_CHECKING:
    from collections.abc import Callable

    from quiesce.worlds.virtual_time import VirtualClock

__all__ = ["Abandoned", "ParkingClock"]


class Abandoned(BaseException):
    """Ends a run whose tasks won't end."""


@final
class ParkingClock(trio.abc.Clock):
    """Seconds for trio, integer nanoseconds for the world.

    Args:
      face: the clock that ``time`` shows, moved together with this one.
      rest: gives control to the hub, and returns when the run is to go on.

    Attributes:
      due: the nanosecond of the next deadline when the run last came to rest.
      poisoned: whether the run is to be ended by an ``Abandoned`` error.
    """

    def __init__(self, face: VirtualClock, rest: Callable[[], None]) -> None:
        self.due: int | None = None
        self.poisoned = False
        self._face = face
        self._rest = rest
        self._seconds = face.now / 1e9
        self._deadline = math.inf  # that of ``due``, as trio knows it
        self._arrived = False

    def due_of(self, deadline: float) -> int | None:
        """The nanosecond at which a deadline that hasn't passed fires; None for never."""
        if deadline == math.inf:
            return None
        # What is left over from a float division would otherwise fire at a frozen clock.
        return max(due_ns(deadline), self._face.now + (deadline > self._seconds))

    def move_to(self, at: int) -> None:
        """Set the time; the deadlines that are due fire when the run goes on."""
        self._face.now = at
        self._seconds = at / 1e9
        if self.due == at:
            if abs(self._deadline - self._seconds) < 1e-9:
                # Half of all deadlines lie between their nanosecond and the next float.
                self._seconds = self._deadline
            self._arrived = True

    def start_clock(self) -> None:
        """Nothing to start."""

    def current_time(self) -> float:
        """The virtual time, in seconds."""
        if in_task():
            return self._seconds
        if self.poisoned:
            raise Abandoned
        if self._arrived:
            # The run asks which deadlines have passed. Float noise must not split those of
            # one nanosecond; what tasks set from now on is judged by the exact time.
            self._arrived = False
            at = self._face.now
            return max(self._seconds, (at + max(0.001, 4 * math.ulp(float(at)))) / 1e9)
        return self._seconds

    def deadline_to_sleep_time(self, deadline: float) -> float:
        """Park until the hub wants the run to go on; then it is to poll, not to sleep."""
        if deadline <= self._seconds:
            return 0
        if (cushion := idle_cushion()) is not None:
            # More than that, so trio wakes who waits for rest; a cushion above 0 is real time.
            return cushion + 1e-9
        self.due, self._deadline = self.due_of(deadline), deadline
        self._rest()
        return 0
