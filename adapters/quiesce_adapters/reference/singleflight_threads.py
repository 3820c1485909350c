"""Singleflight of the reference, for threads."""

from collections.abc import Callable
from concurrent.futures import Future

import quiesce
from quiesce_reference.threads import Result, SingleFlight

PACKAGES = ["quiesce_reference"]
Work = Callable[[], object]


@quiesce.adapter(
    "singleflight",
    world="threads",
    packages=PACKAGES,
    name="reference.SingleFlight",
    dialect={"sf_cancel": "none", "sf_last_cancel": "cancels", "remembers": "nothing"},
)
class Flight:
    """``SingleFlight``."""

    def __init__(self) -> None:
        self._flight = SingleFlight[str, object]()

    def do(self, key: str, work: Work) -> Result[object]:
        return self._flight.do(key, work)

    def do_future(self, key: str, work: Work) -> Future[Result[object]]:
        return self._flight.do_future(key, work)

    def forget(self, key: str) -> None:
        self._flight.forget(key)
