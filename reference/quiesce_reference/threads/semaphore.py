"""Semaphore: a number of units that threads take and give back, first come, first served.

After Go's golang.org/x/sync/semaphore: weighted, and a request that waits holds back everybody
behind it, so a big one is not starved by small ones. We add a time-out, which is how a thread
gives up waiting.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, final

from quiesce_reference.threads.durations import seconds

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Semaphore"]


class _Waiter:
    """A thread that waits for ``n`` units."""

    __slots__ = ("granted", "n", "woken")

    def __init__(self, n: int) -> None:
        self.n = n
        self.granted = False  # protected by the semaphore's lock
        # A lock that is held until the waiter is granted its units: the cheapest thing that a
        # single thread can wait for with a time-out.
        self.woken = threading.Lock()
        self.woken.acquire()


@final
class Semaphore:
    """``size`` units. Any number of threads may call any method; nobody owns a unit.

    ``with semaphore:`` takes one unit and gives it back.

    Args:
      size: how many units there are, 0 or more.

    Raises:
      ValueError: the size is negative.

    Clauses: SM-01, SM-06, UN-06, UN-10.
    """

    def __init__(self, size: int) -> None:
        if size < 0:
            msg = f"a semaphore can't have {size} units"
            raise ValueError(msg)
        self._size = size
        # Held for a few statements at a time, never while a thread waits.
        self._lock = threading.Lock()
        # Protected by _lock. Whenever it is free, the first waiter does not fit: whoever
        # frees units, or leaves the head of the queue, lets in those who now do.
        self._free = size
        self._waiters: deque[_Waiter] = deque()

    def acquire(self, n: int = 1, *, timeout: int | None = None) -> bool:
        """Take ``n`` units, or wait until they are free and all who came earlier have theirs.

        A request for more than the size never succeeds and holds nobody back: it only waits
        for its time-out. A call that times out, or is interrupted by an exception
        (``KeyboardInterrupt``), has taken nothing, and those behind it move up.

        Args:
          n: units, 0 or more.
          timeout: how long to wait, in nanoseconds; None means for ever, 0 or less not at all.

        Returns:
          Whether the units were taken: False only after the time-out.

        Raises:
          ValueError: ``n`` is negative.

        Clauses: SM-01 to SM-04, SM-07, UN-03, UN-04.
        """
        if n < 0:
            msg = f"a semaphore can't lend {n} units"
            raise ValueError(msg)
        with self._lock:
            if n <= self._free and not self._waiters:
                self._free -= n
                return True
            waiter = _Waiter(n)
            if n <= self._size:
                self._waiters.append(waiter)
        try:
            # The waker grants first and wakes then, so who is woken has its units: nobody can
            # take them in between, and no loop is needed.
            if timeout is None:
                waiter.woken.acquire()
                return True
            if waiter.woken.acquire(timeout=seconds(timeout)):
                return True
        except BaseException:
            if not self._leave(waiter):
                self._give_back(n)
            raise
        return not self._leave(waiter)

    def try_acquire(self, n: int = 1) -> bool:
        """Take ``n`` units if they are free and nobody waits, and say whether.

        It never waits, and never overtakes who does.

        Raises:
          ValueError: ``n`` is negative.

        Clauses: SM-05.
        """
        if n < 0:
            msg = f"a semaphore can't lend {n} units"
            raise ValueError(msg)
        with self._lock:
            if n > self._free or self._waiters:
                return False
            self._free -= n
            return True

    def release(self, n: int = 1) -> None:
        """Give ``n`` units back, and let in as many waiters as now fit, in their order.

        Any thread may do so, also one that acquired nothing.

        Raises:
          ValueError: ``n`` is negative, or more than is held. Nothing has changed.

        Clauses: SM-06, SM-09, UN-03.
        """
        with self._lock:
            if not 0 <= n <= self._size - self._free:
                held = self._size - self._free
                msg = f"{n} units can't be released: {held} are held"
                raise ValueError(msg)
            self._free += n
            if self._waiters:
                self._let_in()

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.release()

    def _let_in(self) -> None:
        """Grant units to those at the head of the queue who fit. The lock is held."""
        while self._waiters and self._waiters[0].n <= self._free:
            waiter = self._waiters.popleft()
            # Taken here, by the waker: a newcomer who gets the lock before the woken thread
            # runs finds them gone.
            self._free -= waiter.n
            waiter.granted = True
            waiter.woken.release()

    def _give_back(self, n: int) -> None:
        """Undo a grant of which the caller never heard."""
        with self._lock:
            # No more than the size: a thread that did not wait for the caller to return may
            # have released them already.
            self._free = min(self._size, self._free + n)
            self._let_in()

    def _leave(self, waiter: _Waiter) -> bool:
        """Give up waiting, unless the units were granted meanwhile; says whether it did."""
        with self._lock:
            if waiter.granted:
                return False
            if waiter.n <= self._size:
                self._waiters.remove(waiter)
                # It may have been what held the others back.
                self._let_in()
            return True
