"""Channel of the reference, for asyncio and trio."""

import quiesce
from quiesce_reference.aio import Channel, ChannelClosedError, WouldBlockError


@quiesce.adapter(
    "channel",
    world=("asyncio", "trio"),
    packages=["quiesce_reference"],
    requires=["quiesce_reference", "anyio"],
    scope="anyio",
    name="reference.Channel",
    lacks={"unbounded", "close_now", "join", "ends"},
    dialect={"handover": "direct", "close_twice": "error", "ends": "one"},
)
class Buffered:
    """``Channel``."""

    def __init__(self, capacity: int) -> None:
        self._channel = Channel[int](capacity)

    async def send(self, item: int) -> None:
        await self._channel.send(item)

    async def receive(self) -> tuple[bool, int | None]:
        try:
            return True, await self._channel.receive()
        except ChannelClosedError:
            return False, None

    async def try_send(self, item: int) -> bool:
        try:
            self._channel.try_send(item)
        except WouldBlockError:
            return False
        return True

    async def try_receive(self) -> tuple[bool, int | None] | None:
        try:
            return True, self._channel.try_receive()
        except WouldBlockError:
            return None
        except ChannelClosedError:
            return False, None

    async def close(self) -> None:
        self._channel.close()

    async def occupancy(self) -> tuple[int, int]:
        return len(self._channel), self._channel.capacity

    async def iterate(self) -> list[int]:
        return [item async for item in self._channel]
