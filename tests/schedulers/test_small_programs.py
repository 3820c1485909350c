"""Small racy programs, through ``explore``: each race is found, and no verdict lacks its bound."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from quiesce.errors import ConfigurationError, HarnessError
from quiesce.explore import BUDGET, Explorer, explore
from quiesce.schedulers.bounded import Bounded
from quiesce.schedulers.pct import Pct
from quiesce.schedulers.portfolio import Portfolio
from quiesce.schedulers.random_walk import RandomWalk
from quiesce.schedulers.replay import Replay

with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(str(Path(__file__).parents[1] / "programs"))
    import endings
    import small

SEEDS = range(20)
ORDERS = ("OrderABC", "OrderACB", "OrderBAC", "OrderBCA", "OrderCAB", "OrderCBA")

#: Schedules within which each is found at the point set free-threaded, and how many deviations
#: from running the tasks in turn it takes. Where a is not the first, one lets it begin.
RACES = {
    "Counter2": (20, 1),
    "Once2": (20, 1),
    "Once3": (20, 1),
    "OnceCalls": (20, 1),
    "Deadlock": (20, 1),
    "Drift": (50, 1),
    **dict.fromkeys(("OrderABC", "OrderACB"), (50, 1)),
    **dict.fromkeys(("OrderBAC", "OrderBCA", "OrderCAB", "OrderCBA"), (100, 2)),
}

#: What no build with a global interpreter lock can split.
ATOMIC_UNDER_THE_GIL = ("Counter2", "Once2", "Once3", "Drift", *ORDERS)

Explorers = Callable[[str, str], Explorer]


@pytest.fixture(scope="module")
def explorers() -> Iterator[Explorers]:
    made: dict[tuple[str, str], Explorer] = {}

    def explorer(name: str, points: str) -> Explorer:
        if (name, points) not in made:
            made[name, points] = Explorer(getattr(small, name), points=points)
        return made[name, points]

    yield explorer
    for each in made.values():
        each.__exit__(None, None, None)


@pytest.mark.parametrize("name", RACES)
def test_each_race_is_found_in_20_of_20_seeds_with_the_fewest_deviations(
    explorers: Explorers, name: str
) -> None:
    within, deviations = RACES[name]
    explorer = explorers(name, "free-threaded")
    found = [explorer.search(Portfolio(BUDGET, seed=seed)) for seed in SEEDS]
    assert all(each.failure is not None for each in found)
    assert max(each.executions for each in found) <= within
    assert {each.schedule.deviations for each in found if each.schedule} == {deviations}


@pytest.mark.parametrize("name", RACES)
def test_priorities_alone_find_each_race(explorers: Explorers, name: str) -> None:
    explorer = explorers(name, "free-threaded")
    for seed in range(5):
        assert explorer.search(Pct(depth=3, executions=1_000, seed=seed)).failure is not None


@pytest.mark.parametrize("points", ["operations", "gil"])
@pytest.mark.parametrize("name", ATOMIC_UNDER_THE_GIL)
def test_what_cannot_be_split_under_the_gil_is_complete_and_clean(
    explorers: Explorers, name: str, points: str
) -> None:
    explored = explorers(name, points).search(Portfolio(BUDGET, seed=0))
    assert explored.failure is None
    assert explored.complete
    assert explored.bound.startswith("complete: the space ended")


def test_a_call_of_python_code_inside_can_be_split_under_the_gil(explorers: Explorers) -> None:
    for seed in SEEDS:
        found = explorers("OnceCalls", "gil").search(Portfolio(BUDGET, seed=seed))
        assert found.failure == "OnceCalls.ok() is false"
        assert found.executions <= 20
        assert found.schedule is not None
        assert found.schedule.deviations == 1


@pytest.mark.parametrize("points", ["operations", "gil", "free-threaded"])
def test_a_deadlock_is_found_at_every_point_set_and_says_who_waits_for_whom(
    explorers: Explorers, points: str
) -> None:
    for seed in SEEDS:
        found = explorers("Deadlock", points).search(Portfolio(BUDGET, seed=seed))
        assert found.failure == (
            "deadlock: call 1 (forth) waits for lock 1 held by call 2 (back); "
            "call 2 (back) waits for lock 0 held by call 1 (forth)"
        )
        assert found.executions <= 20


def test_the_history_says_where_a_task_was_stopped(explorers: Explorers) -> None:
    found = explorers("Counter2", "free-threaded").search(Portfolio(BUDGET, seed=0))
    stop, *ends = found.history
    assert "task 1 stops at small.py:" in stop
    assert stop.endswith("(Counter2.bump), task 2 runs")
    assert ends == ["call 1 (bump) returned", "call 2 (bump) returned"]


@pytest.mark.parametrize("points", ["operations", "gil", "free-threaded"])
def test_a_space_that_does_not_end_is_reported_with_its_bound(
    explorers: Explorers, points: str
) -> None:
    explored = explorers("LockedCounter", points).search(Bounded(max_deviations=2, budget=300))
    assert explored.failure is None
    assert not explored.complete
    assert explored.bound.startswith("level 1 complete: no failure with at most 1 deviation")
    assert "% of level 2 sampled" in explored.bound
    assert explored.bound in str(explored)


def test_a_sample_promises_nothing(explorers: Explorers) -> None:
    explorer = explorers("LockedCounter", "gil")
    for sampler in (Pct(depth=3, executions=30, seed=0), RandomWalk(executions=30, seed=0)):
        explored = explorer.search(sampler)
        assert not explored.complete
        assert explored.bound == "30 schedules sampled; nothing beyond them is known"


def test_a_small_locked_program_is_exhausted() -> None:
    explored = explore(small.Locked2, points="operations")
    assert explored.complete
    assert explored.failure is None


def test_the_same_seed_explores_the_same() -> None:
    first, second = (explore(small.OrderCBA, points="free-threaded", seed=7) for _ in range(2))
    assert first == second


def test_the_shortened_schedule_can_be_replayed(explorers: Explorers) -> None:
    explorer = explorers("OrderCBA", "free-threaded")
    found = explorer.search(RandomWalk(executions=2_000, seed=1))
    assert found.schedule is not None
    for _ in range(3):
        replay = Replay(found.schedule)
        assert replay.begin()
        assert explorer.run(replay) == found.failure


@pytest.mark.parametrize(
    ("program", "failure"),
    [
        (endings.Raises, "call 1 (fail) raised LookupError: lost"),
        (endings.ThreadRaises, "thread doomed died of LookupError: lost"),
        (endings.NeverEnds, "no end after 500 timers: call 1 (tick) waits for timer at 1501 s"),
    ],
)
def test_a_program_fails_by_an_error_or_by_never_ending(program: Any, failure: str) -> None:
    explored = explore(program)
    assert explored.failure == failure
    assert explored.schedule is not None
    assert explored.schedule.deviations == 0


def test_spinning_at_a_frozen_clock_is_a_failure() -> None:
    failure = explore(endings.Spins).failure
    assert failure is not None
    assert "spins at a frozen clock" in failure


def test_an_hour_passes_in_no_time() -> None:
    explored = explore(endings.Sleeps)
    assert explored.failure is None
    assert explored.complete


def test_a_race_between_threads_that_a_task_starts_is_found() -> None:
    found = explore(endings.StartsThreads, points="free-threaded")
    assert found.failure == "StartsThreads.ok() is false"


def test_a_constructor_that_waits_is_no_verdict() -> None:
    with pytest.raises(HarnessError, match=r"the constructor of WaitsAtOnce waits: .*set-up"):
        explore(endings.WaitsAtOnce)


def test_an_error_of_the_constructor_is_the_callers() -> None:
    with pytest.raises(LookupError, match="no parts"):
        explore(endings.CannotBeMade)


def test_a_program_that_cannot_be_explored_is_a_configuration_error() -> None:
    class Local(small.Counter2):
        pass

    with pytest.raises(ConfigurationError, match="define it at the top of its module"):
        explore(Local)
    with pytest.raises(ConfigurationError, match="no point set 'lines'; use operations, gil"):
        explore(small.Counter2, points="lines")
