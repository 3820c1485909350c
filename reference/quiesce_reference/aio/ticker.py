"""Ticker: a tick each period, for async tasks. After Go's time.Ticker.

There is no task and no timer behind it. A tick is a due time that lies in the past and that
nobody has taken, so whoever receives works out himself what he gets.

Tasks of one event loop only, so there is no lock: what lies between two awaits is atomic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import anyio
import anyio.lowlevel

from quiesce_reference.rates import SECOND

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Ticker"]


def _event_loop_time() -> int:
    """The clock of the running event loop, to the nearest nanosecond."""
    return round(anyio.current_time() * SECOND)


@final
class Ticker:
    """Ticks at start + period, start + 2 periods, and so on.

    The start is the construction, inside the event loop. Each tick goes to one receiver;
    which of several is not promised. Nothing runs in the background, so a ticker that is
    dropped without a stop leaves nothing behind.

    Args:
      period: nanoseconds, more than 0.
      clock: the time in nanoseconds, running as the event loop's does; only differences
        matter. The default is the event loop's own.

    Raises:
      ValueError: the period is 0 or less.

    Clauses: TK-01, TK-02, TK-06, UN-01, UN-10.
    """

    def __init__(self, period: int, *, clock: Callable[[], int] = _event_loop_time) -> None:
        self._clock = clock
        self._period = _checked(period)
        # Every tick before _due was taken, dropped or discarded; None while stopped.
        self._due: int | None = clock() + period
        self._changed = anyio.Event()  # set, and replaced, by each stop and reset

    async def receive(self) -> int:
        """Wait for a tick, and return the time of the clock at which it was due.

        A tick that became due and was not taken is kept, and is returned at once. Ticks that
        become due meanwhile are dropped: a slow receiver gets the oldest, then the next one
        that is due at its own time, in the phase of the start. While the ticker is stopped
        this waits, until somebody calls ``reset``.

        Who is cancelled takes no tick along: it is there for the next receiver.

        Clauses: TK-01 to TK-04, TK-07, UN-03, UN-04.
        """
        await anyio.lowlevel.checkpoint_if_cancelled()
        while True:
            due, now = self._due, self._clock()
            if due is None:
                await self._changed.wait()
            elif due <= now:
                # Taken and dropped in one step: a second receiver finds a due time in the
                # future. No await lies between, so no cancellation can part the two.
                self._due = due + self._period * (1 + (now - due) // self._period)
                return due
            else:
                # Times as floats of seconds, like the event loop's: their difference, added
                # to its "now", gives back the due time to the last bit.
                with anyio.move_on_after(due / SECOND - now / SECOND):
                    await self._changed.wait()

    def stop(self) -> None:
        """No more ticks, not even one that was due already. Stopping again does nothing.

        Receivers that wait go on waiting.

        Clauses: TK-04, TK-07, UN-07.
        """
        self._due = None
        self._change()

    def reset(self, period: int) -> None:
        """Start anew: the next tick is due ``period`` nanoseconds from now, also after a stop.

        A tick that was not taken is discarded. Receivers that wait get the new ticks.

        Raises:
          ValueError: the period is 0 or less; nothing has changed.

        Clauses: TK-05, TK-06.
        """
        self._period = _checked(period)
        self._due = self._clock() + period
        self._change()

    def _change(self) -> None:
        """Let those who wait look again: what they wait for has changed."""
        self._changed.set()
        self._changed = anyio.Event()


def _checked(period: int) -> int:
    if period <= 0:
        msg = f"a ticker's period is more than 0 nanoseconds, not {period}"
        raise ValueError(msg)
    return period
