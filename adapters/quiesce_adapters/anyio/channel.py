"""anyio: memory object streams, with two ends and their clones."""

from contextlib import suppress
from typing import Any

import anyio

import quiesce


class Clone:
    """An end of either kind."""

    def __init__(self, end: Any) -> None:
        self._end = end

    async def send_by_clone(self, item: int) -> object:
        with suppress(anyio.BrokenResourceError):
            return await self._end.send(item)
        return "broken"

    async def receive_by_clone(self) -> tuple[bool, object]:
        with suppress(anyio.EndOfStream):
            return True, await self._end.receive()
        return False, None

    async def close(self) -> None:
        self._end.close()

    close_sender_clone = close_receiver_clone = close


@quiesce.adapter(
    "channel",
    world=("asyncio", "trio"),
    name="anyio.create_memory_object_stream",
    distribution="anyio",
    scope="anyio",
    lacks={"close_now", "join", "unbounded"},
    # "Memory object streams": ends are cloned and closed one by one.
    dialect={"handover": "direct", "close_twice": "noop", "ends": "two"},
)
class MemoryObjectStream:
    """``anyio.create_memory_object_stream``."""

    def __init__(self, capacity: int) -> None:
        self._sender, self._receiver = anyio.create_memory_object_stream[int](capacity)

    async def send(self, item: int) -> object:
        return await Clone(self._sender).send_by_clone(item)

    async def receive(self) -> tuple[bool, object]:
        return await Clone(self._receiver).receive_by_clone()

    async def try_send(self, item: int) -> bool:
        with suppress(anyio.WouldBlock):
            self._sender.send_nowait(item)
            return True
        return False

    async def try_receive(self) -> tuple[bool, object] | None:
        with suppress(anyio.WouldBlock):
            with suppress(anyio.EndOfStream):
                return True, self._receiver.receive_nowait()
            return False, None
        return None

    async def close(self) -> None:
        self._sender.close()

    async def close_receiver(self) -> None:
        self._receiver.close()

    async def clone_sender(self) -> Clone:
        return Clone(self._sender.clone())

    async def clone_receiver(self) -> Clone:
        return Clone(self._receiver.clone())

    async def occupancy(self) -> tuple[int, float]:
        return self._sender.statistics()[:2]

    async def iterate(self) -> list[int]:
        return [item async for item in self._receiver]
