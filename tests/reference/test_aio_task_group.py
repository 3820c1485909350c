"""The task group for tasks: what its docstrings promise beyond the conformance clauses."""

from __future__ import annotations

from typing import Any

import pytest

from quiesce_reference.aio import GroupClosedError, TaskGroup


def test_slots_are_given_in_the_order_of_arrival(arena: Any, new_work: Any) -> None:
    async def main() -> None:
        works = [new_work() for _ in range(4)]
        async with TaskGroup(1) as group:
            await group.go(works[0])
            callers = await arena.started(*(lambda work=work: group.go(work) for work in works[1:]))
            callers[0].cancel()
            for work in (works[0], works[2], works[3]):
                await arena.settle()
                work.open()
        assert [len(work.runs) for work in works] == [1, 0, 1, 1]
        assert [caller.status for caller in callers] == ["cancelled", "returned", "returned"]

    arena.run(main)


def test_a_start_that_is_cancelled_as_it_gets_its_slot_runs_nothing(
    arena: Any, new_work: Any
) -> None:
    async def main() -> None:
        first, second, third = new_work(), new_work(), new_work()
        async with TaskGroup(1) as group:
            await group.go(first)
            (caller,) = await arena.started(lambda: group.go(second))
            first.open()
            caller.cancel()
            await arena.settle()
            assert await group.try_go(third)
            await arena.settle()
            third.open()
        assert caller.status == "cancelled"
        assert second.ends in ([], ["cancelled"])

    arena.run(main)


@pytest.mark.parametrize("leaves", ["by its end", "by an error", "by a cancellation"])
def test_a_group_that_is_left_takes_no_more(arena: Any, new_work: Any, leaves: str) -> None:
    async def main() -> None:
        group, body, work = TaskGroup(0), new_work(), new_work()

        async def block() -> None:
            async with group:
                await body()

        with pytest.raises(GroupClosedError):
            await group.go(work)
        left, waiting = await arena.started(block, lambda: group.go(work))
        if leaves == "by a cancellation":
            left.cancel()
        else:
            body.open(KeyError() if leaves == "by an error" else None)
        await arena.settle()
        with pytest.raises(GroupClosedError):
            await group.try_go(work)
        assert left.status != "blocked"
        assert isinstance(waiting.error, GroupClosedError)
        assert not work.runs

    arena.run(main)


def test_one_function_is_cancelled_by_its_own_scope(arena: Any, new_work: Any) -> None:
    async def main() -> None:
        first, second, third = new_work(), new_work(), new_work()
        async with TaskGroup() as group:
            scope = await group.go(first)
            await group.go(second)
            (await group.go(third)).cancel()
            await arena.settle()
            scope.cancel()
            await arena.settle()
            second.open()
        assert (first.ends, second.ends) == (["cancelled"], ["ended"])
        assert not third.runs

    arena.run(main)


def test_errors_come_out_together_as_the_very_objects(arena: Any, new_work: Any) -> None:
    async def main() -> None:
        child, errors = new_work(), [ValueError(), KeyError()]

        async def block() -> None:
            async with TaskGroup() as group:
                await group.go(child)
                await arena.settle()
                child.open(errors[0])
                raise errors[1]

        (left,) = await arena.started(block)
        await arena.settle()
        assert set(left.error.exceptions) in ({errors[1]}, set(errors))

    arena.run(main)
