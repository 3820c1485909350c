"""What every world promises, checked in every world by the same programs."""

from __future__ import annotations

import asyncio
import contextvars
import datetime
import gc
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from quiesce.errors import HarnessError, SpinError
from quiesce.schedulers.random_walk import RandomWalk
from quiesce.worlds.world import CURRENT_CALL, START, Call, CancelKind, Status

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.worlds.conftest import Action, Speech

    from quiesce.worlds.world import World, WorldFactory


class Alien(BaseException):
    """An error that nobody expects."""


def made_in(world: World, speech: Speech, action: Action) -> Any:
    """Make an object in a task of the world, where it belongs."""

    def body() -> Generator[Action, Any, Any]:
        return (yield action)

    call = world.spawn("make", speech.program(body))
    world.settle()
    assert call.status is Status.RETURNED, call
    return call.value


def waiting(world: World, speech: Speech, name: str = "waits") -> tuple[Call, Any]:
    """A caller that returns what its gate is opened with."""
    gate = world.gate(f"of {name}")

    def body() -> Generator[Action, Any, Any]:
        return (yield gate.wait)

    return world.spawn(name, speech.program(body)), gate


# Calls, gates and contexts.


def test_a_call_runs_when_the_world_does_and_returns_what_its_gate_is_opened_with(
    world: World, speech: Speech
) -> None:
    call, gate = waiting(world, speech)
    assert (call.number, call.name, call.status) == (0, "waits", Status.BLOCKED)
    world.settle()
    assert call.status is Status.BLOCKED
    gate.open("payload")
    assert call.status is Status.BLOCKED
    assert not world.is_quiescent()
    world.settle()
    assert world.is_quiescent()
    assert (call.status, call.value, call.error) == (Status.RETURNED, "payload", None)
    assert call.ended_at == world.now == START


def test_a_gate_opens_once_and_stays_open(world: World, speech: Speech) -> None:
    first, gate = waiting(world, speech)
    gate.open("first")
    gate.open("second")
    world.settle()
    assert first.value == "first"

    def late() -> Generator[Action, Any, Any]:
        return (yield gate.wait)

    second = world.spawn("late", speech.program(late))
    world.settle()
    assert second.value == "first"


@pytest.mark.parametrize("error", [ValueError("x"), Alien("x"), SystemExit(3)], ids=repr)
def test_whatever_an_operation_raises_is_the_calls_error_and_harms_nobody_else(
    world: World, speech: Speech, error: BaseException
) -> None:
    gate = world.gate("g")

    def body() -> Generator[Action, Any, Any]:
        yield gate.wait
        raise error

    call = world.spawn("raises", speech.program(body))
    other, other_gate = waiting(world, speech)
    world.settle()
    gate.open()
    world.settle()
    assert (call.status, call.error) == (Status.RAISED, error)
    other_gate.open(7)
    world.settle()
    assert other.value == 7
    assert world.census() == ()


def test_a_call_knows_its_number_and_the_hub_has_none(world: World, speech: Speech) -> None:
    def body() -> Generator[Action, Any, Any]:
        yield speech.pause()
        return CURRENT_CALL.get()

    calls = [world.spawn(f"call {n}", speech.program(body)) for n in range(3)]
    world.settle()
    assert [call.value for call in calls] == [0, 1, 2]
    assert CURRENT_CALL.get() is None


# Quiescence and steps.


def test_settle_leaves_nothing_ready_and_the_blocked_blocked(world: World, speech: Speech) -> None:
    lock = made_in(world, speech, speech.make_lock())
    gates = [world.gate("first"), world.gate("second")]
    passed: list[int] = []

    def holder() -> Generator[Action, Any, Any]:
        yield speech.acquire(lock)
        for number, gate in enumerate(gates):
            yield gate.wait
            passed.append(number)

    def waiter() -> Generator[Action, Any, Any]:
        yield speech.acquire(lock)

    holding = world.spawn("holder", speech.program(holder))
    world.settle()
    stuck = [world.spawn(f"waiter {n}", speech.program(waiter)) for n in range(5)]
    world.settle()
    assert world.is_quiescent()
    world.settle()
    world.step(100)
    assert {call.status for call in (holding, *stuck)} == {Status.BLOCKED}
    gates[0].open()
    world.settle()
    assert passed == [0]
    assert {call.status for call in (holding, *stuck)} == {Status.BLOCKED}


