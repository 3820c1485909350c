"""Singleflight of the reference, for asyncio and trio."""

from collections.abc import Awaitable, Callable

import quiesce
from quiesce_reference.aio import Pending, Result, SingleFlight

WORLDS = ("asyncio", "trio")
PACKAGES = ["quiesce_reference"]
REQUIRES = ["quiesce_reference", "anyio"]
Work = Callable[[], Awaitable[object]]


@quiesce.adapter(
    "singleflight",
    world=WORLDS,
    packages=PACKAGES,
    requires=REQUIRES,
    scope="anyio",
    name="reference.SingleFlight",
    dialect={"sf_cancel": "detached", "sf_last_cancel": "cancels", "remembers": "nothing"},
)
class Flight:
    """``SingleFlight``."""

    def __init__(self) -> None:
        self._flight = SingleFlight[str, object]()

    def lifespan(self) -> SingleFlight[str, object]:
        return self._flight

    async def do(self, key: str, work: Work) -> Result[object]:
        return await self._flight.do(key, work)

    def do_future(self, key: str, work: Work) -> Pending[object]:
        return self._flight.do_future(key, work)

    def forget(self, key: str) -> None:
        self._flight.forget(key)
