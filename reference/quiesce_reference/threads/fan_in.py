"""Fan-in: read several sources at once, and get their items as they come.

The merge of Go's pipelines, with a thread for each source in the place of a goroutine, and
with what Go programs add by hand: an error that surfaces, and an end to all threads when the
reader leaves early.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Generic, Self, TypeVar, final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Merge", "merge"]

T = TypeVar("T")


def merge(*sources: Iterable[T]) -> Merge[T]:
    """One iterator over several sources, to be used in a block: see ``Merge``.

    ``with merge(a, b) as items:`` starts to read them, and leaving that block ends it.

    Clauses: FO-07 to FO-11.
    """
    return Merge(*sources)


@final
class _Hand(Generic[T]):
    """An item that a forwarder holds until somebody takes it."""

    __slots__ = ("is_taken", "item")

    def __init__(self, item: T) -> None:
        self.item = item
        self.is_taken = False


@final
class Merge(Generic[T]):
    """An iterator over the items of several sources, in the order in which they come.

    Entering the block starts a thread for each source. Each reads one item ahead: it pulls
    an item, holds it until somebody takes it, and only then pulls again. So each source's
    order is kept, nothing is lost, and a silent source holds up no other. Any number of
    threads may iterate over one object at the same time; each item goes to one of them.

    The iteration ends, for everybody and for good, when all sources have ended and all items
    were taken. When a source raises, whatever it is, the other forwarders stop, what they hold
    is dropped, and every ``next`` from then on raises that very exception object.

    Leaving the block stops the forwarders and waits for them. A source that is just being read
    can't be interrupted: leaving waits until it gives its item, which is dropped. A source
    that is a generator is closed, in the thread that reads it.

    Clauses: FO-07 to FO-11, UN-01, UN-03, UN-05, UN-07, UN-10.
    """

    def __init__(self, *sources: Iterable[T]) -> None:
        self._threads = [
            threading.Thread(target=self._forward, args=(source,)) for source in sources
        ]
        self._changed = threading.Condition(threading.Lock())
        # Protected by _changed.
        self._hands: deque[_Hand[T]] = deque()  # in the order in which the items came
        self._running = len(sources)  # forwarders that have not ended, from the start
        self._is_entered = False
        self._stopped = False
        self._failure: BaseException | None = None

    def __enter__(self) -> Self:
        self._is_entered = True
        try:
            for thread in self._threads:
                thread.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        """Wait for the next item and take it.

        Raises:
          StopIteration: all sources have ended, or the block was left.
          BaseException: what a source raised, again with each call.
          RuntimeError: the block has not been entered.

        Clauses: FO-07 to FO-10.
        """
        with self._changed:
            while True:
                if self._failure is not None:
                    raise self._failure
                if self._hands:
                    hand = self._hands.popleft()
                    hand.is_taken = True
                    self._changed.notify_all()
                    return hand.item
                if not self._is_entered:
                    msg = "this merge is not open: iterate inside its 'with' block"
                    raise RuntimeError(msg)
                if self._stopped or not self._running:
                    raise StopIteration
                self._changed.wait()

    def close(self) -> None:
        """Stop all forwarders, and return when they have ended. Again, it only waits.

        Whoever waits for an item is told that this is the end. Must not be called by a source:
        its forwarder would wait for itself.

        Clauses: FO-11, UN-01, UN-07.
        """
        with self._changed:
            self._stop()
        for thread in self._threads:
            if thread.ident is not None:  # where not all could be started
                thread.join()

    def _stop(self) -> None:
        """Under the lock: from now on no item is given and no source pulled."""
        self._stopped = True
        self._hands.clear()
        self._changed.notify_all()

    def _forward(self, source: Iterable[T]) -> None:
        failure: BaseException | None = None
        try:
            self._read(source)
        except BaseException as error:
            failure = error
        with self._changed:
            self._running -= 1
            # Not the errors of sources that were told to stop: nobody reads any more.
            if failure is not None and not self._stopped:
                self._failure = failure
                self._stop()
            self._changed.notify_all()

    def _read(self, source: Iterable[T]) -> None:
        items = iter(source)
        try:
            while self._may_pull():
                # Never under the lock: the source may take as long as it likes (UN-08).
                try:
                    item = next(items)
                except StopIteration:
                    return
                if not self._give(_Hand(item)):
                    return
        finally:
            close = getattr(items, "close", None)
            if close is not None:
                close()

    def _may_pull(self) -> bool:
        with self._changed:
            return not self._stopped

    def _give(self, hand: _Hand[T]) -> bool:
        """Hold an item until it is taken; False if nobody will."""
        with self._changed:
            if self._stopped:
                return False
            self._hands.append(hand)
            self._changed.notify_all()
            while not hand.is_taken and not self._stopped:
                self._changed.wait()
            return hand.is_taken
