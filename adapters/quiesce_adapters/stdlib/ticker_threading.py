"""A ticker that programs build from threading: a chain of timers and a queue of one.

A recipe, not something that threading offers. Each ``Timer`` sets the next one at start + k
periods and puts its tick into the queue unless one lies there. What a stop has to undo takes a
lock, since a timer that has fired can't be cancelled any more.
"""

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import quiesce

SECOND = 1_000_000_000


@quiesce.adapter("ticker", world="threads", name="threading.Timer", lacks={"refusal"})
class TimerChain:
    """``threading.Timer`` and ``queue.Queue(1)``."""

    def __init__(self, period: int) -> None:
        self._lock = threading.Lock()
        self._queue = queue.Queue[int](1)
        self._timer: threading.Timer | None = None  # the one whose tick counts
        self._last = threading.Timer(0, self._tick)
        with self._lock:
            self._start(period)

    def _start(self, period: int) -> None:
        self._period = period
        self._arm(time.monotonic_ns() + period)

    def _arm(self, due: int) -> None:
        self._due = due
        delay = (due - time.monotonic_ns()) / SECOND
        self._timer = self._last = threading.Timer(delay, self._tick)
        self._timer.start()

    def _tick(self) -> None:
        with self._lock:
            if self._timer is threading.current_thread():
                with suppress(queue.Full):
                    self._queue.put_nowait(self._due)
                self._arm(self._due + self._period)

    def receive(self) -> int:
        return self._queue.get()

    def stop(self) -> None:
        with self._lock:
            self._stop()

    def _stop(self) -> None:
        self._last.cancel()
        self._timer = None
        with suppress(queue.Empty):
            self._queue.get_nowait()

    def reset(self, period: int) -> None:
        with self._lock:
            self._stop()
            self._start(period)

    @contextmanager
    def lifespan(self) -> Iterator[None]:
        yield
        self.stop()
        self._last.join()
