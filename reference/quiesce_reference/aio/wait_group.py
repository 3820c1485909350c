"""WaitGroup: wait until a number of things are done.

The shape follows Go's sync.WaitGroup. We deviate in three places, all said below: a delta that
leads below zero changes nothing, a new round may begin at any time, and what a function of
``go`` raises is told to those who wait, where Go ends the process.

Tasks of one event loop only, so there is no lock: what lies between two awaits is atomic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import anyio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from anyio.abc import TaskGroup

__all__ = ["WaitGroup"]


@final
class WaitGroup:
    """A counter, and tasks that wait until it is zero.

    Any number of tasks may use it. A *round* begins when the counter rises from zero and ends
    when it is zero again.

    Clauses: WG-04, UN-10.
    """

    def __init__(self) -> None:
        self._count = 0
        self._zero: anyio.Event | None = None  # set at the end of the round, if somebody waits
        # Of functions, not yet told to anybody or told at the end of the last round.
        self._errors: list[Exception] = []
        self._told = False

    def add(self, n: int = 1) -> None:
        """Add ``n``, which may be negative, to the counter; release all waiters at zero.

        Raises:
          ValueError: the counter would go below zero. Nothing has changed.

        Clauses: WG-02 to WG-05.
        """
        count = self._count + n
        if count < 0:
            msg = f"add({n}) to a counter of {self._count}: more is done than was added"
            raise ValueError(msg)
        if not self._count and count and self._told:
            # A new list: who was released and has not run yet still has the old one.
            self._errors, self._told = [], False
        self._count = count
        if not count and self._zero is not None:
            # A new round makes a new event, so it can't keep those who are released here.
            self._zero.set()
            self._zero, self._told = None, True

    def done(self) -> None:
        """Take one from the counter. See ``add``."""
        self.add(-1)

    def go(self, tasks: TaskGroup, fn: Callable[[], Awaitable[object]]) -> None:
        """Run ``fn`` as a task, counted from before ``go`` returns until it ends.

        The task lives in ``tasks``, whose cancellation reaches it; that ends it, and is no
        error. An ``Exception`` of ``fn`` does not reach ``tasks``: it goes to all who wait for
        the round, or else to the first who wait later.

        Clauses: WG-06, WG-07, UN-05.
        """
        self.add()
        try:
            tasks.start_soon(self._run, fn)
        except BaseException:  # the task group is closed
            self.done()
            raise

    async def wait(self) -> None:
        """Wait until the counter is zero. Returns at once, without a checkpoint, if it is.

        Cancelling a waiter changes nothing for anybody else.

        Raises:
          ExceptionGroup: what functions of ``go`` have raised in this round, and in earlier
            ones for which nobody waited.

        Clauses: WG-01, WG-02, WG-05, WG-08.
        """
        errors = self._errors
        if self._count:
            if self._zero is None:
                self._zero = anyio.Event()
            await self._zero.wait()
        self._told = True
        if errors:
            msg = "functions of a wait group failed"
            raise ExceptionGroup(msg, list(errors))

    async def _run(self, fn: Callable[[], Awaitable[object]]) -> None:
        try:
            await fn()
        except Exception as error:
            self._errors.append(error)
        finally:
            self.done()
