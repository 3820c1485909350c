"""Once for async tasks, on asyncio with scope and native cancellation, and on trio."""

from __future__ import annotations

import contextlib
import gc
import weakref
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from quiesce_reference.aio import Once, ReentrantCallError, once_func, once_value


def statuses(callers: list[Any]) -> list[str]:
    return [caller.status for caller in callers]


def test_the_first_call_executes_and_all_return_after_its_end(arena: Any, new_work: Any) -> None:
    async def main() -> None:
        once, works = Once(), [new_work() for _ in range(3)]
        callers = await arena.started(*(lambda work=work: once.do(work) for work in works))
        assert statuses(callers) == ["blocked"] * 3
        works[0].open()
        await arena.settle()
        assert statuses(callers) == ["returned"] * 3
        assert [len(work.runs) for work in works] == [1, 0, 0]

    arena.run(main)


def test_a_call_that_does_not_wait_passes_no_checkpoint(arena: Any) -> None:
    async def main() -> None:
        once, log = Once(), []

        async def initialise() -> None:
            log.append("initialised")

        with anyio.CancelScope() as scope:
            scope.cancel()
            await once.do(initialise)
            log.append("first")
            await once.do(initialise)
            log.append("second")
        assert log == ["initialised", "first", "second"]

    arena.run(main)


