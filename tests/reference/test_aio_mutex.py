"""The mutex for async tasks, on asyncio with scope and native cancellation, and on trio."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from quiesce_reference.aio import Mutex


def statuses(callers: list[Any]) -> list[str]:
    return [caller.status for caller in callers]


def test_a_free_lock_is_taken_without_a_checkpoint(arena: Any) -> None:
    async def main() -> None:
        mutex = Mutex()
        with anyio.CancelScope() as scope:
            scope.cancel()
            async with mutex:
                assert not mutex.try_acquire()
        assert mutex.try_acquire()

    arena.run(main)


def test_waiters_get_the_lock_in_order_and_anybody_hands_it_on(arena: Any) -> None:
    async def main() -> None:
        mutex = Mutex()
        callers = await arena.started(*[mutex.acquire] * 3)
        for waiting in (2, 1, 0):
            assert statuses(callers) == ["returned"] * (3 - waiting) + ["blocked"] * waiting
            mutex.release()
            await arena.settle()
        with pytest.raises(RuntimeError, match="of a mutex that nobody holds"):
            mutex.release()

    arena.run(main)


@pytest.mark.parametrize("first", ["cancel", "release"])
def test_a_waiter_cancelled_as_the_lock_comes_free_passes_it_on(arena: Any, first: str) -> None:
    async def main() -> None:
        mutex = Mutex()
        callers = await arena.started(*[mutex.acquire] * 3)
        if first == "cancel":
            callers[1].cancel()
            mutex.release()
        else:
            mutex.release()
            callers[1].cancel()
        await arena.settle()
        if callers[1].status == "returned":  # the lock came first: trio never undoes that
            mutex.release()
            await arena.settle()
        assert callers[2].status == "returned"
        mutex.release()
        assert mutex.try_acquire()

    arena.run(main)


def test_a_block_that_raises_gives_the_lock_back(arena: Any) -> None:
    async def main() -> None:
        mutex = Mutex()
        with pytest.raises(ZeroDivisionError):
            async with mutex:
                _ = 1 / 0
        assert mutex.try_acquire()

    arena.run(main)
