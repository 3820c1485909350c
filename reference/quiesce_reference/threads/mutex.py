"""Mutex: a lock that threads get in the order in which they came.

The shape follows Go's sync.Mutex: it has no owner, and anybody may release it. It differs from
``threading.Lock``, on which it is built, in one thing: that lock, when it is released, goes to
whichever thread runs next, so a thread can wait for ever while others come and go. This one is
handed to the thread that has waited longest. Releasing a free lock is an error in both.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Mutex"]


@final
class Mutex:
    """A lock that at most one holds, first come, first served.

    Any number of threads may use it at the same time. It is a context manager. A thread that
    acquires it again while it holds it waits for itself, as with ``threading.Lock``.

    Clauses: MX-01, MX-02, MX-05 (anybody unlocks; locking again blocks), UN-10.
    """

    def __init__(self) -> None:
        # Held for a few statements at a time, so that even try_acquire may wait for it.
        self._lock = threading.Lock()
        # Protected by _lock. Nobody waits while the mutex is free.
        self._held = False
        self._turns: deque[threading.Lock] = deque()  # one a waiter, held until it is its turn

    def acquire(self) -> None:
        """Take the lock; wait for it behind all who wait already.

        An exception that interrupts the wait, such as ``KeyboardInterrupt``, leaves nothing
        behind: the thread no longer waits, and if the lock was handed to it, it is passed on.

        Clauses: MX-01, MX-06.
        """
        with self._lock:
            if not self._held:
                self._held = True
                return
            turn = threading.Lock()
            turn.acquire()
            self._turns.append(turn)
        try:
            turn.acquire()  # until release() releases it: then the mutex is ours
        except BaseException:
            self._give_up(turn)
            raise

    def try_acquire(self) -> bool:
        """Take the lock if it is free, and say whether it was. Never waits for it.

        Clauses: MX-03.
        """
        with self._lock:
            if self._held:
                return False
            self._held = True
            return True

    def release(self) -> None:
        """Give the lock up: to the thread that has waited longest, if there is one.

        It is handed over in that moment, so nobody who comes later can overtake.

        Raises:
          RuntimeError: the lock is free. Nothing has changed.

        Clauses: MX-02, MX-04, MX-06.
        """
        with self._lock:
            if not self._held:
                msg = "release() of a mutex that nobody holds"
                raise RuntimeError(msg)
            if self._turns:
                self._turns.popleft().release()  # _held stays true: it is the waiter's now
            else:
                self._held = False

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def _give_up(self, turn: threading.Lock) -> None:
        with self._lock:
            if turn in self._turns:
                self._turns.remove(turn)
                return
        self.release()  # it was handed to us before we could leave the queue
