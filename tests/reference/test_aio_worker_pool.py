"""The worker pool for tasks: what its docstrings promise beyond the conformance clauses."""

from __future__ import annotations

import asyncio
import itertools
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from quiesce_reference.aio import JobCancelledError, PoolClosedError, WorkerPool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

WHO: ContextVar[str] = ContextVar("WHO", default="nobody")


async def count() -> AsyncIterator[int]:
    for item in itertools.count():
        yield item


async def text(item: object) -> str:
    return str(item)


async def one() -> int:
    return 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: WorkerPool(0), "a pool of 0 workers would never run a job"),
        (lambda: WorkerPool(1, queue=-1), "a queue can't have -1 places"),
        (lambda: WorkerPool(1).stream(text, count(), buffer=-1), "a buffer can't have -1"),
    ],
)
def test_impossible_sizes_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_queued_job_runs_in_its_own_submitters_context(arena: Any, work: Any) -> None:
    async def main() -> None:
        async def who() -> str:
            return WHO.get()

        async def submit(name: str) -> str:
            WHO.set(name)
            return await (await pool.submit(who)).result()

        async with WorkerPool(1, queue=2) as pool:
            await pool.submit(work)
            callers = await arena.started(lambda: submit("a"), lambda: submit("b"))
            work.open()
            await arena.settle()
            assert [caller.value for caller in callers] == ["a", "b"]

    arena.run(main)


def test_a_block_that_fails_cancels_its_jobs_and_keeps_its_error(arena: Any, work: Any) -> None:
    async def main() -> None:
        error, jobs = ValueError(), []

        async def block() -> None:
            async with WorkerPool(1, queue=1) as pool:
                jobs.extend([await pool.submit(work), await pool.submit(work)])
                await arena.settle()
                raise error

        with pytest.raises(ValueError) as caught:
            await block()
        assert caught.value is error
        assert work.ends == ["cancelled"]
        for job in jobs:
            with pytest.raises(JobCancelledError):
                await job.result()

    arena.run(main)


def test_a_block_that_is_cancelled_while_it_waits_ends_its_jobs(arena: Any, work: Any) -> None:
    async def main() -> None:
        async def block() -> None:
            async with WorkerPool(1) as pool:
                await pool.submit(work)

        callers = await arena.started(block)
        assert callers[0].status == "blocked"
        callers[0].cancel()
        await arena.settle()
        assert callers[0].status == "cancelled"
        assert work.ends == ["cancelled"]

    arena.run(main)


def test_leaving_the_block_raises_the_error_that_cancelled_the_rest(arena: Any, work: Any) -> None:
    async def main() -> None:
        async def fail() -> None:
            raise LookupError

        async def block(*, fails: bool) -> None:
            async with WorkerPool(2, cancel_on_error=True) as pool:
                await pool.submit(work)
                await arena.settle()
                await pool.submit(fail)
                if fails:
                    raise KeyError

        with pytest.raises(LookupError) as caught:
            await block(fails=False)
        assert type(caught.value) is LookupError
        assert work.ends == ["cancelled"]
        with pytest.raises(KeyError):  # the block's own error goes first
            await block(fails=True)

    arena.run(main)


def test_outside_its_block_a_pool_takes_nothing(arena: Any) -> None:
    async def main() -> None:
        pool = WorkerPool(1)
        with pytest.raises(RuntimeError, match="not open"):
            await pool.submit(one)
        with pytest.raises(RuntimeError, match="not open"):
            await anext(pool.stream(text, count()))
        async with pool:
            with pytest.raises(RuntimeError, match="open already"):
                await pool.__aenter__()
        with pytest.raises(PoolClosedError):
            await pool.submit(one)
        with pytest.raises(PoolClosedError):
            await anext(pool.stream(text, count()))

    arena.run(main)


def test_a_cancellation_that_nobody_requested_is_an_error_of_the_job(arena: Any, work: Any) -> None:
    if arena.backend == "trio":
        pytest.skip("trio's Cancelled can't be made by hand")

    async def main() -> None:
        async with WorkerPool(1) as pool:
            job = await pool.submit(work)
            await arena.settle()
            work.open(asyncio.CancelledError())
            with pytest.raises(JobCancelledError):
                await job.result()
            assert await (await pool.submit(one)).result() == 1

    arena.run(main)


def test_a_stream_of_a_closed_pool_gives_what_it_has_and_then_says_why_it_ends(
    arena: Any,
) -> None:
    async def main() -> None:
        async with WorkerPool(1) as pool:
            stream = pool.stream(text, count(), buffer=1)
            assert await anext(stream) == "0"
            await arena.settle()
            pool.close()
            await arena.settle()
            assert [await anext(stream), await anext(stream)] == ["1", "2"]
            with pytest.raises(PoolClosedError):
                await anext(stream)
            with pytest.raises(StopAsyncIteration):
                await anext(stream)

    arena.run(main)


def test_a_block_ends_although_a_stream_was_left(arena: Any, work: Any) -> None:
    async def main() -> None:
        async def waits(_: int) -> None:
            await work()

        async def block() -> None:
            async with WorkerPool(2) as pool:
                with anyio.move_on_after(1):
                    await anext(pool.stream(waits, count()))

        callers = await arena.started(block)
        await anyio.sleep(2)
        assert callers[0].status == "blocked"  # its two jobs run
        work.open(run=0)
        work.open(run=1)
        await arena.settle()
        assert callers[0].status == "returned"

    arena.run(main)


def test_a_function_cannot_end_its_stream(arena: Any) -> None:
    async def main() -> None:
        async def stop(_: int) -> None:
            raise StopAsyncIteration

        async with WorkerPool(1) as pool:
            stream = pool.stream(stop, count())
            with pytest.raises(RuntimeError, match="raised StopAsyncIteration"):
                await anext(stream)
            async with stream:
                pass
            with pytest.raises(StopAsyncIteration):
                await anext(stream)

    arena.run(main)
