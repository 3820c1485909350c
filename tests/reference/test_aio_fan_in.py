"""Fan-in for async tasks: what its docstrings promise beyond the conformance clauses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest

from quiesce_reference.aio import merge

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable


async def each(items: Iterable[Any]) -> AsyncIterator[Any]:
    for item in items:
        await anyio.lowlevel.checkpoint()
        yield item


async def endless(log: list[str]) -> AsyncIterator[int]:
    try:
        while True:
            await anyio.lowlevel.checkpoint()
            yield 0
    finally:
        log.append("closed")


def test_all_items_of_all_sources_come_out_each_source_in_order(arena: Any) -> None:
    async def main() -> None:
        async with merge(each("abc"), each([1, 2]), each([])) as items:
            found = [item async for item in items]
        assert [item for item in found if isinstance(item, str)] == ["a", "b", "c"]
        assert [item for item in found if isinstance(item, int)] == [1, 2]

    arena.run(main)


def test_leaving_early_ends_endless_sources_and_closes_generators(arena: Any) -> None:
    async def main() -> None:
        log: list[str] = []
        async with merge(endless(log), endless(log)) as items:
            await anext(items)
        assert log == ["closed"] * 2

    arena.run(main)


def test_the_error_of_a_source_is_raised_bare_again_and_again(arena: Any) -> None:
    error = ValueError()

    async def failing() -> AsyncIterator[int]:
        raise error
        yield 0

    async def main() -> None:
        async with merge(failing(), endless([])) as items:
            for _ in range(2):
                with pytest.raises(ValueError) as caught:  # its identity is checked
                    [item async for item in items]
                assert caught.value is error

    arena.run(main)


def test_an_error_of_the_body_is_not_wrapped(arena: Any) -> None:
    async def main() -> None:
        with pytest.raises(KeyError):
            async with merge(endless([])):
                raise KeyError

    arena.run(main)


def test_outside_the_block_it_says_what_to_do(arena: Any) -> None:
    async def main() -> None:
        with pytest.raises(RuntimeError, match="inside its 'async with' block"):
            await anext(merge(each([1])))

    arena.run(main)
