"""The ticker of the reference, for asyncio and trio."""

import quiesce
from quiesce_reference.aio import Ticker

WORLDS = ("asyncio", "trio")
PACKAGES = ["quiesce_reference"]
REQUIRES = ["quiesce_reference", "anyio"]


@quiesce.adapter(
    "ticker",
    world=WORLDS,
    packages=PACKAGES,
    requires=REQUIRES,
    scope="anyio",
    name="reference.Ticker",
)
class Ticks:
    """``Ticker``."""

    def __init__(self, period: int) -> None:
        self._ticker = Ticker(period)

    async def receive(self) -> int:
        return await self._ticker.receive()

    async def stop(self) -> None:
        self._ticker.stop()

    async def reset(self, period: int) -> None:
        self._ticker.reset(period)

    async def make(self, period: int) -> None:
        Ticker(period).stop()
