"""Adapter of timeloop: a job of a ``Timeloop``, which runs in a thread of its own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from timeloop import Timeloop  # type: ignore[import-untyped] # no py.typed

import quiesce

MICRO = 1_000


@quiesce.adapter(
    "periodic",
    world="threads",
    distribution="timeloop",
    name="timeloop.job",
    # The documentation: stop waits for what runs. Nothing is said of a job that fails.
    lacks={"wait", "errors", "handler", "exit", "reentrance_error"},
    dialect={"overrun": "skip", "cancel_delivery": "cooperative"},
)
class Job:
    """``Timeloop.job``."""

    def __init__(self, period: int, work: Callable[[], object], handler: object) -> None:
        del handler  # there is none
        self._loop = Timeloop()
        self._loop.logger.disabled = True  # each Timeloop adds a handler that prints
        self._loop.job(interval=timedelta(microseconds=period / MICRO))(work)

    def stop(self) -> None:
        self._loop.stop()

    @contextmanager
    def lifespan(self) -> Iterator[None]:
        self._loop.start()
        yield
        self._loop.stop()
