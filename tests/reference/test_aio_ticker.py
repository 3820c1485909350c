"""The ticker for async tasks: what its docstrings promise beyond the conformance clauses."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from quiesce_reference.aio import Ticker

SECOND = 1_000_000_000


def now() -> int:
    return round(anyio.current_time() * SECOND)


def test_a_period_of_nothing_is_refused(arena: Any) -> None:
    async def main() -> None:
        for period in (0, -1):
            with pytest.raises(ValueError, match=f"more than 0 nanoseconds, not {period}"):
                Ticker(period)

    arena.run(main)


def test_a_refused_reset_leaves_ticks_as_they_were(arena: Any) -> None:
    async def main() -> None:
        ticker, start = Ticker(SECOND), now()
        with pytest.raises(ValueError, match="more than 0"):
            ticker.reset(0)
        assert await ticker.receive() == start + SECOND == now()

    arena.run(main)


def test_a_tick_that_is_there_is_taken_without_a_checkpoint(arena: Any) -> None:
    async def main() -> None:
        ticker = Ticker(SECOND)
        await anyio.sleep(1)
        seen: list[str] = []
        arena.call(lambda: note(seen))
        await ticker.receive()
        assert seen == []

    async def note(seen: list[str]) -> None:
        seen.append("another task ran")

    arena.run(main)


def test_under_a_cancelled_scope_nothing_is_taken(arena: Any) -> None:
    async def main() -> None:
        ticker = Ticker(SECOND)
        await anyio.sleep(1)
        with anyio.CancelScope() as scope:
            scope.cancel()
            await ticker.receive()
        assert scope.cancelled_caught
        assert await ticker.receive() == now()

    arena.run(main)


def test_a_receiver_waits_through_a_stop_until_a_reset(arena: Any) -> None:
    async def main() -> None:
        ticker = Ticker(SECOND)
        (caller,) = await arena.started(ticker.receive)
        ticker.stop()
        await anyio.sleep(5)
        assert caller.status == "blocked"
        ticker.reset(2 * SECOND)
        await anyio.sleep(2)
        await arena.settle()
        assert (caller.status, caller.value) == ("returned", now())

    arena.run(main)