def test_a_chain_of_a_hundred_hand_overs_ends_in_one_settle(world: World, speech: Speech) -> None:
    lock = made_in(world, speech, speech.make_lock())
    gate = world.gate("first")
    order: list[int] = []

    def member(number: int) -> Generator[Action, Any, Any]:
        yield speech.acquire(lock)
        order.append(number)
        if number == 0:
            yield gate.wait
        yield speech.release(lock)

    calls: list[Call] = []
    for number in range(101):
        calls.append(world.spawn(f"{number}", speech.program(lambda n=number: member(n))))  # type: ignore[misc]  # a default binds the number
        world.settle()
    assert order == [0]
    gate.open()
    world.settle()
    assert sorted(order) == list(range(101))
    assert {call.status for call in calls} == {Status.RETURNED}


def test_step_stops_between_a_hand_over_and_its_receipt(world: World, speech: Speech) -> None:
    lock = made_in(world, speech, speech.make_lock())
    gate = world.gate("held")
    log: list[str] = []

    def giver() -> Generator[Action, Any, Any]:
        yield speech.acquire(lock)
        yield gate.wait
        yield speech.release(lock)
        log.append("handed over")

    def taker() -> Generator[Action, Any, Any]:
        yield speech.acquire(lock)
        log.append("received")

    world.spawn("giver", speech.program(giver))
    world.settle()
    world.spawn("taker", speech.program(taker))
    world.settle()
    gate.open()
    for _ in range(50):
        world.step(1)
        if log:
            break
    assert log == ["handed over"]
    assert not world.is_quiescent()
    world.settle()
    assert log == ["handed over", "received"]


def test_step_runs_no_more_than_its_count(world: World, speech: Speech) -> None:
    turns: list[int] = []

    def body() -> Generator[Action, Any, Any]:
        for turn in range(10):
            turns.append(turn)
            yield speech.pause()

    call = world.spawn("turns", speech.program(body))
    world.step(0)
    assert not turns
    seen = []
    while not world.is_quiescent():
        world.step(1)
        seen.append(len(turns))
    assert call.status is Status.RETURNED
    assert all(after - before <= 1 for before, after in zip([0, *seen], seen, strict=False))


def test_a_task_that_spins_at_a_frozen_clock_is_found_and_named(
    world: World, speech: Speech
) -> None:
    def body() -> Generator[Action, Any, Any]:
        while True:
            yield speech.pause()

    world.spawn("whirl", speech.program(body))
    with pytest.raises(SpinError, match="whirl"):
        world.settle()


def test_ten_thousand_callers_run_in_one_world(world: World, speech: Speech) -> None:
    gate = world.gate("all")

    def body() -> Generator[Action, Any, Any]:
        return (yield gate.wait)

    operation = speech.program(body)
    calls = [world.spawn("one of many", operation) for _ in range(10_000)]
    world.settle()
    assert all(call.status is Status.BLOCKED for call in calls)
    gate.open(1)
    world.settle()
    assert all(call.value == 1 for call in calls)


# Time.

DELAYS_S = [1e-9, 2e-9, 1e-6, 0.1, 0.1 + 0.2, 0.7, 1 / 3, 1.0, 59.999_999_999, 3600.0]


@pytest.mark.parametrize("delay_s", DELAYS_S)
def test_a_timer_fires_at_its_nanosecond_and_not_one_before(
    world: World, speech: Speech, delay_s: float
) -> None:
    def body() -> Generator[Action, Any, Any]:
        yield speech.sleep(delay_s)

    call = world.spawn("sleeps", speech.program(body))
    world.settle()
    due = world.next_due()
    assert due is not None
    assert abs(due - START - delay_s * 1e9) <= 1
    world.advance_to(due - 1)
    assert (call.status, world.now, world.next_due()) == (Status.BLOCKED, due - 1, due)
    world.advance_to(due)
    assert (call.status, call.ended_at) == (Status.RETURNED, due)
    assert world.next_due() is None


