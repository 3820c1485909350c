"""RWLock: many tasks read, or one writes.

The shape follows Go's sync.RWMutex, with its two rules against starvation: a waiting writer
holds back new readers, and when a writer leaves, the readers that waited for it get in before
the next writer. It has no owner: anybody may give back what a task holds.

Tasks of one event loop only, so there is no inner lock: what lies between two awaits is atomic.
"""

from __future__ import annotations

from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, final

import anyio

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["RWLock"]


@final
class RWLock:
    """A lock that any number of readers hold, or one writer.

    Any number of tasks may use it. Don't read again inside a read: if a writer has come in
    between, the inner read waits for it, and it for the outer one. A reader can't become a
    writer without giving its lock back first.

    Clauses: RW-01, UN-10.
    """

    def __init__(self) -> None:
        # Whoever waits has a turn of its own, set when it has the lock: everything is decided
        # by whom it comes from, so nobody looks again on waking.
        self._readers = 0  # tasks that read now
        self._writing = False
        self._waiting_readers: list[anyio.Event] = []  # only behind a writer
        self._waiting_writers: deque[anyio.Event] = deque()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """Hold the lock as a reader inside an ``async with`` block."""
        await self.acquire_read()
        try:
            yield
        finally:
            self.release_read()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """Hold the lock as the writer inside an ``async with`` block."""
        await self.acquire_write()
        try:
            yield
        finally:
            self.release_write()

    async def acquire_read(self) -> None:
        """Take the lock to read; wait while a writer holds it or waits for it.

        Where it need not wait it passes no checkpoint. Cancelling a waiter leaves nothing
        behind: if the lock was handed to it already, it is given back.

        Clauses: RW-01, RW-02, UN-04.
        """
        if self._is_readable():
            self._readers += 1
            return
        turn = anyio.Event()
        self._waiting_readers.append(turn)
        try:
            await turn.wait()
        except BaseException:
            if turn.is_set():
                self.release_read()
            else:
                self._waiting_readers.remove(turn)
            raise

    def try_acquire_read(self) -> bool:
        """Take the lock to read if no writer holds it or waits for it; say whether it is so.

        Clauses: RW-05.
        """
        if not self._is_readable():
            return False
        self._readers += 1
        return True

    def release_read(self) -> None:
        """Give back what a reader holds; the last one lets the next writer in.

        Raises:
          RuntimeError: nobody reads. Nothing has changed.

        Clauses: RW-04.
        """
        if not self._readers:
            msg = "release_read() of a lock that no reader holds"
            raise RuntimeError(msg)
        self._readers -= 1
        if not self._readers and self._waiting_writers:
            self._next_writer()

    async def acquire_write(self) -> None:
        """Take the lock to write; wait while anybody holds it. Writers go in order.

        Where it need not wait it passes no checkpoint. Cancelling a waiter leaves nothing
        behind: readers that it alone held back get in.

        Clauses: RW-01, RW-02, UN-04.
        """
        if not self._readers and not self._writing:
            self._writing = True
            return
        turn = anyio.Event()
        self._waiting_writers.append(turn)
        try:
            await turn.wait()
        except BaseException:
            if turn.is_set():
                self.release_write()
            else:
                self._waiting_writers.remove(turn)
                if self._is_readable():
                    self._let_readers_in()
            raise

    def try_acquire_write(self) -> bool:
        """Take the lock to write if nobody holds it; say whether it is so.

        Clauses: RW-05.
        """
        if self._readers or self._writing:
            return False
        self._writing = True
        return True

    def release_write(self) -> None:
        """Give back what the writer holds: to all readers that wait, or else to a writer.

        Raises:
          RuntimeError: nobody writes. Nothing has changed.

        Clauses: RW-03, RW-04.
        """
        if not self._writing:
            msg = "release_write() of a lock that no writer holds"
            raise RuntimeError(msg)
        self._writing = False
        if self._waiting_readers:
            self._let_readers_in()
        elif self._waiting_writers:
            self._next_writer()

    def _is_readable(self) -> bool:
        return not self._writing and not self._waiting_writers

    def _let_readers_in(self) -> None:
        self._readers += len(self._waiting_readers)
        for turn in self._waiting_readers:
            turn.set()
        self._waiting_readers.clear()

    def _next_writer(self) -> None:
        self._writing = True
        self._waiting_writers.popleft().set()
