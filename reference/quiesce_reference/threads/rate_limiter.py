"""Rate limiter: events at a steady rate with bursts, for threads.

The arithmetic is that of ``token_bucket``; this file adds the clock, the lock and the
waiting. After Go's golang.org/x/time/rate.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, NoReturn, final

from quiesce_reference.errors import WaitRefusedError
from quiesce_reference.threads.durations import seconds
from quiesce_reference.token_bucket import TokenBucket

if TYPE_CHECKING:
    from collections.abc import Callable

    from quiesce_reference.token_bucket import Grant

__all__ = ["RateLimiter", "Reservation"]


@final
class RateLimiter:
    """A token bucket on a clock. Any number of threads may call any method.

    A new limiter is full. Calls that race for the same tokens take them one after the
    other: of many ``allow`` calls at one instant on a full bucket exactly ``burst`` succeed.

    Args:
      rate: tokens a second, 0 or more; may be infinite.
      burst: the most tokens it holds, and the most that one call can get.
      clock: the time in nanoseconds; only differences matter. It is read under the internal
        lock, so it must not call back.
      sleep: waits for that many seconds of the clock. It may return early, and is then
        called again.

    Raises:
      ValueError: the rate is negative or not a number, or the burst is negative.

    Clauses: RL-01, RL-16 to RL-20, RL-25, UN-06, UN-10.
    """

    def __init__(
        self,
        rate: float,
        burst: int,
        *,
        clock: Callable[[], int] = time.monotonic_ns,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        # Never held while a thread waits for its acting time.
        self._lock = threading.Lock()
        # Protected by _lock. The clock is read under it too: if two threads could read first
        # and lock in the other order, time would seem to step back.
        self._bucket = TokenBucket(rate, burst)

    def allow(self, n: int = 1) -> bool:
        """Take ``n`` tokens if they are there now; a refusal takes nothing.

        Raises:
          ValueError: ``n`` is negative.

        Clauses: RL-03, RL-04, RL-20, RL-22, RL-25.
        """
        with self._lock:
            return self._bucket.request(n, at=self._clock(), max_delay=0) is not None

    def reserve(self, n: int = 1) -> Reservation:
        """Take ``n`` tokens at once, and learn how long to wait before acting.

        Refused if ``n`` exceeds the burst, or if the tokens would never come (rate 0).

        Raises:
          ValueError: ``n`` is negative.

        Clauses: RL-04, RL-05, RL-06, RL-19, RL-20, RL-22.
        """
        with self._lock:
            return Reservation(self, self._bucket.request(n, at=self._clock()))

    def wait(self, n: int = 1, *, timeout: int | None = None) -> None:
        """Take ``n`` tokens and return at their acting time, at once if there is no delay.

        At rate 0, once the tokens are spent, a wait without ``timeout`` never returns. An
        exception that interrupts the wait (``KeyboardInterrupt``) cancels the reservation.

        Args:
          n: tokens, 0 or more.
          timeout: longest acceptable delay in nanoseconds, inclusive; None means any. It is
            judged before waiting, so it never passes in vain.

        Raises:
          WaitRefusedError: ``n`` exceeds the burst, or the delay exceeds ``timeout``. Raised
            at once; nothing was taken.
          ValueError: ``n`` is negative.

        Clauses: RL-11, RL-13, RL-14, RL-15, RL-18, RL-19, RL-22, UN-04.
        """
        with self._lock:
            if not self._bucket.fits(n):
                msg = f"{n} tokens exceed the burst of {self._bucket.burst}"
                raise WaitRefusedError(msg)
            began_at = self._clock()
            grant = self._bucket.request(n, at=began_at, max_delay=timeout)
        if grant is None:
            if timeout is None:
                _wait_for_ever()
            msg = f"the delay for {n} tokens exceeds the timeout of {timeout} ns"
            raise WaitRefusedError(msg)
        remaining = grant.acts_at - began_at
        try:
            # A loop, because a float of seconds may end a nanosecond early.
            while remaining > 0:
                self._sleep(seconds(remaining))
                remaining = grant.acts_at - self._clock()
        except BaseException:
            self._cancel(grant)
            raise

    def tokens(self) -> float:
        """The tokens there are now; negative is debt. Asking changes nothing.

        Clauses: RL-02.
        """
        with self._lock:
            return self._bucket.tokens(at=self._clock())

    def set_rate(self, rate: float) -> None:
        """Change the rate from now on. Reservations keep their acting times.

        Raises:
          ValueError: the rate is negative or not a number.

        Clauses: RL-19, RL-21.
        """
        with self._lock:
            self._bucket.set_rate(rate, at=self._clock())

    def set_burst(self, burst: int) -> None:
        """Change the burst from now on. Reservations keep their acting times.

        Raises:
          ValueError: the burst is negative.

        Clauses: RL-21.
        """
        with self._lock:
            self._bucket.set_burst(burst, at=self._clock())

    def _cancel(self, grant: Grant) -> None:
        with self._lock:
            self._bucket.cancel(grant, at=self._clock())


@final
class Reservation:
    """The answer to ``RateLimiter.reserve``; made by it only."""

    def __init__(self, limiter: RateLimiter, grant: Grant | None) -> None:
        self._limiter = limiter
        self._grant = grant

    @property
    def ok(self) -> bool:
        """Whether it was granted."""
        return self._grant is not None

    def delay(self) -> int | None:
        """Nanoseconds left until the acting time, not below 0. None, for ever, if refused.

        Clauses: RL-07.
        """
        if self._grant is None:
            return None
        return max(0, self._grant.acts_at - self._limiter._clock())

    def cancel(self) -> None:
        """Give the tokens back as far as possible; no more after the acting time, nor twice.

        Clauses: RL-08, RL-09, RL-10, UN-07.
        """
        if self._grant is not None:
            self._limiter._cancel(self._grant)


def _wait_for_ever() -> NoReturn:
    while True:
        threading.Event().wait()  # not sleep: no timer for what has no end
