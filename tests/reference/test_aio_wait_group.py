"""The wait group for async tasks, on asyncio with both cancellations, and on trio."""

from __future__ import annotations

from typing import Any

import anyio
import anyio.lowlevel
import pytest

from quiesce_reference.aio import WaitGroup


def test_a_wait_at_zero_passes_no_checkpoint(arena: Any) -> None:
    async def main() -> None:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await WaitGroup().wait()

    arena.run(main)


def test_a_released_waiter_does_not_wait_for_the_next_round(arena: Any) -> None:
    async def main() -> None:
        group = WaitGroup()
        group.add()
        (caller,) = await arena.started(group.wait)
        group.done()
        group.add()
        await arena.settle()
        assert caller.status == "returned"

    arena.run(main)


def test_errors_go_to_the_waiters_and_not_to_the_task_group(arena: Any, new_work: Any) -> None:
    async def main() -> None:
        group, works, error = WaitGroup(), [new_work(), new_work()], ValueError()
        async with anyio.create_task_group() as tasks:
            for work in works:
                group.go(tasks, work)
            callers = await arena.started(group.wait, group.wait)
            works[0].open(error)
            await arena.settle()
            assert [caller.status for caller in callers] == ["blocked"] * 2
            works[1].open()
            await arena.settle()
        assert [caller.error.exceptions for caller in callers] == [(error,)] * 2

    arena.run(main)


def test_an_error_that_only_a_cancelled_waiter_waited_for_is_kept(arena: Any, work: Any) -> None:
    async def main() -> None:
        group = WaitGroup()
        async with anyio.create_task_group() as tasks:
            group.go(tasks, work)
            (caller,) = await arena.started(group.wait)
            caller.cancel()
            await arena.settle()
            work.open(ValueError())
        group.add()
        group.done()
        with pytest.raises(ExceptionGroup, match="functions of a wait group failed"):
            await group.wait()

    arena.run(main)


def test_a_function_that_is_cancelled_before_its_first_step_ends(arena: Any, work: Any) -> None:
    async def main() -> None:
        group = WaitGroup()
        async with anyio.create_task_group() as tasks:
            group.go(tasks, work)
            tasks.cancel_scope.cancel()
        await group.wait()

    arena.run(main)


def test_a_function_for_which_the_task_group_is_closed_is_not_counted(
    arena: Any, work: Any
) -> None:
    async def main() -> None:
        group = WaitGroup()
        async with anyio.create_task_group() as tasks:
            pass
        with pytest.raises(RuntimeError):
            group.go(tasks, work)
        await group.wait()

    arena.run(main)


def test_a_refused_delta_changes_nothing() -> None:
    group = WaitGroup()
    group.add(2)
    with pytest.raises(ValueError, match="add\\(-3\\) where 2 is to be done"):
        group.add(-3)
    group.add(-2)
