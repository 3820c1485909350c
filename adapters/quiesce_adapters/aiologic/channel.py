"""The bounded queue of aiologic as a channel, without a close."""

import aiologic

import quiesce

LACKS = {"rendezvous", "close", "close_now", "iterate", "join", "ends", "try_send", "try_receive"}


@quiesce.adapter(
    "channel",
    world=("asyncio", "trio"),
    name="aiologic.Queue",
    distribution="aiologic",
    # Non-blocking calls also give up while another call is at work, with room or values there.
    lacks=LACKS,
    # Its documentation says nothing of who is served first.
    dialect={"handover": "barging"},
)
class Queue:
    """``Queue``."""

    def __init__(self, capacity: int | None) -> None:
        self._queue = aiologic.Queue[int](capacity)

    async def send(self, item: int) -> None:
        await self._queue.async_put(item)

    async def receive(self) -> tuple[bool, int | None]:
        return True, await self._queue.async_get()

    async def occupancy(self) -> tuple[int, int | None]:
        return len(self._queue), self._queue.maxsize or None
