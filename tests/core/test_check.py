"""Checking a cell: repeatable to the last byte, and each verdict arises where it should."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import attrs
import pytest

from quiesce.check import AT_END, check_cell
from quiesce.errors import ConfigurationError
from quiesce.reports.json import cell_to_json
from quiesce.verdicts import CellResult, Verdict

from .conftest import load, python, subjects, twin

if TYPE_CHECKING:
    from quiesce.adapters import Adapter

QUIET = subjects("quiet")
HOSTILE = subjects("hostile")


def verdicts(result: CellResult) -> dict[str, Verdict]:
    return {clause.clause: clause.verdict for clause in result.clauses}


def signatures(result: CellResult) -> list[str]:
    return [finding.signature for finding in result.findings]


# The same again.


@pytest.mark.parametrize(
    "subject",
    [
        twin("sf_leader_cancel_strands", "asyncio"),
        twin("sf_check_then_act", "threads"),
        QUIET["limiter/asyncio"],
        HOSTILE["returns_a_strange_object/trio"],
    ],
    ids=lambda subject: subject.name,
)
def test_a_seed_gives_an_equal_result_again(tiny: str, subject: Adapter) -> None:
    first, second = (check_cell(subject, budget=tiny, seed=5) for _ in range(2))

    assert first == second
    assert attrs.evolve(first, seconds=0.0) == attrs.evolve(second, seconds=9.0)
    assert first.seconds > 0


def test_results_are_the_same_text_whatever_the_hash_seed() -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import attrs\n"
        "from quiesce.budget import BUDGETS\n"
        "from quiesce.check import check_cell\n"
        "from quiesce.reports.json import cell_to_json\n"
        "from core.conftest import TINY, subjects, twin\n"
        "BUDGETS['tiny'] = TINY\n"
        "for subject in (\n"
        "    twin('sf_leader_cancel_strands', 'asyncio'),\n"
        "    twin('sf_check_then_act', 'threads'),\n"
        "    twin('on_good', 'trio', 'once'),\n"
        "    subjects('quiet')['limiter/asyncio'],\n"
        "):\n"
        "    result = check_cell(subject, budget='tiny')\n"
        "    print(cell_to_json(attrs.evolve(result, seconds=0.0)))\n"
    )
    here = __file__.rpartition("/core/")[0]
    runs = [python("-c", program, here, hash_seed=seed) for seed in ("1", "22")]

    assert runs[0].returncode == 0, runs[0].stderr
    lines = [run.stdout.splitlines() for run in runs]
    assert len(lines[0]) == 4
    assert lines[0] == lines[1]
    assert "0x" not in runs[0].stdout


def test_a_result_says_how_it_was_got(tiny: str) -> None:
    result = check_cell(QUIET["heap_racer/threads"], budget=tiny, seed=3, points="operations")

    assert (result.pattern, result.adapter, result.world) == (
        "singleflight",
        "heap_racer",
        "threads",
    )
    assert (result.budget, result.seed, result.points, result.order) == (
        "tiny",
        3,
        "operations",
        "scheduler",
    )
    assert result.examples < result.schedules
    assert result.certificate == (
        f"{result.examples} scenarios in {result.schedules} interleavings at the point set "
        "operations; nothing beyond these was looked at"
    )


def test_progress_is_told_in_words(tiny: str) -> None:
    told: list[str] = []
    check_cell(twin("sf_no_dedupe", "asyncio"), budget=tiny, progress=told.append)

    assert told[0].startswith("scenario: ")
    assert "minimising SF-01 a second execution runs beside the first" in told
    assert told[-1].startswith("Hypothesis machine: ")


def test_one_clause_is_reported_alone_and_found_alike(tiny: str) -> None:
    subject = twin("sf_no_dedupe", "asyncio")
    whole = check_cell(subject, budget=tiny)
    one = check_cell(subject, budget=tiny, clauses=frozenset({"SF-01"}))

    assert [clause.clause for clause in one.clauses] == ["SF-01"]
    assert list(one.findings) == [f for f in whole.findings if f.clause == "SF-01"]


# Verdicts.


def test_a_good_subject_conforms(tiny: str) -> None:
    result = check_cell(twin("sf_good_asyncio", "asyncio"), budget=tiny)

    assert result.verdict is Verdict.CONFORMS
    assert set(verdicts(result).values()) == {Verdict.CONFORMS, Verdict.UNSUPPORTED}
    assert all(c.exercised for c in result.clauses if c.verdict is Verdict.CONFORMS)


def test_breaking_a_must_violates(tiny: str) -> None:
    result = check_cell(twin("sf_no_dedupe", "asyncio"), budget=tiny)

    assert verdicts(result)["SF-01"] is Verdict.VIOLATES
    assert result.verdict is Verdict.VIOLATES
    [finding] = [each for each in result.findings if each.clause == "SF-01"]
    assert finding.steps == ("start a caller: do(key='a')",) * 2
    assert finding.advisory is None
    assert len(finding.id) == 8
    assert json.loads(json.dumps(cell_to_json(result)))


def test_what_only_the_end_of_a_trial_shows_is_told_as_its_last_step(tiny: str) -> None:
    result = check_cell(twin("un_leaks_a_task", "asyncio", "once"), budget=tiny)

    [finding] = [each for each in result.findings if each.clause == "UN-01"]
    assert finding.steps[-1] == AT_END
    assert AT_END not in finding.steps[:-1]


def test_breaking_a_should_is_advisory(tiny: str) -> None:
    result = check_cell(twin("sf_last_cancel_leaks_execution", "asyncio"), budget=tiny)

    assert verdicts(result)["SF-17"] is Verdict.ADVISORY
    assert result.verdict is Verdict.ADVISORY


def test_what_is_not_claimed_is_unsupported_and_says_why(tiny: str) -> None:
    result = check_cell(HOSTILE["good/asyncio"], budget=tiny)
    by_id = {clause.clause: clause for clause in result.clauses}

    assert by_id["SF-08"].verdict is Verdict.UNSUPPORTED
    assert by_id["SF-08"].note == "needs future, which the adapter lacks"
    assert by_id["SF-12"].note.startswith("has no meaning in the world asyncio")


def test_a_situation_that_never_arose_is_unexercised(
    tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load("quiet"), "broken", True)
    result = check_cell(QUIET["fickle/asyncio"], budget=tiny)  # its calls can't be cancelled

    assert {verdicts(result)[clause] for clause in ("SF-15", "SF-16")} == {Verdict.UNEXERCISED}
    assert result.verdict is Verdict.UNEXERCISED
    assert result.findings == ()


def test_what_does_not_happen_again_is_inconclusive(
    tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load("quiet"), "broken", False)
    result = check_cell(QUIET["fickle/asyncio"], budget=tiny)
    [doubtful] = [c for c in result.clauses if c.verdict is Verdict.INCONCLUSIVE]

    assert result.verdict is Verdict.INCONCLUSIVE
    assert doubtful.clause == "SF-01"
    assert doubtful.note.endswith("seen once, and not when it was run again")
    assert result.findings == ()


def test_an_adapter_at_fault_is_a_harness_error_and_conforms_to_nothing(tiny: str) -> None:
    result = check_cell(HOSTILE["constructor_raises_odd/asyncio"], budget=tiny)

    assert result.verdict is Verdict.HARNESS_ERROR
    assert Verdict.CONFORMS not in verdicts(result).values()
    assert result.examples == 0


def test_a_wrong_declaration_is_an_error_before_anything_is_run(tiny: str) -> None:
    wrong = attrs.evolve(HOSTILE["good/asyncio"], lacks=frozenset({"forgett"}))
    result = check_cell(wrong, budget=tiny)

    assert result.error is not None
    assert result.error.startswith("configuration: good (hostile:")
    assert "did you mean 'forget'?" in result.error
    assert result.certificate == "nothing was run"


@pytest.mark.parametrize("wrong", [{"budget": "huge"}, {"points": "anywhere"}])
def test_a_budget_or_a_point_set_has_to_exist(wrong: dict[str, str]) -> None:
    [value] = wrong.values()
    with pytest.raises(ConfigurationError, match=f"There is no .*'{value}'; use "):
        check_cell(HOSTILE["good/asyncio"], **wrong)  # type: ignore[arg-type]  # as callers do


# Builds without a GIL.


def test_a_race_that_a_gil_prevents_is_advisory_and_not_found_with_one() -> None:
    subject = QUIET["heap_racer/threads"]
    free = check_cell(subject, budget="quick", points="free-threaded")
    gil = check_cell(subject, budget="quick", points="gil")

    assert gil.error is None
    assert signatures(gil) == []
    assert verdicts(gil)["SF-01"] is Verdict.CONFORMS
    assert "SF-01 a second execution runs beside the first" in signatures(free)
    assert {finding.advisory is not None for finding in free.findings} == {True}
    assert verdicts(free)["SF-01"] is Verdict.ADVISORY
    assert free.verdict is Verdict.ADVISORY


def test_a_race_on_any_build_is_a_violation_at_every_point_set(tiny: str) -> None:
    subject = twin("sf_check_then_act", "threads")
    free = check_cell(subject, budget="quick", points="free-threaded")

    assert verdicts(free)["SF-01"] is Verdict.VIOLATES
    [finding] = [each for each in free.findings if each.clause == "SF-01"]
    assert finding.advisory is None
    assert finding.points == "free-threaded"
    assert finding.schedule.deviations == 1
