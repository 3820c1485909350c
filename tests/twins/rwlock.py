"""Known-bad read-write locks: each a good one with a single planted defect.

The good ones come first and conform: one for threads over a condition, and one for asyncio with a
future for each waiter.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

import quiesce

PATTERN = "rwlock"
THREADS = {"world": "threads"}
AIO = {"world": "asyncio", "lacks": {"try", "anyone"}}

Work = Callable[[], object]
AsyncWork = Callable[[], Awaitable[object]]


@quiesce.adapter(PATTERN, name="rw_good_threads", **THREADS)
class RWLock:
    """Who waits holds a ticket, and goes on once it is in no queue."""

    def __init__(self) -> None:
        self.changed = threading.Condition(threading.Lock())
        self.readers = 0
        self.writing = False
        self.waiting_readers: list[object] = []
        self.waiting_writers: list[object] = []

    def read(self, work: Work) -> object:
        with self.changed:
            if self.readable():
                self.readers += 1
            else:
                self.wait_in(self.waiting_readers)
        try:
            return work()
        finally:
            self.release_read()

    def write(self, work: Work) -> object:
        with self.changed:
            if self.writable():
                self.writing = True
            else:
                self.wait_in(self.waiting_writers)
        try:
            return work()
        finally:
            self.release_write()

    def try_read(self, work: Work) -> tuple[bool, object]:
        with self.changed:
            if not self.readable_at_once():
                return False, None
            self.readers += 1
        try:
            return True, work()
        finally:
            self.release_read()

    def try_write(self, work: Work) -> tuple[bool, object]:
        with self.changed:
            if not self.writable():
                return False, None
            self.writing = True
        try:
            return True, work()
        finally:
            self.release_write()

    def release_read(self) -> None:
        with self.changed:
            if self.readers:
                self.readers -= 1
            else:
                self.misused()
            if not self.readers and not self.writing:
                self.next_writer()

    def release_write(self) -> None:
        with self.changed:
            if self.writing:
                self.writing = False
            else:
                self.misused()
            if not self.writing and not self.readers:
                self.after_write()

    def wait_in(self, queue: list[object]) -> None:
        ticket = object()
        queue.append(ticket)
        while ticket in queue:
            self.changed.wait()

    def readable(self) -> bool:
        return not self.writing and not self.waiting_writers

    def readable_at_once(self) -> bool:
        return self.readable()

    def writable(self) -> bool:
        return not self.readers and not self.writing

    def misused(self) -> None:
        raise RuntimeError("not held")

    def after_write(self) -> None:
        if self.waiting_readers:
            self.readers_in()
        else:
            self.next_writer()

    def readers_in(self) -> None:
        self.readers += len(self.waiting_readers)
        self.waiting_readers.clear()
        self.changed.notify_all()

    def next_writer(self) -> None:
        if self.waiting_writers:
            self.writing = True
            self.waiting_writers.pop(0)
            self.changed.notify_all()


@quiesce.adapter(PATTERN, name="rw_reader_with_writer", **THREADS)
class ReaderWithWriter(RWLock):
    """Looks at waiting writers, and not at the one that writes."""

    def readable(self) -> bool:
        return not self.waiting_writers


@quiesce.adapter(PATTERN, name="rw_two_writers", **THREADS)
class TwoWriters(RWLock):
    """Looks and takes under two holds of its inner lock."""

    def write(self, work: Work) -> object:
        with self.changed:
            writable = self.writable()
        if not writable:
            return super().write(work)
        self.writing = True
        try:
            return work()
        finally:
            self.release_write()


@quiesce.adapter(PATTERN, name="rw_readers_exclude_each_other", **THREADS)
class ReadersExclude(RWLock):
    def readable(self) -> bool:
        return not self.readers and super().readable()

    def readable_at_once(self) -> bool:
        return super().readable()


@quiesce.adapter(PATTERN, name="rw_writer_starves", **THREADS)
class WriterStarves(RWLock):
    """A new reader gets in wherever readers are."""

    def readable(self) -> bool:
        return not self.writing

    def readable_at_once(self) -> bool:
        return super().readable()


@quiesce.adapter(PATTERN, name="rw_next_writer_first", **THREADS)
class NextWriterFirst(RWLock):
    def after_write(self) -> None:
        if self.waiting_writers:
            self.next_writer()
        else:
            self.readers_in()

    def next_writer(self) -> None:
        super().next_writer()
        if not self.writing:
            self.readers_in()


@quiesce.adapter(PATTERN, name="rw_runlock_too_often_ok", **THREADS)
class RunlockTooOftenOk(RWLock):
    def release_read(self) -> None:
        if self.readers:
            super().release_read()


@quiesce.adapter(PATTERN, name="rw_unlock_in_wrong_mode_ok", **THREADS)
class WrongModeOk(RWLock):
    def release_write(self) -> None:
        if self.readers:
            self.release_read()
        else:
            super().release_write()


@quiesce.adapter(PATTERN, name="rw_try_read_overtakes", **THREADS)
class TryReadOvertakes(RWLock):
    def readable_at_once(self) -> bool:
        return not self.writing


@quiesce.adapter(PATTERN, name="rw_try_read_fails_with_readers", **THREADS)
class TryReadFails(RWLock):
    def readable_at_once(self) -> bool:
        return not self.readers and self.readable()


@quiesce.adapter(PATTERN, name="rw_try_write_waits", **THREADS)
class TryWriteWaits(RWLock):
    def try_write(self, work: Work) -> tuple[bool, object]:
        return True, self.write(work)


@quiesce.adapter(PATTERN, name="rw_last_reader_wakes_anybody", **THREADS)
class WakesOne(RWLock):
    """The last reader wakes one thread, and that may be a reader."""

    def next_writer(self) -> None:
        if self.waiting_writers:
            self.writing = True
            self.waiting_writers.pop(0)
            self.changed.notify()


@quiesce.adapter(PATTERN, name="rw_good_asyncio", **AIO)
class AioRWLock:
    def __init__(self) -> None:
        self.readers = 0
        self.writing = False
        self.waiting_readers: list[asyncio.Future[None]] = []
        self.waiting_writers: list[asyncio.Future[None]] = []

    async def read(self, work: AsyncWork) -> object:
        if self.writing or self.waiting_writers:
            await self.wait_in(self.waiting_readers, self.done_reading)
        else:
            self.readers += 1
        try:
            return await work()
        finally:
            self.done_reading()

    async def write(self, work: AsyncWork) -> object:
        if self.readers or self.writing:
            await self.wait_in(self.waiting_writers, self.done_writing)
        else:
            self.writing = True
        try:
            return await work()
        finally:
            self.done_writing()

    async def wait_in(
        self, queue: list[asyncio.Future[None]], give_back: Callable[[], None]
    ) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                queue.remove(turn)
                self.cancelled()
            else:
                give_back()
            raise

    def cancelled(self) -> None:
        if not self.writing and not self.pending(self.waiting_writers):
            self.readers_in()

    def done_reading(self) -> None:
        self.readers -= 1
        if not self.readers:
            self.next_writer()

    def done_writing(self) -> None:
        self.writing = False
        if self.pending(self.waiting_readers):
            self.readers_in()
        else:
            self.next_writer()

    def pending(self, queue: list[asyncio.Future[None]]) -> list[asyncio.Future[None]]:
        """Those that are not about to leave, because they were cancelled."""
        return [turn for turn in queue if not turn.done()]

    def readers_in(self) -> None:
        for turn in self.pending(self.waiting_readers):
            self.waiting_readers.remove(turn)
            self.readers += 1
            turn.set_result(None)

    def next_writer(self) -> None:
        for turn in self.pending(self.waiting_writers)[:1]:
            self.waiting_writers.remove(turn)
            self.writing = True
            turn.set_result(None)


@quiesce.adapter(PATTERN, name="rw_cancelled_writer_holds_readers_back", **AIO)
class CancelledWriterHoldsBack(AioRWLock):
    def cancelled(self) -> None:
        pass


@quiesce.adapter(PATTERN, name="rw_error_keeps_lock", **AIO)
class ErrorKeepsLock(AioRWLock):
    async def write(self, work: AsyncWork) -> object:
        if self.readers or self.writing:
            await self.wait_in(self.waiting_writers, self.done_writing)
        else:
            self.writing = True
        value = await work()
        self.done_writing()
        return value


@quiesce.adapter(PATTERN, name="un_hides_an_error", **AIO)
class HidesAnError(AioRWLock):
    async def read(self, work: AsyncWork) -> object:
        try:
            return await super().read(work)
        except Exception:
            return None
