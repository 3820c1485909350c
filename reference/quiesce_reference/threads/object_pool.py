"""Object pool: objects that are costly to make are lent, reset and lent again.

The promise follows Go's sync.Pool as far as it goes: who gets an object has it alone, and
what was written to it before it was put is visible to the next holder. Beyond it, this pool
resets an object before it is idle, can be bounded, refuses what it did not lend, and closes.
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Generic, TypeVar, final

from quiesce_reference.errors import NotLentError, PoolClosedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["ObjectPool"]

T = TypeVar("T")

CLOSED: Final = "the pool is closed: it lends no more"
NOT_LENT: Final = "the pool did not lend this object, or has it back already"


@final
class ObjectPool(Generic[T]):
    """A pool of objects of one kind.

    Any number of threads may use it at the same time. Its user functions run in the thread
    that needs them, and no lock is held meanwhile (UN-08).

    Args:
      make: makes an object; called only when none is idle.
      reset: called with each object that comes back, once, before it is idle or lent again.
      bound: most objects that may be out at once, those that are being made or reset
        included. None: as many as are asked for.

    Raises:
      ValueError: the bound is below 1.

    Clauses: OP-01 to OP-03, OP-16, UN-10.
    """

    def __init__(
        self,
        make: Callable[[], T],
        *,
        reset: Callable[[T], object] | None = None,
        bound: int | None = None,
    ) -> None:
        if bound is not None and bound < 1:
            msg = f"a pool with room for {bound} objects could never lend one"
            raise ValueError(msg)
        self._make = make
        self._reset = reset
        self._bound = bound
        # Everything below is protected by _lock, which is held for a few statements at a time.
        self._lock = threading.Lock()
        self._idle: list[T] = []  # last in, first out: the one most likely in the cache
        self._lent: dict[int, T] = {}  # id -> object; being held here keeps the id its own
        self._between = 0  # objects that are being made or reset: neither idle nor lent
        self._waiting: deque[Turn[T]] = deque()
        self._closed = False

    def get(self) -> T:
        """Lend an object, and at the bound wait for one, first come, first served.

        Raises:
          PoolClosedError: the pool is closed, or was while this call waited.
          Exception: whatever ``make`` raises. Its place is free again.

        Clauses: OP-01, OP-02, OP-10, OP-13, OP-15.
        """
        turn: Turn[T] | None = None
        with self._lock:
            if self._closed:
                raise PoolClosedError(CLOSED)
            if self._waiting or self._is_full():
                turn = Turn()
                self._waiting.append(turn)
            elif self._idle:
                return self._lend()
            else:
                self._between += 1
        if turn is not None:
            try:
                # Released under the lock, after the last holder's put: what was written to
                # the object before that is visible here (OP-12).
                turn.came.acquire()
            except BaseException:
                self._withdraw(turn)
                raise
            if turn.refused:
                raise PoolClosedError(CLOSED)
            if turn.objects:
                return turn.objects.pop()
        try:
            made = self._make()
        except BaseException:
            with self._lock:
                self._between -= 1
                self._admit()
            raise
        with self._lock:
            self._between -= 1
            self._lent[id(made)] = made
        return made

    def put(self, lent: T | None) -> None:
        """Take back an object, reset it, and lend it to whoever waits longest.

        Any thread may put it. Putting None does nothing. A closed pool drops the object.

        Raises:
          NotLentError: the pool did not lend this object, or has it back already. Nothing
            has changed.
          Exception: whatever ``reset`` raises. The object is discarded, its place is free.

        Clauses: OP-04 to OP-08, OP-11, OP-15.
        """
        if lent is None:
            return
        with self._lock:
            if self._lent.pop(id(lent), None) is None:
                raise NotLentError(NOT_LENT)
            if self._closed:
                return
            self._between += 1
        try:
            if self._reset is not None:
                self._reset(lent)
        except BaseException:
            with self._lock:
                self._between -= 1
                self._admit()
            raise
        with self._lock:
            self._between -= 1
            if not self._closed:
                self._idle.append(lent)
            self._admit()

    @contextmanager
    def use(self) -> Iterator[T]:
        """Lend an object for the length of a ``with`` block; it comes back however that ends.

        Raises:
          Exception: as ``get`` and ``put`` do.

        Clauses: OP-14.
        """
        lent = self.get()
        try:
            yield lent
        finally:
            self.put(lent)

    def trim(self) -> None:
        """Drop all idle objects. Those that are out stay valid.

        Clauses: OP-09.
        """
        with self._lock:
            self._idle.clear()

    def close(self) -> None:
        """Refuse every ``get`` from now on, also those that wait, and drop the idle objects.

        Objects that are out stay valid, and are dropped when they are put. Closing again
        does nothing.

        Clauses: OP-15, UN-07.
        """
        with self._lock:
            self._closed = True
            self._idle.clear()
            for turn in self._waiting:
                turn.refused = True
                turn.came.release()
            self._waiting.clear()

    def _lend(self) -> T:
        """An idle object, lent. Needs the lock."""
        lent = self._idle.pop()
        self._lent[id(lent)] = lent
        return lent

    def _admit(self) -> None:
        """Give those who wait their turns, as long as there is room. Needs the lock.

        Called whenever a place has become free: so nobody waits while there is room.
        """
        while self._waiting and not self._is_full():
            turn = self._waiting.popleft()
            if self._idle:
                turn.objects.append(self._lend())
            else:
                self._between += 1
            turn.came.release()

    def _is_full(self) -> bool:
        return self._bound is not None and len(self._lent) + self._between >= self._bound

    def _withdraw(self, turn: Turn[T]) -> None:
        """The caller goes without its turn, which may have come: somebody else gets it."""
        with self._lock:
            if turn in self._waiting:
                self._waiting.remove(turn)
            elif turn.objects:
                lent = turn.objects.pop()
                del self._lent[id(lent)]
                if not self._closed:
                    self._idle.append(lent)
            elif not turn.refused:
                self._between -= 1
            self._admit()


@final
class Turn(Generic[T]):
    """One caller's place in the queue."""

    def __init__(self) -> None:
        self.came = threading.Lock()  # held until the turn has come
        self.came.acquire()
        self.refused = False
        self.objects: list[T] = []  # one idle object, or none: then its caller makes one
