"""The asyncio world: what it promises beyond the battery."""

from __future__ import annotations

import asyncio
import datetime
import gc
import importlib
import math
import signal
import sys
import threading
import time
import types
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from quiesce.errors import ConfigurationError, HangError, HarnessError, SpinError
from quiesce.worlds.asyncio import AsyncioWorld, AsyncioWorldFactory
from quiesce.worlds.virtual_time import due_ns
from quiesce.worlds.world import CURRENT_CALL, START, Blocked, CancelKind, Status

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

SECOND = 1_000_000_000


@pytest.fixture
def factory() -> Iterator[AsyncioWorldFactory]:
    made = AsyncioWorldFactory()
    yield made
    made.shut()


@pytest.fixture
def world(factory: AsyncioWorldFactory) -> Iterator[AsyncioWorld]:
    opened = factory.open()
    yield opened
    opened.close()


def result_of(world: AsyncioWorld, operation: Callable[[], Awaitable[Any]]) -> Any:
    """What an operation returns that ends at one instant."""
    call = world.spawn("operation", operation)
    world.settle()
    assert call.status is Status.RETURNED, call
    return call.value


# Order and time.


def test_callbacks_run_in_asyncios_order_turn_by_turn(world: AsyncioWorld) -> None:
    log: list[str] = []

    async def operation() -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(0, log.append, "timer")
        loop.call_soon(log.append, "soon")
        loop.call_soon(lambda: loop.call_soon(log.append, "soon in the next turn"))
        loop.call_soon_threadsafe(log.append, "from the same thread")
        loop.call_soon(log.append, "cancelled").cancel()

    result_of(world, operation)
    assert log == ["soon", "from the same thread", "timer", "soon in the next turn"]


def test_the_world_and_asyncios_own_loop_agree_on_the_order_of_tasks(world: AsyncioWorld) -> None:
    async def scenario() -> list[str]:
        log: list[str] = []
        lock, event = asyncio.Lock(), asyncio.Event()

        async def member(name: str) -> None:
            async with lock:
                log.append(f"{name} in")
                await asyncio.sleep(0)
            await event.wait()
            log.append(f"{name} out")

        tasks = [asyncio.create_task(member(name)) for name in "abc"]
        while len(log) < 3:
            await asyncio.sleep(0)
        tasks[1].cancel()
        event.set()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        return log + [repr(outcome) for outcome in outcomes]

    assert result_of(world, scenario) == asyncio.run(scenario())


def test_one_step_is_one_handle_and_a_cancelled_handle_is_none(world: AsyncioWorld) -> None:
    log: list[int] = []

    async def operation() -> None:
        loop = asyncio.get_running_loop()
        handles = [loop.call_soon(log.append, number) for number in range(4)]
        handles[0].cancel()
        handles[2].cancel()

    world.spawn("operation", operation)
    world.step(1)
    assert log == []
    world.step(1)
    assert log == [1]
    world.step(1)
    assert log == [1, 3]
    assert world.is_quiescent()


def test_timers_due_at_one_instant_fire_in_the_order_in_which_they_were_set(
    world: AsyncioWorld,
) -> None:
    log: list[int] = []

    async def operation() -> None:
        loop = asyncio.get_running_loop()
        for number in range(50):
            loop.call_later(1, log.append, number)

    result_of(world, operation)
    world.advance_to(START + SECOND)
    assert log == list(range(50))


@pytest.mark.parametrize(
    ("delay_s", "expected_ns"),
    [
        (1e-9, 1),
        (1e-10, 1),
        (1e-14, 1),  # lost when it is added to the time, and yet not now
        (1.5e-9, 2),
        (0.1 + 0.2, 300_000_000),
        (0.7, 700_000_000),
        (1 / 3, 333_333_334),
        (2 / 3, 666_666_667),
        (3600.0, 3600 * SECOND),
        (86_400 * 365.25, 31_557_600 * SECOND),
        *((n / 1000, n * 1_000_000) for n in (1, 3, 7, 9, 57, 999)),
    ],
)
def test_a_timer_is_due_at_the_nanosecond_that_its_float_means(
    world: AsyncioWorld, delay_s: float, expected_ns: int
) -> None:
    call = world.spawn("sleeps", lambda: asyncio.sleep(delay_s))
    world.settle()
    assert world.next_due() == START + expected_ns
    world.advance_to(START + expected_ns - 1)
    assert call.status is Status.BLOCKED
    world.advance_to(START + expected_ns)
    assert call.ended_at == START + expected_ns


