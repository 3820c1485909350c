"""The condition for async tasks: what its docstrings promise beyond the conformance clauses."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from quiesce_reference.aio import Condition


def test_wait_for_looks_again_after_each_notification(arena: Any) -> None:
    async def main() -> None:
        condition = Condition()
        items, looks = [], []

        async def consume() -> None:
            async with condition:
                await condition.wait_for(lambda: looks.append(len(items)) or items)

        (consumer,) = await arena.started(consume)
        for item in (None, "item"):
            async with condition:
                if item is not None:
                    items.append(item)
                condition.notify()
            await arena.settle()
        assert consumer.status == "returned"
        assert looks == [0, 0, 1]

    arena.run(main)


def test_a_cancelled_waiter_passes_its_notification_on(arena: Any) -> None:
    async def main() -> None:
        condition = Condition()

        async def wait() -> None:
            async with condition:
                await condition.wait()

        first, second = await arena.started(wait, wait)
        async with condition:
            condition.notify()
            await arena.settle()
            first.cancel()
            await arena.settle()
            assert first.status == "blocked"  # it must have the lock back
        await arena.settle()
        assert [first.status, second.status] == ["cancelled", "returned"]

    arena.run(main)


def test_without_the_lock_nothing_works(arena: Any) -> None:
    async def main() -> None:
        condition = Condition()
        with pytest.raises(RuntimeError, match="must hold the condition's lock"):
            await condition.wait()
        with pytest.raises(RuntimeError, match="must hold the condition's lock"):
            await condition.wait_for(lambda: True)
        for call in (condition.notify, condition.notify_all):
            with pytest.raises(RuntimeError, match="must hold the condition's lock"):
                call()
        async with condition:
            condition.notify_all()

    arena.run(main)


def test_a_time_out_of_a_scope_ends_with_the_lock_held(arena: Any) -> None:
    async def main() -> None:
        condition = Condition()
        async with condition:
            with anyio.move_on_after(1) as scope:
                await condition.wait()
            assert scope.cancelled_caught
            condition.notify_all()  # refused without the lock

    arena.run(main)