def test_timers_on_the_way_fire_in_order_each_at_its_own_instant(
    world: World, speech: Speech
) -> None:
    ended: list[str] = []

    def sleeper(name: str, *delays_s: float) -> Generator[Action, Any, Any]:
        for delay_s in delays_s:
            yield speech.sleep(delay_s)
            ended.append(name)

    one = world.spawn("one", speech.program(lambda: sleeper("one", 3, 3)))
    two = world.spawn("two", speech.program(lambda: sleeper("two", 1, 1, 3)))
    world.settle()
    assert not ended
    world.advance_to(START + 3_600_000_000_000)
    assert ended == ["two", "two", "one", "two", "one"]
    assert two.ended_at is not None
    assert one.ended_at is not None
    assert abs(two.ended_at - START - 5_000_000_000) <= 3
    assert abs(one.ended_at - START - 6_000_000_000) <= 2
    assert world.now == START + 3_600_000_000_000


def test_the_clock_does_not_go_back(world: World) -> None:
    world.advance_to(START + 5)
    with pytest.raises(ValueError, match="back"):
        world.advance_to(START + 4)
    assert world.now == START + 5


# Cancellation.


def kinds(factory: WorldFactory) -> tuple[CancelKind, ...]:
    if not factory.cancel_kinds:
        pytest.skip("calls of this world can't be cancelled")
    return factory.cancel_kinds


def test_a_world_without_cancellation_refuses_it(factory: WorldFactory, speech: Speech) -> None:
    if factory.cancel_kinds:
        pytest.skip("calls of this world can be cancelled")
    world = factory.open()
    call, _ = waiting(world, speech)
    world.settle()
    with pytest.raises(HarnessError):
        world.cancel(call)
    assert world.close() == ()


@pytest.mark.parametrize("started", [True, False], ids=["started", "not started"])
def test_each_kind_of_cancellation_ends_the_call_and_no_other(
    factory: WorldFactory, speech: Speech, started: bool
) -> None:
    for kind in kinds(factory):
        world = factory.open()
        gate = world.gate("g")

        def body(gate: Any = gate) -> Generator[Action, Any, Any]:
            return (yield gate.wait)

        call = world.spawn("cancelled", speech.program(body), cancel=kind)
        other = world.spawn("other", speech.program(body), cancel=kind)
        if started:
            world.settle()
        world.cancel(call)
        assert call.cancel_requested
        assert call.status is Status.BLOCKED, "cancel() runs nothing"
        world.settle()
        assert (call.status, call.error) == (Status.CANCELLED, None)
        assert (other.status, other.cancel_requested) == (Status.BLOCKED, False)
        gate.open(1)
        world.settle()
        assert other.value == 1
        assert world.census() == ()
        assert world.close() == ()


def test_an_ended_call_stays_as_it_is_when_cancelled(factory: WorldFactory, speech: Speech) -> None:
    for kind in kinds(factory):
        world = factory.open()

        def body() -> Generator[Action, Any, Any]:
            yield speech.pause()
            return 1

        call = world.spawn("quick", speech.program(body), cancel=kind)
        world.settle()
        world.cancel(call)
        world.settle()
        assert (call.status, call.value) == (Status.RETURNED, 1)
        assert world.close() == ()


def test_a_call_may_turn_its_cancellation_into_a_result_or_an_error(
    factory: WorldFactory, speech: Speech
) -> None:
    for kind in kinds(factory):
        world = factory.open()
        gate = world.gate("never")

        def keeps(gate: Any = gate) -> Generator[Action, Any, Any]:
            try:
                yield gate.wait
            except BaseException as error:
                return speech.is_cancellation(error)

        def fails(gate: Any = gate) -> Generator[Action, Any, Any]:
            try:
                yield gate.wait
            except BaseException:
                raise ValueError("instead") from None

        keeping = world.spawn("keeps", speech.program(keeps), cancel=kind)
        failing = world.spawn("fails", speech.program(fails), cancel=kind)
        world.settle()
        world.cancel(keeping)
        world.cancel(failing)
        world.settle()
        assert (keeping.status, keeping.value) == (Status.RETURNED, True)
        assert (failing.status, repr(failing.error)) == (Status.RAISED, "ValueError('instead')")
        assert world.close() == ()


# The end of a world.


