"""The context for async tasks, on asyncio with scope and native cancellation, and on trio."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from quiesce_reference.aio import Context, ContextCancelledError, DeadlineExceededError

SECOND = 1_000_000_000


def test_a_wait_that_is_cancelled_leaves_nothing_behind(arena: Any) -> None:
    async def main() -> None:
        context = Context().with_cancel()
        first, second = await arena.started(context.wait, context.wait)
        first.cancel()
        await arena.settle()
        assert (first.status, second.status) == ("cancelled", "blocked")
        assert len(context._scope._listeners) == 1
        context.cancel()
        await arena.settle()
        assert second.value is True
        assert not context._scope._listeners

    arena.run(main)


def test_a_wait_for_what_is_done_is_no_checkpoint(arena: Any) -> None:
    async def main() -> None:
        context = Context().with_timeout(0)
        with anyio.CancelScope() as scope:
            scope.cancel()
            assert await context.wait()

    arena.run(main)


def test_a_deadline_ends_waits_in_virtual_time(arena: Any) -> None:
    async def main() -> None:
        began_at = anyio.current_time()
        context = Context().with_timeout(3 * SECOND)
        assert not await context.wait(2 * SECOND)
        assert await context.with_timeout(9 * SECOND).wait()
        assert anyio.current_time() - began_at == pytest.approx(3)
        with pytest.raises(DeadlineExceededError):
            context.check()

    arena.run(main)


def test_a_block_is_interrupted_and_the_program_goes_on_behind_it(arena: Any) -> None:
    async def main() -> None:
        context = Context().with_cancel()
        passed = []

        async def block() -> None:
            with context.with_value("key", 1).interrupting() as scope:
                await anyio.sleep_forever()
            passed.append(scope.cancelled_caught)
            context.check()

        (caller,) = await arena.started(block)
        context.cancel(ValueError("enough"))
        await arena.settle()
        assert passed == [True]
        assert isinstance(caller.error, ContextCancelledError)
        assert str(caller.error.__cause__) == "enough"
        assert not context._scope._listeners

    arena.run(main)


def test_a_block_under_a_done_context_is_interrupted_at_its_first_checkpoint(arena: Any) -> None:
    async def main() -> None:
        reached = []
        with Context().with_timeout(0).interrupting():
            reached.append("before")
            await anyio.lowlevel.checkpoint()
            reached.append("after")
        assert reached == ["before"]

    arena.run(main)


def test_an_error_of_a_block_goes_on(arena: Any) -> None:
    async def main() -> None:
        with pytest.raises(KeyError), Context().with_timeout(0).interrupting():
            raise KeyError

    arena.run(main)


def test_the_error_of_a_callback_goes_to_its_group(arena: Any) -> None:
    async def main() -> None:
        async def fail() -> None:
            raise KeyError

        async def group() -> None:
            async with anyio.create_task_group() as tasks:
                context.after(tasks, fail)
                context.cancel()

        context = Context().with_cancel()
        with pytest.raises(ExceptionGroup) as told:
            await group()
        assert [type(error) for error in told.value.exceptions] == [KeyError]

    arena.run(main)


def test_a_group_that_is_cancelled_takes_its_callbacks_back(arena: Any) -> None:
    async def main() -> None:
        context = Context().with_cancel()
        ran = []

        async def run() -> None:
            ran.append(True)

        async with anyio.create_task_group() as tasks:
            stop = context.after(tasks, run)
            await arena.settle()
            tasks.cancel_scope.cancel()
        assert not context._scope._listeners
        context.cancel()
        await arena.settle()
        assert not stop()
        assert not ran

    arena.run(main)
