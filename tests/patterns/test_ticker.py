"""The model of a ticker, judged by hand: what comes when, and what a receiver can't see."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from quiesce.adapters import Adapter
from quiesce.model import BLOCKED, Burst, Checker, Entry, View, name
from quiesce.patterns.ticker import TICKER
from quiesce.stimuli import Began, Cancelled, Fact, Ticked
from quiesce.worlds.world import START

PERIOD = 100
GONE = ("cancelled",)
DONE = ("returned", None)
REFUSED = ("raised", ("refused",))

Outcome = tuple[Any, ...]
Seen = tuple[Sequence[Fact], dict[int, Outcome]]


def model_of(lacks: Iterable[str] = ()) -> Any:
    adapter = Adapter("hand", "ticker", "asyncio", "", "", lacks=frozenset(lacks))
    return TICKER.model(adapter, {"period": PERIOD})


def entry(facts: Sequence[Fact], calls: dict[int, Outcome]) -> Entry:
    burst = Burst(tuple(facts), tuple(frozenset[int]() for _ in facts))
    return Entry((0,), burst, View(tuple(sorted(calls.items()))))


def allows(*seen: Seen, model: Any = None) -> bool:
    checker = Checker(model or model_of())
    return all(checker.compare(entry(*each)) for each in seen)


def receive(call: int) -> Began:
    return Began(call, "receive", ())


def stop(call: int) -> Began:
    return Began(call, "stop", ())


def reset(call: int, period: int) -> Began:
    return Began(call, "reset", (("period", period),))


def at(instant: int) -> Ticked:
    return Ticked(START + instant)


def tick(due: int, taken: int) -> Outcome:
    return ("returned", START + due, START + taken)


WAITS: Seen = ([receive(0)], {0: BLOCKED})


@pytest.mark.parametrize(("instant", "comes"), [(PERIOD - 1, False), (PERIOD, True)])
def test_the_first_tick_comes_one_period_after_the_start_and_no_earlier(instant, comes):
    assert allows(WAITS, ([at(instant)], {0: tick(PERIOD, instant)})) == comes
    assert allows(WAITS, ([at(instant)], {0: BLOCKED})) != comes


def test_a_tick_that_is_taken_late_does_not_move_the_next_one():
    late: Seen = ([receive(0)], {0: tick(100, 180)})

    assert allows(([at(100)], {}), ([at(180)], {}), late, ([receive(1)], {1: BLOCKED}), SECOND)
    assert not allows(([at(100)], {}), ([at(180)], {}), late, ([receive(1)], {1: tick(200, 180)}))


SECOND: Seen = ([at(200)], {1: tick(200, 200)})


def test_of_several_ticks_that_were_missed_the_oldest_is_kept_and_no_other():
    missed: list[Seen] = [([at(instant)], {}) for instant in (100, 200, 300, 350)]

    assert allows(*missed, ([receive(0)], {0: tick(100, 350)}), ([receive(1)], {1: BLOCKED}))
    assert not allows(*missed, ([receive(0)], {0: tick(300, 350)}))
    assert not allows(
        *missed, ([receive(0)], {0: tick(100, 350)}), ([receive(1)], {1: tick(200, 350)})
    )


@pytest.mark.parametrize("first", [0, 1])
def test_any_one_of_two_receivers_gets_a_tick(first):
    both: Seen = ([receive(0), receive(1)], {0: BLOCKED, 1: BLOCKED})
    one = {first: tick(100, 100), 1 - first: BLOCKED}

    assert allows(both, ([at(100)], one))
    assert not allows(both, ([at(100)], {0: BLOCKED, 1: BLOCKED}))
    assert not allows(both, ([at(100)], {0: tick(100, 100), 1: tick(100, 100)}))


def test_stop_discards_a_tick_and_leaves_receivers_waiting():
    assert allows(([at(100)], {}), ([stop(0)], {0: DONE}), ([receive(1)], {1: BLOCKED}))
    assert not allows(([at(100)], {}), ([stop(0)], {0: DONE}), ([receive(1)], {1: tick(100, 100)}))
    assert not allows(WAITS, ([stop(1)], {0: DONE, 1: DONE}))


@pytest.mark.parametrize("outcome", [BLOCKED, tick(100, 100)])
def test_a_receive_in_the_burst_of_a_stop_gets_the_tick_or_waits(outcome):
    assert allows(([at(100)], {}), ([receive(0), stop(1)], {0: outcome, 1: DONE}))


def test_a_reset_counts_from_its_own_instant_and_starts_a_stopped_ticker():
    begun: list[Seen] = [([stop(0)], {0: DONE}), ([at(130)], {}), ([reset(1, 50)], {1: DONE})]

    assert allows(*begun, ([receive(2)], {2: BLOCKED}), ([at(180)], {2: tick(180, 180)}))
    assert not allows(*begun, ([receive(2)], {2: BLOCKED}), ([at(180)], {2: BLOCKED}))


def test_a_refused_reset_changes_nothing():
    assert allows(([reset(0, 0)], {0: REFUSED}), ([receive(1)], {1: BLOCKED}), AS_BEFORE)
    assert not allows(([reset(0, -1)], {0: DONE}))


AS_BEFORE: Seen = ([at(100)], {1: tick(100, 100)})


def test_a_cancelled_receiver_takes_no_tick_along():
    cancelled: Seen = ([receive(0), Cancelled(0)], {0: GONE})

    assert allows(([at(100)], {}), cancelled, ([receive(1)], {1: tick(100, 100)}))
    assert not allows(([at(100)], {}), cancelled, ([receive(1)], {1: BLOCKED}))


def test_a_ticker_that_tells_no_time_returns_none():
    model = model_of(lacks={"time"})

    assert allows(WAITS, ([at(100)], {0: ("returned", None, START + 100)}), model=model)


TICK = tick(100, 100)
EARLY: Seen = ([at(199)], {1: tick(199, 199)})
KEPT: Seen = ([at(100)], {})
BOTH: Seen = ([receive(0), receive(1)], {0: BLOCKED, 1: BLOCKED})
STOPPED: Seen = ([stop(0)], {0: DONE})


@pytest.mark.parametrize(
    ("clause", "seen"),
    [
        ("TK-01", [KEPT, ([receive(0)], {0: TICK}), ([receive(1)], {1: BLOCKED}), EARLY]),
        ("TK-02", [([receive(0)], {0: tick(0, 0)})]),
        ("TK-03", [BOTH, ([at(100)], {0: TICK, 1: TICK})]),
        ("TK-04", [STOPPED, ([receive(1)], {1: tick(0, 0)})]),
        ("TK-05", [KEPT, ([reset(0, 70)], {0: DONE}), ([receive(1)], {1: TICK})]),
        ("TK-06", [([reset(0, 0)], {0: DONE})]),
        ("TK-07", [WAITS, ([stop(1)], {0: REFUSED, 1: DONE})]),
        ("UN-04", [BOTH, ([Cancelled(0)], {0: GONE, 1: BLOCKED}), ([at(100)], {1: BLOCKED})]),
        ("UN-07", [STOPPED, ([stop(1)], {1: REFUSED})]),
    ],
)
def test_each_deviation_has_the_name_of_its_clause(clause, seen):
    *fine, broken = (entry(*each) for each in seen)
    model = model_of()
    checker = Checker(model)

    assert all(checker.compare(each) for each in fine)
    assert not checker.compare(broken)
    assert name(model, [*fine, broken], checker.predict(broken))[:5] == clause
