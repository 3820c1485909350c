"""Capacity limiter: units that are lent to tasks, one to each, and how many may change.

After trio's CapacityLimiter: a semaphore that knows who has its units, so that a mistake is an
error at once, and whose size can be changed while it is in use.

Tasks of one event loop only, so there is no lock: what lies between two awaits is atomic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import anyio
import anyio.lowlevel

if TYPE_CHECKING:
    from collections.abc import Hashable
    from types import TracebackType

__all__ = ["CapacityLimiter"]


@final
class CapacityLimiter:
    """``total`` units. Any number of tasks may call any method.

    The borrower of a unit is the calling task, unless another one is named: any hashable object.
    ``async with limiter:`` borrows a unit for the task and gives it back.

    Args:
      total: how many units there are, 0 or more.

    Raises:
      ValueError: the total is negative.

    Clauses: SM-11, UN-06, UN-10.
    """

    def __init__(self, total: int) -> None:
        # At each await nobody waits who could have a unit.
        self._total = _checked(total)
        self._borrowers: set[Hashable] = set()
        self._waiters: dict[Hashable, anyio.Event] = {}  # by borrower, in their order

    @property
    def total(self) -> int:
        """How many units there are.

        Raising it lets waiters in. Lowering it revokes nothing: no unit is lent until enough
        have come back. Setting a negative one raises ValueError.

        Clauses: SM-10.
        """
        return self._total

    @total.setter
    def total(self, total: int) -> None:
        self._total = _checked(total)
        self._let_in()

    async def acquire(self, borrower: Hashable = None) -> None:
        """Borrow a unit, or wait until one is free and all who came earlier have theirs.

        If one is free it returns at once, and other tasks don't run in between. A cancelled call
        has borrowed nothing; a unit that was lent to it meanwhile goes to the next waiter.
        Under a scope that is cancelled already it fails at once, also if a unit is free.

        Args:
          borrower: whose unit it is; None means the calling task.

        Raises:
          RuntimeError: the borrower has a unit, or waits for one. Nothing has changed.

        Clauses: SM-11 to SM-15, UN-03, UN-04.
        """
        await anyio.lowlevel.checkpoint_if_cancelled()
        borrower = anyio.get_current_task().id if borrower is None else borrower
        if self._borrow(borrower):
            return
        if borrower in self._waiters:
            msg = f"{borrower!r} waits for a unit already"
            raise RuntimeError(msg)
        lent = self._waiters[borrower] = anyio.Event()
        try:
            # The unit is lent before the task is woken: nobody can take it in between.
            await lent.wait()
        except BaseException:
            if lent.is_set():
                self.release(borrower)  # the cancellation was faster than we were
            else:
                del self._waiters[borrower]
            raise

    def try_acquire(self, borrower: Hashable = None) -> bool:
        """Borrow a unit if one is free and nobody waits, and say whether.

        Raises:
          RuntimeError: the borrower has a unit. Nothing has changed.

        Clauses: SM-11, SM-12.
        """
        return self._borrow(anyio.get_current_task().id if borrower is None else borrower)

    def release(self, borrower: Hashable = None) -> None:
        """Give the borrower's unit back, and let the next waiter in.

        Raises:
          RuntimeError: the borrower has no unit. Nothing has changed.

        Clauses: SM-11, SM-12, SM-14, UN-03.
        """
        borrower = anyio.get_current_task().id if borrower is None else borrower
        if borrower not in self._borrowers:
            msg = f"{borrower!r} has no unit to give back"
            raise RuntimeError(msg)
        self._borrowers.remove(borrower)
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

    def _borrow(self, borrower: Hashable) -> bool:
        """Borrow a unit if one is free and nobody waits."""
        if borrower in self._borrowers:
            msg = f"{borrower!r} has a unit already"
            raise RuntimeError(msg)
        if self._waiters or len(self._borrowers) >= self._total:
            return False
        self._borrowers.add(borrower)
        return True

    def _let_in(self) -> None:
        """Lend the free units to those who have waited longest."""
        while self._waiters and len(self._borrowers) < self._total:
            borrower = next(iter(self._waiters))
            self._borrowers.add(borrower)
            self._waiters.pop(borrower).set()


def _checked(total: int) -> int:
    if total < 0:
        msg = f"a limiter can't have {total} units"
        raise ValueError(msg)
    return total
