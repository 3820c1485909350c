"""Capacity limiter: units that are lent to threads, one to each, and how many may change.

After trio's CapacityLimiter: a semaphore that knows who has its units, so that a mistake is an
error at once, and whose size can be changed while it is in use.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, final

from quiesce_reference.threads.durations import seconds

if TYPE_CHECKING:
    from collections.abc import Hashable
    from types import TracebackType

__all__ = ["CapacityLimiter"]


class _Waiter:
    """A thread that waits for a unit."""

    __slots__ = ("borrower", "woken")

    def __init__(self, borrower: Hashable) -> None:
        self.borrower = borrower
        # A lock that is held until the unit is granted: the cheapest thing that a single thread
        # can wait for with a time-out.
        self.woken = threading.Lock()
        self.woken.acquire()


@final
class CapacityLimiter:
    """``total`` units. Any number of threads may call any method.

    The borrower of a unit is the calling thread, unless another one is named: any hashable
    object. ``with limiter:`` borrows a unit for the thread and gives it back.

    Args:
      total: how many units there are, 0 or more.

    Raises:
      ValueError: the total is negative.

    Clauses: SM-11, UN-06, UN-10.
    """

    def __init__(self, total: int) -> None:
        # Held for a few statements at a time, never while a thread waits.
        self._lock = threading.Lock()
        # Protected by _lock. Whenever it is free, nobody waits who could have a unit.
        self._total = _checked(total)
        self._borrowers: set[Hashable] = set()
        self._waiters: deque[_Waiter] = deque()

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
        with self._lock:
            self._total = _checked(total)
            self._let_in()

    def acquire(self, borrower: Hashable = None, *, timeout: int | None = None) -> bool:
        """Borrow a unit, or wait until one is free and all who came earlier have theirs.

        A call that times out, or is interrupted by an exception (``KeyboardInterrupt``), has
        borrowed nothing.

        Args:
          borrower: whose unit it is; None means the calling thread.
          timeout: how long to wait, in nanoseconds; None means for ever, 0 or less not at all.

        Returns:
          Whether the unit was borrowed: False only after the time-out.

        Raises:
          RuntimeError: the borrower has a unit, or waits for one. Nothing has changed.

        Clauses: SM-11 to SM-15, UN-03, UN-04.
        """
        borrower = threading.get_ident() if borrower is None else borrower
        with self._lock:
            if self._borrow(borrower):
                return True
            if any(waiter.borrower == borrower for waiter in self._waiters):
                msg = f"{borrower!r} waits for a unit already"
                raise RuntimeError(msg)
            waiter = _Waiter(borrower)
            self._waiters.append(waiter)
        try:
            # The unit is lent before the thread is woken: nobody can take it in between.
            if timeout is None:
                waiter.woken.acquire()
                return True
            if waiter.woken.acquire(timeout=seconds(timeout)):
                return True
        except BaseException:
            if not self._leave(waiter):
                self.release(borrower)  # lent meanwhile: not ours to keep
            raise
        return not self._leave(waiter)

    def try_acquire(self, borrower: Hashable = None) -> bool:
        """Borrow a unit if one is free and nobody waits, and say whether; it never waits.

        Raises:
          RuntimeError: the borrower has a unit. Nothing has changed.

        Clauses: SM-11, SM-12.
        """
        with self._lock:
            return self._borrow(threading.get_ident() if borrower is None else borrower)

    def release(self, borrower: Hashable = None) -> None:
        """Give the borrower's unit back, and let the next waiter in.

        Raises:
          RuntimeError: the borrower has no unit. Nothing has changed.

        Clauses: SM-11, SM-12, SM-14, UN-03.
        """
        borrower = threading.get_ident() if borrower is None else borrower
        with self._lock:
            if borrower not in self._borrowers:
                msg = f"{borrower!r} has no unit to give back"
                raise RuntimeError(msg)
            self._borrowers.remove(borrower)
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

    def _borrow(self, borrower: Hashable) -> bool:
        """Borrow a unit if one is free and nobody waits. The lock is held."""
        if borrower in self._borrowers:
            msg = f"{borrower!r} has a unit already"
            raise RuntimeError(msg)
        if self._waiters or len(self._borrowers) >= self._total:
            return False
        self._borrowers.add(borrower)
        return True

    def _let_in(self) -> None:
        """Lend the free units to those who have waited longest. The lock is held."""
        while self._waiters and len(self._borrowers) < self._total:
            waiter = self._waiters.popleft()
            # Lent here, by the waker: a newcomer who gets the lock before the woken thread runs
            # finds it gone.
            self._borrowers.add(waiter.borrower)
            waiter.woken.release()

    def _leave(self, waiter: _Waiter) -> bool:
        """Give up waiting, unless the unit was lent meanwhile; says whether it did."""
        with self._lock:
            if waiter not in self._waiters:
                return False
            self._waiters.remove(waiter)
            return True


def _checked(total: int) -> int:
    if total < 0:
        msg = f"a limiter can't have {total} units"
        raise ValueError(msg)
    return total