def test_the_census_names_what_is_left_behind(factory: WorldFactory, speech: Speech) -> None:
    world = factory.open()
    words = list(speech.leaks(world))
    world.close()
    assert words
    for word in words:
        world = factory.open()
        assert world.census() == ()
        call = world.spawn("leaves", speech.leaks(world)[word])
        world.settle()
        assert call.status is Status.RETURNED
        assert [name for name in world.census() if word in name], (word, world.census())
        world.close()


def test_blocked_tells_what_each_call_waits_for(world: World, speech: Speech) -> None:
    _, gate = waiting(world, speech, "patience")
    world.settle()
    (blocked,) = world.blocked()
    assert "patience" in blocked.task
    assert "of patience" in blocked.waits_for
    gate.open()
    world.settle()
    assert world.blocked() == ()


def test_close_ends_what_is_blocked_and_abandons_nothing(
    factory: WorldFactory, speech: Speech
) -> None:
    world = factory.open()
    unwound: list[int] = []
    gate = world.gate("never")

    def body(number: int) -> Generator[Action, Any, Any]:
        try:
            yield gate.wait
        finally:
            unwound.append(number)

    for number in range(3):
        world.spawn(f"{number}", speech.program(lambda n=number: body(n)))  # type: ignore[misc]  # a default binds the number
    world.settle()
    assert world.close() == ()
    assert sorted(unwound) == [0, 1, 2]


def test_close_before_the_first_step_abandons_nothing(
    factory: WorldFactory, speech: Speech
) -> None:
    world = factory.open()
    waiting(world, speech)
    assert world.close() == ()


def closed_against_resistance(factory: WorldFactory, speech: Speech) -> tuple[str, ...]:
    """What the close of a world returns in which a task swallows whatever would end it."""
    world = factory.open()
    gate = world.gate("never")

    def body() -> Generator[Action, Any, Any]:
        while True:
            try:
                yield gate.wait
            except Exception:
                raise  # the runtime is gone: waiting fails at once, and would for ever
            except BaseException:
                continue

    world.spawn("stubborn", speech.program(body))
    world.settle()
    return world.close()


def test_a_task_that_will_not_end_is_named_and_the_next_world_is_unharmed(
    factory: WorldFactory, speech: Speech, capfd: pytest.CaptureFixture[str]
) -> None:
    abandoned = closed_against_resistance(factory, speech)
    assert [name for name in abandoned if "stubborn" in name], abandoned
    world = factory.open()
    call, gate = waiting(world, speech)
    gate.open(1)
    world.settle()
    assert call.value == 1
    assert world.close() == ()
    gc.collect()  # what makes a noise when it is dropped makes it here
    assert capfd.readouterr() == ("", "")


def process_state() -> dict[str, object]:
    """Everything of the process that a world may borrow."""
    clocks = ("time", "monotonic", "perf_counter", "time_ns", "monotonic_ns", "perf_counter_ns")
    return {
        "running loop": asyncio._get_running_loop(),
        "clocks": [getattr(time, name) for name in (*clocks, "sleep")],
        "datetime": datetime.datetime,
        "modules": dict(sys.modules),
        "threads": threading.enumerate(),
        "Thread.start": threading.Thread.start,
        "context": dict(contextvars.copy_context()),
        "generator hooks": sys.get_asyncgen_hooks(),
        "collector": gc.isenabled(),
        "unraisable": sys.unraisablehook,
        "tracing": (sys.gettrace(), sys.getprofile()),
        "signals": {number: signal.getsignal(number) for number in signal.valid_signals()},
        "alarm": signal.getitimer(signal.ITIMER_REAL)[1],
    }


#: What a factory may keep until it is shut, since it is costly to change.
HELD_BY_FACTORY = {"signals", "alarm"}


def test_the_hub_sees_the_real_process_and_nothing_stays_behind(
    factory: WorldFactory, speech: Speech
) -> None:
    def body() -> Generator[Action, Any, Any]:
        yield speech.sleep(1)

    def run() -> dict[str, object]:
        world = factory.open()
        world.spawn("sleeps", speech.program(body))
        waiting(world, speech)
        world.settle()
        world.advance_to(START + 1_000_000_000)
        between = process_state()
        world.close()
        return between

    before = process_state()
    run()  # what is imported on the way stays
    before["modules"] = process_state()["modules"]
    between = run()
    closed = process_state()
    factory.shut()
    shut = process_state()
    for part, state in before.items():
        assert shut[part] == state, part
        if part not in HELD_BY_FACTORY:
            assert closed[part] == state, part
            # While a world is open no garbage is collected in it, nor between its runs.
            assert part == "collector" or between[part] == state, part


