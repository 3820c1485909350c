"""Channel and select for asyncio and trio: what a cancellation leaves behind."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from quiesce_reference.aio import (
    Channel,
    ChannelClosedError,
    Receive,
    Selected,
    Send,
    WouldBlockError,
    select,
)


def test_a_cancelled_call_leaves_no_offer(arena: Any) -> None:
    async def main() -> None:
        empty, full = Channel[int](), Channel[int]()
        calls = await arena.started(
            empty.receive,
            lambda: full.send(1),
            lambda: select(Receive(empty), Send(full, 2)),
        )
        for call in calls:
            call.cancel()
        await arena.settle()
        assert [call.status for call in calls] == ["cancelled"] * 3
        for channel in (empty, full):
            with pytest.raises(WouldBlockError):
                channel.try_send(3)
            with pytest.raises(WouldBlockError):
                channel.try_receive()
            assert not channel._senders
            assert not channel._receivers

    arena.run(main)


def test_a_value_that_has_passed_is_never_lost_to_a_cancellation(arena: Any) -> None:
    async def main() -> None:
        channel = Channel[int]()
        (receiver,) = await arena.started(channel.receive)
        channel.try_send(1)  # from here on it is sent
        receiver.cancel()
        await arena.settle()
        assert (receiver.status, receiver.value) == ("returned", 1)

        (sender,) = await arena.started(lambda: channel.send(2))
        assert channel.try_receive() == 2
        sender.cancel()
        await arena.settle()
        assert sender.status == "returned"

        (chooser,) = await arena.started(lambda: select(Receive(channel), Receive(Channel())))
        channel.try_send(3)
        chooser.cancel()
        await arena.settle()
        assert (chooser.status, chooser.value) == ("returned", Selected(0, 3))

    arena.run(main)


def test_a_cancellation_that_came_too_late_ends_the_next_wait() -> None:
    async def main() -> None:
        channel = Channel[int]()
        seen: list[object] = []

        async def receiver() -> None:
            seen.append(await channel.receive())
            seen.append(await channel.receive())

        task = asyncio.create_task(receiver())
        await asyncio.sleep(0)
        channel.try_send(1)
        task.cancel("why")
        with pytest.raises(asyncio.CancelledError, match="why"):
            await task
        assert seen == [1]
        assert task.cancelling() == 1

    asyncio.run(main())


def test_a_timeout_whose_block_ends_in_time_takes_its_cancellation_back() -> None:
    async def main() -> None:
        channel = Channel[int]()
        seen: list[object] = []

        async def receiver() -> None:
            async with asyncio.timeout(None) as timeout:
                timeouts.append(timeout)
                seen.append(await channel.receive())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            seen.append("went on")

        timeouts: list[asyncio.Timeout] = []
        task = asyncio.create_task(receiver())
        await asyncio.sleep(0)
        timeouts[0].reschedule(asyncio.get_running_loop().time())
        await asyncio.sleep(0)  # it has fired, but the receiver has not run yet
        channel.try_send(1)
        await task
        assert seen == [1, "went on"]
        assert not task.cancelling()

    asyncio.run(main())


def test_a_select_gives_up_at_its_timeout_or_by_default(arena: Any) -> None:
    async def main() -> None:
        channel = Channel[int]()
        assert await select(Receive(channel), default=True) is None
        assert await select(Receive(channel), timeout=5_000_000_000) is None
        assert not channel._receivers

    arena.run(main)


def test_iterating_ends_with_the_channel(arena: Any) -> None:
    async def main() -> None:
        channel = Channel[int](1)

        async def collect() -> list[int]:
            return [value async for value in channel]

        (collector,) = await arena.started(collect)
        for value in range(3):
            await channel.send(value)
        channel.close()
        await arena.settle()
        assert collector.value == [0, 1, 2]
        for call in (channel.receive, lambda: channel.send(1)):
            with pytest.raises(ChannelClosedError):
                await call()

    arena.run(main)


def test_chance_decides_among_ready_cases(arena: Any) -> None:
    async def main() -> None:
        channels = [Channel[int](1) for _ in range(4)]
        for channel in channels:
            channel.try_send(0)
        counts = [0] * 4
        chance = random.Random(0)
        for _ in range(400):
            done = await select(*map(Receive, channels), chance=chance)
            assert done is not None
            counts[done.index] += 1
            channels[done.index].try_send(0)
        assert min(counts) > 60

    arena.run(main)
