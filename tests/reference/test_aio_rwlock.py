"""The read-write lock for async tasks, on asyncio with both cancellations, and on trio."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from quiesce_reference.aio import RWLock


def statuses(callers: list[Any]) -> list[str]:
    return [caller.status for caller in callers]


@pytest.mark.parametrize("mode", ["reading", "writing"])
def test_what_need_not_wait_passes_no_checkpoint(arena: Any, mode: str) -> None:
    async def main() -> None:
        lock = RWLock()
        with anyio.CancelScope() as scope:
            scope.cancel()
            async with getattr(lock, mode)():
                assert not lock.try_acquire_write()
        assert lock.try_acquire_write()

    arena.run(main)


def test_readers_that_waited_go_before_the_next_writer_and_later_ones_after_it(arena: Any) -> None:
    async def main() -> None:
        lock = RWLock()
        await lock.acquire_write()
        callers = await arena.started(lock.acquire_write, lock.acquire_read, lock.acquire_read)
        lock.release_write()
        await arena.settle()
        assert statuses(callers) == ["blocked", "returned", "returned"]
        late = arena.call(lock.acquire_read)
        lock.release_read()
        lock.release_read()
        await arena.settle()
        assert (callers[0].status, late.status) == ("returned", "blocked")
        lock.release_write()

    arena.run(main)


def test_readers_get_in_when_the_last_writer_that_waits_is_cancelled(arena: Any) -> None:
    async def main() -> None:
        lock = RWLock()
        await lock.acquire_read()
        callers = await arena.started(lock.acquire_write, lock.acquire_write, lock.acquire_read)
        callers[0].cancel()
        await arena.settle()
        assert statuses(callers) == ["cancelled", "blocked", "blocked"]
        callers[1].cancel()
        await arena.settle()
        assert statuses(callers) == ["cancelled", "cancelled", "returned"]

    arena.run(main)


@pytest.mark.parametrize("mode", ["read", "write"])
def test_a_waiter_cancelled_as_the_lock_comes_free_gives_it_back(arena: Any, mode: str) -> None:
    async def main() -> None:
        lock = RWLock()
        await lock.acquire_write()
        (caller,) = await arena.started(getattr(lock, f"acquire_{mode}"))
        lock.release_write()
        caller.cancel()
        await arena.settle()
        if caller.status == "returned":  # the lock came first: trio never undoes that
            getattr(lock, f"release_{mode}")()
        assert lock.try_acquire_write()

    arena.run(main)


@pytest.mark.parametrize("mode", ["read", "write"])
def test_what_nobody_holds_is_not_released(mode: str) -> None:
    with pytest.raises(RuntimeError, match=f"release_{mode}\\(\\) of a lock that no"):
        getattr(RWLock(), f"release_{mode}")()
