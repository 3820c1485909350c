"""The capacity limiter for async tasks: what its docstrings promise beyond the clauses."""

from __future__ import annotations

from typing import Any

import pytest

from quiesce_reference.aio import CapacityLimiter


def test_the_total_is_raised_and_lowered_while_tasks_wait(arena: Any) -> None:
    async def main() -> None:
        limiter = CapacityLimiter(1)
        callers = await arena.started(*(lambda name=name: limiter.acquire(name) for name in "abcd"))
        limiter.total = 3
        await arena.settle()
        assert [each.status for each in callers] == ["returned"] * 3 + ["blocked"]
        limiter.total = 1
        limiter.release("a")
        limiter.release("b")
        await arena.settle()
        assert callers[3].status == "blocked"
        limiter.release("c")
        await arena.settle()
        assert callers[3].status == "returned"

    arena.run(main)


def test_a_borrower_that_waits_does_not_wait_twice(arena: Any) -> None:
    async def main() -> None:
        limiter = CapacityLimiter(0)
        (first,) = await arena.started(lambda: limiter.acquire("a"))
        with pytest.raises(RuntimeError, match="'a' waits for a unit already"):
            await limiter.acquire("a")
        limiter.total = 1
        await arena.settle()
        assert first.status == "returned"

    arena.run(main)


def test_each_borrower_has_one_unit_and_gives_back_its_own(arena: Any) -> None:
    async def main() -> None:
        limiter = CapacityLimiter(2)
        async with limiter:
            with pytest.raises(RuntimeError, match="has a unit already"):
                await limiter.acquire()
            with pytest.raises(RuntimeError, match="'other' has no unit"):
                limiter.release("other")
            assert limiter.try_acquire("other")
        assert limiter.try_acquire("third")

    arena.run(main)
