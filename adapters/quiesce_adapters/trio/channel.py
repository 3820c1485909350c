"""trio: memory channels, with two ends and their clones."""

from contextlib import suppress
from typing import Any

import trio

import quiesce


class Clone:
    """An end of either kind."""

    def __init__(self, end: Any) -> None:
        self._end = end

    async def send_by_clone(self, item: int) -> object:
        with suppress(trio.BrokenResourceError):
            return await self._end.send(item)
        return "broken"

    async def receive_by_clone(self) -> tuple[bool, object]:
        with suppress(trio.EndOfChannel):
            return True, await self._end.receive()
        return False, None

    async def close(self) -> None:
        self._end.close()

    close_sender_clone = close_receiver_clone = close


@quiesce.adapter(
    "channel",
    world="trio",
    name="trio.open_memory_channel",
    distribution="trio",
    lacks={"close_now", "join", "unbounded"},
    # "Using channels to pass values between tasks": ends are cloned and closed one by one, to
    # close one again does nothing; tasks are served in the order of their arrival.
    dialect={"handover": "direct", "close_twice": "noop", "ends": "two"},
)
class MemoryChannel:
    """``trio.open_memory_channel``."""

    def __init__(self, capacity: int) -> None:
        self._sender, self._receiver = trio.open_memory_channel[int](capacity)

    async def send(self, item: int) -> object:
        return await Clone(self._sender).send_by_clone(item)

    async def receive(self) -> tuple[bool, object]:
        return await Clone(self._receiver).receive_by_clone()

    async def try_send(self, item: int) -> bool:
        with suppress(trio.WouldBlock):
            self._sender.send_nowait(item)
            return True
        return False

    async def try_receive(self) -> tuple[bool, object] | None:
        with suppress(trio.WouldBlock):
            with suppress(trio.EndOfChannel):
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
        now = self._sender.statistics()
        return now.current_buffer_used, now.max_buffer_size

    async def iterate(self) -> list[int]:
        return [item async for item in self._receiver]
