"""Pipelines for async tasks: what their docstrings promise beyond the conformance clauses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest

from quiesce_reference.aio import Stage, pipeline

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


async def double(number: int) -> int:
    await anyio.lowlevel.checkpoint()
    return 2 * number


async def numbers(log: list[Any], end: int | None = None) -> AsyncIterator[int]:
    number = 0
    try:
        while number != end:
            await anyio.lowlevel.checkpoint()
            log.append(number)
            yield number
            number += 1
    finally:
        log.append("closed")


@pytest.mark.parametrize(("workers", "buffer"), [(0, 1), (1, -1)])
def test_a_stage_that_could_do_nothing_is_refused(workers: int, buffer: int) -> None:
    with pytest.raises(ValueError, match="1 worker or more"):
        Stage(double, workers, buffer)


@pytest.mark.parametrize("workers", [1, 3])
def test_plain_functions_and_stages_are_applied_in_order(arena: Any, workers: int) -> None:
    async def main() -> None:
        stage = Stage(double, workers=workers, buffer=2)
        async with pipeline(numbers([], 20), double, stage) as results:
            assert [result async for result in results] == [4 * number for number in range(20)]
            await results.wait()

    arena.run(main)


def test_an_unordered_stage_delivers_what_is_done_first(arena: Any, work: Any) -> None:
    async def main() -> None:
        stage = Stage(lambda _: work(), workers=2, ordered=False)
        async with pipeline(numbers([], 2), stage) as results:
            await arena.settle()
            work.open("second", run=1)
            assert await anext(results) == "second"
            work.open("first", run=0)
            assert [result async for result in results] == ["first"]

    arena.run(main)


def test_a_source_runs_ahead_by_what_workers_and_buffers_hold(arena: Any) -> None:
    async def main() -> None:
        log: list[Any] = []
        stages = (Stage(double, workers=2, buffer=1), Stage(double, workers=1, buffer=3))
        async with pipeline(numbers(log), *stages):
            await arena.settle()
            assert len(log) == 1 + (2 + 1) + (1 + 3)

    arena.run(main)


def test_leaving_early_ends_an_endless_source_and_closes_it(arena: Any) -> None:
    async def main() -> None:
        log: list[Any] = []
        async with pipeline(numbers(log), Stage(double, workers=2, buffer=3)) as results:
            assert [await anext(results) for _ in range(3)] == [0, 2, 4]
        assert log[-1] == "closed"

    arena.run(main)


def test_the_first_error_is_what_everybody_is_told_bare(arena: Any) -> None:
    error = ValueError()

    async def fail(_: int) -> None:
        raise error

    async def main() -> None:
        async with pipeline(numbers([]), fail) as results:
            for ask in (results.wait, results.__anext__, results.wait):
                with pytest.raises(ValueError) as caught:  # its identity is checked
                    await ask()
                assert caught.value is error

    arena.run(main)


def test_an_error_of_the_body_is_not_wrapped(arena: Any) -> None:
    async def main() -> None:
        with pytest.raises(KeyError):
            async with pipeline(numbers([]), double):
                raise KeyError

    arena.run(main)


def test_outside_the_block_it_says_what_to_do(arena: Any) -> None:
    async def main() -> None:
        with pytest.raises(RuntimeError, match="inside its 'async with' block"):
            await pipeline(numbers([]), double).wait()

    arena.run(main)
