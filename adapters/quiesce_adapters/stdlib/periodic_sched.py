"""A periodic task that programs build from ``sched``: a scheduler that runs in a thread.

A recipe. Each run enters the next at an absolute time. ``Event.wait`` stands in for the sleep,
so that a stop ends it. The scheduler drops an action's error with its thread, so it is kept.
"""

import sched
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import quiesce

SECOND = 1_000_000_000


@quiesce.adapter(
    "periodic",
    world="threads",
    name="sched.scheduler",
    packages=["sched"],
    lacks={"handler", "reentrance_error"},
    dialect={"overrun": "skip", "on_failure": "ends", "cancel_delivery": "cooperative"},
)
class Scheduler:
    """``sched.scheduler``, in a thread of its own."""

    def __init__(self, period: int, work: Callable[[], object], handler: object) -> None:
        del handler  # the error comes out of wait
        self._period, self._work = period, work
        self._asked = threading.Event()
        self._entering = threading.Lock()
        self._scheduler = sched.scheduler(time.monotonic, self._asked.wait)
        self._thread = threading.Thread(target=self._main)
        self._error: BaseException | None = None

    def _main(self) -> None:
        self._enter(time.monotonic_ns() + self._period)
        try:
            self._scheduler.run()
        except BaseException as error:
            self._error = error

    def _enter(self, due: int) -> None:
        with self._entering:
            if not self._asked.is_set():
                self._scheduler.enterabs(due / SECOND, 0, self._run, (due,))

    def _run(self, due: int) -> None:
        self._work()
        self._enter(due + self._period * (1 + (time.monotonic_ns() - due) // self._period))

    def stop(self) -> None:
        with self._entering:  # set first, it would let the scheduler spin for what is queued
            for event in self._scheduler.queue:
                self._scheduler.cancel(event)
            self._asked.set()

    def wait(self) -> None:
        self._thread.join()
        if self._error is not None:
            raise self._error

    @contextmanager
    def lifespan(self) -> Iterator[None]:
        self._thread.start()
        yield
        self.stop()
        self._thread.join()
