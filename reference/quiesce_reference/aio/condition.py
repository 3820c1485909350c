"""Condition: tasks that wait, under a lock, until another tells them to look again.

Tasks of one event loop only: what lies between two awaits is atomic. The lock is there for
callers who await while they hold it.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, final

import anyio
import anyio.lowlevel

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

__all__ = ["Condition"]


@final
class Condition:
    """A lock, and the tasks that wait for something to change under it.

    ``async with condition:`` holds the lock. Only one task at a time does, in the order in which
    they asked. It can't be taken twice by one task.

    Clauses: CO-01, CO-04, UN-03, UN-10.
    """

    def __init__(self) -> None:
        self._lock = anyio.Lock(fast_acquire=True)
        self._owner: int | None = None  # id of the task that holds the lock
        self._waiters: deque[anyio.Event] = deque()

    async def __aenter__(self) -> None:
        await self._lock.acquire()
        self._owner = anyio.get_current_task().id

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._release()

    async def wait(self) -> None:
        """Give the lock up, wait to be notified, and take the lock again.

        However it ends, it ends with the lock held: a cancelled call waits for the lock, so that
        leaving ``async with`` works, and raises its cancellation then. If it had been notified,
        the notification goes to the task that has waited longest of the others. Something may
        have changed again since the notification, so look before you act; ``wait_for`` does.

        Raises:
          RuntimeError: the task does not hold the lock. Nothing has changed.

        Clauses: CO-01, CO-02, CO-03, CO-04, UN-03, UN-04.
        """
        self._check("wait")
        notified = anyio.Event()
        self._waiters.append(notified)
        self._release()
        try:
            try:
                await notified.wait()
            finally:
                await self._take_again()
            # A scope that was cancelled while the shield was up shows only here. Without this,
            # the caller's next await would raise, and its notification be spent for nothing.
            await anyio.lowlevel.checkpoint_if_cancelled()
        except BaseException:
            # Only now, under the lock: a notification that came while we waited for it counts.
            if notified.is_set():
                self.notify()
            else:
                self._waiters.remove(notified)
            raise

    async def wait_for(self, predicate: Callable[[], object]) -> None:
        """Wait until ``predicate()`` is true; it is called under the lock.

        Raises:
          RuntimeError: the task does not hold the lock.

        Clauses: CO-01, CO-03, CO-04, CO-05.
        """
        self._check("wait")
        while not predicate():
            await self.wait()

    def notify(self, n: int = 1) -> None:
        """Wake the ``n`` tasks that have waited longest, or all if fewer wait.

        They go on once they have the lock, so not before the caller gives it up.

        Raises:
          RuntimeError: the task does not hold the lock. Nobody was woken.

        Clauses: CO-02, CO-04, CO-06.
        """
        self._check("notify")
        while n > 0 and self._waiters:
            self._waiters.popleft().set()
            n -= 1

    def notify_all(self) -> None:
        """Wake all tasks that wait.

        Raises:
          RuntimeError: the task does not hold the lock. Nobody was woken.

        Clauses: CO-02, CO-04.
        """
        self.notify(len(self._waiters))

    def _release(self) -> None:
        self._owner = None
        self._lock.release()

    async def _take_again(self) -> None:
        """Take the lock whatever happens; a cancellation that comes meanwhile is raised then."""
        cancellation: BaseException | None = None
        while self._owner != anyio.get_current_task().id:
            try:
                # A scope's cancellation is kept out by the shield. asyncio's Task.cancel() is
                # not, but is raised only once.
                with anyio.CancelScope(shield=True):
                    await self.__aenter__()
            except anyio.get_cancelled_exc_class() as error:
                cancellation = error
        if cancellation is not None:
            raise cancellation

    def _check(self, what: str) -> None:
        if self._owner != anyio.get_current_task().id:
            msg = f"to {what}, a task must hold the condition's lock"
            raise RuntimeError(msg)