def test_an_uncontended_call_makes_no_event(arena: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        monkeypatch.setattr(anyio, "Event", None)
        assert await once_value(value_of_7)() == 7
        monkeypatch.undo()

    async def value_of_7() -> int:
        await anyio.lowlevel.checkpoint()
        return 7

    arena.run(main)


def test_an_error_goes_to_its_caller_alone_and_counts_as_done(arena: Any, work: Any) -> None:
    async def main() -> None:
        once, error = Once(), ValueError()
        callers = await arena.started(lambda: once.do(work), lambda: once.do(work))
        work.open(error)
        await arena.settle()
        assert statuses(callers) == ["raised", "returned"]
        assert callers[0].error is error
        await once.do(work)
        assert len(work.runs) == 1

    arena.run(main)


def test_wrappers_give_the_same_value_object_to_everybody(arena: Any, work: Any) -> None:
    async def main() -> None:
        get, value = once_value(work), object()
        callers = await arena.started(get, get)
        work.open(value)
        await arena.settle()
        assert callers[0].value is callers[1].value is await get() is value
        assert len(work.runs) == 1

    arena.run(main)


def test_wrappers_give_the_same_exception_object_to_everybody(arena: Any, work: Any) -> None:
    async def main() -> None:
        call, error = once_func(work), ValueError("no")
        callers = await arena.started(call, call, call)
        work.open(error)
        await arena.settle()
        assert all(caller.error is error for caller in callers)
        with pytest.raises(ValueError, match="no") as caught:
            await call()
        assert caught.value is error
        assert len(work.runs) == 1

    arena.run(main)


def test_once_func_returns_nothing(arena: Any, work: Any) -> None:
    async def main() -> None:
        callers = await arena.started(once_func(work))
        work.open("a value")
        await arena.settle()
        assert (callers[0].status, callers[0].value) == ("returned", None)

    arena.run(main)


def test_a_nested_call_raises_and_executes_nothing(arena: Any) -> None:
    async def main() -> None:
        once, runs = Once(), []

        async def nested() -> None:
            runs.append("outer")
            with pytest.raises(ReentrantCallError):
                await once.do(nested)
            runs.append("after")

        await once.do(nested)
        await once.do(nested)
        assert runs == ["outer", "after"]

    arena.run(main)


def test_the_nested_error_of_a_wrapper_is_its_outcome(arena: Any) -> None:
    async def main() -> None:
        async def recurse() -> None:
            await call()

        call = once_func(recurse)
        errors = []
        for _ in range(2):
            with pytest.raises(ReentrantCallError) as caught:
                await call()
            errors.append(caught.value)
        assert errors[0] is errors[1]

    arena.run(main)


def test_a_call_from_a_child_task_of_the_function_waits(arena: Any, work: Any) -> None:
    async def main() -> None:
        once = Once()
        inner: list[Any] = []

        async def start_a_caller() -> None:
            inner.append(arena.call(lambda: once.do(work)))
            await work()

        callers = await arena.started(lambda: once.do(start_a_caller))
        assert inner[0].status == "blocked"
        work.open()
        await arena.settle()
        assert (callers[0].status, inner[0].status) == ("returned", "returned")

    arena.run(main)


def test_cancelling_a_waiter_ends_that_waiter_only(arena: Any, work: Any) -> None:
    async def main() -> None:
        call = once_value(work)
        callers = await arena.started(call, call, call)
        callers[1].cancel()
        await arena.settle()
        assert statuses(callers) == ["blocked", "cancelled", "blocked"]
        work.open(1)
        await arena.settle()
        assert statuses(callers) == ["returned", "cancelled", "returned"]
        assert work.ends == ["ended"]

    arena.run(main)


def test_when_the_executing_caller_is_cancelled_exactly_one_waiter_takes_over(
    arena: Any, new_work: Any
) -> None:
    async def main() -> None:
        once, works = Once(), [new_work() for _ in range(4)]
        callers = await arena.started(*(lambda work=work: once.do(work) for work in works))
        callers[0].cancel()
        await arena.settle()
        assert statuses(callers) == ["cancelled", "blocked", "blocked", "blocked"]
        assert sum(len(work.runs) for work in works) == 2
        heir = next(work for work in works[1:] if work.runs)
        heir.open()
        await arena.settle()
        assert statuses(callers) == ["cancelled", "returned", "returned", "returned"]
        assert sum(len(work.runs) for work in works) == 2

    arena.run(main)


def test_a_takeover_survives_the_cancellation_of_waiters_in_the_same_tick(
    arena: Any, work: Any
) -> None:
    async def main() -> None:
        call = once_value(work)
        callers = await arena.started(call, call, call)
        callers[0].cancel()
        callers[1].cancel()
        await arena.settle()
        assert statuses(callers) == ["cancelled", "cancelled", "blocked"]
        work.open(5)
        await arena.settle()
        assert callers[2].value == 5
        assert work.ends == ["cancelled", "ended"]

    arena.run(main)


def test_when_all_are_cancelled_the_next_call_executes(arena: Any, work: Any) -> None:
    async def main() -> None:
        call = once_value(work)
        callers = await arena.started(call, call)
        for caller in callers:
            caller.cancel()
        await arena.settle()
        assert statuses(callers) == ["cancelled"] * 2
        callers = await arena.started(call)
        work.open(8)
        await arena.settle()
        assert callers[0].value == 8

    arena.run(main)


@pytest.mark.parametrize("request_to_exit", [SystemExit(3), KeyboardInterrupt()], ids=repr)
def test_an_exit_request_is_never_stored(
    arena: Any, work: Any, request_to_exit: BaseException
) -> None:
    async def main() -> None:
        call = once_value(work)
        callers = await arena.started(call, call)
        work.open(request_to_exit)
        await arena.settle()
        assert callers[0].error is request_to_exit
        assert callers[1].status == "blocked"
        work.open("done")
        await arena.settle()
        assert callers[1].value == "done"

    arena.run(main)


def make_released_function(fails: bool) -> tuple[Any, list[weakref.ref[Any]]]:
    """A function that holds on to something, and weak references to both."""

    class Captured:
        pass

    captured = Captured()

    async def use() -> None:
        assert captured
        if fails:
            # Three more errors drag this frame along: a member, a cause and a context.
            member, cause, context = KeyError(), LookupError(), ValueError()
            for error in (member, cause, context):
                with contextlib.suppress(Exception):
                    raise error
            group = ExceptionGroup("a member", [member])
            group.__cause__, group.__context__ = cause, context
            raise group

    return use, [weakref.ref(use), weakref.ref(captured)]


@pytest.mark.parametrize("fails", [False, True])
def test_the_function_is_released_after_the_execution(arena: Any, fails: bool) -> None:
    async def main() -> None:
        use, references = make_released_function(fails)
        call, notes = once_func(use), []
        del use
        try:
            await call()
        except ExceptionGroup as error:
            notes = error.__notes__
        gc.collect()
        assert [reference() for reference in references] == [None, None]
        # What is lost with the frames is told in words.
        assert ["in make_released_function.<locals>.use" in note for note in notes] == [
            True
        ] * fails

    arena.run(main)


def test_a_kept_error_does_not_grow_with_its_callers(arena: Any) -> None:
    async def main() -> None:
        async def fail() -> None:
            raise ValueError

        call, lengths = once_func(fail), []
        for _ in range(3):
            try:
                await call()
            except ValueError as error:
                trace, length = error.__traceback__, 0
                while trace is not None:
                    trace, length = trace.tb_next, length + 1
                lengths.append(length)
        assert len(set(lengths)) == 1

    arena.run(main)
