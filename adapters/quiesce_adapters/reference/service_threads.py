"""The service of the reference, for threads."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import quiesce
from quiesce_reference.threads import Service

PACKAGES = ["quiesce_reference"]
Work = Callable[[], object]


@quiesce.adapter(
    "service",
    world="threads",
    packages=PACKAGES,
    name="reference.Service",
    dialect={"cancel_delivery": "cooperative", "start_twice": "refused", "reuse": "refused"},
)
class Background:
    """``Service``."""

    def __init__(self, work: Work, cleanup: Work) -> None:
        self._work = work
        self._stopping = threading.Event()  # until the body is given its own
        self._service = Service(self._body, cleanup=cleanup)

    def _body(self, stopping: threading.Event) -> None:
        self._stopping = stopping
        self._work()

    def stopping(self) -> bool:
        return self._stopping.is_set()

    @contextmanager
    def lifespan(self) -> Iterator[None]:
        with suppress(BaseException), self._service:  # those who waited have heard of it
            yield

    def start(self) -> None:
        self._service.start()

    def start_stop(self) -> None:
        self._service.start()
        self._service.stop()

    def stop(self) -> None:
        self._service.stop()

    def wait(self) -> None:
        self._service.wait()
