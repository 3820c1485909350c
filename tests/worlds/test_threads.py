"""The thread world: callers, time, quiescence, deadlock, replay."""

from __future__ import annotations

import contextvars
import functools
import queue
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from quiesce.errors import HarnessError, SpinError
from quiesce.schedulers.scheduler import Schedule
from quiesce.worlds.threads import Points, ThreadWorld, ThreadWorldFactory
from quiesce.worlds.world import CURRENT_CALL, START, Blocked, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SECOND = 1_000_000_000
FOREVER = 2**62


# ---- subjects: loaded again for the world


class Locked:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.value = 0

    def bump(self, log: list[str], who: str) -> None:
        for _ in range(3):
            with self.lock:
                value = self.value
                log.append(f"{who} {value}")
                self.value = value + 1

    def hold(self, wait: Callable[[], object]) -> None:
        with self.lock:
            wait()

    def count(self) -> int:
        with self.lock:
            self.value += 1
            return self.value

    def try_for(self, timeout: float) -> bool:
        return self.lock.acquire(timeout=timeout)

    def poll(self) -> None:
        while not self.lock.acquire(blocking=False):
            pass


class TwoLocks:
    def __init__(self) -> None:
        self.a = threading.Lock()
        self.b = threading.Lock()

    def forth(self) -> None:
        with self.a, self.b:
            pass

    def back(self) -> None:
        with self.b, self.a:
            pass


