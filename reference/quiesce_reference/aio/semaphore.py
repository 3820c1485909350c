"""Semaphore: a number of units that tasks take and give back, first come, first served.

After Go's golang.org/x/sync/semaphore: weighted, and a request that waits holds back everybody
behind it, so a big one is not starved by small ones.

Tasks of one event loop only, so there is no lock: what lies between two awaits is atomic.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NoReturn, final

import anyio
import anyio.lowlevel

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Semaphore"]


class _Waiter:
    """A task that waits for ``n`` units."""

    __slots__ = ("granted", "n")

    def __init__(self, n: int) -> None:
        self.n = n
        self.granted = anyio.Event()


@final
class Semaphore:
    """``size`` units. Any number of tasks may call any method; nobody owns a unit.

    ``async with semaphore:`` takes one unit and gives it back.

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
        self._free = size
        # At each await the first waiter does not fit: whoever frees units, or leaves the head of
        # the queue, lets in those who now do.
        self._waiters: deque[_Waiter] = deque()

    async def acquire(self, n: int = 1) -> None:
        """Take ``n`` units, or wait until they are free and all who came earlier have theirs.

        If they are free it returns at once, and other tasks don't run in between. A request for
        more than the size never succeeds and holds nobody back: it lasts until it is cancelled.

        A cancelled call has taken nothing, and those behind it move up; units that were granted
        to it meanwhile go to them. Under a scope that is cancelled already it fails at once,
        also if the units are free. An asyncio ``Task.cancel()`` that has not been raised yet
        can't be seen here: with free units it is raised at the task's next await.

        Raises:
          ValueError: ``n`` is negative.

        Clauses: SM-01 to SM-04, SM-07, SM-08, UN-03, UN-04.
        """
        if n < 0:
            msg = f"a semaphore can't lend {n} units"
            raise ValueError(msg)
        await anyio.lowlevel.checkpoint_if_cancelled()
        if n <= self._free and not self._waiters:
            self._free -= n
            return
        if n > self._size:
            await _wait_for_ever()
        waiter = _Waiter(n)
        self._waiters.append(waiter)
        try:
            # Units are granted before the task is woken: nobody can take them in between.
            await waiter.granted.wait()
        except BaseException:
            if waiter.granted.is_set():
                # The cancellation was faster than we were. No more than the size: a task that
                # did not wait for us to return may have released them already.
                self._free = min(self._size, self._free + n)
            else:
                self._waiters.remove(waiter)
            # Also if nothing came back: it may have been what held the others back.
            self._let_in()
            raise

    def try_acquire(self, n: int = 1) -> bool:
        """Take ``n`` units if they are free and nobody waits, and say whether.

        It never overtakes who waits.

        Raises:
          ValueError: ``n`` is negative.

        Clauses: SM-05.
        """
        if n < 0:
            msg = f"a semaphore can't lend {n} units"
            raise ValueError(msg)
        if n > self._free or self._waiters:
            return False
        self._free -= n
        return True

    def release(self, n: int = 1) -> None:
        """Give ``n`` units back, and let in as many waiters as now fit, in their order.

        Any task may do so, also one that acquired nothing.

        Raises:
          ValueError: ``n`` is negative, or more than is held. Nothing has changed.

        Clauses: SM-06, SM-09, UN-03.
        """
        if not 0 <= n <= self._size - self._free:
            msg = f"{n} units can't be released: {self._size - self._free} are held"
            raise ValueError(msg)
        self._free += n
        self._let_in()

    async def __aenter__(self) -> None:
        await self.acquire()

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.release()

    def _let_in(self) -> None:
        """Grant units to those at the head of the queue who fit."""
        while self._waiters and self._waiters[0].n <= self._free:
            waiter = self._waiters.popleft()
            self._free -= waiter.n
            waiter.granted.set()


async def _wait_for_ever() -> NoReturn:
    while True:
        await anyio.Event().wait()  # not sleep: no timer for what has no end
