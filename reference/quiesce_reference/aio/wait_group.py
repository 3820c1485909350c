"""WaitGroup: wait until a number of things are done.

The shape follows Go's sync.WaitGroup. We deviate in four places, all said below: a delta that leads
below zero changes nothing, a new round may begin at any time, a function of ``go`` counts on its
own account, and what it raises is told to those who wait, where Go ends the process.

Tasks of one event loop only, so there is no lock: what lies between two awaits is atomic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import anyio

from quiesce_reference.round import Round

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
        # The counter is the sum of the two.
        self._added = 0
        self._functions = 0  # that run
        self._round = Round(ended=True)  # the one that runs, or the last one
        self._zero: anyio.Event | None = None  # its end, if anybody has asked for it

    def add(self, n: int = 1) -> None:
        """Add ``n``, which may be negative, to the counter; release all waiters at zero.

        Raises:
          ValueError: more is done than was added. Functions of ``go`` don't count here: theirs
            is not to be taken by others. Nothing has changed.

        Clauses: WG-02 to WG-05.
        """
        if self._added + n < 0:
            msg = f"add({n}) where {self._added} is to be done: more is done than was added"
            raise ValueError(msg)
        self._count(added=n)

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
        self._count(functions=+1)
        try:
            # A task of a task group always begins: it is cancelled at its first checkpoint at
            # the earliest, so _run gets to its finally.
            tasks.start_soon(self._run, fn)
        except BaseException:  # the task group is closed
            self._count(functions=-1)
            raise

    async def wait(self) -> None:
        """Wait until the counter is zero. Returns at once, without a checkpoint, if it is.

        Cancelling a waiter changes nothing for anybody else.

        Raises:
          ExceptionGroup: what functions of ``go`` have raised in this round, and in earlier
            ones for which nobody waited.

        Clauses: WG-01, WG-02, WG-05, WG-08.
        """
        waited_for = self._round
        if not waited_for.ended:
            if self._zero is None:
                self._zero = anyio.Event()
            waited_for.waiters += 1
            try:
                await self._zero.wait()
            finally:
                waited_for.waiters -= 1
        waited_for.raise_errors()

    async def _run(self, fn: Callable[[], Awaitable[object]]) -> None:
        try:
            await fn()
        except Exception as error:
            self._round.errors.append(error)
        finally:
            self._count(functions=-1)

    def _count(self, *, added: int = 0, functions: int = 0) -> None:
        was_zero = not self._added and not self._functions
        self._added += added
        self._functions += functions
        is_zero = not self._added and not self._functions
        if was_zero and not is_zero:
            # Waiters of the old round hold on to it, so the new one can't keep them.
            self._round = self._round.next()
        elif is_zero and not was_zero:
            self._round.end()
            if self._zero is not None:
                self._zero.set()
                self._zero = None
