"""The checker: orders of a burst, causes, internal moves, sealing, names of what went wrong."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quiesce.model import (
    ANY,
    BLOCKED,
    LAYER_LIMIT,
    Burst,
    Checker,
    Entry,
    Move,
    TooManyStates,
    View,
    explain,
    name,
)
from quiesce.stimuli import Began, Cancelled, Fact, Finished, Part, Ticked, arguments

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

PART: Part = (0,)
READS_OLD = "RG-02 a read gets the initial value"
READS_ANYTHING = "RG-01 a read gets anything"


def returned(value: object) -> tuple[Any, ...]:
    return ("returned", value)


@attrs.frozen
class Memory:
    """State of the register: its value, and calls not yet accounted for."""

    value: int = 0
    calls: tuple[tuple[int, tuple[Any, ...]], ...] = ()

    def put(self, call: int, outcome: tuple[Any, ...]) -> Memory:
        return attrs.evolve(self, calls=tuple(sorted({**dict(self.calls), call: outcome}.items())))


class Register:
    """A register: ``write`` sets its value, ``read`` gets it, ``swap`` does both."""

    relaxations: Mapping[str, str] = {READS_OLD: "RG-02", READS_ANYTHING: "RG-01"}

    def initial(self, part: Part) -> Memory:
        return Memory()

    def apply(self, state: Memory, fact: Fact, relaxed: Collection[str]) -> Iterable[Move]:
        if not isinstance(fact, Began):
            return
        value = dict(fact.arguments).get("value", state.value)
        answer = None if fact.operation == "write" else state.value
        after = attrs.evolve(state, value=value)
        clause = "RG-03" if fact.operation == "write" else "RG-01"
        yield Move(after.put(fact.call, returned(answer)), (clause,))
        if READS_OLD in relaxed and fact.operation == "read":
            yield Move(after.put(fact.call, returned(0)), (), READS_OLD)
        if READS_ANYTHING in relaxed and fact.operation == "read":
            yield Move(after.put(fact.call, ANY), (), READS_ANYTHING)

    def internal(self, state: Memory, relaxed: Collection[str]) -> Iterable[Move]:
        return ()

    def may_rest(self, state: Memory) -> bool:
        return False

    def view(self, state: Memory) -> View:
        return View(state.calls)

    def possible(self, state: Memory, seen: View) -> bool:
        return True

    def seal(self, state: Memory) -> Memory:
        return attrs.evolve(state, calls=())

    def instants(self, state: Memory) -> Iterable[int]:
        return (state.value,) if state.value else ()

    def blame(self, expected: Sequence[View], seen: View) -> str:
        return "RG-00 none of the above"


def began(call: int, operation: str, **named: Any) -> Began:
    return Began(call, operation, arguments(**named))


def entry(facts: Sequence[Fact], seen: View, after: Mapping[int, set[int]] | None = None) -> Entry:
    order = tuple(frozenset((after or {}).get(i, ())) for i in range(len(facts)))
    return Entry(PART, Burst(tuple(facts), order), seen)


def saw(*outcomes: tuple[Any, ...], first: int = 0) -> View:
    return View(tuple(enumerate(outcomes, first)))


WRITE_1_THEN_READ = (began(0, "write", value=1), began(1, "read"))


@pytest.mark.parametrize("value", [0, 1])
def test_what_was_issued_together_may_have_happened_in_any_order(value: int) -> None:
    checker = Checker(Register())

    assert checker.compare(entry(WRITE_1_THEN_READ, saw(returned(None), returned(value))))


def test_what_was_seen_before_a_fact_was_issued_happened_before_it() -> None:
    stale = entry(WRITE_1_THEN_READ, saw(returned(None), returned(0)), after={1: {0}})
    fresh = entry(WRITE_1_THEN_READ, saw(returned(None), returned(1)), after={1: {0}})

    assert not Checker(Register()).compare(stale)
    assert Checker(Register()).compare(fresh)


def test_causes_are_transitive_through_the_facts_between() -> None:
    facts = (began(0, "write", value=1), began(1, "write", value=2), began(2, "read"))
    after = {1: {0}, 2: {1}}
    seen = (returned(None), returned(None))

    assert Checker(Register()).compare(entry(facts, saw(*seen, returned(2)), after))
    assert not Checker(Register()).compare(entry(facts, saw(*seen, returned(1)), after))


def test_a_mismatch_leaves_the_states_and_tells_what_was_allowed() -> None:
    checker = Checker(Register())
    wrong = entry(WRITE_1_THEN_READ, saw(returned(None), returned(7)))
    before = checker.states(PART)

    assert not checker.compare(wrong)
    assert checker.states(PART) == before
    assert set(checker.predict(wrong)) == {
        saw(returned(None), returned(0)),
        saw(returned(None), returned(1)),
    }


def test_a_burst_may_leave_several_states_and_the_next_one_decides() -> None:
    checker = Checker(Register())
    racing = (began(0, "write", value=1), began(1, "write", value=2))

    assert checker.compare(entry(racing, saw(returned(None), returned(None))))
    assert {state.value for state in checker.states(PART)} == {1, 2}
    assert checker.compare(entry([began(2, "read")], saw(returned(2), first=2)))
    assert {state.value for state in checker.states(PART)} == {2}
    assert not checker.compare(entry([began(3, "read")], saw(returned(1), first=3)))


def test_parts_are_followed_apart() -> None:
    checker = Checker(Register())
    other = Entry((1,), Burst((began(1, "read"),), (frozenset(),)), saw(returned(0), first=1))

    assert checker.compare(entry([began(0, "write", value=5)], saw(returned(None))))
    assert checker.compare(other)
    assert checker.instants() == (5,)


def test_what_has_ended_and_was_seen_is_sealed() -> None:
    checker = Checker(Register())

    assert checker.compare(entry([began(0, "write", value=1)], saw(returned(None))))
    assert checker.states(PART) == {Memory(1)}


def test_clauses_count_where_they_decided_something() -> None:
    checker = Checker(Register())
    checker.compare(entry([began(0, "write", value=1)], saw(returned(None))))
    checker.compare(entry([began(1, "read")], saw(returned(1), first=1)))
    checker.compare(entry([began(2, "read")], saw(returned(9), first=2)))  # a mismatch

    assert checker.exercised == {"RG-03": 1, "RG-01": 1}


def test_a_memo_that_checkers_share_changes_no_answer() -> None:
    memo: dict[Any, Any] = {}
    right = entry(WRITE_1_THEN_READ, saw(returned(None), returned(1)))
    wrong = entry(WRITE_1_THEN_READ, saw(returned(None), returned(7)))
    checkers = [Checker(Register(), memo=memo) for _ in range(2)]

    assert [checker.compare(wrong) for checker in checkers] == [False, False]
    assert [checker.compare(right) for checker in checkers] == [True, True]
    assert checkers[0].exercised == checkers[1].exercised
    assert len(memo) == 2


# Internal moves, at a semaphore of one permit whose waiters are let in later.


@attrs.frozen
class Permits:
    free: int = 1
    waiting: frozenset[int] = frozenset()
    calls: tuple[tuple[int, tuple[Any, ...]], ...] = ()

    def put(self, call: int, outcome: tuple[Any, ...]) -> Permits:
        return attrs.evolve(self, calls=tuple(sorted({**dict(self.calls), call: outcome}.items())))


class Semaphore(Register):
    """``acquire`` waits for a permit and ``release`` gives one back. Unfair."""

    relaxations: Mapping[str, str] = {}
    rests = False

    def initial(self, part: Part) -> Any:
        return Permits()

    def apply(self, state: Any, fact: Fact, relaxed: Collection[str]) -> Iterable[Move]:
        match fact:
            case Began(call, "acquire"):
                waiting = state.waiting | {call}
                yield Move(attrs.evolve(state, waiting=waiting).put(call, BLOCKED))
            case Began(call, "release"):
                yield Move(attrs.evolve(state, free=state.free + 1).put(call, returned(None)))
            case Cancelled(call) if call in state.waiting:
                waiting = state.waiting - {call}
                yield Move(attrs.evolve(state, waiting=waiting).put(call, ("cancelled",)))
            case Cancelled(call):
                yield Move(state)
            case Ticked():
                yield Move(state)

    def internal(self, state: Any, relaxed: Collection[str]) -> Iterable[Move]:
        for call in sorted(state.waiting) if state.free else ():
            let_in = attrs.evolve(state, free=state.free - 1, waiting=state.waiting - {call})
            yield Move(let_in.put(call, returned(None)), ("SM-01",))

    def may_rest(self, state: Any) -> bool:
        return self.rests

    def seal(self, state: Any) -> Any:
        return attrs.evolve(state, calls=tuple(c for c in state.calls if c[1] == BLOCKED))


ACQUIRES = tuple(began(call, "acquire") for call in range(3))


@pytest.mark.parametrize("winner", [0, 1, 2])
def test_whoever_is_let_in_by_an_internal_move_explains_the_view(winner: int) -> None:
    seen = [BLOCKED, BLOCKED, BLOCKED]
    seen[winner] = returned(None)
    checker = Checker(Semaphore())

    assert checker.compare(entry(ACQUIRES, saw(*seen)))
    assert checker.exercised == {"SM-01": 1}


def test_at_rest_no_internal_move_is_left() -> None:
    nobody = entry(ACQUIRES, saw(BLOCKED, BLOCKED, BLOCKED))
    resting = Semaphore()
    resting.rests = True

    assert not Checker(Semaphore()).compare(nobody)
    assert Checker(resting).compare(nobody)


def test_an_internal_move_may_come_between_two_facts_or_after_both() -> None:
    facts = (began(0, "acquire"), Cancelled(0))

    assert Checker(Semaphore()).compare(entry(facts, saw(returned(None)), after={1: {0}}))
    assert Checker(Semaphore()).compare(entry(facts, saw(("cancelled",)), after={1: {0}}))
    assert not Checker(Semaphore()).compare(entry(facts, saw(BLOCKED), after={1: {0}}))


class Endless(Semaphore):
    """A model that was cut badly: it counts for ever."""

    def internal(self, state: Any, relaxed: Collection[str]) -> Iterable[Move]:
        yield Move(attrs.evolve(state, free=state.free + 1))


def test_a_burst_of_too_many_states_is_given_up() -> None:
    journal = entry([began(0, "release")], saw(returned(None)))

    with pytest.raises(TooManyStates, match=f"over {LAYER_LIMIT} states"):
        Checker(Endless()).compare(journal)
    assert not explain(Endless(), [journal], ())
    assert Checker(Endless()).predict(journal) == ()


def test_a_leader_that_cant_be_told_fits_any() -> None:
    predicted = View((), ((0, 3, "running"),))

    assert predicted.matches(View((), ((0, 3, "running"),)))
    assert predicted.matches(View((), ((0, None, "running"),)))
    assert not predicted.matches(View((), ((0, 4, "running"),)))
    assert not predicted.matches(View((), ((0, 3, "ended"),)))
    assert not predicted.matches(View(()))


# Names.


def journal_of(read: object) -> list[Entry]:
    return [
        entry([began(0, "write", value=1)], saw(returned(None))),
        entry([began(1, "read")], saw(returned(read), first=1)),
    ]


@pytest.mark.parametrize(
    ("read", "signature"),
    [(0, READS_OLD), (7, READS_ANYTHING)],
    ids=["the narrow one", "the wide one"],
)
def test_the_narrowest_relaxation_that_explains_the_journal_names_it(
    read: int, signature: str
) -> None:
    assert name(Register(), journal_of(read), ()) == signature


def test_a_relaxation_has_to_explain_the_whole_journal() -> None:
    twice = [*journal_of(0), entry([began(2, "read")], saw(returned(7), first=2))]

    assert name(Register(), twice, ()) == READS_ANYTHING
    assert not explain(Register(), twice, {READS_OLD})
    assert explain(Register(), twice, {READS_OLD, READS_ANYTHING})


def test_what_no_relaxation_explains_is_named_by_its_look() -> None:
    blocked = [entry([began(0, "write", value=1)], saw(BLOCKED))]

    assert name(Register(), blocked, ()) == "RG-00 none of the above"


# Against brute force.

operations = st.sampled_from(
    [("read", {}), ("write", {"value": 1}), ("write", {"value": 2}), ("swap", {"value": 3})]
)


def run(facts: Sequence[Fact], order: Sequence[int], value: int) -> tuple[View, int]:
    """What a real register answers if the calls of a burst happen in this order."""
    seen: dict[int, tuple[Any, ...]] = {}
    for index in order:
        fact = facts[index]
        assert isinstance(fact, Began)
        seen[fact.call] = returned(None if fact.operation == "write" else value)
        value = dict(fact.arguments).get("value", value)
    return View(tuple(sorted(seen.items()))), value


def orders(after: Sequence[frozenset[int]]) -> list[tuple[int, ...]]:
    return [
        order
        for order in permutations(range(len(after)))
        if all(after[i] <= set(order[: order.index(i)]) for i in order)
    ]


@st.composite
def bursts(draw: st.DrawFn, first: int) -> Burst:
    drawn = draw(st.lists(operations, min_size=1, max_size=4))
    facts = tuple(began(first + i, op, **named) for i, (op, named) in enumerate(drawn))
    after = tuple(
        frozenset(draw(st.sets(st.integers(0, i - 1)))) if i else frozenset()
        for i in range(len(facts))
    )
    return Burst(facts, after)


@given(st.data())
def test_every_history_of_a_real_register_is_accepted(data: st.DataObject) -> None:
    checker, value, calls = Checker(Register()), 0, 0
    for _ in range(data.draw(st.integers(1, 3))):
        burst = data.draw(bursts(calls))
        calls += len(burst.facts)
        order = data.draw(st.sampled_from(orders(burst.after)))
        seen, value = run(burst.facts, order, value)

        assert checker.compare(Entry(PART, burst, seen))
        assert value in {state.value for state in checker.states(PART)}


@given(bursts(0), st.data())
def test_a_changed_outcome_is_accepted_exactly_if_some_order_explains_it(
    burst: Burst, data: st.DataObject
) -> None:
    seen, _ = run(burst.facts, range(len(burst.facts)), 0)
    victim = data.draw(st.integers(0, len(seen.calls) - 1))
    outcome = returned(data.draw(st.sampled_from([None, 0, 1, 2, 3])))
    calls = tuple((n, outcome if n == victim else old) for n, old in seen.calls)
    changed = View(calls)
    allowed = {run(burst.facts, order, 0)[0] for order in orders(burst.after)}

    assert Checker(Register()).compare(Entry(PART, burst, changed)) == (changed in allowed)
    assert set(Checker(Register()).predict(Entry(PART, burst, changed))) == allowed


def test_a_finish_that_the_model_has_no_place_for_fits_nothing() -> None:
    assert not Checker(Register()).compare(entry([Finished(0, "value")], saw()))
