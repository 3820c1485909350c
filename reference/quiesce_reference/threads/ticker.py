"""Ticker: a tick each period, for threads. After Go's time.Ticker.

There is no thread and no timer behind it. A tick is a due time that lies in the past and
that nobody has taken, so whoever receives works out himself what he gets.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, final

from quiesce_reference.threads.durations import seconds

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Ticker"]


@final
class Ticker:
    """Ticks at start + period, start + 2 periods, and so on.

    The start is the construction. Any number of threads may call any method. Each tick goes
    to one receiver; which of several is not promised. Nothing runs in the background, so a
    ticker that is dropped without a stop leaves nothing behind.

    Args:
      period: nanoseconds, more than 0.
      clock: the time in nanoseconds; only differences matter, and they are those of
        ``time.monotonic_ns``. It is read under the internal lock, so it must not call back.

    Raises:
      ValueError: the period is 0 or less.

    Clauses: TK-01, TK-02, TK-06, UN-01, UN-10.
    """

    def __init__(self, period: int, *, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._clock = clock
        self._changed = threading.Condition(threading.Lock())
        # Protected by the condition's lock. Invariant: every tick before _due was taken,
        # dropped or discarded; None while stopped.
        self._period = _checked(period)
        self._due: int | None = clock() + period

    def receive(self) -> int:
        """Wait for a tick, and return the time of the clock at which it was due.

        A tick that became due and was not taken is kept, and is returned at once. Ticks that
        become due meanwhile are dropped: a slow receiver gets the oldest, then the next one
        that is due at its own time, in the phase of the start. While the ticker is stopped
        this waits, until somebody calls ``reset``.

        Clauses: TK-01 to TK-04, TK-07, UN-03.
        """
        with self._changed:
            while True:
                due = self._due
                if due is None:
                    self._changed.wait()
                    continue
                now = self._clock()
                if due <= now:
                    # Taken and dropped in one step under the lock, so that a second receiver
                    # finds a due time in the future: no tick goes to two, none comes late.
                    self._due = due + self._period * (1 + (now - due) // self._period)
                    return due
                # Nobody is notified when time passes, so each waits for the same due time.
                self._changed.wait(seconds(due - now))

    def stop(self) -> None:
        """No more ticks, not even one that was due already. Stopping again does nothing.

        Receivers that wait go on waiting.

        Clauses: TK-04, TK-07, UN-07.
        """
        with self._changed:
            self._due = None
            self._changed.notify_all()  # so that nobody keeps a timer for what will not come

    def reset(self, period: int) -> None:
        """Start anew: the next tick is due ``period`` nanoseconds from now, also after a stop.

        A tick that was not taken is discarded. Receivers that wait get the new ticks.

        Raises:
          ValueError: the period is 0 or less; nothing has changed.

        Clauses: TK-05, TK-06.
        """
        with self._changed:
            self._period = _checked(period)
            self._due = self._clock() + period
            self._changed.notify_all()  # the new due time may come before the old one


def _checked(period: int) -> int:
    if period <= 0:
        msg = f"a ticker's period is more than 0 nanoseconds, not {period}"
        raise ValueError(msg)
    return period
