"""The trio world keeps the promises that ``quiesce.worlds.world`` makes."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import gc
import random
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from itertools import permutations
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
import pytest
import sniffio
import trio
import trio.testing

from quiesce.errors import HangError, HarnessError, SpinError
from quiesce.schedulers.bounded import Bounded
from quiesce.schedulers.pct import Pct
from quiesce.schedulers.random_walk import RandomWalk
from quiesce.schedulers.replay import Diverged, Replay
from quiesce.schedulers.scheduler import Schedule, Scheduler
from quiesce.worlds.trio import TrioWorld, TrioWorldFactory, state
from quiesce.worlds.trio.order import order_kind
from quiesce.worlds.world import CURRENT_CALL, START, Blocked, CancelKind, Status

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

MS = 1_000_000
S = 1_000_000_000


@pytest.fixture
def factory() -> Iterator[TrioWorldFactory]:
    made = TrioWorldFactory()
    yield made
    made.shut()


@pytest.fixture
def world(factory: TrioWorldFactory) -> Iterator[TrioWorld]:
    opened = factory.open()
    yield opened
    assert opened.close() == ()


# Calls.


def test_a_call_returns_what_its_operation_returns(world: TrioWorld) -> None:
    async def answer() -> int:
        await trio.lowlevel.checkpoint()
        return 42

    call = world.spawn("answer", answer)
    assert call.status is Status.BLOCKED
    world.settle()
    assert (call.status, call.value, call.ended_at) == (Status.RETURNED, 42, START)


def test_an_operation_may_return_without_awaiting(world: TrioWorld) -> None:
    call = world.spawn("plain", lambda: "value")
    world.settle()
    assert (call.status, call.value) == (Status.RETURNED, "value")


@pytest.mark.parametrize(
    "error", [ValueError("no"), KeyboardInterrupt(), SystemExit(3), GeneratorExit()]
)
def test_an_error_of_an_operation_is_the_calls_and_harms_nothing(
    world: TrioWorld, error: BaseException
) -> None:
    async def fail() -> None:
        await trio.lowlevel.checkpoint()
        raise error

    gate = world.gate("beside")
    beside = world.spawn("beside", gate.wait)
    call = world.spawn("fail", fail)
    world.settle()
    assert (call.status, call.error) == (Status.RAISED, error)
    assert beside.status is Status.BLOCKED
    gate.open("fine")
    world.settle()
    assert beside.value == "fine"


def test_an_operation_that_fails_before_its_first_await_raises(world: TrioWorld) -> None:
    call = world.spawn("fail", lambda: 1 // 0)
    world.settle()
    assert isinstance(call.error, ZeroDivisionError)


def test_calls_are_numbered_and_their_tasks_know_the_number(world: TrioWorld) -> None:
    async def number() -> list[int | None]:
        found = [CURRENT_CALL.get()]

        async def child() -> None:
            found.append(CURRENT_CALL.get())

        async with trio.open_nursery() as nursery:
            nursery.start_soon(child)
        return found

    calls = [world.spawn("number", number) for _ in range(3)]
    world.settle()
    assert [(call.number, call.value) for call in calls] == [(n, [n, n]) for n in range(3)]
    assert CURRENT_CALL.get() is None


def test_a_thousand_callers_of_a_semaphore_all_get_through(world: TrioWorld) -> None:
    semaphore = trio.Semaphore(3)
    inside = most = 0

    async def enter() -> None:
        nonlocal inside, most
        async with semaphore:
            inside += 1
            most = max(most, inside)
            await trio.sleep(1)
            inside -= 1

    calls = [world.spawn("enter", enter) for _ in range(1_000)]
    world.settle()
    world.advance_to(START + 334 * S)
    assert {call.status for call in calls} == {Status.RETURNED}
    assert most == 3


def test_ten_thousand_callers_run_at_once(world: TrioWorld) -> None:
    gate = world.gate("all")
    calls = [world.spawn("wait", gate.wait) for _ in range(10_000)]
    world.settle()
    assert {call.status for call in calls} == {Status.BLOCKED}
    gate.open(7)
    world.settle()
    assert {call.value for call in calls} == {7}


# Quiescence and steps.


def test_settling_runs_to_rest_exactly(world: TrioWorld) -> None:
    log: list[int] = []
    gate = world.gate("end")

    async def work() -> None:
        for turn in range(50):
            log.append(turn)
            await trio.lowlevel.checkpoint()
        await gate.wait()
        log.append(-1)

    world.spawn("work", work)
    assert not world.is_quiescent()
    assert log == []
    world.settle()
    assert log == list(range(50))
    assert world.is_quiescent()
    world.settle()
    assert log == list(range(50))
    gate.open()
    assert not world.is_quiescent()
    assert log == list(range(50))
    world.settle()
    assert log[-1] == -1


def test_a_step_is_one_step_of_one_task(world: TrioWorld) -> None:
    log: list[str] = []

    async def work(name: str) -> None:
        for turn in range(2):
            log.append(f"{name}{turn}")
            await trio.lowlevel.checkpoint()

    for name in "ab":
        world.spawn(name, partial(work, name))
    for length in range(5):
        assert len(log) == length
        world.step(1)
    assert log == ["a0", "b0", "a1", "b1"]
    assert not world.is_quiescent()
    world.step(100)
    assert world.is_quiescent()
    world.step(1)
    assert log == ["a0", "b0", "a1", "b1"]


def test_after_the_last_step_the_world_is_quiescent_and_knows_its_timers(world: TrioWorld) -> None:
    world.spawn("sleep", lambda: trio.sleep(0.25))
    world.step(1)
    assert world.is_quiescent()
    assert world.next_due() == START + 250 * MS


def test_stepping_several_at_once_is_stepping_one_by_one() -> None:
    def run(*strides: int) -> list[str]:
        log: list[str] = []

        async def work(name: str) -> None:
            for turn in range(4):
                log.append(f"{name}{turn}")
                await trio.lowlevel.checkpoint()

        factory = TrioWorldFactory()
        world = factory.open()
        for name in "abc":
            world.spawn(name, partial(work, name))
        for stride in strides:
            world.step(stride)
        assert world.close() == ()
        return log

    assert run(1, 1, 1, 1, 1, 1, 1) == run(7) == run(3, 4)
    assert len(run(7)) == 7


def test_waiting_until_all_tasks_are_blocked_works(world: TrioWorld) -> None:
    gate = world.gate("beside")
    world.spawn("beside", gate.wait)
    call = world.spawn("wait", lambda: trio.testing.wait_all_tasks_blocked())
    other = world.spawn("wait", lambda: anyio.wait_all_tasks_blocked())
    world.settle()
    assert (call.status, other.status) == (Status.RETURNED, Status.RETURNED)
    gate.open()


def test_a_task_that_spins_is_named(factory: TrioWorldFactory) -> None:
    async def poll() -> None:
        while True:
            await trio.sleep(0)

    world = factory.open()
    gate = world.gate("beside")
    world.spawn("beside", gate.wait)
    world.spawn("poll", poll)
    with pytest.raises(SpinError, match=r"call 1 \(poll\) keeps running at a frozen clock: 100 "):
        world.settle()
    assert world.close() == ()


def test_a_task_that_spins_by_starting_others_is_found() -> None:
    async def breed() -> None:
        while True:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.lowlevel.checkpoint)

    world = TrioWorldFactory(spin_limit=100).open()
    world.spawn("breed", breed)
    with pytest.raises(SpinError, match="keeps running at a frozen clock"):
        world.settle()
    assert world.close() == ()


def test_a_task_that_asks_for_tiny_times_arrives(world: TrioWorld) -> None:
    async def sleep_until(at: float) -> int:
        turns = 0
        while (left := at - trio.current_time()) > 0:
            await trio.sleep(left / 3)
            turns += 1
        return turns

    call = world.spawn("thirds", lambda: sleep_until(1000.1))
    world.settle()
    world.advance_to(START + S)
    assert call.status is Status.RETURNED
    assert isinstance(call.value, int)
    assert call.value < 50
    assert call.ended_at is not None
    assert START + 100 * MS <= call.ended_at <= START + 100 * MS + 20


def test_a_task_that_asks_for_tiny_times_for_ever_spins(factory: TrioWorldFactory) -> None:
    async def nibble() -> None:
        while True:
            await trio.sleep(1e-12)

    world = TrioWorldFactory(spin_limit=100).open()
    world.spawn("nibble", nibble)
    world.settle()
    with pytest.raises(SpinError, match=r"call 0 \(nibble\) asks for one time after another"):
        world.advance_to(START + S)
    assert world.close() == ()


# Time.


@pytest.mark.parametrize("delay_ns", [1, 3, 100 * MS, 333_333_333, 3_600 * S + 1])
def test_a_timer_fires_exactly_when_due_and_not_a_nanosecond_before(
    world: TrioWorld, delay_ns: int
) -> None:
    call = world.spawn("sleep", lambda: trio.sleep(delay_ns / 1e9))
    world.settle()
    assert world.next_due() == START + delay_ns
    world.advance_to(START + delay_ns - 1)
    assert call.status is Status.BLOCKED
    assert world.now == START + delay_ns - 1
    world.advance_to(START + delay_ns)
    assert (call.status, call.ended_at) == (Status.RETURNED, START + delay_ns)


def test_random_timers_all_fire_at_their_nanosecond(world: TrioWorld) -> None:
    draw = random.Random(1)
    delays = [draw.randrange(1, 10 * S) for _ in range(2_000)]
    calls = [world.spawn("s", partial(trio.sleep, d / 1e9)) for d in delays]
    world.settle()
    world.advance_to(START + 10 * S)
    assert [call.ended_at for call in calls] == [START + delay for delay in delays]


def test_deadlines_that_differ_by_float_noise_pass_together(world: TrioWorld) -> None:
    noisy = [1000.3, 1000 + 0.1 + 0.2, 1000.1 + 0.2]
    assert len(set(noisy)) > 1
    calls = [world.spawn("s", partial(trio.sleep_until, at)) for at in noisy]
    world.settle()
    assert world.next_due() == START + 300 * MS
    world.advance_to(START + 300 * MS)
    assert {call.ended_at for call in calls} == {START + 300 * MS}


def test_at_its_due_time_a_task_reads_its_own_deadline(world: TrioWorld) -> None:
    async def sleep(seconds: float) -> float:
        deadline = trio.current_time() + seconds
        await trio.sleep_until(deadline)
        return trio.current_time() - deadline

    draw = random.Random(2)
    for _ in range(300):
        seconds = draw.random()
        call = world.spawn("s", partial(sleep, seconds))
        world.settle()
        due = world.next_due()
        assert due is not None
        world.advance_to(due)
        # 0, or the rest up to the whole nanosecond.
        assert call.value is not None
        assert 0 <= call.value < 1.01e-9  # type: ignore[operator]  # a float


def test_time_never_goes_back_by_float_noise(world: TrioWorld) -> None:
    draw = random.Random(3)
    for _ in range(300):
        world.spawn("s", partial(trio.sleep, draw.random()))
        world.settle()
        due = world.next_due()
        assert due is not None
        world.advance_to(due)
        before = world.act(trio.current_time)
        world.advance_to(due)
        assert world.act(trio.current_time) >= before
        world.advance_to(due + 1)
        assert world.act(trio.current_time) > before


def test_timers_fire_in_order_each_followed_by_rest(world: TrioWorld) -> None:
    log: list[tuple[str, int]] = []

    async def sleep(name: str, seconds: float) -> None:
        await trio.sleep(seconds)
        log.append((name, world.now))
        await trio.sleep(0.5)
        log.append((name, world.now))

    world.spawn("late", lambda: sleep("late", 1.25))
    world.spawn("early", lambda: sleep("early", 1))
    world.advance_to(START + 5 * S)
    assert log == [
        ("early", START + 1_000 * MS),
        ("late", START + 1_250 * MS),
        ("early", START + 1_500 * MS),
        ("late", START + 1_750 * MS),
    ]
    assert world.now == START + 5 * S
    assert world.next_due() is None


def test_a_sleep_for_ever_is_not_due(world: TrioWorld) -> None:
    call = world.spawn("ever", trio.sleep_forever)
    world.settle()
    assert world.next_due() is None
    world.advance_to(START + 10**9 * S)
    assert call.status is Status.BLOCKED


def test_the_clock_does_not_go_back(world: TrioWorld) -> None:
    with pytest.raises(ValueError, match=r"can't go back from 1000 s to 999\.999999999 s"):
        world.advance_to(START - 1)


def test_every_clock_shows_virtual_time_in_the_world_and_real_time_in_the_hub(
    world: TrioWorld,
) -> None:
    async def read() -> list[float]:
        await trio.sleep(0.5)
        return [
            trio.current_time(),
            time.time(),
            time.monotonic(),
            time.perf_counter(),
            time.time_ns() / 1e9,
            time.monotonic_ns() / 1e9,
            time.perf_counter_ns() / 1e9,
            datetime.datetime.now(datetime.UTC).timestamp(),
        ]

    real = (time.time, time.monotonic, time.perf_counter, time.sleep, datetime.datetime)
    call = world.spawn("read", read)
    world.advance_to(START + S)
    assert call.value == [1000.5] * 8
    assert time.time() > 1e9
    assert (time.time, time.monotonic, time.perf_counter, time.sleep, datetime.datetime) == real


def test_a_clock_bound_at_import_shows_virtual_time_if_its_package_is_named() -> None:
    factory = TrioWorldFactory(packages=[__name__])
    world = factory.open()
    call = world.spawn("read", lambda: bound_at_import())
    world.settle()
    assert call.value == 1000.0
    assert world.close() == ()
    assert bound_at_import is time.monotonic


bound_at_import = time.monotonic


# Cancellation.


def test_cancelling_a_waiting_call(world: TrioWorld) -> None:
    gate = world.gate("g")
    call = world.spawn("wait", gate.wait)
    beside = world.spawn("beside", gate.wait)
    world.settle()
    world.cancel(call)
    assert call.cancel_requested
    assert call.status is Status.BLOCKED
    world.settle()
    assert (call.status, beside.status) == (Status.CANCELLED, Status.BLOCKED)
    gate.open(1)
    world.settle()
    assert (call.status, beside.value) == (Status.CANCELLED, 1)


def test_cancelling_before_the_first_step(world: TrioWorld) -> None:
    log: list[str] = []

    async def work() -> None:
        log.append("started")
        await trio.sleep_forever()

    call = world.spawn("work", work)
    world.cancel(call)
    world.settle()
    assert call.status is Status.CANCELLED
    assert log == ["started"]  # trio delivers at the first checkpoint


def test_a_call_without_a_checkpoint_returns_although_it_was_cancelled(world: TrioWorld) -> None:
    call = world.spawn("plain", lambda: 5)
    world.cancel(call)
    world.settle()
    assert (call.status, call.value, call.cancel_requested) == (Status.RETURNED, 5, True)


def test_cancelling_between_hand_over_and_receipt_does_not_take_back(world: TrioWorld) -> None:
    semaphore = trio.Semaphore(1)
    gate = world.gate("held")

    async def hold() -> None:
        async with semaphore:
            await gate.wait()

    world.spawn("hold", hold)
    world.settle()
    call = world.spawn("acquire", semaphore.acquire)
    world.settle()
    gate.open()
    world.step(1)  # the holder has released to the waiter, which hasn't run yet
    assert (semaphore.value, call.status) == (0, Status.BLOCKED)
    world.cancel(call)
    world.settle()
    assert (call.status, call.cancel_requested) == (Status.RETURNED, True)


def test_cancelling_before_the_hand_over_leaves_the_permit(world: TrioWorld) -> None:
    semaphore = trio.Semaphore(0)
    call = world.spawn("acquire", semaphore.acquire)
    world.settle()
    world.cancel(call)
    world.act(semaphore.release)
    world.settle()
    assert (call.status, semaphore.value) == (Status.CANCELLED, 1)


def test_a_call_that_has_ended_stays_as_it_is(world: TrioWorld) -> None:
    call = world.spawn("plain", lambda: 5)
    world.settle()
    world.cancel(call)
    world.settle()
    assert (call.status, call.cancel_requested) == (Status.RETURNED, False)


def test_an_innocent_that_sees_a_cancellation_raised(world: TrioWorld) -> None:
    leaked = trio.CancelScope()
    raised: list[BaseException] = []

    async def catch() -> None:
        with leaked:
            try:
                await trio.sleep_forever()
            except trio.Cancelled as error:
                raised.append(error)
                raise

    async def innocent() -> None:
        await trio.lowlevel.checkpoint()
        raise raised[0]

    beside = world.spawn("catch", catch)
    world.settle()
    world.act(leaked.cancel)
    world.settle()
    assert beside.status is Status.RETURNED
    call = world.spawn("innocent", innocent)
    world.settle()
    assert call.status is Status.RAISED
    assert isinstance(call.error, trio.Cancelled)


def test_a_cancellation_that_ends_in_another_error_raised(world: TrioWorld) -> None:
    async def clumsy() -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise ValueError("while cleaning up")

    call = world.spawn("clumsy", clumsy)
    world.settle()
    world.cancel(call)
    world.settle()
    assert call.status is Status.RAISED
    assert isinstance(call.error, ValueError)


def test_trio_has_no_native_cancellation(world: TrioWorld) -> None:
    with pytest.raises(HarnessError, match="trio cancels scopes only"):
        world.spawn("wait", trio.sleep_forever, cancel=CancelKind.NATIVE)
    assert TrioWorldFactory.cancel_kinds == (CancelKind.SCOPE,)


def test_a_call_of_another_world_is_not_cancelled(world: TrioWorld) -> None:
    other = TrioWorldFactory().open()
    call = other.spawn("wait", trio.sleep_forever)
    with pytest.raises(HarnessError, match=r"call 0 \(wait\) is not a call of this world"):
        world.cancel(call)
    assert other.close() == ()


# Gates.


def test_an_open_gate_lets_pass(world: TrioWorld) -> None:
    gate = world.gate("g")
    gate.open(1)
    gate.open(2)
    call = world.spawn("wait", gate.wait)
    world.settle()
    assert call.value == 1


def test_a_gate_passes_a_cancellation_on(world: TrioWorld) -> None:
    gate = world.gate("g")
    seen: list[BaseException] = []

    async def work() -> None:
        try:
            await gate.wait()
        except trio.Cancelled as error:
            seen.append(error)
            raise

    call = world.spawn("work", work)
    world.settle()
    world.cancel(call)
    world.settle()
    assert len(seen) == 1
    gate.open()
    world.settle()
    assert call.status is Status.CANCELLED


# Looking.


def test_blocked_tells_what_each_task_waits_for(world: TrioWorld) -> None:
    gate = world.gate("first")
    lock = trio.Lock()

    async def hold() -> None:
        async with lock:
            await gate.wait()

    async def acquire() -> None:
        await lock.acquire()

    async def background() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep, 2.5, name="ticker")

    world.spawn("hold", hold)
    world.settle()
    world.spawn("acquire", acquire)
    world.spawn("background", background)
    world.spawn("bare", lock.acquire)
    world.spawn("ever", lambda: anyio.sleep_forever())
    world.settle()
    world.spawn("fresh", gate.wait)
    blocked = world.blocked()
    assert [entry.task for entry in blocked] == [
        "call 0 (hold)",
        "call 1 (acquire)",
        "call 2 (background)",
        "call 3 (bare)",
        "call 4 (ever)",
        "task ticker",
        "call 5 (fresh)",
    ]
    assert blocked[0] == Blocked("call 0 (hold)", "gate first")
    waits = [entry.waits_for for entry in blocked]
    assert waits[1].startswith("Lock.acquire at test_trio.py:")
    assert waits[2].startswith("NurseryManager.__aexit__ at test_trio.py:")
    assert waits[3:] == [
        "Lock.acquire",
        "for ever",
        "timer at 1002.5 s",
        "nothing: it is ready to run",
    ]
    gate.open()


def test_the_census_sees_a_task_in_a_nursery_that_never_ends(world: TrioWorld) -> None:
    async def start(nursery: trio.Nursery) -> None:
        nursery.start_soon(trio.sleep_forever, name="left behind")

    async def own() -> None:
        async with trio.open_nursery() as nursery:
            await start(nursery)

    world.spawn("own", own)
    assert world.census() == ()
    world.settle()
    assert world.census() == ("task left behind",)


def test_the_census_sees_a_system_task(world: TrioWorld) -> None:
    async def daemon() -> None:
        await trio.sleep_forever()

    call = world.spawn("start", lambda: trio.lowlevel.spawn_system_task(daemon, name="daemon"))
    world.settle()
    assert call.status is Status.RETURNED
    assert world.census() == ("task daemon",)


def test_calls_are_no_leaks(world: TrioWorld) -> None:
    world.spawn("ever", trio.sleep_forever)
    world.settle()
    assert world.census() == ()


# The end.


def test_closing_ends_calls_and_tasks_and_is_no_outcome_of_theirs(
    factory: TrioWorldFactory,
) -> None:
    world = factory.open()
    ended: list[str] = []

    async def work() -> None:
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.sleep_forever)
        finally:
            ended.append("work")

    call = world.spawn("work", work)
    never_run = world.spawn("late", work)
    world.step(1)
    assert world.close() == ()
    assert ended == ["work", "work"]
    assert (call.status, never_run.status) == (Status.BLOCKED, Status.BLOCKED)
    assert world.close() == ()


def test_a_shielded_task_gets_its_gate_and_its_time_at_the_end(factory: TrioWorldFactory) -> None:
    world = factory.open()
    gate = world.gate("g")
    ended: list[str] = []

    async def work() -> None:
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await gate.wait()
                await trio.sleep(30)
            ended.append("clean")

    world.spawn("work", work)
    world.settle()
    assert world.close() == ()
    assert ended == ["clean"]


def test_a_shielded_task_that_never_ends_is_in_the_census_and_abandoned(
    factory: TrioWorldFactory, capfd: pytest.CaptureFixture[str]
) -> None:
    world = factory.open()
    ended: list[str] = []

    async def shielded() -> None:
        with trio.CancelScope(shield=True):
            try:
                await trio.sleep_forever()
            finally:
                ended.append("dropped")

    async def own() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(shielded, name="shielded")

    call = world.spawn("own", own)
    world.settle()
    assert world.census() == ("task shielded",)
    world.cancel(call)
    world.settle()
    assert call.status is Status.BLOCKED
    assert world.close() == ("call 0 (own)", "task shielded")
    gc.collect()
    assert ended == []  # its code won't ever run again
    assert capfd.readouterr() == ("", "")


def test_a_task_that_swallows_cancellation_is_abandoned(
    factory: TrioWorldFactory, capfd: pytest.CaptureFixture[str]
) -> None:
    world = TrioWorldFactory(spin_limit=100).open()

    async def stubborn(wait: Callable[[], Awaitable[None]]) -> None:
        while True:
            with contextlib.suppress(BaseException):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(trio.sleep_forever)
                    await wait()

    world.spawn("waits", lambda: stubborn(trio.sleep_forever))
    world.settle()
    world.spawn("polls", lambda: stubborn(trio.lowlevel.checkpoint))
    assert world.close()[:2] == ("call 0 (waits)", "call 1 (polls)")
    gc.collect()
    assert capfd.readouterr() == ("", "")
    after = factory.open()
    assert after.spawn("works", lambda: 1).status is Status.BLOCKED
    assert after.close() == ()


def state_of_the_process() -> tuple[object, ...]:
    wakeup = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(wakeup)
    return (
        dict(state._context()),
        sniffio.thread_local.name,
        sys.get_asyncgen_hooks(),
        wakeup,
        signal.getsignal(signal.SIGINT),
        signal.getsignal(signal.SIGALRM),
        signal.getitimer(signal.ITIMER_REAL),
        threading.Thread.start,
        threading.active_count(),
        time.monotonic,
        time.sleep,
        vars(trio._core._run)["_ALLOW_DETERMINISTIC_SCHEDULING"],
        vars(trio._core._run)["_r"],
        sys.unraisablehook,
        gc.isenabled(),
    )


def test_after_close_nothing_of_the_world_is_left(factory: TrioWorldFactory) -> None:
    before = state_of_the_process()
    world = factory.open()
    world.spawn("ever", trio.sleep_forever)
    world.settle()
    world.step(3)
    world.close()
    assert state_of_the_process() == before
    for use in (world.settle, lambda: world.spawn("late", trio.sleep_forever)):
        with pytest.raises(HarnessError, match="this trio world is closed"):
            use()


def test_in_the_hub_no_run_of_trio_is_seen_while_a_world_is_open(world: TrioWorld) -> None:
    world.spawn("ever", trio.sleep_forever)
    for run in (world.settle, lambda: world.step(1)):
        run()
        assert not state._context()
        assert sniffio.thread_local.name is None
        assert trio.run(trio.lowlevel.checkpoint) is None
        world.spawn("ever", trio.sleep_forever)


def test_a_world_can_be_opened_within_a_run_of_trio(factory: TrioWorldFactory) -> None:
    async def main() -> object:
        world = factory.open()
        call = world.spawn("sleep", lambda: trio.sleep(1))
        world.advance_to(START + S)
        assert world.close() == ()
        await trio.lowlevel.checkpoint()
        return call.ended_at

    assert trio.run(main) == START + S


def test_a_factory_opens_one_world_at_a_time(factory: TrioWorldFactory) -> None:
    factory.open()
    with pytest.raises(HarnessError, match="still open"):
        factory.open()


def test_worlds_one_after_another_and_side_by_side(factory: TrioWorldFactory) -> None:
    for _ in range(3):
        world = factory.open()
        call = world.spawn("sleep", lambda: trio.sleep(1))
        world.advance_to(START + S)
        assert call.ended_at == START + S
        assert world.close() == ()
    first, second = factory.open(), TrioWorldFactory().open()
    gates = first.gate("g"), second.gate("g")
    calls = first.spawn("wait", gates[0].wait), second.spawn("wait", gates[1].wait)
    first.settle()
    second.settle()
    second.advance_to(START + 5)
    assert (first.now, second.now) == (START, START + 5)
    gates[0].open("first")
    second.settle()
    first.settle()
    assert [call.value for call in calls] == ["first", None]
    assert first.close() == ()
    gates[1].open("second")
    second.settle()
    assert calls[1].value == "second"
    assert second.close() == ()


def test_a_trio_world_beside_an_asyncio_loop(world: TrioWorld) -> None:
    library: list[str] = []

    async def on_trio() -> None:
        library.append(sniffio.current_async_library())
        await anyio.sleep(1)
        library.append(sniffio.current_async_library())

    async def numbers() -> AsyncIterator[int]:
        for number in range(2):
            await anyio.lowlevel.checkpoint()
            yield number

    async def on_asyncio() -> list[int]:
        world.settle()  # the hub may be code on another loop
        library.append(sniffio.current_async_library())
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, 0)
        found = [number async for number in numbers()]
        world.advance_to(START + S)
        library.append(sniffio.current_async_library())
        await asyncio.sleep(0)
        return found

    world.spawn("on trio", on_trio)
    assert asyncio.run(on_asyncio()) == [0, 1]
    assert library == ["trio", "asyncio", "trio", "asyncio"]


def test_async_generators_are_finalised_within_their_run(factory: TrioWorldFactory) -> None:
    ended: list[str] = []

    async def numbers() -> AsyncIterator[int]:
        try:
            for number in range(5):
                yield number
        finally:
            ended.append("finalised")

    kept: list[AsyncIterator[int]] = []

    async def first() -> int:
        kept.append(numbers())
        return await anext(kept[0])

    world = factory.open()
    call = world.spawn("first", first)
    world.settle()
    assert call.value == 0
    assert sys.get_asyncgen_hooks() == (None, None)
    with pytest.warns(ResourceWarning, match="Async generator"):  # trio's own opinion of it
        kept.clear()
    assert ended == []
    world.settle()
    assert ended == ["finalised"]
    assert world.close() == ()


# What must not happen.


def test_a_real_thread_is_refused_and_named(factory: TrioWorldFactory) -> None:
    world = factory.open()
    threads = threading.active_count()

    async def start() -> None:
        threading.Thread(target=print, name="mine").start()

    call = world.spawn("start", start)
    with pytest.raises(HarnessError, match=r"call 0 \(start\) started the real thread 'mine'"):
        world.settle()
    assert isinstance(call.error, HarnessError)
    with pytest.raises(HarnessError, match="real thread 'mine'"):
        world.advance_to(START + S)
    world.close()
    assert threading.active_count() == threads


@pytest.mark.parametrize("to_thread", [trio.to_thread.run_sync, anyio.to_thread.run_sync])
def test_work_in_a_thread_is_refused(
    factory: TrioWorldFactory, to_thread: Callable[..., Any]
) -> None:
    world = factory.open()
    world.spawn("work", lambda: to_thread(int))
    with pytest.raises(HarnessError, match=r"call 0 \(work\) started the real thread"):
        world.settle()
    world.close()


def test_work_in_a_thread_that_was_there_before_is_refused() -> None:
    # In a process of its own, for trio keeps an idle thread for some seconds.
    assert b"call 0 (work) started the real thread" in run_here("print_refusal")


def print_refusal() -> None:
    trio.run(partial(trio.to_thread.run_sync, time.time))
    world = TrioWorldFactory().open()
    world.spawn("work", lambda: trio.to_thread.run_sync(int))
    with pytest.raises(HarnessError) as refusal:
        world.settle()
    world.close()
    print(refusal.value)


def run_here(function: str, *, hash_seed: str = "0") -> bytes:
    """What a function of this file prints in a process of its own."""
    program = f"import runpy, sys; runpy.run_path(sys.argv[1])[{function!r}]()"
    return subprocess.run(
        [sys.executable, "-c", program, __file__],
        env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        check=True,
    ).stdout


def test_a_real_sleep_is_refused(factory: TrioWorldFactory) -> None:
    async def sleep() -> None:
        time.sleep(3600)

    world = factory.open()
    world.spawn("sleep", sleep)
    with pytest.raises(HangError, match=r"call 0 \(sleep\) called time\.sleep\(3600\)"):
        world.settle()
    world.close()


def test_a_step_that_never_ends_is_named() -> None:
    async def loop() -> None:
        while True:
            pass

    world = TrioWorldFactory(hang_after_s=0.05).open()
    world.spawn("loop", loop)
    with pytest.raises(HangError, match=r"call 0 \(loop\) holds the real thread at test_trio\.py:"):
        world.settle()
    world.close()


def test_code_in_the_world_may_not_call_the_hub(factory: TrioWorldFactory) -> None:
    world = factory.open()
    call = world.spawn("hub", world.settle)
    world.settle()
    assert isinstance(call.error, HarnessError)
    assert "called its hub" in str(call.error)
    assert world.close() == ()


def test_a_background_task_that_fails_ends_the_run_with_a_clear_error(
    factory: TrioWorldFactory,
) -> None:
    async def daemon() -> None:
        await trio.sleep(1)
        raise ValueError("lost")

    world = factory.open()
    world.spawn("start", lambda: trio.lowlevel.spawn_system_task(daemon))
    world.settle()
    with pytest.raises(HarnessError, match=r"trio's run has ended: ValueError\('lost'\)"):
        world.advance_to(START + S)
    with pytest.raises(HarnessError, match="trio's run has ended"):
        world.spawn("late", trio.sleep_forever)
    assert world.close() == ()


# Ctrl-C.


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


def test_an_interrupt_in_the_hub_is_raised_there_at_once(world: TrioWorld) -> None:
    call = world.spawn("sleep", lambda: trio.sleep(1))
    world.settle()
    with pytest.raises(KeyboardInterrupt):
        interrupt()
    world.advance_to(START + S)
    assert call.status is Status.RETURNED


def test_an_interrupt_in_a_call_comes_out_of_the_hub_and_the_world_lives(
    world: TrioWorld,
) -> None:
    gate = world.gate("g")
    beside = world.spawn("beside", gate.wait)
    call = world.spawn("interrupt", interrupt)
    with pytest.raises(KeyboardInterrupt):
        world.settle()
    assert isinstance(call.error, KeyboardInterrupt)
    gate.open(1)
    world.settle()
    assert beside.value == 1


def test_an_interrupt_in_what_the_hub_calls_is_raised_once(world: TrioWorld) -> None:
    with pytest.raises(KeyboardInterrupt):
        world.act(interrupt)
    world.spawn("plain", lambda: 1)
    world.settle()


def test_worlds_that_close_in_any_order_give_the_interrupt_handler_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    first, second = TrioWorldFactory().open(), TrioWorldFactory().open()
    first.close()
    with pytest.raises(KeyboardInterrupt):
        interrupt()
    second.close()
    assert signal.getsignal(signal.SIGINT) is before


def test_a_world_works_off_the_main_thread() -> None:
    found: list[object] = []

    def run() -> None:
        world = TrioWorldFactory().open()
        call = world.spawn("sleep", lambda: trio.sleep(1))
        world.advance_to(START + S)
        found.extend((call.ended_at, world.close()))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert found == [START + S, ()]


# The order of tasks.


def order_of(scheduler: Scheduler | None, callers: int = 3) -> str:
    """One execution: in which order the callers get on after a common gate."""
    log: list[str] = []
    factory = TrioWorldFactory()
    world = factory.open(scheduler)
    gate = world.gate("g")

    async def work(name: str) -> None:
        await gate.wait()
        log.append(name)

    for name in "abcdef"[:callers]:
        world.spawn(name, partial(work, name))
        world.settle()
    gate.open()
    world.settle()
    assert world.close() == ()
    return "".join(log)


def all_orders(scheduler: Scheduler, **options: int) -> list[tuple[Schedule, str]]:
    found = []
    while scheduler.begin():
        order = order_of(scheduler, **options)
        scheduler.end(failed=False)
        found.append((scheduler.schedule, order))
    return found


def test_without_a_scheduler_tasks_run_in_birth_order() -> None:
    assert TrioWorldFactory().order == "controlled"
    assert {order_of(None, 6) for _ in range(10)} == {"abcdef"}


def test_a_trio_that_hides_its_order_is_left_to_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    order_kind.cache_clear()
    monkeypatch.setattr(state, "_SORTED", "renamed")
    try:
        factory = TrioWorldFactory()
        world = factory.open()
        assert (factory.order, world.order) == ("fixed", "fixed")
        calls = [world.spawn("plain", lambda: 1) for _ in range(3)]
        world.settle()
        assert {call.value for call in calls} == {1}
        assert world.close() == ()
        assert "renamed" not in vars(trio._core._run)
    finally:
        order_kind.cache_clear()


def test_a_bounded_search_visits_every_order_once() -> None:
    search = Bounded(max_deviations=9, budget=1_000)
    orders = [order for _, order in all_orders(search)]
    assert orders[0] == "abc"
    assert sorted(orders) == ["".join(order) for order in permutations("abc")]
    assert search.certificate.ended


@pytest.mark.parametrize(
    "make",
    [
        lambda seed: RandomWalk(executions=20, seed=seed),
        lambda seed: Pct(depth=3, executions=20, seed=seed),
        lambda seed: Bounded(max_deviations=2, budget=20, sample_seed=seed),
    ],
    ids=["random", "pct", "bounded"],
)
def test_the_same_seed_gives_the_same_history_and_another_seed_another(
    make: Callable[[int], Scheduler],
) -> None:
    once = all_orders(make(1), callers=6)
    assert once == all_orders(make(1), callers=6)
    assert once != all_orders(make(2), callers=6)
    assert len({order for _, order in once}) > 5
    for schedule, order in once:
        replay = Replay(schedule)
        assert all_orders(replay, callers=6) == [(schedule, order)]


def test_a_schedule_that_does_not_fit_is_an_error_in_the_hub(factory: TrioWorldFactory) -> None:
    world = factory.open(Replay(Schedule(tasks=((0, 7),))))
    gate = world.gate("g")
    for _ in range(3):
        world.spawn("wait", gate.wait)
    with pytest.raises(Diverged, match="option 7 at choice 0"):
        world.settle()
    world.close()


def test_a_longer_program_repeats_exactly_under_every_hash_seed() -> None:
    histories = {run_here("print_history", hash_seed=seed) for seed in "01"}
    assert len(histories) == 1
    assert len(histories.pop()) > 300


def print_history() -> None:
    """Cancellations, deadlines and nurseries: what trio keeps in sets ordered by address."""
    log: list[object] = []

    async def work(name: int) -> None:
        try:
            with trio.move_on_after(1 + name % 2):
                async with trio.open_nursery() as nursery:
                    for child in range(3):
                        nursery.start_soon(leaf, name, child)
        finally:
            log.append((name, "end", world.now))

    async def leaf(name: int, child: int) -> None:
        try:
            await trio.sleep_forever()
        finally:
            log.append((name, child))

    world = TrioWorldFactory().open(RandomWalk(executions=1, seed=4))
    calls = [world.spawn("work", partial(work, n)) for n in range(8)]
    world.settle()
    world.cancel(calls[3])
    world.advance_to(START + 2 * S)
    world.close()
    print(log)


def test_hypothesis_does_not_fix_the_order_of_tasks() -> None:
    # Importing Hypothesis has loaded its plugin for trio, which seeds trio's own shuffling.
    from hypothesis import given, settings
    from hypothesis import strategies as st

    orders: set[str] = set()

    @settings(max_examples=30, derandomize=True, database=None, deadline=None)
    @given(st.integers(0, 2**16))
    def explore(seed: int) -> None:
        walk = RandomWalk(executions=1, seed=seed)
        walk.begin()
        orders.add(order_of(walk, 5))
        assert order_of(None, 5) == "abcde"

    explore()
    assert len(orders) > 5


# anyio on trio.


def test_anyio_runs_on_the_world(world: TrioWorld) -> None:
    log: list[object] = []
    limiter = anyio.CapacityLimiter(1)
    send, receive = anyio.create_memory_object_stream[int](0)

    async def hold() -> None:
        async with limiter:
            await anyio.sleep(1)
            log.append(("held", world.now))

    async def late() -> None:
        with anyio.move_on_after(0.5) as scope:
            async with limiter:
                log.append("never")
        log.append(("moved on", scope.cancelled_caught, world.now))
        with pytest.raises(TimeoutError):
            with anyio.fail_after(0.25):
                await receive.receive()

    async def produce() -> None:
        async with send:
            await anyio.sleep(2)
            await send.send(7)

    async def consume() -> int:
        async with receive:
            return await receive.receive()

    world.spawn("hold", hold)
    world.spawn("late", late)
    world.advance_to(START + S)
    world.spawn("produce", produce)
    consumer = world.spawn("consume", consume)
    world.advance_to(START + 3 * S)
    assert log == [("moved on", True, START + 500 * MS), ("held", START + S)]
    assert (consumer.value, consumer.ended_at) == (7, START + 3 * S)


def test_an_anyio_object_made_by_the_hub_belongs_to_trio(world: TrioWorld) -> None:
    event = world.act(anyio.Event)
    call = world.spawn("wait", event.wait)
    world.settle()
    world.act(event.set)
    world.settle()
    assert call.status is Status.RETURNED


def test_the_adapter_class_is_the_ordinary_one(factory: TrioWorldFactory) -> None:
    assert factory.load("trio", "Semaphore") is trio.Semaphore
    assert (factory.name, factory.is_async) == ("trio", True)