def test_sums_of_decimal_seconds_stay_on_their_nanosecond() -> None:
    at = 1000.0
    for step in range(1, 2001):
        at += 0.001
        assert due_ns(1000.0 + step * 0.001) == START + step * 1_000_000
        assert abs(due_ns(at) - START - step * 1_000_000) <= 1


def test_a_timer_at_infinity_never_fires(world: AsyncioWorld) -> None:
    call = world.spawn("for ever", lambda: asyncio.sleep(math.inf))
    world.settle()
    assert world.next_due() is None
    world.advance_to(START + 10**18)
    assert call.status is Status.BLOCKED


def test_a_float_remainder_that_vanishes_in_the_sum_costs_a_nanosecond_and_no_spin(
    world: AsyncioWorld,
) -> None:
    async def operation() -> float:
        loop = asyncio.get_running_loop()
        start, asked = loop.time(), 0
        while asked < 3:  # each time the rest is smaller than the clock can show
            woken = loop.create_future()
            loop.call_at(loop.time() + (0.5 if not asked else 1e-15), woken.set_result, None)
            await woken
            asked += 1
        return loop.time() - start

    call = world.spawn("asks again", operation)
    world.settle()
    world.advance_to(START + SECOND)
    assert call.status is Status.RETURNED
    assert call.value == pytest.approx(0.5)
    assert call.ended_at == START + SECOND // 2 + 2


def test_code_that_polls_until_after_its_due_time_ends_once_time_passes(
    world: AsyncioWorld,
) -> None:
    async def operation() -> None:
        due = time.monotonic() + 1
        while (left := due - time.monotonic()) >= 0:
            await asyncio.sleep(left)

    call = world.spawn("polls", operation)
    world.settle()
    world.advance_to(START + 2 * SECOND)
    assert call.ended_at == START + SECOND + 1


def test_timers_set_a_nanosecond_apart_for_ever_are_a_spin(factory: AsyncioWorldFactory) -> None:
    async def operation() -> None:
        while True:
            await asyncio.sleep(1e-9)

    world = AsyncioWorldFactory(spin_limit=100).open()
    world.spawn("creeps", operation)
    world.settle()
    with pytest.raises(SpinError, match=r"creeps\) sets one timer after another"):
        world.advance_to(START + SECOND)
    assert world.close() == ()


def test_the_spin_error_names_the_task_and_the_line_where_it_gives_way(
    world: AsyncioWorld,
) -> None:
    async def twirl() -> None:
        while True:
            await asyncio.sleep(0)

    async def operation() -> None:
        await asyncio.create_task(twirl(), name="twirler")

    world.spawn("starts it", operation)
    with pytest.raises(SpinError, match=r"task twirler \(.*twirl\) at test_asyncio\.py:\d+ \(.*tw"):
        world.settle()


def test_a_callback_that_schedules_itself_is_a_spin(world: AsyncioWorld) -> None:
    async def operation() -> None:
        loop = asyncio.get_running_loop()

        def again() -> None:
            loop.call_soon(again)

        again()

    world.spawn("starts it", operation)
    with pytest.raises(SpinError, match=r"callback .*again"):
        world.settle()


