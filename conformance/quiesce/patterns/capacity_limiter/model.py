"""The model of a capacity limiter, and its relaxations.

A borrower is named by the acquire that first borrowed for it. Units are handed over at the
release, or when the total is raised, so that belongs to the move of its cause.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import attrs

from quiesce.model import BLOCKED, Move, View, evolve
from quiesce.patterns.calls import CANCELLED, REFUSED, Calls, CallsModel, put, returned
from quiesce.patterns.universal import blame
from quiesce.stimuli import Began, Cancelled, Fact, Part

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

__all__ = ["CapacityLimiter"]

# Signatures of the relaxations, narrowest first. Each is this model with one clause dropped.
GRANT_LEAKS = "SM-15 a cancelled acquire keeps the unit that was granted to it"
GHOST = "SM-15 a cancelled acquire still borrows when its turn comes"
RAISE_SILENT = "SM-10 raising the total lets nobody in"
RAISE_MISCOUNTS = "SM-10 raising the total lets in too many"
REVOKES = "SM-10 lowering the total takes units from those who have them"
SECOND_UNIT = "SM-12 a borrower that has a unit is not refused"
UNBORROWED = "SM-12 giving back what was not borrowed is not refused"
RELEASE_GRANTS = "SM-11 a release lets somebody in although the total was lowered"
NEWCOMER_WAITS = "SM-13 an acquire waits although a unit is free"
OTHER_ORDER = "SM-14 somebody overtakes one who came first"

# Signatures of mismatches by their look.
TOO_MANY = "SM-11 more units are lent than there are"
OTHER_ANSWER = "SM-12 a borrower is told something else than what it has"

RELAXATIONS = {
    signature: signature[:5]
    for signature in (
        GRANT_LEAKS,
        GHOST,
        RAISE_SILENT,
        RAISE_MISCOUNTS,
        SECOND_UNIT,
        UNBORROWED,
        RELEASE_GRANTS,
        REVOKES,
        NEWCOMER_WAITS,
        OTHER_ORDER,
    )
}


@attrs.frozen
class State(Calls):
    """One limiter. Borrowers and waiters are numbers of acquires."""

    total: int = 0
    lent: tuple[int, ...] = ()  # sorted
    waiters: tuple[int, ...] = ()  # in their order
    granted: tuple[int, ...] = ()  # acquires that succeeded in this burst, sorted
    ghosts: tuple[int, ...] = ()  # a relaxation: waiters that are gone


class CapacityLimiter(CallsModel):
    """A limiter that starts with ``total`` units."""

    relaxations: Mapping[str, str] = RELAXATIONS
    value = TOO_MANY

    def __init__(self, total: int) -> None:
        self._total = total

    def initial(self, part: Part) -> State:
        return State(total=self._total)

    def apply(self, state: Any, fact: Fact, relaxed: Collection[str]) -> Iterable[Move]:
        match fact:
            case Began(call, "acquire") if call in state.doomed:
                yield Move(put(state, call, CANCELLED), ("SM-15",))
            case Cancelled(call) if call in state.granted:
                yield Move(state)  # the grant was faster
                gone = put(evolve(state, granted=without(state.granted, call)), call, CANCELLED)
                back = evolve(gone, lent=without(gone.lent, call))
                yield from self._let_in(back, ["SM-15"], relaxed)
                if GRANT_LEAKS in relaxed:
                    yield Move(gone, (), GRANT_LEAKS)
            case Cancelled(call) if state.of(call) not in (None, BLOCKED):
                yield Move(state)  # what never waits is never undone
            case _:
                yield from super().apply(state, fact, relaxed)

    def begin(self, state: State, fact: Began, relaxed: Collection[str]) -> Iterable[Move]:
        call = fact.call
        match fact.operation:
            case "acquire":
                yield from self._acquired(state, call, relaxed)
            case "try_acquire":
                yield from self._tried(state, call, fact.argument("of"), relaxed)
            case "release":
                borrower = fact.argument("of")
                if borrower in state.lent:
                    back = evolve(state, lent=without(state.lent, borrower))
                    yield from self._released(put(back, call, returned(None)), relaxed)
                    return
                yield Move(put(state, call, REFUSED), ("SM-12", "UN-04"))
                if UNBORROWED in relaxed:
                    yield Move(put(state, call, returned(None)), (), UNBORROWED)
            case "set_total":
                yield from self._changed(state, call, fact.argument("total"), relaxed)

    def cancel(self, state: State, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        gone = put(state, call, CANCELLED)
        yield Move(evolve(gone, waiters=without(state.waiters, call)), ("SM-15",))
        if GHOST in relaxed:
            yield Move(evolve(gone, ghosts=(*state.ghosts, call)), (), GHOST)

    def seal(self, state: State) -> Any:
        return evolve(super().seal(state), granted=())

    def blame(self, expected: Sequence[View], seen: View) -> str:
        outcomes = dict(seen.calls)
        wanted = dict(expected[0].calls) if expected else {}
        differ = [(wanted[call], outcomes[call]) for call in wanted if call in outcomes]
        differ = [(one, other) for one, other in differ if one != other]
        woken = any(one == BLOCKED for one, _ in differ)
        if woken and any(other == BLOCKED for _, other in differ):
            return OTHER_ORDER  # one got the unit of another
        if not woken and any(BLOCKED not in pair for pair in differ):
            return OTHER_ANSWER
        return blame(expected, seen, extra=self.extra, value=TOO_MANY, cancel=self.alien)

    # Inside.

    def _acquired(self, state: State, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        waits = evolve(put(state, call, BLOCKED), waiters=(*state.waiters, call))
        if state.waiters or len(state.lent) >= state.total:
            yield Move(waits, ("SM-11", "SM-13"))
            return
        yield Move(lend(waits, call), ("SM-13",))
        if NEWCOMER_WAITS in relaxed:
            yield Move(waits, (), NEWCOMER_WAITS)

    def _tried(
        self, state: State, call: int, borrower: int, relaxed: Collection[str]
    ) -> Iterable[Move]:
        if borrower in state.lent:
            yield Move(put(state, call, REFUSED), ("SM-12", "UN-04"))
            if SECOND_UNIT in relaxed:
                for answer in (True, False):
                    yield Move(put(state, call, returned(answer)), (), SECOND_UNIT)
        elif state.waiters or len(state.lent) >= state.total:
            yield Move(put(state, call, returned(False)), ("SM-11",))
        else:
            lent = tuple(sorted((*state.lent, borrower)))
            yield Move(put(evolve(state, lent=lent), call, returned(True)), ("SM-13",))

    def _released(self, state: State, relaxed: Collection[str]) -> Iterator[Move]:
        lowered = len(state.lent) >= state.total
        yield from self._let_in(state, ["SM-10"] if lowered else [], relaxed)
        if lowered and state.waiters and RELEASE_GRANTS in relaxed:
            yield Move(lend(state, state.waiters[0]), (), RELEASE_GRANTS)

    def _changed(
        self, state: State, call: int, total: int, relaxed: Collection[str]
    ) -> Iterator[Move]:
        state = put(evolve(state, total=total), call, returned(None))
        yield from self._let_in(state, ["SM-10"], relaxed)
        if REVOKES in relaxed and total < len(state.lent):
            for kept in combinations(state.lent, total):
                yield Move(evolve(state, lent=kept), (), REVOKES)
        if RAISE_SILENT in relaxed:
            yield Move(state, (), RAISE_SILENT)
        if RAISE_MISCOUNTS in relaxed:
            while state.waiters:
                state = lend(state, state.waiters[0])
                yield Move(state, (), RAISE_MISCOUNTS)

    def _let_in(self, state: State, tags: list[str], relaxed: Collection[str]) -> Iterator[Move]:
        """Those at the head of the queue get the units that are free."""
        if OTHER_ORDER in relaxed:
            for after in sorted(set(in_any_order(state)), key=repr):
                yield Move(after, (), OTHER_ORDER)
        while state.waiters and len(state.lent) < state.total:
            if len(state.waiters) > 1:
                tags.append("SM-14")
            state = lend(state, state.waiters[0])
        yield Move(state, tuple(tags))


def lend(state: State, call: int) -> State:
    """The state in which a waiter has its unit."""
    state = evolve(
        state, lent=tuple(sorted((*state.lent, call))), waiters=without(state.waiters, call)
    )
    if call in state.ghosts:
        return state
    granted = tuple(sorted((*state.granted, call)))
    return put(evolve(state, granted=granted), call, returned(call))


def in_any_order(state: State) -> Iterator[State]:
    """The states in which the free units were lent, to whoever waits."""
    if not state.waiters or len(state.lent) >= state.total:
        yield state
        return
    for call in state.waiters:
        yield from in_any_order(lend(state, call))


def without(numbers: tuple[int, ...], gone: int) -> tuple[int, ...]:
    """The numbers but for one."""
    return tuple(number for number in numbers if number != gone)
