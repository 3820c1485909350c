"""Fan-out for async tasks: what its docstrings promise beyond the conformance clauses."""

from __future__ import annotations

from functools import partial
from typing import Any

import anyio
import pytest

from quiesce_reference.aio import first_success, map_concurrent


async def square(number: int) -> int:
    await anyio.lowlevel.checkpoint()
    return number * number


def test_a_limit_that_lets_nothing_run_is_refused(arena: Any) -> None:
    async def main() -> None:
        with pytest.raises(ValueError, match="the limit is 0"):
            await map_concurrent(square, [1], limit=0)

    arena.run(main)


def test_without_inputs_there_is_no_checkpoint(arena: Any) -> None:
    async def main() -> None:
        with anyio.CancelScope() as scope:
            scope.cancel()
            assert await map_concurrent(square, []) == []
        assert not scope.cancelled_caught

    arena.run(main)


def test_results_stay_in_the_order_of_any_iterable(arena: Any) -> None:
    async def main() -> None:
        inputs = (number for number in range(5))
        assert await map_concurrent(square, inputs, limit=2) == [0, 1, 4, 9, 16]

    arena.run(main)


def test_an_error_is_raised_bare_and_as_the_same_object(arena: Any, work: Any) -> None:
    async def main() -> None:
        error = ValueError()
        (caller,) = await arena.started(lambda: map_concurrent(lambda _: work(), range(3)))
        work.open(error, run=1)
        await arena.settle()
        assert caller.error is error
        assert sorted(work.ends) == ["cancelled", "cancelled", "ended"]

    arena.run(main)


def test_cancelling_the_caller_ends_what_runs(arena: Any, work: Any) -> None:
    async def main() -> None:
        (caller,) = await arena.started(lambda: map_concurrent(lambda _: work(), range(3), limit=2))
        caller.cancel()
        await arena.settle()
        assert caller.status == "cancelled"
        assert work.ends == ["cancelled"] * 2

    arena.run(main)


def test_losers_of_a_race_are_cancelled(arena: Any, new_work: Any) -> None:
    async def main() -> None:
        works = [new_work() for _ in range(3)]
        (caller,) = await arena.started(lambda: first_success(*works))
        works[0].open(KeyError())
        await arena.settle()
        assert caller.status == "blocked"
        works[2].open("won")
        await arena.settle()
        assert caller.value == "won"
        assert works[1].ends == ["cancelled"]

    arena.run(main)


def test_without_a_success_all_errors_are_raised_in_the_order_of_time(
    arena: Any, new_work: Any
) -> None:
    async def main() -> None:
        works, errors = [new_work(), new_work()], [KeyError(), ValueError()]
        (caller,) = await arena.started(partial(first_success, *works))
        works[1].open(errors[1])
        await arena.settle()
        works[0].open(errors[0])
        await arena.settle()
        assert caller.error.exceptions == (errors[1], errors[0])

    arena.run(main)


def test_a_race_without_functions_is_refused(arena: Any) -> None:
    async def main() -> None:
        with pytest.raises(ValueError, match="at least one"):
            await first_success()

    arena.run(main)
