"""Every twin dies by the clauses that name it, and the whole kill matrix is as recorded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from quiesce.patterns.registry import PATTERNS
from quiesce.twins import kill, load_twins, must_kill

HERE = Path(__file__).parent
TWINS = load_twins(HERE)
EXPECTED = {
    path.stem: json.loads(path.read_text()) for path in sorted((HERE / "expected").glob("*.json"))
}


EACH = pytest.mark.parametrize("twin", TWINS, ids=lambda twin: f"{twin.name}/{twin.world}")


@EACH
def test_a_twin_is_killed_by_the_clauses_that_name_it_and_a_baseline_by_none(twin):
    row = kill(twin, only_named=True)

    assert row.error is None
    assert not row.missed
    assert set(row.clauses) <= set(EXPECTED[twin.pattern][row.key])


@pytest.mark.slow
@EACH
def test_a_twin_is_killed_by_exactly_the_recorded_clauses(twin):
    row = kill(twin)

    assert row.error is None
    assert list(row.clauses) == EXPECTED[twin.pattern][row.key]


def test_the_matrix_has_no_rows_for_twins_that_are_gone():
    rows = {(twin.pattern, f"{twin.name}/{twin.world}") for twin in TWINS}
    recorded = {(pattern, key) for pattern, keys in EXPECTED.items() for key in keys}

    assert recorded == rows


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=lambda pattern: pattern.name)
def test_every_checked_clause_has_a_twin_that_breaks_it(pattern):
    # A universal clause is one clause, whichever pattern's twin breaks it.
    killed = {clause for rows in EXPECTED.values() for row in rows.values() for clause in row}
    checked = {clause.id for clause in pattern.clauses if clause.untested is None}

    assert checked - killed == set()


def test_every_twin_that_a_clause_names_exists_and_must_be_killed_by_it():
    clauses = [clause for pattern in PATTERNS.values() for clause in pattern.clauses]
    named = {(name, clause.id) for clause in clauses for name in clause.twins}
    musts = {(twin.name, clause) for twin in TWINS for clause in must_kill(twin)}

    assert named == musts


def test_baselines_conform():
    good = [key for keys in EXPECTED.values() for key in keys if "good" in key]

    assert good
    assert all(not keys[key] for keys in EXPECTED.values() for key in keys if "good" in key)
