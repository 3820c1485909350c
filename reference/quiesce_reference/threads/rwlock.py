"""RWLock: many threads read, or one writes.

The shape follows Go's sync.RWMutex, with its two rules against starvation: a waiting writer
holds back new readers, and when a writer leaves, the readers that waited for it get in before
the next writer. It has no owner: anybody may give back what a thread holds.
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["RWLock"]


@final
class RWLock:
    """A lock that any number of readers hold, or one writer.

    Any number of threads may use it at the same time. Don't read again inside a read: if a
    writer has come in between, the inner read waits for it, and it for the outer one. A reader
    can't become a writer without giving its lock back first.

    Clauses: RW-01, UN-10.
    """

    def __init__(self) -> None:
        # Held for a few statements at a time, so that even a try may wait for it.
        self._lock = threading.Lock()
        # Protected by _lock. Whoever waits holds a turn of its own, released when it has the
        # lock: everything is decided by whom it comes from, so nobody looks again on waking.
        self._readers = 0  # threads that read now
        self._writing = False
        self._waiting_readers: list[threading.Lock] = []  # only behind a writer
        self._waiting_writers: deque[threading.Lock] = deque()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Hold the lock as a reader inside a ``with`` block."""
        self.acquire_read()
        try:
            yield
        finally:
            self.release_read()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the lock as the writer inside a ``with`` block."""
        self.acquire_write()
        try:
            yield
        finally:
            self.release_write()

    def acquire_read(self) -> None:
        """Take the lock to read; wait while a writer holds it or waits for it.

        An exception that interrupts the wait, such as ``KeyboardInterrupt``, leaves nothing
        behind; the same goes for ``acquire_write``.

        Clauses: RW-01, RW-02.
        """
        with self._lock:
            if self._is_readable():
                self._readers += 1
                return
            turn = held_lock()
            self._waiting_readers.append(turn)
        try:
            turn.acquire()
        except BaseException:
            self._give_up_reading(turn)
            raise

    def try_acquire_read(self) -> bool:
        """Take the lock to read if no writer holds it or waits for it; say whether it is so.

        Clauses: RW-05.
        """
        with self._lock:
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
        with self._lock:
            if not self._readers:
                msg = "release_read() of a lock that no reader holds"
                raise RuntimeError(msg)
            self._readers -= 1
            if not self._readers and self._waiting_writers:
                self._next_writer()

    def acquire_write(self) -> None:
        """Take the lock to write; wait while anybody holds it. Writers go in order.

        Clauses: RW-01, RW-02.
        """
        with self._lock:
            if not self._readers and not self._writing:
                self._writing = True
                return
            turn = held_lock()
            self._waiting_writers.append(turn)
        try:
            turn.acquire()
        except BaseException:
            self._give_up_writing(turn)
            raise

    def try_acquire_write(self) -> bool:
        """Take the lock to write if nobody holds it; say whether it is so.

        Clauses: RW-05.
        """
        with self._lock:
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
        with self._lock:
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
            turn.release()
        self._waiting_readers.clear()

    def _next_writer(self) -> None:
        self._writing = True
        self._waiting_writers.popleft().release()

    def _give_up_reading(self, turn: threading.Lock) -> None:
        with self._lock:
            if turn in self._waiting_readers:
                self._waiting_readers.remove(turn)
                return
        self.release_read()  # we were let in before we could leave the queue

    def _give_up_writing(self, turn: threading.Lock) -> None:
        with self._lock:
            if turn in self._waiting_writers:
                self._waiting_writers.remove(turn)
                if self._is_readable():
                    self._let_readers_in()  # we alone held them back
                return
        self.release_write()


def held_lock() -> threading.Lock:
    """A lock that is held: whoever acquires it waits until somebody releases it."""
    lock = threading.Lock()
    lock.acquire()
    return lock