# Worlds in company.


def test_worlds_of_two_factories_follow_one_another(
    factory: WorldFactory, speech: Speech, asyncio_speech: Speech
) -> None:
    other = asyncio_speech.make_factory()
    for one, words in ((factory, speech), (other, asyncio_speech), (factory, speech)):
        world = one.open()
        call, gate = waiting(world, words)
        world.settle()
        gate.open(one.name)
        world.settle()
        assert call.value == one.name
        assert world.close() == ()
    other.shut()


@pytest.mark.parametrize("first_closed", [0, 1])
def test_two_worlds_are_open_side_by_side_and_each_keeps_its_own_time(
    factory: WorldFactory, speech: Speech, asyncio_speech: Speech, first_closed: int
) -> None:
    before = process_state()
    other = asyncio_speech.make_factory()
    worlds = [factory.open(), other.open()]
    words = [speech, asyncio_speech]
    calls = []

    def body(spoken: Speech) -> Generator[Action, Any, Any]:
        yield spoken.sleep(1)
        seen = detected()
        yield spoken.sleep(1)
        return seen, detected()

    for world, spoken in zip(worlds, words, strict=True):
        calls.append(world.spawn("sleeps", spoken.program(lambda s=spoken: body(s))))  # type: ignore[misc]  # a default binds the words
        world.settle()
    for second in (1, 2):
        for world in worlds:
            world.advance_to(START + second * 1_000_000_000 + 10)
            assert detected() is None
    assert [call.value for call in calls] == [(s.library, s.library) for s in words]
    for world in (worlds[first_closed], worlds[1 - first_closed]):
        assert world.close() == ()
    factory.shut()
    other.shut()
    after = process_state()
    assert {part for part in before if before[part] != after[part]} <= {"modules"}


def detected() -> str | None:
    """What sniffio believes to be running."""
    import sniffio

    try:
        return sniffio.current_async_library()
    except sniffio.AsyncLibraryNotFoundError:
        return None


# Determinism.


def history(factory: WorldFactory, speech: Speech, seed: int) -> str:
    """What happens when five callers contend for a lock and sleep, under a seeded scheduler."""
    scheduler = RandomWalk(executions=1, seed=seed)
    assert scheduler.begin()
    world = factory.open(scheduler)
    lines: list[str] = []
    lock = made_in(world, speech, speech.make_lock())
    gate = world.gate("start")

    def caller(number: int) -> Generator[Action, Any, Any]:
        yield gate.wait
        for turn in range(3):
            yield speech.acquire(lock)
            lines.append(f"{world.now} {number} has the lock, turn {turn}")
            yield speech.sleep(0.25 * (number % 2))
            yield speech.release(lock)
            yield speech.pause()
        lines.append(f"{world.now} {number} ends")

    for number in range(5):
        world.spawn(f"caller {number}", speech.program(lambda n=number: caller(n)))  # type: ignore[misc]  # a default binds the number
    world.settle()
    gate.open()
    while not world.is_quiescent():
        world.step(3)
        lines.append(f"step {world.blocked()} {world.census()}")
    while (due := world.next_due()) is not None:
        world.advance_to(due)
    lines.append(f"{world.now} {world.blocked()} {world.census()} {world.close()}")
    scheduler.end(failed=False)
    return "\n".join(lines)


def test_the_same_seed_gives_the_same_history_byte_for_byte(speech: Speech) -> None:
    factories = [speech.make_factory(), speech.make_factory()]
    for seed in range(5):
        first, second, again = (
            history(factory, speech, seed).encode() for factory in (*factories, factories[0])
        )
        assert first == second == again
    for factory in factories:
        factory.shut()


def test_other_seeds_give_other_histories_only_where_the_world_has_a_choice(
    factory: WorldFactory, speech: Speech
) -> None:
    histories = {history(factory, speech, seed) for seed in range(20)}
    if speech.has_choice:
        assert len(histories) > 1
    else:
        assert len(histories) == 1
