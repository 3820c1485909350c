"""psycopg_pool 3.3.0 may open a pool twice: the kit finds what was fixed in 3.3.1."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from quiesce.adapters import adapters_of
from quiesce.budget import BUDGETS, Budget
from quiesce.check import check_cell
from quiesce.explore import explore
from quiesce.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def version() -> str:
    try:
        return importlib.metadata.version("psycopg-pool")
    except importlib.metadata.PackageNotFoundError:
        return "none"


if version() != "3.3.0":
    pytest.skip(f"shows on psycopg-pool 3.3.0; installed: {version()}", allow_module_level=True)

with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(str(Path(__file__).parent))
    import psycopg_pool_open as historic


class OpenedTwice:
    """Two callers open one pool."""

    def __init__(self) -> None:
        self.starts = 0
        self.pool = historic.CountedPool(self.count)

    def count(self) -> None:
        self.starts += 1

    def tasks(self) -> Sequence[Callable[[], object]]:
        return self.pool.open, self.pool.open

    def ok(self) -> bool:
        return self.starts == 1


@pytest.mark.parametrize("seed", range(3))
def test_two_callers_open_a_pool_twice(seed: int) -> None:
    packages = ("psycopg_pool", historic.__name__)
    found = explore(OpenedTwice, points="gil", packages=packages, seed=seed)
    assert found.failure is not None
    # Two starts of the workers; pool.py notices some of them itself.
    assert "OpenedTwice.ok() is false" in found.failure or "AssertionError" in found.failure


def test_the_fixed_scenarios_of_the_ci_budget_break_on_01(monkeypatch: pytest.MonkeyPatch) -> None:
    # The search of a ci run begins with just these schedules, so such a run finds it as well.
    schedules = BUDGETS["ci"].schedules
    part = Budget("part", generated=0, machine=0, schedules=schedules, inner_schedules=0)
    monkeypatch.setitem(BUDGETS, "part", part)
    (adapter,) = adapters_of(historic.OpenPool)
    result = check_cell(adapter, budget="part", points="gil", clauses=frozenset({"ON-01"}))
    assert result.error is None
    assert [each.verdict for each in result.clauses] == [Verdict.VIOLATES]
    assert {each.signature for each in result.findings} == {
        "ON-01 a second execution runs beside the first"
    }
