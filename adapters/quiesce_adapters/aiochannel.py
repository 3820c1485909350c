"""aiochannel: an asyncio queue that can be closed."""

from aiochannel import Channel, ChannelClosed, ChannelEmpty, ChannelFull

import quiesce


@quiesce.adapter(
    "channel",
    world="asyncio",
    name="aiochannel.Channel",
    distribution="aiochannel",
    # README: maxsize 0 is no bound; join waits for the close; "inspired by golang", and yet
    # close() says nothing of a second time, nor of who is served first.
    lacks={"rendezvous", "close_now", "join", "ends"},
    dialect={"handover": "barging", "close_twice": "noop", "ends": "one"},
)
class ClosableQueue:
    """``Channel``."""

    def __init__(self, capacity: int | None) -> None:
        self._channel = Channel[int](0 if capacity is None else capacity)

    async def send(self, item: int) -> None:
        await self._channel.put(item)

    async def receive(self) -> tuple[bool, int | None]:
        try:
            return True, await self._channel.get()
        except ChannelClosed:
            return False, None

    async def try_send(self, item: int) -> bool:
        try:
            self._channel.put_nowait(item)
        except ChannelFull:
            return False
        return True

    async def try_receive(self) -> tuple[bool, int | None] | None:
        try:
            return True, self._channel.get_nowait()
        except ChannelEmpty:
            return None
        except ChannelClosed:
            return False, None

    async def close(self) -> None:
        self._channel.close()

    async def occupancy(self) -> tuple[int, int | None]:
        return self._channel.qsize(), self._channel.maxsize or None

    async def iterate(self) -> list[int]:
        return [item async for item in self._channel]