def test_all_standard_clocks_show_virtual_time_in_the_world_only(world: AsyncioWorld) -> None:
    async def clocks() -> dict[str, float]:
        return {
            "loop": asyncio.get_running_loop().time(),
            "time": time.time(),
            "monotonic": time.monotonic(),
            "perf_counter": time.perf_counter(),
            "time_ns": time.time_ns() / 1e9,
            "monotonic_ns": time.monotonic_ns() / 1e9,
            "perf_counter_ns": time.perf_counter_ns() / 1e9,
            "now": datetime.datetime.now(datetime.UTC).timestamp(),
            "naive now": datetime.datetime.now().timestamp(),
        }

    world.advance_to(START + SECOND // 2)
    assert set(result_of(world, clocks).values()) == {1000.5}
    assert time.time() > 1e9
    assert datetime.datetime.now(datetime.UTC).year > 2000


def test_the_datetime_of_the_world_is_a_datetime_like_any_other(world: AsyncioWorld) -> None:
    real = datetime.datetime

    async def operation() -> tuple[bool, ...]:
        return (
            isinstance(real(2000, 1, 1), datetime.datetime),
            isinstance(datetime.datetime.now(), real),
            isinstance(datetime.datetime(2000, 1, 1), real),
            datetime.datetime(2000, 1, 1) == real(2000, 1, 1),
            not isinstance(1, datetime.datetime),
        )

    assert all(result_of(world, operation))


def test_names_bound_at_import_follow_too_in_the_packages_under_test() -> None:
    module: Any = types.ModuleType("bound_at_import")
    source = """
import time
from datetime import datetime
from time import monotonic, sleep as pause

def default(timer=monotonic, *, wall=time.time):
    return timer(), wall()

class Limiter:
    clock = time.perf_counter

    def __init__(self, timer=time.monotonic):
        self.timer = timer
"""
    exec(source, vars(module))
    originals = dict(vars(module))
    sys.modules[module.__name__] = module
    try:
        factory = AsyncioWorldFactory(packages=["bound_at_import"])
        limiter = factory.load("bound_at_import", "Limiter")
        assert limiter is module.Limiter
        world = factory.open()

        async def clocks() -> tuple[Any, ...]:
            subject = limiter()
            now = module.datetime.now(datetime.UTC).timestamp()
            return (module.monotonic(), *module.default(), subject.clock(), subject.timer(), now)

        assert set(result_of(world, clocks)) == {1000.0}
        assert vars(module) == originals
        assert module.default()[1] > 1e9
        assert limiter.clock is time.perf_counter
        assert world.close() == ()
    finally:
        del sys.modules[module.__name__]


# Cancellation.


def test_a_cancellation_that_nobody_requested_is_an_error_of_the_call(world: AsyncioWorld) -> None:
    tasks: list[asyncio.Task[Any]] = []

    async def victim() -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.append(task)
        await asyncio.sleep(math.inf)

    async def culprit() -> None:
        for task in tasks:
            task.cancel()

    for kind in CancelKind:
        call = world.spawn("victim", victim, cancel=kind)
        world.settle()
        result_of(world, culprit)
        assert call.status is Status.RAISED
        assert isinstance(call.error, asyncio.CancelledError)
        tasks.clear()


def test_an_alien_cancellation_before_the_first_step_is_an_error_too(world: AsyncioWorld) -> None:
    async def culprit() -> None:
        for task in asyncio.all_tasks():
            if task.get_name() == "victim":
                task.cancel()

    world.spawn("culprit", culprit)
    call = world.spawn("victim", lambda: asyncio.sleep(1))
    world.settle()
    assert call.status is Status.RAISED
    assert isinstance(call.error, asyncio.CancelledError)


@pytest.mark.parametrize("scope", ["timeout", "anyio"])
def test_a_timeout_of_the_subject_is_not_taken_for_a_cancellation(scope: Any) -> None:
    world = AsyncioWorldFactory(scope=scope).open()

    async def operation() -> None:
        async with asyncio.timeout(1):
            await asyncio.sleep(5)

    calls = [world.spawn("times out", operation, cancel=kind) for kind in CancelKind]
    world.settle()
    world.advance_to(START + SECOND)
    for call in calls:
        assert call.status is Status.RAISED
        assert type(call.error) is TimeoutError
    assert world.close() == ()


@pytest.mark.parametrize("scope", ["timeout", "anyio"])
@pytest.mark.parametrize("started", [True, False], ids=["started", "not started"])
def test_either_scope_cancels_and_spares_a_timeout_inside(scope: Any, started: bool) -> None:
    world = AsyncioWorldFactory(scope=scope).open()

    async def operation() -> None:
        async with asyncio.timeout(1):
            await asyncio.sleep(5)

    call = world.spawn("cancelled", operation)
    if started:
        world.settle()
    world.cancel(call)
    world.cancel(call)
    world.settle()
    assert (call.status, call.error, call.ended_at) == (Status.CANCELLED, None, START)
    assert world.census() == ()
    assert world.close() == ()


def test_native_and_scope_cancellation_differ_where_a_call_has_not_begun(
    world: AsyncioWorld,
) -> None:
    begun: list[str] = []

    def operation(name: str) -> Callable[[], Awaitable[None]]:
        async def body() -> None:
            begun.append(name)
            await asyncio.sleep(1)

        return body

    for kind in CancelKind:
        call = world.spawn(kind.value, operation(kind.value), cancel=kind)
        world.cancel(call)
    world.settle()
    assert begun == ["scope"], "Task.cancel() keeps a task from beginning, a scope does not"


def test_a_native_cancellation_may_be_repeated(world: AsyncioWorld) -> None:
    async def operation() -> str:
        for _ in range(2):
            try:
                await asyncio.sleep(1)
            except asyncio.CancelledError:
                continue
        return "survived two"

    call = world.spawn("tough", operation, cancel=CancelKind.NATIVE)
    world.settle()
    world.cancel(call)
    world.settle()
    world.cancel(call)
    world.settle()
    assert call.value == "survived two"


def test_a_call_of_another_world_is_refused(factory: AsyncioWorldFactory) -> None:
    other = AsyncioWorldFactory().open()
    world = factory.open()
    mine = world.spawn("mine", lambda: asyncio.sleep(1))
    theirs = other.spawn("theirs", lambda: asyncio.sleep(1))
    with pytest.raises(HarnessError, match="not a call of this world"):
        other.cancel(mine)
    assert not theirs.cancel_requested
    assert other.close() == ()


def cancelled_in_order(world: AsyncioWorld, scoped: Callable[[], Any], count: int) -> list[int]:
    """The order in which tasks of a scope or group hear of its cancellation."""
    log: list[int] = []

    async def child(number: int) -> None:
        try:
            await asyncio.sleep(1)
        finally:
            log.append(number)

    async def operation() -> None:
        await scoped()(child, count)

    world.spawn("operation", operation)
    world.settle()
    return log


@pytest.mark.parametrize("repetition", range(3))
def test_a_task_group_cancels_its_tasks_in_the_order_of_their_birth(
    world: AsyncioWorld, repetition: int
) -> None:
    async def run(child: Callable[[int], Any], count: int) -> None:
        with suppress(ExceptionGroup):
            async with asyncio.TaskGroup() as group:
                for number in range(count):
                    group.create_task(child(number))
                await asyncio.sleep(0)
                raise KeyError

    assert cancelled_in_order(world, lambda: run, 20) == list(range(20))


@pytest.mark.parametrize("repetition", range(3))
def test_an_anyio_scope_cancels_its_tasks_in_the_order_of_their_birth(
    factory: AsyncioWorldFactory, repetition: int
) -> None:
    anyio = pytest.importorskip("anyio")
    before = importlib.import_module("anyio._backends._asyncio").CancelScope.__init__

    async def run(child: Callable[[int], Any], count: int) -> None:
        async with anyio.create_task_group() as group:
            for number in range(count):
                group.start_soon(child, number)
            await asyncio.sleep(0)
            group.cancel_scope.cancel()

    assert cancelled_in_order(factory.open(), lambda: run, 20) == list(range(20))
    factory.shut()
    assert importlib.import_module("anyio._backends._asyncio").CancelScope.__init__ is before


def test_an_anyio_shield_holds_a_cancelled_call_without_a_spin() -> None:
    anyio = pytest.importorskip("anyio")
    world = AsyncioWorldFactory(scope="anyio").open()
    gate = world.gate("shielded")

    async def operation() -> None:
        with anyio.CancelScope(shield=True):
            await gate.wait()
        await anyio.sleep(1)

    call = world.spawn("shielded", operation)
    world.settle()
    world.cancel(call)
    world.settle()
    assert call.cancel_requested
    assert call.ended_at is None
    gate.open()
    world.settle()
    assert call.status is Status.CANCELLED
    assert world.close() == ()


def test_an_unknown_scope_is_a_configuration_error() -> None:
    wrong: Any = "trio"
    with pytest.raises(ConfigurationError, match="'timeout' or 'anyio'"):
        AsyncioWorldFactory(scope=wrong)


# Calls.


def test_an_operation_need_not_be_a_coroutine_function(world: AsyncioWorld) -> None:
    def plain() -> str:
        asyncio.get_running_loop()
        return "plain"

    async def future() -> asyncio.Future[int]:
        return asyncio.ensure_future(asyncio.sleep(0, 3))

    call = world.spawn("plain", plain)
    awaited = world.spawn("awaitable", lambda: asyncio.ensure_future(asyncio.sleep(0, 3)))
    world.settle()
    assert (call.value, awaited.value) == ("plain", 3)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_errors_that_stop_a_loop_do_not_stop_the_world(
    world: AsyncioWorld, error: type[BaseException]
) -> None:
    async def fails() -> None:
        raise error

    async def starts() -> None:
        loop = asyncio.get_running_loop()
        kept.append(asyncio.create_task(fails(), name="background"))

        def callback() -> None:
            raise error

        loop.call_soon(callback)

    kept: list[Any] = []
    call = world.spawn("fails", fails)
    world.spawn("starts", starts)
    world.settle()
    assert call.status is Status.RAISED
    assert isinstance(call.error, error)
    lost = [name.split("<locals>.")[-1] for name in world.census()]
    assert lost == [f"callback raised {error()!r}", "fails)"]


def test_background_tasks_inherit_the_number_of_their_call_and_are_numbered_afresh(
    factory: AsyncioWorldFactory,
) -> None:
    async def background() -> tuple[str, int | None]:
        task = asyncio.current_task()
        assert task is not None
        return task.get_name(), CURRENT_CALL.get()

    async def operation() -> Any:
        return await asyncio.create_task(background())

    for _ in range(2):
        world = factory.open()
        calls = [world.spawn("starts", operation) for _ in range(2)]
        world.settle()
        assert [call.value for call in calls] == [("Task-1", 0), ("Task-2", 1)]
        world.close()


def test_an_eager_task_factory_of_the_subject_works(world: AsyncioWorld) -> None:
    if sys.version_info < (3, 12):
        pytest.skip("eager tasks came with 3.12")
    log: list[str] = []

    async def child() -> None:
        log.append("child")

    async def operation() -> None:
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        task = asyncio.create_task(child())
        log.append("parent")
        await task

    result_of(world, operation)
    assert log == ["child", "parent"]


def test_only_the_test_may_drive_the_world(world: AsyncioWorld) -> None:
    async def operation() -> None:
        world.settle()

    async def forever() -> None:
        asyncio.get_running_loop().run_forever()

    call, other = world.spawn("settles", operation), world.spawn("runs", forever)
    world.settle()
    assert isinstance(call.error, HarnessError)
    assert isinstance(other.error, HarnessError)


def test_a_factory_has_one_open_world_and_a_closed_one_does_nothing(
    factory: AsyncioWorldFactory,
) -> None:
    world = factory.open()
    with pytest.raises(HarnessError, match="still open"):
        factory.open()
    assert world.close() == world.close() == ()
    for use in (world.settle, lambda: world.spawn("late", lambda: asyncio.sleep(1))):
        with pytest.raises(HarnessError, match="closed"):
            use()


# Threads that are none.


def test_an_executor_job_sleeps_in_virtual_time_and_sees_no_loop(world: AsyncioWorld) -> None:
    def job() -> tuple[bool, int | None]:
        time.sleep(1.5)
        return asyncio._get_running_loop() is None, CURRENT_CALL.get()

    async def operation() -> Any:
        loop = asyncio.get_running_loop()
        return await asyncio.gather(asyncio.to_thread(job), loop.run_in_executor(None, job))

    call = world.spawn("waits for jobs", operation)
    world.settle()
    kinds = [name.rpartition(" ")[0] for name in world.census()]
    assert kinds == ["executor job", "executor job", "task"], "the timers are the jobs' own"
    assert [blocked.waits_for for blocked in world.blocked()[-2:]] == ["time.sleep()"] * 2
    world.advance_to(START + 3 * SECOND // 2)
    # to_thread() hands the context on, run_in_executor() does not.
    assert call.value == [(True, 0), (True, None)]
    assert world.census() == ()


def test_the_error_of_a_job_reaches_whoever_waits_for_it(world: AsyncioWorld) -> None:
    def job() -> None:
        raise ValueError("in the job")

    call = world.spawn("waits", lambda: asyncio.to_thread(job))
    world.settle()
    assert (call.status, str(call.error)) == (Status.RAISED, "in the job")


def test_a_job_outlives_the_task_that_waited_for_it(world: AsyncioWorld) -> None:
    gate = world.gate("of the job")
    done: list[Any] = []

    def job() -> None:
        done.append(gate.wait_in_job())

    call = world.spawn("waits", lambda: asyncio.to_thread(job), cancel=CancelKind.NATIVE)
    world.settle()
    assert [blocked.waits_for.split(".")[0] for blocked in world.blocked()] == [
        "executor job test_a_job_outlives_the_task_that_waited_for_it",
        "gate of the job",
    ]
    world.cancel(call)
    world.settle()
    assert call.status is Status.CANCELLED
    assert [name for name in world.census() if name.endswith("job")]
    gate.open("late")
    world.settle()
    assert (done, world.census()) == (["late"], ())


def test_closing_unwinds_blocked_jobs_also_those_that_have_not_begun(
    factory: AsyncioWorldFactory,
) -> None:
    unwound: list[str] = []

    def job() -> None:
        try:
            time.sleep(5)
        finally:
            unwound.append("job")

    for steps in (1, 100):
        world = factory.open()
        world.spawn("waits", lambda: asyncio.to_thread(job))
        world.step(steps)
        assert world.close() == ()
    assert unwound == ["job"]


def test_starting_a_real_thread_is_a_harness_error_that_names_it(world: AsyncioWorld) -> None:
    async def operation() -> None:
        with suppress(HarnessError):  # hiding it does not help
            threading.Thread(target=print, name="rogue").start()

    world.spawn("starts a thread", operation)
    with pytest.raises(
        HarnessError, match=r"call 0 \(starts a thread\) started the real thread 'rogue'.*to_thread"
    ):
        world.settle()


def test_sleeping_for_real_on_the_loop_is_a_hang(world: AsyncioWorld) -> None:
    async def operation() -> None:
        time.sleep(1)

    world.spawn("dozes", operation)
    with pytest.raises(HangError, match=r"call 0 \(dozes\) called time.sleep\(1\).*asyncio.sleep"):
        world.settle()


def test_a_coroutine_that_never_gives_way_is_found_by_the_watchdog(world: AsyncioWorld) -> None:
    async def operation() -> None:
        while True:  # the alarm is rung by hand: no test waits for a clock
            signal.raise_signal(signal.SIGALRM)

    call = world.spawn("stands still", operation)
    with pytest.raises(HangError, match=r"call 0 \(stands still\) .* at test_asyncio.py:\d+ \("):
        world.settle()
    assert isinstance(call.error, HangError)
    with pytest.raises(HangError):
        world.settle()


# What is left behind.


def test_the_census_tells_tasks_timers_and_errors_apart(world: AsyncioWorld) -> None:
    kept: list[Any] = []

    async def background() -> None:
        await asyncio.sleep(math.inf)

    async def fails() -> None:
        raise ValueError("lost")

    def callback() -> None:
        raise KeyError("in a callback")

    async def operation() -> None:
        kept.append(asyncio.create_task(background(), name="named"))
        kept.append(asyncio.create_task(fails(), name="kept"))
        asyncio.create_task(fails(), name="dropped")  # noqa: RUF006 - the point
        asyncio.get_running_loop().call_soon(callback)
        asyncio.get_running_loop().call_later(5, callback)

    result_of(world, operation)
    prefix = "test_the_census_tells_tasks_timers_and_errors_apart.<locals>."
    expected = [
        f"error: exception in callback {prefix}callback: KeyError('in a callback')",
        f"error: nobody retrieved ValueError('lost') of task dropped ({prefix}fails)",
        f"error: nobody retrieved ValueError('lost') of task kept ({prefix}fails)",
        f"task named ({prefix}background)",
        f"timer {prefix}callback at 1005 s",
    ]
    names = [name for name in world.census() if "_set_result" not in name]
    assert names == expected
    assert [name for name in world.census() if "_set_result" not in name] == expected, "again"
    kept[1].exception()
    assert len(world.census()) == len(expected), "a retrieved error is none, the sleep is one"


def test_blocked_tells_gates_timers_locks_and_the_ready_apart(world: AsyncioWorld) -> None:
    gate = world.gate("3")
    lock = result_of(world, lambda: asyncio.sleep(0, asyncio.Lock()))

    async def takes() -> None:
        async with lock:
            await gate.wait()

    world.spawn("takes", takes)
    world.spawn("sleeps", lambda: asyncio.sleep(0.5))
    world.settle()
    world.spawn("contends", takes)
    world.settle()
    world.spawn("is new", takes)
    found = world.blocked()
    assert found[:2] == (
        Blocked("call 1 (takes)", "gate 3"),
        Blocked("call 2 (sleeps)", "timer at 1000.5 s"),
    )
    assert found[2].waits_for.startswith("locks.py:")
    assert found[2].waits_for.endswith("(Lock.acquire)")
    assert found[3] == Blocked("call 4 (is new)", "nothing: it is ready to run")


def test_closing_a_spinning_world_makes_no_noise(
    factory: AsyncioWorldFactory, capfd: pytest.CaptureFixture[str]
) -> None:
    async def spins() -> None:
        while True:
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                continue

    async def never_begins() -> None:
        await asyncio.sleep(1)

    async def operation() -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(1, loop.create_task, never_begins())
        await spins()

    gc.collect()  # what other tests left to the collector is not this one's noise
    capfd.readouterr()
    world = factory.open()
    world.spawn("spins", operation)
    with pytest.raises(SpinError):
        world.settle()
    assert world.close() == ("call 0 (spins)",)
    gc.collect()
    assert capfd.readouterr() == ("", "")


def test_closing_ends_what_calls_left_behind_and_keeps_the_calls_as_they_were(
    factory: AsyncioWorldFactory,
) -> None:
    world = factory.open()
    ended: list[str] = []
    kept: list[Any] = []

    async def generator() -> Any:
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0)
            ended.append("generator")

    async def background() -> None:
        try:
            await asyncio.sleep(5)
        finally:
            await asyncio.sleep(0)
            ended.append("background")

    async def operation() -> None:
        kept.append(generator())
        await anext(kept[0])
        kept.append(asyncio.create_task(background()))
        await asyncio.sleep(math.inf)

    call = world.spawn("stays", operation)
    world.settle()
    assert world.close() == ()
    assert ended == ["background", "generator"]
    assert call.status is Status.BLOCKED


def test_a_world_runs_inside_somebody_elses_loop_and_puts_it_back(
    factory: AsyncioWorldFactory,
) -> None:
    async def main() -> Any:
        outer, task = asyncio.get_running_loop(), asyncio.current_task()
        world = factory.open()
        value = result_of(world, lambda: asyncio.sleep(0, asyncio.get_running_loop()))
        assert world.close() == ()
        assert asyncio.get_running_loop() is outer
        assert asyncio.current_task() is task
        await asyncio.sleep(0)
        return value

    asyncio.run(main())


def test_the_loop_says_that_it_runs_while_it_does(world: AsyncioWorld) -> None:
    async def operation() -> asyncio.AbstractEventLoop:
        loop = asyncio.get_running_loop()
        assert loop.is_running()
        return loop

    assert not result_of(world, operation).is_running()


def test_garbage_is_collected_between_worlds_and_not_in_one(factory: AsyncioWorldFactory) -> None:
    assert gc.isenabled()
    world = factory.open()
    assert not gc.isenabled()
    world.close()
    assert gc.isenabled()
