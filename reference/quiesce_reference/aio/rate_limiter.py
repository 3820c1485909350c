"""Rate limiter: events at a steady rate with bursts, for async tasks.

The arithmetic is that of ``token_bucket``; this file adds the clock and the waiting. After
Go's golang.org/x/time/rate.

Tasks of one event loop only, so there is no lock: what lies between two awaits is atomic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn, final

import anyio
import anyio.lowlevel

from quiesce_reference.errors import WaitRefusedError
from quiesce_reference.rates import SECOND
from quiesce_reference.token_bucket import TokenBucket

if TYPE_CHECKING:
    from collections.abc import Callable

    from quiesce_reference.token_bucket import Grant

__all__ = ["RateLimiter", "Reservation"]


def _event_loop_time() -> int:
    """The clock of the running event loop, to the nearest nanosecond."""
    return round(anyio.current_time() * SECOND)


@final
class RateLimiter:
    """A token bucket on the clock of the event loop. Any number of tasks may call any method.

    A new limiter is full. Of many ``allow`` calls at one instant on a full bucket exactly
    ``burst`` succeed. All methods but ``wait`` are plain functions.

    Args:
      rate: tokens a second, 0 or more; may be infinite.
      burst: the most tokens it holds, and the most that one call can get.
      clock: the time in nanoseconds, running as the event loop's does; only differences
        matter. The default is the event loop's own.

    Raises:
      ValueError: the rate is negative or not a number, or the burst is negative.

    Clauses: RL-01, RL-16 to RL-20, RL-25, UN-06, UN-10.
    """

    def __init__(
        self, rate: float, burst: int, *, clock: Callable[[], int] = _event_loop_time
    ) -> None:
        self._clock = clock
        self._bucket = TokenBucket(rate, burst)

    def allow(self, n: int = 1) -> bool:
        """Take ``n`` tokens if they are there now; a refusal takes nothing.

        Raises:
          ValueError: ``n`` is negative.

        Clauses: RL-03, RL-04, RL-20, RL-22, RL-25.
        """
        return self._bucket.request(n, at=self._clock(), max_delay=0) is not None

    def reserve(self, n: int = 1) -> Reservation:
        """Take ``n`` tokens at once, and learn how long to wait before acting.

        Refused if ``n`` exceeds the burst, or if the tokens would never come (rate 0).

        Raises:
          ValueError: ``n`` is negative.

        Clauses: RL-04, RL-05, RL-06, RL-19, RL-20, RL-22.
        """
        return Reservation(self, self._bucket.request(n, at=self._clock()))

    async def wait(self, n: int = 1, *, timeout: int | None = None) -> None:
        """Take ``n`` tokens and return at their acting time.

        Without a delay it returns at once, and other tasks don't run in between. At rate 0,
        once the tokens are spent, a wait without ``timeout`` lasts until it is cancelled.

        Cancelled half-way, it raises the cancellation and cancels the reservation; at the
        very acting time either may win. Under a scope that is cancelled already it fails at
        once and takes nothing. An asyncio ``Task.cancel()`` that has not been raised yet
        can't be seen here: without a delay it is raised at the task's next await.

        Args:
          n: tokens, 0 or more.
          timeout: longest acceptable delay in nanoseconds, inclusive; None means any. It is
            judged before waiting, so it never passes in vain. The deadlines of scopes around
            the call are not looked at: they may move, and cancel in their own way.

        Raises:
          WaitRefusedError: ``n`` exceeds the burst, or the delay exceeds ``timeout``. Raised
            at once; nothing was taken.
          ValueError: ``n`` is negative.

        Clauses: RL-11 to RL-15, RL-18, RL-19, RL-22, UN-04.
        """
        if not self._bucket.fits(n):
            msg = f"{n} tokens exceed the burst of {self._bucket.burst}"
            raise WaitRefusedError(msg)
        await anyio.lowlevel.checkpoint_if_cancelled()
        now = self._clock()
        grant = self._bucket.request(n, at=now, max_delay=timeout)
        if grant is None:
            if timeout is None:
                await _wait_for_ever()
            msg = f"the delay for {n} tokens exceeds the timeout of {timeout} ns"
            raise WaitRefusedError(msg)
        try:
            # Times as floats of seconds, like the event loop's: their difference, added to its
            # "now", gives back the acting time to the last bit, and is never too small to
            # count. A loop, for clocks that wake a sleeper early.
            while (remaining := grant.acts_at / SECOND - now / SECOND) > 0:
                await anyio.sleep(remaining)
                now = self._clock()
        except BaseException:
            self._cancel(grant)
            raise

    def tokens(self) -> float:
        """The tokens there are now; negative is debt. Asking changes nothing.

        Clauses: RL-02.
        """
        return self._bucket.tokens(at=self._clock())

    def set_rate(self, rate: float) -> None:
        """Change the rate from now on. Reservations keep their acting times.

        Raises:
          ValueError: the rate is negative or not a number.

        Clauses: RL-19, RL-21.
        """
        self._bucket.set_rate(rate, at=self._clock())

    def set_burst(self, burst: int) -> None:
        """Change the burst from now on. Reservations keep their acting times.

        Raises:
          ValueError: the burst is negative.

        Clauses: RL-21.
        """
        self._bucket.set_burst(burst, at=self._clock())

    def _cancel(self, grant: Grant) -> None:
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


async def _wait_for_ever() -> NoReturn:
    while True:
        await anyio.Event().wait()  # not sleep: no timer for what has no end
