"""Singleflight for async tasks, on asyncio with scope and native cancellation, and on trio."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import weakref
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from quiesce_reference.aio import (
    ExecutionCancelledError,
    ReentrantCallError,
    Result,
    SingleFlight,
)


def statuses(callers: list[Any]) -> list[str]:
    return [caller.status for caller in callers]


async def awaited(pending: Any) -> Any:
    return await pending


def test_callers_share_one_execution_and_its_value(arena: Any, new_work: Any) -> None:
    async def main() -> None:
        works, value = [new_work() for _ in range(3)], object()
        async with SingleFlight[str, object]() as flight:
            callers = await arena.started(
                *(lambda work=work: flight.do("a", work) for work in works)
            )
            works[0].open(value)
            await arena.settle()
            assert [caller.value for caller in callers] == [Result(value, True)] * 3
            assert [len(work.runs) for work in works] == [1, 0, 0]

    arena.run(main)


def test_a_lone_caller_does_not_share(arena: Any, work: Any) -> None:
    async def main() -> None:
        async with SingleFlight[str, int]() as flight:
            callers = await arena.started(lambda: flight.do("a", work))
            work.open(1)
            await arena.settle()
            assert callers[0].value == Result(1, False)

    arena.run(main)


@pytest.mark.parametrize("error", [ValueError(), SystemExit(1), KeyboardInterrupt()], ids=repr)
def test_all_members_get_the_same_exception_object(
    arena: Any, work: Any, error: BaseException
) -> None:
    async def main() -> None:
        async with SingleFlight[str, int]() as flight:
            pending = flight.do_future("a", work)
            callers = await arena.started(
                lambda: flight.do("a", work), lambda: awaited(pending), lambda: flight.do("b", work)
            )
            work.open(error, run=0)
            await arena.settle()
            assert callers[0].error is callers[1].error is error
            # The block and the other key are untouched.
            work.open(2, run=1)
            await arena.settle()
            assert callers[2].value == Result(2, False)

    arena.run(main)


@pytest.mark.parametrize("outcome", [1, ValueError(), SystemExit()], ids=repr)
def test_nothing_is_cached(arena: Any, work: Any, outcome: object) -> None:
    async def main() -> None:
        async with SingleFlight[str, object]() as flight:
            await arena.started(lambda: flight.do("a", work))
            work.open(outcome)
            await arena.settle()
            callers = await arena.started(lambda: flight.do("a", work))
            assert len(work.runs) == 2
            work.open("new")
            await arena.settle()
            assert callers[0].value == Result("new", False)

    arena.run(main)


def test_a_function_may_use_another_key(arena: Any) -> None:
    async def main() -> None:
        async with SingleFlight[str, int]() as flight:

            async def one() -> int:
                return 1

            async def two() -> int:
                return 1 + (await flight.do("one", one)).value

            assert await flight.do("two", two) == Result(2, False)

    arena.run(main)


def test_a_nested_call_for_the_same_key_raises(arena: Any) -> None:
    async def main() -> None:
        async with SingleFlight[str, int]() as flight:

            async def nested() -> int:
                with pytest.raises(ReentrantCallError, match="'a'"):
                    await flight.do("a", nested)
                return 1

            assert await flight.do("a", nested) == Result(1, False)

    arena.run(main)


def test_a_pending_can_be_awaited_again_and_after_the_end_without_a_checkpoint(
    arena: Any, work: Any
) -> None:
    async def main() -> None:
        async with SingleFlight[str, int]() as flight:
            pending = flight.do_future("a", work)
            callers = await arena.started(lambda: awaited(pending), lambda: awaited(pending))
            callers[0].cancel()
            await arena.settle()
            assert statuses(callers) == ["cancelled", "blocked"]
            work.open(1)
            await arena.settle()
            assert callers[1].value == Result(1, False)
            with anyio.CancelScope() as scope:
                scope.cancel()
                again = await pending
            assert again == Result(1, False)

    arena.run(main)


def test_a_pending_that_nobody_awaits_leaves_nothing(arena: Any, work: Any) -> None:
    async def main() -> None:
        async with SingleFlight[str, int]() as flight:
            flight.do_future("a", work)
            await arena.settle()
            work.open(ValueError())
            await arena.settle()
            assert work.ends == ["ended"]

    arena.run(main)


def test_forget_starts_a_new_execution_and_leaves_the_old_members(arena: Any, work: Any) -> None:
    async def main() -> None:
        async with SingleFlight[str, str]() as flight:
            old = await arena.started(lambda: flight.do("a", work), lambda: flight.do("a", work))
            flight.forget("a")
            flight.forget("a")
            new = await arena.started(lambda: flight.do("a", work))
            work.open("old", run=0)
            await arena.settle()
            assert [caller.value for caller in old] == [Result("old", True)] * 2
            # The end of the old one has not unregistered the new one.
            new += await arena.started(lambda: flight.do("a", work))
            work.open("new", run=1)
            await arena.settle()
            assert [caller.value for caller in new] == [Result("new", True)] * 2
            assert len(work.runs) == 2

    arena.run(main)


@pytest.mark.parametrize("cancelled", [0, 1], ids=["first caller", "joiner"])
def test_a_cancelled_member_leaves_execution_key_and_others_alone(
    arena: Any, work: Any, cancelled: int
) -> None:
    async def main() -> None:
        async with SingleFlight[str, int]() as flight:
            callers = await arena.started(
                lambda: flight.do("a", work), lambda: flight.do("a", work)
            )
            callers.pop(cancelled).cancel()
            await arena.settle()
            callers += await arena.started(lambda: flight.do("a", work))
            assert statuses(callers) == ["blocked"] * 2
            work.open(1)
            await arena.settle()
            assert [caller.value for caller in callers] == [Result(1, True)] * 2
            assert work.ends == ["ended"]

    arena.run(main)


def test_the_last_cancelled_member_cancels_the_execution_and_frees_the_key(
    arena: Any, work: Any
) -> None:
    async def main() -> None:
        async with SingleFlight[str, int]() as flight:
            callers = await arena.started(
                lambda: flight.do("a", work), lambda: flight.do("a", work)
            )
            for caller in callers:
                caller.cancel()
            await arena.settle()
            assert statuses(callers) == ["cancelled"] * 2
            assert work.ends == ["cancelled"]
            callers = await arena.started(lambda: flight.do("a", work))
            work.open(3)
            await arena.settle()
            assert callers[0].value == Result(3, False)

    arena.run(main)


def test_a_newcomer_does_not_join_a_dying_execution(arena: Any, work: Any) -> None:
    async def main() -> None:
        cleaned_up = anyio.Event()

        async def slow_to_die() -> int:
            try:
                await anyio.sleep_forever()
            finally:
                with anyio.CancelScope(shield=True):
                    await cleaned_up.wait()
            return 0

        async with SingleFlight[str, int]() as flight:
            callers = await arena.started(lambda: flight.do("a", slow_to_die))
            callers[0].cancel()
            await arena.settle()
            assert callers[0].status == "cancelled"
            callers = await arena.started(lambda: flight.do("a", work))
            work.open(1)
            await arena.settle()
            assert callers[0].value == Result(1, False)
            cleaned_up.set()

    arena.run(main)


def test_a_cancellation_in_the_tick_of_the_result_hurts_nobody_else(arena: Any, work: Any) -> None:
    async def main() -> None:
        for cancel_first in (False, True):
            async with SingleFlight[str, int]() as flight:
                callers = await arena.started(
                    lambda: flight.do("a", work), lambda: flight.do("a", work)
                )
                if cancel_first:
                    callers[0].cancel()
                work.open(1)
                callers[0].cancel()
                await arena.settle()
                assert callers[0].status in {"returned", "cancelled"}
                assert callers[1].value == Result(1, True)
                assert await flight.do("b", three) == Result(3, False)

    async def three() -> int:
        return 3

    arena.run(main)


@pytest.mark.parametrize("steps", range(12))
def test_cancelling_the_only_member_at_any_step_ends_in_one_of_two_ways(
    arena: Any, work: Any, steps: int
) -> None:
    async def main() -> None:
        async with SingleFlight[str, int]() as flight:
            callers = await arena.started(lambda: flight.do("a", work))
            work.open(1)
            for _ in range(steps):
                await anyio.lowlevel.checkpoint()
            callers[0].cancel()
            await arena.settle()
            assert callers[0].status in {"returned", "cancelled"}
            callers = await arena.started(lambda: flight.do("a", work))
            work.open(2)
            await arena.settle()
            assert callers[0].value == Result(2, False)

    arena.run(main)


def test_a_caller_who_is_cancelled_already_takes_no_part(arena: Any, work: Any) -> None:
    async def main() -> None:
        async with SingleFlight[str, int]() as flight:
            with anyio.CancelScope() as scope:
                scope.cancel()
                await flight.do("a", work)
            await arena.settle()
            assert not work.runs

    arena.run(main)


def test_leaving_the_block_cancels_executions_and_tells_members(arena: Any, work: Any) -> None:
    async def main() -> None:
        async with SingleFlight[str, int]() as flight:
            callers = await arena.started(
                lambda: flight.do("a", work), lambda: flight.do("a", work)
            )
            pending = flight.do_future("b", work)
            await arena.settle()
        await arena.settle()
        assert [type(caller.error) for caller in callers] == [ExecutionCancelledError] * 2
        with pytest.raises(ExecutionCancelledError):
            await pending
        assert work.ends == ["cancelled"] * 2
        with pytest.raises(RuntimeError, match="not open"):
            await flight.do("a", work)
        with pytest.raises(RuntimeError, match="not open"):
            flight.do_future("a", work)

    arena.run(main)


def test_the_error_of_the_block_leaves_it_as_it_is(arena: Any, work: Any) -> None:
    async def main() -> None:
        error = ValueError()

        async def block() -> None:
            async with SingleFlight[str, int]() as flight:
                flight.do_future("a", work)
                await arena.settle()
                raise error

        with pytest.raises(ValueError) as caught:
            await block()
        assert caught.value is error
        assert work.ends == ["cancelled"]

    arena.run(main)


def test_the_error_of_the_block_goes_before_a_cancellation_while_it_is_left(arena: Any) -> None:
    async def main() -> None:
        error, cleaned_up = ValueError(), anyio.Event()

        async def slow_to_die() -> int:
            try:
                await anyio.sleep_forever()
            finally:
                with anyio.CancelScope(shield=True):
                    await cleaned_up.wait()
            return 0

        async def block() -> None:
            async with SingleFlight[str, int]() as flight:
                flight.do_future("a", slow_to_die)
                await arena.settle()
                raise error

        callers = [arena.call(block)]
        for _ in range(3):
            await arena.settle()
        assert callers[0].status == "blocked"
        callers[0].cancel()
        await arena.settle()
        assert callers[0].status == "blocked"
        cleaned_up.set()
        await arena.settle()
        assert callers[0].error is error

    arena.run(main)


def test_a_cancelled_block_ends_its_executions_and_passes_the_cancellation_on(
    arena: Any, work: Any
) -> None:
    async def main() -> None:
        async def block() -> None:
            async with SingleFlight[str, int]() as flight:
                flight.do_future("a", work)
                await anyio.sleep_forever()

        callers = await arena.started(block)
        callers[0].cancel()
        await arena.settle()
        assert callers[0].status == "cancelled"
        assert work.ends == ["cancelled"]

    arena.run(main)


def test_a_cancellation_that_nobody_requested_becomes_an_error(arena: Any, work: Any) -> None:
    if arena.backend == "trio":
        pytest.skip("trio's Cancelled can't be made by hand")

    async def main() -> None:
        async with SingleFlight[str, int]() as flight:
            callers = await arena.started(
                lambda: flight.do("a", work), lambda: flight.do("a", work)
            )
            other = await arena.started(lambda: flight.do("b", work))
            work.open(asyncio.CancelledError(), run=0)
            await arena.settle()
            assert [type(caller.error) for caller in callers] == [ExecutionCancelledError] * 2
            assert other[0].status == "blocked"
            work.open(1, run=1)
            await arena.settle()

    arena.run(main)


def test_a_cancellation_inside_a_group_is_taken_out_of_it(arena: Any, work: Any) -> None:
    if arena.backend == "trio":
        pytest.skip("trio's Cancelled can't be made by hand")

    async def main() -> None:
        own = SystemExit(2)
        async with SingleFlight[str, int]() as flight:
            callers = await arena.started(lambda: flight.do("a", work))
            work.open(BaseExceptionGroup("both", [asyncio.CancelledError(), own]))
            await arena.settle()
            assert callers[0].error.exceptions == (own,)
            callers = await arena.started(lambda: flight.do("a", work))
            work.open(BaseExceptionGroup("one", [asyncio.CancelledError()]))
            await arena.settle()
            assert type(callers[0].error) is ExecutionCancelledError

    arena.run(main)


def test_an_error_that_no_member_is_left_to_hear_is_logged(
    arena: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async def fail_on_cancel() -> int:
            try:
                await anyio.sleep_forever()
            except BaseException:
                raise ValueError("in clean-up") from None
            return 0

        async with SingleFlight[str, int]() as flight:
            callers = await arena.started(lambda: flight.do("a", fail_on_cancel))
            callers[0].cancel()
            await arena.settle()
            assert callers[0].status == "cancelled"

    arena.run(main)
    (record,) = caplog.records
    assert "'a'" in record.getMessage()
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == "in clean-up"


class Thing:
    """Something that can be referred to weakly."""


def make_things(fails: bool) -> tuple[Thing, Any, list[weakref.ref[Any]]]:
    """A key, a function, and weak references to them and to the function's value."""
    key, value = Thing(), Thing()

    async def make() -> Thing:
        if fails:
            raise ValueError
        return value

    return key, make, [weakref.ref(thing) for thing in (key, value, make)]


@pytest.mark.parametrize("fails", [False, True])
def test_nothing_is_kept_after_the_end(arena: Any, fails: bool) -> None:
    async def main() -> None:
        key, make, references = make_things(fails)
        async with SingleFlight[Thing, Thing]() as flight:
            with contextlib.suppress(ValueError):
                await flight.do(key, make)
            await arena.settle()
            del key, make
            gc.collect()
            assert [reference() for reference in references] == [None] * 3

    arena.run(main)


def test_one_block_at_a_time(arena: Any) -> None:
    async def main() -> None:
        async with SingleFlight[str, int]() as flight:
            with pytest.raises(RuntimeError, match="open already"):
                await flight.__aenter__()

    arena.run(main)
