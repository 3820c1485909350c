"""Minimising: planted bugs come out with the fewest steps and deviations that show them."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import pytest

from quiesce.budget import BUDGETS
from quiesce.cell import Cell, Setup
from quiesce.minimise import Failure, minimise
from quiesce.schedulers.scheduler import Schedule
from quiesce.search import Search
from quiesce.stimuli import NOTHING, SETTLE, Cancel, Open, Start, Step, arguments

from .conftest import twin

CellOf = Callable[..., Cell]

A = Start("do", arguments(key="a"))
B = Start("do", arguments(key="b"))


def settled(*stimuli: Start | Open | Cancel) -> tuple[Step, ...]:
    return tuple(Step(stimulus) for stimulus in stimuli)


@pytest.fixture
def search_of(cell_of: CellOf) -> Callable[[str, str], Search]:
    """The search of a twin's cell."""

    def search_of(name: str, world: str) -> Search:
        return Search(cell_of(twin(name, world)), BUDGETS["quick"], 0, lambda _: None)

    return search_of


def short(search: Search, *steps: Step, setup: Setup | None = None) -> Failure:
    """The minimised failure of a scenario."""
    failure = search._run(setup or Setup(), steps, None)
    if failure is None:
        failure = search._search_schedules(setup or Setup(), steps, 60, None)
    assert failure is not None
    return minimise(
        failure, search._run, lambda setup, steps: search._search_schedules(setup, steps, 60, None)
    )


LONG = (
    Step(B, NOTHING),
    Step(A, 3),
    Step(Open(0, "error"), 2),
    Step(A, NOTHING),
    Step(B, 1),
    Step(A, NOTHING),
    Step(Cancel(1), 2),
    Step(A, NOTHING),
    Step(Open(0), 1),
    Step(B),
)


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("sf_no_dedupe", settled(A, A)),
        ("sf_joiner_shared_false", settled(A, A)),
        ("sf_joiner_cancel_unregisters", settled(A, A, Cancel(1), A)),
        ("sf_leader_cancel_spreads", settled(A, A, Cancel(0))),
        ("sf_caches_errors", settled(A, Open(0, "error"), A)),
    ],
)
def test_a_planted_bug_comes_down_to_its_fewest_steps(
    search_of: Callable[[str, str], Search], name: str, steps: tuple[Step, ...]
) -> None:
    search = search_of(name, "asyncio")
    failure = short(search, *steps[:-1], Step(B, NOTHING), steps[-1], *LONG)

    assert kinds(failure) == [type(step.stimulus) for step in steps][: len(failure.steps)]
    assert len(failure.steps) <= len(steps)
    assert all(step.follow == SETTLE for step in failure.steps)
    again = search._run(failure.setup, failure.steps, None)
    assert again == failure


def kinds(failure: Failure) -> list[type]:
    return [type(step.stimulus) for step in failure.steps]


def test_one_subject_is_enough_if_one_shows_it(
    search_of: Callable[[str, str], Search],
) -> None:
    other = attrs.evolve(A, instance=1)
    steps = settled(other, A, A, other)
    failure = short(search_of("sf_no_dedupe", "asyncio"), *steps, setup=Setup(instances=2))

    assert failure.setup.instances == 1
    assert kinds(failure) == [Start, Start]


def test_a_race_comes_down_to_one_deviation(search_of: Callable[[str, str], Search]) -> None:
    search = search_of("sf_check_then_act", "threads")
    steps = (Step(B, 2), Step(A, NOTHING), Step(Open(0), 3), Step(A, NOTHING), Step(B))
    failure = short(search, *steps)

    assert failure.signature == "SF-01 a second execution runs beside the first"
    assert failure.schedule.deviations == 1
    assert kinds(failure) == [Start, Start]


def test_what_needs_no_deviation_has_none(search_of: Callable[[str, str], Search]) -> None:
    failure = short(search_of("sf_panic_becomes_none", "threads"), *settled(A, A, Open(0, "panic")))

    assert failure.schedule == Schedule()


def test_a_scenario_that_is_short_already_is_kept(
    search_of: Callable[[str, str], Search],
) -> None:
    search = search_of("sf_no_dedupe", "asyncio")
    failure = search._run(Setup(), settled(A, A), None)
    assert failure is not None
    trials: list[int] = []

    def run(setup: Setup, steps: tuple[Step, ...], scheduler: object) -> Failure | None:
        trials.append(len(steps))
        return search._run(setup, steps, None)

    assert minimise(failure, run, lambda *_: None) == failure
    assert trials == [1, 1]
