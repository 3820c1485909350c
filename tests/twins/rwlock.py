"""Known-bad read-write locks: each a good one with a single planted defect.

The good ones conform: one for asyncio with a future for each waiter, and one for threads over a
condition, for defects that only races and wake-ups show.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

import quiesce

PATTERN = "rwlock"
AIO = {"world": "asyncio"}
THREADS = {"world": "threads", "lacks": {"try", "anyone"}}

Work = Callable[[], object]
AsyncWork = Callable[[], Awaitable[object]]
Queue = list[asyncio.Future[None]]


@quiesce.adapter(PATTERN, name="rw_good_asyncio", **AIO)
class RWLock:
    def __init__(self) -> None:
        self.readers = 0
        self.writing = False
        self.waiting_readers: Queue = []
        self.waiting_writers: Queue = []

    async def read(self, work: AsyncWork) -> object:
        if self.readable():
            self.readers += 1
        else:
            await self.wait_in(self.waiting_readers, self.done_reading)
        return await self.work_as_reader(work)

    async def write(self, work: AsyncWork) -> object:
        if self.writable():
            self.writing = True
        else:
            await self.wait_in(self.waiting_writers, self.done_writing)
        return await self.work_as_writer(work)

    async def try_read(self, work: AsyncWork) -> tuple[bool, object]:
        if not self.readable_at_once():
            return False, None
        self.readers += 1
        return True, await self.work_as_reader(work)

    async def try_write(self, work: AsyncWork) -> tuple[bool, object]:
        if not self.writable():
            return False, None
        self.writing = True
        return True, await self.work_as_writer(work)

    async def release_read(self) -> None:
        self.done_reading()

    async def release_write(self) -> None:
        self.done_writing()

    async def work_as_reader(self, work: AsyncWork) -> object:
        try:
            return await work()
        finally:
            self.done_reading()

    async def work_as_writer(self, work: AsyncWork) -> object:
        try:
            return await work()
        finally:
            self.done_writing()

    async def wait_in(self, queue: Queue, give_back: Callable[[], None]) -> None:
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

    def readable(self) -> bool:
        return not self.writing and not self.waiting_writers

    def readable_at_once(self) -> bool:
        return self.readable()

    def writable(self) -> bool:
        return not self.readers and not self.writing

    def done_reading(self) -> None:
        if not self.readers:
            self.misused()
            return
        self.readers -= 1
        if not self.readers:
            self.next_writer()

    def done_writing(self) -> None:
        if not self.writing:
            self.misused()
            return
        self.writing = False
        self.after_write()

    def misused(self) -> None:
        raise RuntimeError("not held")

    def after_write(self) -> None:
        if self.pending(self.waiting_readers):
            self.readers_in()
        else:
            self.next_writer()

    def cancelled(self) -> None:
        if not self.writing and not self.pending(self.waiting_writers):
            self.readers_in()

    def pending(self, queue: Queue) -> Queue:
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


@quiesce.adapter(PATTERN, name="rw_reader_with_writer", **AIO)
class ReaderWithWriter(RWLock):
    """Looks at waiting writers, and not at the one that writes."""

    def readable(self) -> bool:
        return not self.waiting_writers

    def readable_at_once(self) -> bool:
        return super().readable()


@quiesce.adapter(PATTERN, name="rw_readers_exclude_each_other", **AIO)
class ReadersExclude(RWLock):
    def readable(self) -> bool:
        return not self.readers and super().readable()

    def readable_at_once(self) -> bool:
        return super().readable()


@quiesce.adapter(PATTERN, name="rw_writer_starves", **AIO)
class WriterStarves(RWLock):
    """A new reader gets in wherever readers are."""

    def readable(self) -> bool:
        return not self.writing

    def readable_at_once(self) -> bool:
        return super().readable()


@quiesce.adapter(PATTERN, name="rw_next_writer_first", **AIO)
class NextWriterFirst(RWLock):
    def after_write(self) -> None:
        if self.pending(self.waiting_writers):
            self.next_writer()
        else:
            self.readers_in()

    def done_reading(self) -> None:
        super().done_reading()
        if not self.readers and not self.writing:
            self.readers_in()


@quiesce.adapter(PATTERN, name="rw_runlock_too_often_ok", **AIO)
class RunlockTooOftenOk(RWLock):
    def done_reading(self) -> None:
        if self.readers:
            super().done_reading()


@quiesce.adapter(PATTERN, name="rw_unlock_in_wrong_mode_ok", **AIO)
class WrongModeOk(RWLock):
    def done_writing(self) -> None:
        if self.readers:
            self.done_reading()
        else:
            super().done_writing()


@quiesce.adapter(PATTERN, name="rw_try_read_overtakes", **AIO)
class TryReadOvertakes(RWLock):
    def readable_at_once(self) -> bool:
        return not self.writing


@quiesce.adapter(PATTERN, name="rw_try_read_fails_with_readers", **AIO)
class TryReadFails(RWLock):
    def readable_at_once(self) -> bool:
        return not self.readers and self.readable()


@quiesce.adapter(PATTERN, name="rw_try_write_waits", **AIO)
class TryWriteWaits(RWLock):
    async def try_write(self, work: AsyncWork) -> tuple[bool, object]:
        return True, await self.write(work)


@quiesce.adapter(PATTERN, name="rw_cancelled_writer_holds_readers_back", **AIO)
class CancelledWriterHoldsBack(RWLock):
    def cancelled(self) -> None:
        pass


@quiesce.adapter(PATTERN, name="rw_error_keeps_lock", **AIO)
class ErrorKeepsLock(RWLock):
    async def work_as_writer(self, work: AsyncWork) -> object:
        try:
            value = await work()
        except asyncio.CancelledError:
            self.done_writing()
            raise
        self.done_writing()
        return value


@quiesce.adapter(PATTERN, name="un_hides_an_error", **AIO)
class HidesAnError(RWLock):
    async def work_as_reader(self, work: AsyncWork) -> object:
        try:
            return await super().work_as_reader(work)
        except RuntimeError:
            raise
        except Exception:
            return None


@quiesce.adapter(PATTERN, name="rw_good_threads", **THREADS)
class ThreadRWLock:
    """Who waits holds a ticket, and goes on once it is in no queue."""

    def __init__(self) -> None:
        self.changed = threading.Condition(threading.Lock())
        self.readers = 0
        self.writing = False
        self.waiting_readers: list[object] = []
        self.waiting_writers: list[object] = []

    def read(self, work: Work) -> object:
        with self.changed:
            if self.writing or self.waiting_writers:
                self.wait_in(self.waiting_readers)
            else:
                self.readers += 1
        try:
            return work()
        finally:
            with self.changed:
                self.readers -= 1
                if not self.readers:
                    self.next_writer()

    def write(self, work: Work) -> object:
        self.acquire_write()
        try:
            return work()
        finally:
            with self.changed:
                self.writing = False
                if self.waiting_readers:
                    self.readers += len(self.waiting_readers)
                    self.waiting_readers.clear()
                    self.changed.notify_all()
                else:
                    self.next_writer()

    def acquire_write(self) -> None:
        with self.changed:
            if self.readers or self.writing:
                self.wait_in(self.waiting_writers)
            else:
                self.writing = True

    def wait_in(self, queue: list[object]) -> None:
        ticket = object()
        queue.append(ticket)
        while ticket in queue:
            self.changed.wait()

    def next_writer(self) -> None:
        if self.waiting_writers:
            self.writing = True
            self.waiting_writers.pop(0)
            self.wake()

    def wake(self) -> None:
        self.changed.notify_all()


@quiesce.adapter(PATTERN, name="rw_two_writers", **THREADS)
class TwoWriters(ThreadRWLock):
    """Looks and takes under two holds of its inner lock."""

    def acquire_write(self) -> None:
        with self.changed:
            writable = not self.readers and not self.writing
        if writable:
            self.writing = True
        else:
            super().acquire_write()


@quiesce.adapter(PATTERN, name="rw_last_reader_wakes_anybody", **THREADS)
class WakesAnybody(ThreadRWLock):
    """The last reader wakes one thread, and that may be a reader."""

    def wake(self) -> None:
        self.changed.notify()
