"""The rate limiter for async tasks, in virtual time."""

from __future__ import annotations

import math
from typing import Any

import anyio
import pytest

from quiesce_reference.aio import RateLimiter, WaitRefusedError, every

SECOND = 1_000_000_000


def now() -> int:
    return round(anyio.current_time() * SECOND)


def test_waits_return_exactly_at_their_acting_times_in_order(arena: Any) -> None:
    async def main() -> None:
        began_at, log = now(), []
        limiter = RateLimiter(3.0, 2)

        async def wait(number: int) -> None:
            await limiter.wait()
            log.append((number, now() - began_at))

        async with anyio.create_task_group() as group:
            for number in range(5):
                group.start_soon(wait, number)
                await arena.settle()
        assert log == [(0, 0), (1, 0), (2, 333333333), (3, 666666666), (4, SECOND)]

    arena.run(main)


def test_a_wait_without_delay_is_no_checkpoint(arena: Any) -> None:
    async def main() -> None:
        others = []
        limiter = RateLimiter(1.0, 1)

        async def other() -> None:
            others.append("ran")

        arena.call(other)
        await limiter.wait()
        assert not others
        await arena.settle()

    arena.run(main)


def test_a_hopeless_wait_fails_at_once_and_takes_nothing(arena: Any) -> None:
    async def main() -> None:
        limiter = RateLimiter(1.0, 2)
        with pytest.raises(WaitRefusedError, match="3 tokens exceed the burst of 2"):
            await limiter.wait(3)
        assert limiter.allow(2)
        began_at = now()
        with pytest.raises(WaitRefusedError, match="timeout of 999999999 ns"):
            await limiter.wait(timeout=SECOND - 1)
        assert now() == began_at
        assert limiter.tokens() == 0
        await limiter.wait(timeout=SECOND)
        assert now() == began_at + SECOND

    arena.run(main)


def test_under_a_cancelled_scope_a_wait_takes_nothing(arena: Any) -> None:
    async def main() -> None:
        limiter = RateLimiter(1.0, 2)
        with anyio.CancelScope() as scope:
            scope.cancel()
            await limiter.wait()
        assert scope.cancelled_caught
        assert limiter.tokens() == 2
        with anyio.CancelScope() as scope:
            scope.cancel()
            with pytest.raises(WaitRefusedError):
                await limiter.wait(3)

    arena.run(main)


def test_a_wait_cancelled_half_way_gives_back(arena: Any) -> None:
    async def main() -> None:
        limiter = RateLimiter(1.0, 2)
        assert limiter.allow(2)
        callers = await arena.started(lambda: limiter.wait(2))
        assert limiter.tokens() == -2
        await anyio.sleep(0.5)
        callers[0].cancel()
        await arena.settle()
        assert callers[0].status == "cancelled"
        assert limiter.tokens() == 0.5

    arena.run(main)


def test_at_rate_0_a_wait_lasts_until_it_is_cancelled(arena: Any) -> None:
    async def main() -> None:
        limiter = RateLimiter(0.0, 1)
        await limiter.wait()
        with pytest.raises(WaitRefusedError):
            await limiter.wait(timeout=10**18)
        callers = await arena.started(limiter.wait)
        await anyio.sleep(10**6)
        assert callers[0].status == "blocked"
        callers[0].cancel()
        await arena.settle()
        assert callers[0].status == "cancelled"
        limiter.set_rate(1.0)
        await limiter.wait(timeout=SECOND)

    arena.run(main)


def test_an_infinite_rate_ignores_the_burst(arena: Any) -> None:
    async def main() -> None:
        limiter = RateLimiter(every(0), 0)
        began_at = now()
        await limiter.wait(10**6)
        assert limiter.allow(10**6)
        assert limiter.reserve(5).delay() == 0
        assert now() == began_at
        assert every(0) == math.inf

    arena.run(main)


def test_a_reservation_counts_down_and_can_be_cancelled_once(arena: Any) -> None:
    async def main() -> None:
        limiter = RateLimiter(2.0, 1)
        first, second = limiter.reserve(), limiter.reserve()
        refused = limiter.reserve(2)
        assert [first.ok, second.ok, refused.ok] == [True, True, False]
        assert [first.delay(), second.delay(), refused.delay()] == [0, SECOND // 2, None]
        await anyio.sleep(0.25)
        assert second.delay() == SECOND // 4
        second.cancel()
        second.cancel()
        refused.cancel()
        assert limiter.tokens() == 0.5
        limiter.set_burst(0)
        assert not limiter.allow()
        assert limiter.tokens() == 0

    arena.run(main)


def test_negative_numbers_are_refused(arena: Any) -> None:
    async def main() -> None:
        limiter = RateLimiter(1.0, 1)
        with pytest.raises(ValueError):
            limiter.allow(-1)
        with pytest.raises(ValueError):
            limiter.reserve(-1)
        with pytest.raises(ValueError):
            await limiter.wait(-1)

    arena.run(main)
