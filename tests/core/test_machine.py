"""Machines: the same seed draws the same scenarios, and nothing of Hypothesis's leaks in."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine

from quiesce.cell import Cell
from quiesce.machine import (
    STEPS,
    allowed,
    draw_setup,
    draw_steps,
    enabled,
    machine_of,
    run_machine,
    setups,
)
from quiesce.stimuli import Cancel
from quiesce.trial import Trial
from quiesce.verdicts import Violation

from .conftest import python, subjects, twin

if TYPE_CHECKING:
    from quiesce.cell import Setup
    from quiesce.stimuli import Step

CellOf = Callable[..., Cell]
Scenario = tuple["Setup", tuple["Step", ...]]


def generated(cell: Cell, seed: int, count: int = 8) -> list[Scenario]:
    """Scenarios of the plain generator."""
    found = []
    for number in range(count):
        source = random.Random(seed * 1_000 + number)
        with Trial(cell, draw_setup(cell, source)) as trial:
            draw_steps(trial, source)
            found.append((trial.setup, tuple(trial.steps)))
    return found


def drawn(cell: Cell, seed: int, examples: int = 8) -> list[Scenario]:
    """Scenarios of the Hypothesis machine."""
    found = []

    def judge(trial: Trial) -> None:
        found.append((trial.setup, tuple(trial.steps)))

    def failed(trial: Trial, violation: Violation) -> None:
        raise AssertionError(violation)

    run_machine(cell, examples=examples, random_seed=seed, judge=judge, failed=failed)
    return found


@pytest.fixture
def cell(cell_of: CellOf) -> Cell:
    return cell_of(twin("sf_good_asyncio", "asyncio"))


@pytest.mark.parametrize("draw", [generated, drawn])
def test_a_seed_draws_its_own_scenarios_again(
    cell: Cell, draw: Callable[[Cell, int], list[Scenario]]
) -> None:
    scenarios = draw(cell, 1)

    assert draw(cell, 1) == scenarios
    assert draw(cell, 2) != scenarios
    assert len(scenarios) >= 8  # Hypothesis counts those that it cut short apart
    assert max(len(steps) for _, steps in scenarios) <= STEPS
    assert sum(len(steps) for _, steps in scenarios) > 8


def test_seeds_mean_the_same_whatever_the_hash_seed() -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from quiesce.adapters import discover\n"
        "from quiesce.check import open_cell\n"
        "from core import test_machine as t\n"
        "from core.conftest import twin\n"
        "with open_cell(twin('sf_good_asyncio', 'asyncio'), 'gil') as cell:\n"
        "    print(t.generated(cell, 3), t.drawn(cell, 3))\n"
    )
    here = __file__.rpartition("/core/")[0]
    runs = [python("-c", program, here, hash_seed=seed) for seed in ("1", "2")]

    assert runs[0].returncode == 0, runs[0].stderr
    assert len(runs[0].stdout) > 1_000
    assert runs[0].stdout == runs[1].stdout


def test_the_machine_has_a_rule_for_each_stimulus_that_makes_sense(cell: Cell) -> None:
    machine = machine_of(cell, lambda _: None, lambda *_: None)
    rules = {n for n, value in vars(machine).items() if hasattr(value, "hypothesis_stateful_rule")}

    assert rules == {weighted.name for weighted in allowed(cell)}
    assert "cancel_a_caller" in rules
    assert "let_a_function_blow_up" not in rules  # it lacks "exit"


def test_stimuli_that_an_adapter_excludes_are_not_drawn(cell_of: CellOf) -> None:
    fickle = cell_of(subjects("quiet")["fickle/asyncio"])  # it has no cancellation
    threads = cell_of(twin("sf_good_threads", "threads"))

    assert not any(weighted.kind is Cancel for weighted in allowed(fickle))
    assert not any(weighted.kind is Cancel for weighted in allowed(threads))
    assert {"forget", "start_a_caller_with_a_future"} & {w.name for w in allowed(fickle)} == set()
    assert "let_a_function_blow_up" in {w.name for w in allowed(threads)}


def test_a_stimulus_is_enabled_when_it_is_possible(cell: Cell) -> None:
    by_name = {weighted.name: weighted for weighted in allowed(cell)}
    with Trial(cell, draw_setup(cell, random.Random(0))) as trial:
        possible = {name for name, weighted in by_name.items() if enabled(trial, weighted)}

    assert "start_a_caller" in possible
    assert not possible & {"let_a_function_end", "cancel_a_caller"}


def test_machines_of_different_cells_have_different_names(cell_of: CellOf) -> None:
    cells = [
        cell_of(twin(name, world))
        for name, world in (
            ("sf_good_asyncio", "asyncio"),
            ("sf_no_dedupe", "asyncio"),
            ("sf_good_threads", "threads"),
        )
    ]
    names = [machine_of(each, lambda _: None, lambda *_: None).__qualname__ for each in cells]

    assert len(set(names)) == 3
    assert all(name.isidentifier() for name in names)


def test_a_setup_takes_values_that_the_adapter_can_have(cell_of: CellOf) -> None:
    limiter = cell_of(subjects("quiet")["limiter/asyncio"])
    values = dict(setups(limiter))
    seen = {draw_setup(limiter, random.Random(seed)) for seed in range(60)}

    assert 0.0 not in values["rate"]
    assert float("inf") not in values["rate"]
    assert {setup.instances for setup in seen} == {1, 2}
    assert all(dict(setup.arguments)["rate"] in values["rate"] for setup in seen)


def test_profiles_of_hypothesis_change_nothing(cell: Cell) -> None:
    scenarios = drawn(cell, 1)
    before, profile = settings.default, settings.get_current_profile_name()
    settings.register_profile("hasty", max_examples=1, stateful_step_count=1, derandomize=True)
    settings.load_profile("hasty")
    try:
        assert drawn(cell, 1) == scenarios
        assert settings.get_current_profile_name() == "hasty"
    finally:
        settings.load_profile(profile)
    assert settings.default == before


def test_a_violation_is_told_to_whoever_asked_and_ends_the_run(cell_of: CellOf) -> None:
    told: list[tuple[int, str]] = []

    def failed(trial: Trial, violation: Violation) -> None:
        told.append((len(trial.steps), violation.signature))

    with pytest.raises(Violation, match=r"^SF-01"):
        run_machine(
            cell_of(twin("sf_no_dedupe", "asyncio")),
            examples=50,
            random_seed=0,
            judge=lambda _: None,
            failed=failed,
        )
    assert told
    assert {signature for _, signature in told} == {
        "SF-01 a second execution runs beside the first"
    }


def test_no_machine_is_left_for_test_runners_to_collect(cell: Cell) -> None:
    machine = machine_of(cell, lambda _: None, lambda *_: None)

    assert issubclass(machine, RuleBasedStateMachine)
    assert not machine.__name__.startswith("Test")
