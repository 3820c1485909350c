"""What the patterns' clauses are as data: ids, texts, needs, dialects, twins, relaxations."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from quiesce.adapters import Adapter
from quiesce.clauses import Clause, Level
from quiesce.configuration import WORLDS
from quiesce.patterns.registry import PATTERNS
from quiesce.patterns.universal import UNIVERSAL

if TYPE_CHECKING:
    from quiesce.patterns.pattern import Pattern

ID = re.compile(r"[A-Z]{2}-\d\d")
UNIVERSAL_IDS = {clause.id for clause in UNIVERSAL}
CLAUSES = [
    pytest.param(pattern, clause, id=f"{pattern.name}-{clause.id}")
    for pattern in PATTERNS.values()
    for clause in pattern.clauses
]
EACH = pytest.mark.parametrize("pattern", PATTERNS.values(), ids=lambda pattern: pattern.name)
EACH_CLAUSE = pytest.mark.parametrize(("pattern", "clause"), CLAUSES)


def adapter_of(pattern: Pattern, world: str, **dialect: str) -> Adapter:
    defaults = {flag: values[0] for flag, values in pattern.dialects.items()}
    return Adapter(
        name="x", pattern=pattern.name, world=world, module="m", qualname="Q",
        dialect={**defaults, **dialect},
    )  # fmt: skip


def signatures(pattern: Pattern) -> dict[str, str]:
    """All relaxations of a pattern's models, whichever the dialect."""
    found: dict[str, str] = {}
    plain = {name: values[0] for name, values in pattern.constructor.items() if values}
    variants = [{}, *({flag: v} for flag, values in pattern.dialects.items() for v in values)]
    for dialect in variants:
        model = pattern.model(adapter_of(pattern, "asyncio", **dialect), plain)
        found.update(model.relaxations)
    return found


@EACH
def test_ids_are_unique_within_a_pattern(pattern: Pattern) -> None:
    times = Counter(clause.id for clause in pattern.clauses)

    assert [name for name, count in times.items() if count > 1] == []


def test_patterns_share_the_universal_clauses_and_no_other_id() -> None:
    owners = Counter(clause.id for pattern in PATTERNS.values() for clause in pattern.clauses)

    assert {name for name, count in owners.items() if count > 1} == UNIVERSAL_IDS
    assert {owners[name] for name in UNIVERSAL_IDS} == {len(PATTERNS)}


@EACH
def test_a_patterns_own_ids_have_one_prefix_and_are_in_order(pattern: Pattern) -> None:
    own = [clause.id for clause in pattern.clauses if clause.id not in UNIVERSAL_IDS]

    assert len({name[:2] for name in own}) == 1
    assert own == sorted(own)


def test_the_ids_of_a_prefix_have_no_gaps_and_each_belongs_to_one_pattern() -> None:
    numbers = defaultdict(list)
    for pattern in PATTERNS.values():
        for clause in pattern.clauses:
            if clause.id not in UNIVERSAL_IDS:
                numbers[clause.id[:2]].append(int(clause.id[3:]))

    assert {prefix: sorted(found) for prefix, found in numbers.items()} == {
        prefix: list(range(1, len(found) + 1)) for prefix, found in numbers.items()
    }


@EACH_CLAUSE
def test_a_clause_says_what_it_demands_and_where_that_comes_from(
    pattern: Pattern, clause: Clause
) -> None:
    assert ID.fullmatch(clause.id)
    assert clause.text.endswith(".")
    assert clause.source
    assert not clause.source.endswith(".")
    assert clause.untested is None or clause.untested.strip()


@EACH_CLAUSE
def test_a_clause_needs_only_what_its_pattern_declares(pattern: Pattern, clause: Clause) -> None:
    assert clause.untested is not None or clause.needs <= set(pattern.capabilities)
    assert set(clause.worlds) <= set(WORLDS)
    for flag, values in clause.dialect.items():
        assert set(values) < set(pattern.dialects[flag])
        assert values


@EACH_CLAUSE
def test_a_freedom_is_never_checked(pattern: Pattern, clause: Clause) -> None:
    assert clause.level is not Level.MAY or clause.untested is not None
    assert clause.untested is None or not clause.twins


@EACH
def test_what_methods_scenarios_and_stimuli_need_is_declared(pattern: Pattern) -> None:
    declared = set(pattern.capabilities)

    assert {method.capability for method in pattern.port} - {None} <= declared
    needing: list[Any] = [*pattern.scenarios, *pattern.stimuli]
    for each in needing:
        assert each.needs <= declared
        assert set(each.worlds) <= set(WORLDS)


@EACH
def test_relaxations_and_other_signatures_name_clauses_of_the_pattern(pattern: Pattern) -> None:
    known = {clause.id for clause in pattern.clauses if clause.untested is None}
    found = signatures(pattern)

    assert found
    assert {signature[:5] for signature in found} <= known
    assert all(signature.startswith(clause + " ") for signature, clause in found.items())
    assert {signature[:5] for signature in pattern.leaks.values()} <= known
    if pattern.release is not None:
        assert pattern.release[1][:5] in known


@EACH
def test_fixed_scenarios_have_names_of_their_own(pattern: Pattern) -> None:
    times = Counter(scenario.name for scenario in pattern.scenarios)

    assert [name for name, count in times.items() if count > 1] == []


def test_a_clause_says_why_it_does_not_apply() -> None:
    clause = Clause(
        "XX-01", Level.MUST, "It holds.", "us",
        needs=["forget"], dialect={"style": ("a", "b")}, worlds=("trio",),
    )  # fmt: skip
    none: frozenset[str] = frozenset()

    assert clause.inapplicable("trio", none, {"style": "b"}) is None
    assert clause.inapplicable("asyncio", none, {}) == "has no meaning in the world asyncio"
    assert clause.inapplicable("trio", frozenset({"forget"}), {}) == (
        "needs forget, which the adapter lacks"
    )
    assert clause.inapplicable("trio", none, {"style": "c"}) == (
        "holds for the dialect style = a | b only"
    )
    assert (
        Clause("XX-02", Level.MAY, "It may.", "us", untested="a freedom").inapplicable(
            "trio", none, {}
        )
        == "untested: a freedom"
    )