class Standard:
    """What the standard library builds on threads and clocks."""

    def wait(self, timeout: float) -> bool:
        condition = threading.Condition()
        with condition:
            return condition.wait(timeout)

    def get(self) -> object:
        return queue.Queue[object]().get()

    def sleep(self, delay: float) -> float:
        time.sleep(delay)
        return time.monotonic()

    def spin(self) -> None:
        end = time.monotonic() + 1
        while time.monotonic() < end:
            pass

    def share(self) -> list[tuple[float, int]]:
        def job(n: int) -> tuple[float, int]:
            time.sleep(n)
            return time.time(), n

        with ThreadPoolExecutor(2) as executor:
            return list(executor.map(job, [3, 1, 2]))

    def wait_for_thread(self) -> str:
        names = []
        thread = threading.Thread(target=lambda: names.append(threading.current_thread().name))
        thread.start()
        thread.join()
        return names[0]

    def cross_barrier(self) -> list[str]:
        barrier = threading.Barrier(2)
        log: list[str] = []

        def cross(who: str) -> None:
            log.append(f"{who} arrives")
            barrier.wait()
            log.append(f"{who} leaves")

        threads = [threading.Thread(target=cross, args=(who,)) for who in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return log

    def raise_it(self, error: BaseException) -> None:
        raise error


class Waiters:
    """A semaphore with thousands of waiters."""

    def __init__(self) -> None:
        self.semaphore = threading.Semaphore(0)

    def acquire(self) -> None:
        self.semaphore.acquire()

    def release(self, n: int) -> None:
        self.semaphore.release(n)


class Store(threading.local):
    kind = "store"

    def __init__(self, start: int) -> None:
        self.values = [start]


class Locals:
    def __init__(self) -> None:
        self.store = Store(7)

    def add(self, value: int) -> tuple[str, list[int]]:
        self.store.values.append(value)
        time.sleep(1)
        self.store.last = value
        return self.store.kind, self.store.values


class Kept:
    """Something that a thread keeps for itself."""


class Keeper:
    def __init__(self) -> None:
        self.local = threading.local()

    def keep(self) -> weakref.ref[Kept]:
        self.local.kept = Kept()
        return weakref.ref(self.local.kept)


# ---- schedulers


class Chosen:
    """Takes the options of a list of deviations, and records what it was asked."""

    def __init__(self, deviations: dict[int, int] | None = None, data: Sequence[int] = ()) -> None:
        self.next_ask = 0
        self.deviations = deviations or {}
        self.data = list(data)
        self.asked: list[tuple[int, tuple[int, ...], bool]] = []

    def begin(self) -> bool:
        return True

    def choose(self, enabled: Sequence[int], *, step: int, forced: bool) -> int:
        self.asked.append((step, tuple(enabled), forced))
        return self.deviations.get(step, 0)

    def choose_data(self, options: int, *, label: str) -> int:
        return self.data.pop(0) if self.data else 0

    def end(self, *, failed: bool) -> None:
        pass

    @property
    def schedule(self) -> Schedule:
        return Schedule(tuple(sorted(self.deviations.items())))


class Walk(Chosen):
    """Chooses at random."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.random = Random(seed)

    def choose(self, enabled: Sequence[int], *, step: int, forced: bool) -> int:
        index = self.random.randrange(len(enabled))
        if index:
            self.deviations[step] = index
        return index


@pytest.fixture(scope="module")
def factory() -> Iterator[ThreadWorldFactory]:
    factory = ThreadWorldFactory(points=Points.OPERATIONS, step_limit=1_000)
    yield factory
    factory.shut()


@pytest.fixture
def world(factory: ThreadWorldFactory) -> Iterator[ThreadWorld]:
    world = factory.open()
    yield world
    world.close()


# ---- callers


def test_a_call_goes_from_blocked_to_returned(world: ThreadWorld) -> None:
    gate = world.gate("g")
    call = world.spawn("wait", gate.wait)
    assert (call.status, world.is_quiescent()) == (Status.BLOCKED, False)
    world.settle()
    assert (call.status, world.is_quiescent()) == (Status.BLOCKED, True)
    assert world.blocked() == (Blocked("call 0 (wait)", "gate g"),)
    gate.open("payload")
    gate.open("too late")
    world.settle()
    assert (call.status, call.value, call.ended_at) == (Status.RETURNED, "payload", START)
    assert world.blocked() == ()


def test_a_gate_opened_early_lets_its_waiter_pass(world: ThreadWorld) -> None:
    gate = world.gate("g")
    gate.open(1)
    call = world.spawn("wait", gate.wait)
    world.settle()
    assert call.value == 1


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_whatever_an_operation_raises_is_its_outcome(
    factory: ThreadWorldFactory, world: ThreadWorld, kind: type[BaseException]
) -> None:
    error = kind("boom")
    subject = factory.load(__name__, "Standard")()
    call = world.spawn("raise", lambda: subject.raise_it(error))
    other = world.spawn("sleep", lambda: subject.sleep(1))
    world.settle()
    assert (call.status, call.error) == (Status.RAISED, error)
    world.advance_to(START + SECOND)
    assert other.status is Status.RETURNED


def test_each_caller_has_a_context_of_its_own(world: ThreadWorld) -> None:
    variable = contextvars.ContextVar("variable", default=0)
    gate = world.gate("g")

    def operation(n: int) -> tuple[int, int, int | None]:
        before = variable.get()
        variable.set(n)
        gate.wait()
        return before, variable.get(), CURRENT_CALL.get()

    calls = [world.spawn(f"set {n}", functools.partial(operation, n)) for n in (5, 6)]
    world.settle()
    gate.open()
    world.settle()
    later = world.spawn("set 7", functools.partial(operation, 7))  # in a used greenlet
    world.settle()
    assert [call.value for call in calls] == [(0, 5, 0), (0, 6, 1)]
    assert later.value == (0, 7, 2)
    assert (variable.get(), CURRENT_CALL.get()) == (0, None)


def test_thread_local_data_belongs_to_the_task(
    factory: ThreadWorldFactory, world: ThreadWorld
) -> None:
    subject = factory.load(__name__, "Locals")()
    calls = [world.spawn(f"add {n}", functools.partial(subject.add, n)) for n in (1, 2)]
    world.advance_to(START + SECOND)
    assert [call.value for call in calls] == [("store", [7, 1]), ("store", [7, 2])]
    assert subject.store.values == [7]
    assert not hasattr(subject.store, "last")


def test_thread_local_data_goes_with_its_task_and_not_at_the_next_access(
    factory: ThreadWorldFactory, world: ThreadWorld
) -> None:
    subject = factory.load(__name__, "Keeper")()
    call: Any = world.spawn("keep", subject.keep)
    world.settle()
    assert call.value() is None


def test_calls_can_not_be_cancelled(world: ThreadWorld) -> None:
    call = world.spawn("wait", world.gate("g").wait)
    with pytest.raises(HarnessError, match=r"call 0 \(wait\) can't be cancelled"):
        world.cancel(call)


def test_ten_thousand_callers_wait_for_one_lock_and_one_semaphore(
    factory: ThreadWorldFactory, world: ThreadWorld
) -> None:
    waiters, locked = factory.load(__name__, "Waiters")(), factory.load(__name__, "Locked")()
    gate = world.gate("g")
    world.spawn("hold", lambda: locked.hold(gate.wait))
    calls = [world.spawn("acquire", waiters.acquire) for _ in range(5_000)]
    calls += [world.spawn("count", locked.count) for _ in range(5_000)]
    world.settle()
    assert len(world.blocked()) == 10_001
    gate.open()
    world.spawn("release", lambda: waiters.release(5_000))
    world.settle()
    assert all(call.status is Status.RETURNED for call in calls)
    assert [call.value for call in calls[5_000:]] == list(range(1, 5_001))


# ---- time


def test_a_timer_fires_at_its_nanosecond_and_not_before(
    factory: ThreadWorldFactory, world: ThreadWorld
) -> None:
    subject = factory.load(__name__, "Standard")()
    call = world.spawn("sleep", lambda: subject.sleep(0.3))
    world.settle()
    due = START + 300_000_000
    assert world.next_due() == due
    world.advance_to(due - 1)
    assert (call.status, world.now) == (Status.BLOCKED, due - 1)
    world.advance_to(due)
    assert (call.value, call.ended_at, world.next_due()) == (1000.3, due, None)
    world.advance_to(due + 1)
    assert world.now == due + 1


def test_timers_fire_in_order_and_each_is_settled(
    world: ThreadWorld, factory: ThreadWorldFactory
) -> None:
    subject = factory.load(__name__, "Standard")()
    calls = [world.spawn(f"sleep {n}", functools.partial(subject.sleep, n)) for n in (3, 1, 2, 1)]
    world.advance_to(START + 10 * SECOND)
    assert [call.value for call in calls] == [1003, 1001, 1002, 1001]
    assert world.now == START + 10 * SECOND


def test_the_rest_of_a_float_division_is_a_nanosecond_and_no_spin(
    world: ThreadWorld, factory: ThreadWorldFactory
) -> None:
    subject = factory.load(__name__, "Standard")()
    calls = [world.spawn("sleep", functools.partial(subject.sleep, d)) for d in (1e-12, 1 / 3)]
    world.settle()
    assert world.next_due() == START + 1
    world.advance_to(START + 1)
    assert calls[0].status is Status.RETURNED
    assert world.next_due() == START + 333_333_334  # up: a sleep may not end early


def test_an_hour_of_waiting_takes_no_time(world: ThreadWorld, factory: ThreadWorldFactory) -> None:
    subject = factory.load(__name__, "Standard")()
    call = world.spawn("wait", lambda: subject.wait(3600))
    world.settle()
    assert world.blocked() == (
        Blocked("call 0 (wait)", "a notification (Condition.wait), until 4600 s"),
    )
    world.advance_to(START + 3600 * SECOND)
    assert call.value is False


def test_a_sleep_is_late_only_if_chosen() -> None:
    factory = ThreadWorldFactory(points=Points.OPERATIONS, late_sleeps=(5, 7))
    try:
        subject = factory.load(__name__, "Standard")()
        ended = []
        for data in ([], [1], [2]):
            world = factory.open(Chosen(data=data))
            call = world.spawn("sleep", lambda: subject.sleep(1))
            world.advance_to(START + 2 * SECOND)
            ended.append(call.ended_at)
            world.close()
        assert ended == [START + SECOND, START + SECOND + 5, START + SECOND + 7]
    finally:
        factory.shut()


def test_a_busy_wait_at_a_frozen_clock_is_a_spin(
    world: ThreadWorld, factory: ThreadWorldFactory
) -> None:
    world.spawn("spin", factory.load(__name__, "Standard")().spin)
    with pytest.raises(SpinError, match=r"call 0 \(spin\) spins at a frozen clock"):
        world.settle()


def test_a_polling_task_lets_the_others_run(
    world: ThreadWorld, factory: ThreadWorldFactory
) -> None:
    locked = factory.load(__name__, "Locked")()
    gate = world.gate("g")
    world.spawn("hold", lambda: locked.hold(gate.wait))
    world.settle()
    poll = world.spawn("poll", locked.poll)
    gate.open()
    world.settle()
    assert poll.status is Status.RETURNED


def test_two_polling_tasks_spin(world: ThreadWorld, factory: ThreadWorldFactory) -> None:
    locked = factory.load(__name__, "Locked")()
    world.spawn("hold", lambda: locked.hold(world.gate("g").wait))
    world.spawn("poll", locked.poll)
    world.spawn("poll", locked.poll)
    with pytest.raises(SpinError, match="tasks keep running at a frozen clock"):
        world.settle()


# ---- the standard library


def test_an_executor_runs_in_virtual_time(world: ThreadWorld, factory: ThreadWorldFactory) -> None:
    subject = factory.load(__name__, "Standard")()
    call = world.spawn("share", subject.share)
    world.settle()
    assert world.census() == ("thread ThreadPoolExecutor-0_0", "thread ThreadPoolExecutor-0_1")
    world.advance_to(START + 10 * SECOND)
    assert call.value == [(1003.0, 3), (1001.0, 1), (1003.0, 2)]
    assert world.census() == ()


def test_a_barrier_lets_nobody_leave_early(world: ThreadWorld, factory: ThreadWorldFactory) -> None:
    subject = factory.load(__name__, "Standard")()
    call = world.spawn("cross", subject.cross_barrier)
    world.settle()
    assert isinstance(call.value, list)
    assert sorted(call.value[:2]) == ["a arrives", "b arrives"]
    assert sorted(call.value[2:]) == ["a leaves", "b leaves"]


def test_threads_are_named_from_one_in_each_run(factory: ThreadWorldFactory) -> None:
    names = []
    for _ in range(2):
        world = factory.open()
        subject = factory.load(__name__, "Standard")()
        call = world.spawn("wait", subject.wait_for_thread)
        world.settle()
        names.append(call.value)
        world.close()
    assert names == ["Thread-1 (<lambda>)"] * 2


# ---- deadlock


def test_a_deadlock_shows_who_waits_for_whom(factory: ThreadWorldFactory) -> None:
    two = factory.load(__name__, "TwoLocks")
    for seed in range(50):
        world = factory.open(Walk(seed))
        subject = two()
        world.spawn("forth", subject.forth)
        world.spawn("back", subject.back)
        world.settle()
        blocked = world.blocked()
        world.close()
        if blocked:
            break
    assert blocked == (
        Blocked("call 0 (forth)", "lock 1 held by call 1 (back)"),
        Blocked("call 1 (back)", "lock 0 held by call 0 (forth)"),
    )


def test_a_lock_that_a_returned_call_kept_is_named(
    world: ThreadWorld, factory: ThreadWorldFactory
) -> None:
    locked = factory.load(__name__, "Locked")()
    world.spawn("keep", locked.lock.acquire)
    world.spawn("want", locked.count)
    gets = world.spawn("get", factory.load(__name__, "Standard")().get)
    world.settle()
    assert gets.status is Status.BLOCKED
    assert world.blocked() == (
        Blocked("call 1 (want)", "lock 0 held by call 0 (keep), which has ended"),
        Blocked("call 2 (get)", "a notification (Condition.wait in Queue.get)"),
    )


def test_a_timed_acquire_gives_up_at_its_time(
    world: ThreadWorld, factory: ThreadWorldFactory
) -> None:
    locked = factory.load(__name__, "Locked")()
    world.spawn("hold", lambda: locked.hold(world.gate("g").wait))
    world.settle()
    calls = [world.spawn("try", functools.partial(locked.try_for, t)) for t in (0, 2)]
    world.settle()
    assert [call.status for call in calls] == [Status.RETURNED, Status.BLOCKED]
    world.advance_to(START + 2 * SECOND)
    assert [call.value for call in calls] == [False, False]


def test_the_hub_is_told_that_it_would_block(
    world: ThreadWorld, factory: ThreadWorldFactory
) -> None:
    locked = factory.load(__name__, "Locked")()
    world.spawn("hold", lambda: locked.hold(world.gate("g").wait))
    world.settle()
    with pytest.raises(
        HarnessError, match=r"the hub would block on lock 0 held by call 0 \(hold\)"
    ):
        locked.lock.acquire()
    with pytest.raises(HarnessError, match="the hub would block on gate g"):
        world.gate("g").wait()


# ---- schedules


def history(factory: ThreadWorldFactory, scheduler: Chosen) -> list[str]:
    world = factory.open(scheduler)
    log: list[str] = []
    subject = factory.load(__name__, "Locked")()
    for who in "abc":
        world.spawn(who, functools.partial(subject.bump, log, who))
    world.settle()
    world.close()
    return log


def test_the_same_seed_gives_the_same_history_and_another_one_another(
    factory: ThreadWorldFactory,
) -> None:
    histories = {seed: history(factory, Walk(seed)) for seed in range(5)}
    assert all(history(factory, Walk(seed)) == log for seed, log in histories.items())
    assert len({tuple(log) for log in histories.values()}) > 1


def test_a_replayed_schedule_gives_the_same_history(factory: ThreadWorldFactory) -> None:
    walk = Walk(3)
    log = history(factory, walk)
    assert history(factory, Chosen(walk.deviations)) == log


def test_the_default_schedule_runs_each_task_until_it_blocks(factory: ThreadWorldFactory) -> None:
    world = factory.open()
    log: list[str] = []
    subject = factory.load(__name__, "Locked")()
    for who in "ab":
        world.spawn(who, functools.partial(subject.bump, log, who))
    world.settle()
    world.close()
    assert log == ["a 0", "a 1", "a 2", "b 3", "b 4", "b 5"]


def test_choices_are_numbered_and_offer_the_running_task_first(factory: ThreadWorldFactory) -> None:
    scheduler = Chosen({1: 2})
    history(factory, scheduler)
    steps = [step for step, _, _ in scheduler.asked]
    assert steps == list(range(len(steps)))
    assert scheduler.asked[:3] == [
        (0, (0, 1, 2), True),  # nobody runs yet
        (1, (0, 1, 2), False),
        (2, (2, 1, 0), False),  # the preempted task is the last in round-robin order
    ]
    assert all(len(enabled) > 1 for _, enabled, _ in scheduler.asked)


def test_a_scheduler_that_looks_away_gets_the_same_numbers(factory: ThreadWorldFactory) -> None:
    class Sparse(Chosen):
        def choose(self, enabled: Sequence[int], *, step: int, forced: bool) -> int:
            index = super().choose(enabled, step=step, forced=forced)
            self.next_ask = min((s for s in self.deviations if s > step), default=FOREVER)
            return index

    deviations = {1: 2, 9: 1}
    sparse, full = Sparse(deviations), Chosen(deviations)
    assert history(factory, sparse) == history(factory, full)
    assert len(sparse.asked) < len(full.asked)
    assert set(sparse.asked) <= set(full.asked)


def test_steps_stop_at_points_and_change_nothing(factory: ThreadWorldFactory) -> None:
    whole = Chosen()
    log = history(factory, whole)
    stepped = Chosen()
    world = factory.open(stepped)
    pieces: list[str] = []
    subject = factory.load(__name__, "Locked")()
    for who in "abc":
        world.spawn(who, functools.partial(subject.bump, pieces, who))
    lengths = []
    while not world.is_quiescent():
        world.step(2)
        lengths.append(len(pieces))
    world.close()
    assert (pieces, stepped.asked) == (log, whole.asked)
    assert lengths[:4] == [1, 2, 3, 3]


def test_an_error_of_the_scheduler_reaches_the_hub(factory: ThreadWorldFactory) -> None:
    class Broken(Chosen):
        def choose(self, enabled: Sequence[int], *, step: int, forced: bool) -> int:
            if step == 4:
                raise LookupError("diverged")
            return super().choose(enabled, step=step, forced=forced)

    world = factory.open(Broken())
    call = world.spawn("a", functools.partial(factory.load(__name__, "Locked")().bump, [], "a"))
    world.spawn("b", world.gate("g").wait)
    with pytest.raises(LookupError, match="diverged"):
        world.settle()
    assert call.status is Status.BLOCKED
    assert world.close() == ()


def test_only_one_world_is_open(factory: ThreadWorldFactory) -> None:
    world = factory.open()
    with pytest.raises(HarnessError, match="still open"):
        factory.open()
    world.close()
    with pytest.raises(HarnessError, match="this world is closed"):
        world.settle()
