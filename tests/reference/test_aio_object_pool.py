"""The object pool for tasks: what its docstrings promise beyond the conformance clauses."""

from __future__ import annotations

import anyio
import pytest

from quiesce_reference.aio import ObjectPool

pytestmark = pytest.mark.anyio


class Thing:
    """Something costly."""


async def make() -> Thing:
    await anyio.lowlevel.checkpoint()
    return Thing()


async def test_a_bound_that_lends_nothing_is_refused():
    with pytest.raises(ValueError, match="room for 0 objects"):
        ObjectPool(make, bound=0)


async def test_a_cancelled_scope_does_not_interrupt_the_reset():
    ended: list[Thing] = []

    async def reset(thing: Thing) -> None:
        await anyio.lowlevel.checkpoint()
        ended.append(thing)

    pool = ObjectPool(make, reset=reset, bound=1)
    with anyio.CancelScope() as scope:
        async with pool.use() as thing:
            scope.cancel()
            await anyio.lowlevel.checkpoint()

    assert ended == [thing]
    assert await pool.get() is thing


async def test_a_waiter_that_is_cancelled_leaves_its_place_to_the_next():
    pool, got = ObjectPool(make, bound=1), list[Thing]()
    lent = await pool.get()

    async def wait(scope: anyio.CancelScope) -> None:
        with scope:
            got.append(await pool.get())

    first, second = anyio.CancelScope(), anyio.CancelScope()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait, first)
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(wait, second)
        await anyio.wait_all_tasks_blocked()
        first.cancel()
        await anyio.wait_all_tasks_blocked()
        await pool.put(lent)

    assert got == [lent]
