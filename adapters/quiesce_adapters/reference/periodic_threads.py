"""The periodic task of the reference, for threads."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import quiesce
from quiesce_reference.threads import Periodic

PACKAGES = ["quiesce_reference"]
Work = Callable[[], object]
Handler = Callable[[Exception], object]


class Lived:
    """What both have in common: it is started at once, and stopped at the end."""

    _periodic: Periodic

    @contextmanager
    def lifespan(self) -> Iterator[None]:
        with suppress(BaseException), self._periodic:  # those who waited have heard of it
            self._periodic.start()
            yield

    def stop(self) -> None:
        self._periodic.stop()

    def wait(self) -> None:
        self._periodic.wait()


@quiesce.adapter(
    "periodic",
    world="threads",
    packages=PACKAGES,
    name="reference.Periodic",
    lacks={"handler"},
    dialect={"overrun": "skip", "on_failure": "ends", "cancel_delivery": "cooperative"},
)
class Ending(Lived):
    """``Periodic``, which a failing run ends."""

    def __init__(self, period: int, work: Work, handler: Handler) -> None:
        del handler  # the error comes out of wait
        self._periodic = Periodic(period, work)


@quiesce.adapter(
    "periodic",
    world="threads",
    packages=PACKAGES,
    name="reference.Periodic_on_error",
    dialect={"overrun": "run_once", "on_failure": "continues", "cancel_delivery": "cooperative"},
)
class Continuing(Lived):
    """``Periodic(overrun="run_once", on_error=...)``."""

    def __init__(self, period: int, work: Work, handler: Handler) -> None:
        self._periodic = Periodic(period, work, overrun="run_once", on_error=handler)
