"""Mutex: a lock that tasks get in the order in which they came.

The shape follows Go's sync.Mutex: it has no owner, and anybody may release it. That is what
``anyio.Lock`` does not offer, where only the task that took the lock can release it.

Tasks of one event loop only, so there is no inner lock: what lies between two awaits is atomic.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, final

import anyio

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Mutex"]


@final
class Mutex:
    """A lock that at most one holds, first come, first served.

    Any number of tasks may use it. It is an async context manager. A task that acquires it
    again while it holds it waits for itself, until somebody else releases it.

    Clauses: MX-01, MX-02, MX-05 (anybody unlocks; locking again blocks), UN-10.
    """

    def __init__(self) -> None:
        # Nobody waits while the mutex is free.
        self._held = False
        self._turns: deque[anyio.Event] = deque()  # one a waiter, set when it is its turn

    async def acquire(self) -> None:
        """Take the lock; wait for it behind all who wait already.

        A free lock is taken without a checkpoint. Cancelling a waiter leaves nothing behind:
        it no longer waits, and if the lock was handed to it, it is passed on.

        Clauses: MX-01, MX-06, MX-07.
        """
        if not self._held:
            self._held = True
            return
        turn = anyio.Event()
        self._turns.append(turn)
        try:
            await turn.wait()  # until release() sets it: then the mutex is ours
        except BaseException:
            if turn.is_set():
                self.release()
            else:
                self._turns.remove(turn)
            raise

    def try_acquire(self) -> bool:
        """Take the lock if it is free, and say whether it was.

        Clauses: MX-03.
        """
        if self._held:
            return False
        self._held = True
        return True

    def release(self) -> None:
        """Give the lock up: to the task that has waited longest, if there is one.

        It is handed over in that moment, so nobody who comes later can overtake.

        Raises:
          RuntimeError: the lock is free. Nothing has changed.

        Clauses: MX-02, MX-04, MX-06.
        """
        if not self._held:
            msg = "release() of a mutex that nobody holds"
            raise RuntimeError(msg)
        if self._turns:
            self._turns.popleft().set()  # _held stays true: it is the waiter's now
        else:
            self._held = False

    async def __aenter__(self) -> None:
        await self.acquire()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
