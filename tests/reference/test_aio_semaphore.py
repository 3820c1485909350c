"""The semaphore for async tasks: what its docstrings promise beyond the conformance clauses."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from quiesce_reference.aio import Semaphore


def test_free_units_are_taken_without_a_checkpoint(arena: Any) -> None:
    async def main() -> None:
        others = []
        semaphore = Semaphore(2)

        async def other() -> None:
            others.append("ran")

        arena.call(other)
        await semaphore.acquire(2)
        semaphore.release(2)
        async with semaphore:
            assert not others
        await arena.settle()

    arena.run(main)


def test_under_a_cancelled_scope_free_units_are_left_alone(arena: Any) -> None:
    async def main() -> None:
        semaphore = Semaphore(1)
        with anyio.CancelScope() as scope:
            scope.cancel()
            await semaphore.acquire()
        assert scope.cancelled_caught
        assert semaphore.try_acquire()

    arena.run(main)


def test_a_cancelled_head_lets_those_behind_it_move_up(arena: Any) -> None:
    async def main() -> None:
        semaphore = Semaphore(3)
        await semaphore.acquire(2)
        big, *small = await arena.started(
            lambda: semaphore.acquire(3), semaphore.acquire, semaphore.acquire
        )
        big.cancel()
        await arena.settle()
        assert [caller.status for caller in small] == ["returned", "blocked"]
        semaphore.release(3)
        await arena.settle()
        assert small[1].status == "returned"

    arena.run(main)


def test_units_released_before_their_cancelled_acquire_returned_come_back_once(arena: Any) -> None:
    async def main() -> None:
        semaphore = Semaphore(1)
        await semaphore.acquire()
        (waiter,) = await arena.started(semaphore.acquire)
        semaphore.release()
        semaphore.release()  # a mistake: the waiter has not returned yet
        waiter.cancel()
        await arena.settle()
        assert semaphore.try_acquire()
        assert not semaphore.try_acquire()

    arena.run(main)


@pytest.mark.parametrize("n", [-1, -10])
def test_negative_numbers_are_refused(arena: Any, n: int) -> None:
    async def main() -> None:
        semaphore = Semaphore(1)
        with pytest.raises(ValueError, match=str(n)):
            await semaphore.acquire(n)
        for call in (semaphore.try_acquire, semaphore.release):
            with pytest.raises(ValueError, match=str(n)):
                call(n)
        with pytest.raises(ValueError, match=str(n)):
            Semaphore(n)
        assert semaphore.try_acquire()

    arena.run(main)


def test_a_wrong_release_says_how_many_are_held(arena: Any) -> None:
    async def main() -> None:
        semaphore = Semaphore(3)
        await semaphore.acquire(2)
        with pytest.raises(ValueError, match="3 units can't be released: 2 are held"):
            semaphore.release(3)
        assert not semaphore.try_acquire(2)

    arena.run(main)
