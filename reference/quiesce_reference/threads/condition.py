"""Condition: threads that wait, under a lock, until another tells them to look again.

After Python's ``threading.Condition``, with its lock built in. We deviate in one place: whether
a waiter was notified or timed out is decided only once it has the lock back, so a notification
is never spent on a thread that has given up.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, final

from quiesce_reference.threads.durations import seconds

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

__all__ = ["Condition"]


class _Waiter:
    """A thread that waits."""

    __slots__ = ("notified", "woken")

    def __init__(self) -> None:
        self.notified = False  # protected by the condition's lock
        # A lock that is held until the waiter is notified: the cheapest thing that a single
        # thread can wait for with a time-out.
        self.woken = threading.Lock()
        self.woken.acquire()


@final
class Condition:
    """A lock, and the threads that wait for something to change under it.

    ``with condition:`` holds the lock. Only one thread at a time does; which of those that want
    it gets it next is not promised. It can't be taken twice by one thread.

    Clauses: CO-01, CO-04, UN-03, UN-10.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Protected by _lock. _owner is the thread that holds it: reading it without the lock is
        # fine, since a thread finds its own number there only if it wrote it itself.
        self._owner: int | None = None
        self._waiters: deque[_Waiter] = deque()

    def __enter__(self) -> None:
        if self._owner == threading.get_ident():
            msg = "the thread holds the condition's lock already"
            raise RuntimeError(msg)
        self._lock.acquire()
        self._owner = threading.get_ident()

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._owner = None
        self._lock.release()

    def wait(self, *, timeout: int | None = None) -> bool:
        """Give the lock up, wait to be notified, and take the lock again.

        However it ends, also by the time-out or by an exception (``KeyboardInterrupt``), it ends
        with the lock held. Something may have changed again since the notification, so look
        before you act; ``wait_for`` does.

        Args:
          timeout: how long to wait for the notification, in nanoseconds; None means for ever, 0
            or less not at all. Having the lock back may take longer.

        Returns:
          Whether it was notified: False only after the time-out. A notification that comes after
          the time-out but before the lock is back still counts, so it is not lost.

        Raises:
          RuntimeError: the thread does not hold the lock. Nothing has changed.

        Clauses: CO-01, CO-02, CO-03, CO-04, UN-03, UN-04.
        """
        self._check("wait")
        waiter = _Waiter()
        # In the queue before the lock is given up: whoever notifies needs the lock, so no
        # notification can fall in between.
        self._waiters.append(waiter)
        self.__exit__(None, None, None)
        try:
            if timeout is None:
                waiter.woken.acquire()
            else:
                waiter.woken.acquire(timeout=seconds(timeout))
        except BaseException:
            self.__enter__()
            if waiter.notified:
                self.notify()  # it was meant for somebody who goes on
            else:
                self._waiters.remove(waiter)
            raise
        self.__enter__()
        # Under the lock, where nobody can notify: decided once, for both sides.
        if not waiter.notified:
            self._waiters.remove(waiter)
        return waiter.notified

    def wait_for(self, predicate: Callable[[], object], *, timeout: int | None = None) -> bool:
        """Wait until ``predicate()`` is true; it is called under the lock.

        Returns:
          Whether it became true within ``timeout`` nanoseconds.

        Raises:
          RuntimeError: the thread does not hold the lock.

        Clauses: CO-01, CO-03, CO-04, CO-05.
        """
        self._check("wait")
        deadline = None if timeout is None else time.monotonic_ns() + timeout
        left = timeout
        while not predicate():
            if left is not None and left <= 0:
                return False
            self.wait(timeout=left)
            if deadline is not None:
                left = deadline - time.monotonic_ns()
        return True

    def notify(self, n: int = 1) -> None:
        """Wake the ``n`` threads that have waited longest, or all if fewer wait.

        They go on once they have the lock, so not before the caller gives it up.

        Raises:
          RuntimeError: the thread does not hold the lock. Nobody was woken.

        Clauses: CO-02, CO-04, CO-06.
        """
        self._check("notify")
        while n > 0 and self._waiters:
            waiter = self._waiters.popleft()
            waiter.notified = True
            waiter.woken.release()
            n -= 1

    def notify_all(self) -> None:
        """Wake all threads that wait.

        Raises:
          RuntimeError: the thread does not hold the lock. Nobody was woken.

        Clauses: CO-02, CO-04.
        """
        self.notify(len(self._waiters))

    def _check(self, what: str) -> None:
        if self._owner != threading.get_ident():
            msg = f"to {what}, a thread must hold the condition's lock"
            raise RuntimeError(msg)
