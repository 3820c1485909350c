"""The model of a semaphore, and its relaxations.

A hand-over is decided at the release (``handover`` direct), so it belongs to the move of its
cause: between the two nobody can take the units. A barging semaphore only wakes: whoever gets
to the units first takes them, which is a move of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from quiesce.model import ANY, BLOCKED, Move, View, evolve
from quiesce.patterns.calls import (
    CANCELLED,
    REFUSED,
    Calls,
    CallsModel,
    Outcome,
    put,
    returned,
)
from quiesce.patterns.universal import blame
from quiesce.stimuli import Began, Cancelled, Fact, Part
from quiesce.worlds.world import START

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from quiesce.adapters import Adapter

__all__ = ["Semaphore"]

# Signatures of the relaxations, narrowest first. Each is this model with one clause dropped.
TRY_BARGES = "SM-05 a try takes units although somebody waits"
TOO_BIG_QUEUES = "SM-04 a request for more than the size blocks those behind it"
WAKES_ONE = "SM-09 one release lets only one in"
GRANT_LEAKS = "SM-08 a cancelled acquire keeps the units that were granted to it"
HEAD_SILENT = "SM-07 those behind a first in line that gave up are not tried"
GHOST = "SM-07 an acquire that gave up still takes units when its turn comes"
RELEASE_ACCEPTED = "SM-06 a release of more than is held is accepted"
NEWCOMER_WAITS = "SM-02 an acquire waits although its units are free"
NEWCOMER_BARGES = "SM-02 an acquire takes units although somebody waits"
OVERTAKES = "SM-03 somebody overtakes one who came first"


# Signatures of mismatches by their look.
TOO_MANY = "SM-01 more units are handed out than there are"
TRY_FAILS = "SM-02 a try fails although its units are free"
RELEASE_REFUSED = "SM-06 a rightful release is refused"
UNSERVED = "UN-03 a caller is never woken"

RELAXATIONS = {
    signature: signature[:5]
    for signature in (
        TRY_BARGES,
        TOO_BIG_QUEUES,
        WAKES_ONE,
        GRANT_LEAKS,
        HEAD_SILENT,
        GHOST,
        RELEASE_ACCEPTED,
        NEWCOMER_WAITS,
        NEWCOMER_BARGES,
        OVERTAKES,
    )
}

#: Stands for a call that is gone, in the relaxation where its place in the queue is not.
NOBODY = -1


@attrs.frozen
class Waiter:
    """An acquire that waits for ``n`` units, until ``deadline`` (nanoseconds) if it has one."""

    call: int
    n: int
    deadline: int | None = None


@attrs.frozen
class State(Calls):
    """One semaphore."""

    free: int = 0
    waiters: tuple[Waiter, ...] = ()  # in their order; by call where that is not promised
    hopeless: tuple[Waiter, ...] = ()  # they ask for more than there is
    granted: tuple[Waiter, ...] = ()  # acquires that succeeded in this burst
    now: int = START


class Semaphore(CallsModel):
    """A semaphore of ``size`` units."""

    relaxations: Mapping[str, str] = RELAXATIONS
    value = TOO_MANY

    def __init__(self, adapter: Adapter, size: int) -> None:
        self._size = size
        self._bounded = "bounded" not in adapter.lacks
        self._direct = adapter.dialect.get("handover", "direct") == "direct"
        self._fifo = adapter.dialect.get("fifo", "yes") == "yes"

    def initial(self, part: Part) -> State:
        return State(free=self._size)

    def apply(self, state: Any, fact: Fact, relaxed: Collection[str]) -> Iterable[Move]:
        match fact:
            case Began(call, "acquire") if call in state.doomed:
                yield Move(put(state, call, CANCELLED), ("SM-08",))
            case Cancelled(call) if won := [w for w in state.granted if w.call == call]:
                yield Move(state)  # the grant was faster
                gone = put(evolve(state, granted=without(state.granted, won[0])), call, CANCELLED)
                if self._bounded and state.free + won[0].n > self._size:
                    # Somebody released these units before their acquire had returned. What comes
                    # of such a mistake, who can tell.
                    lost = put(gone, call, ANY)
                    yield Move(lost)
                    yield Move(evolve(lost, free=lost.free + won[0].n))
                    return
                yield from self._released(gone, won[0].n, ["SM-08"], relaxed)
                if GRANT_LEAKS in relaxed:
                    yield Move(gone, (), GRANT_LEAKS)
            case Cancelled(call) if state.of(call) not in (None, BLOCKED):
                yield Move(state)  # what never waits is never undone
            case _:
                yield from super().apply(state, fact, relaxed)

    def begin(self, state: State, fact: Began, relaxed: Collection[str]) -> Iterable[Move]:
        n = fact.argument("n")
        match fact.operation:
            case "release":
                if self._bounded and state.free + n > self._size:
                    yield Move(put(state, fact.call, REFUSED), ("SM-06", "UN-04"))
                    if RELEASE_ACCEPTED in relaxed:
                        done = put(state, fact.call, returned(None))
                        for move in self._released(done, n, [], relaxed):
                            yield evolve(move, relaxed=RELEASE_ACCEPTED)
                else:
                    done = put(state, fact.call, returned(None))
                    yield from self._released(done, n, ["SM-06"], relaxed)
                    unsettled = sum(waiter.n for waiter in state.granted)
                    if self._bounded and state.free + n + unsettled > self._size:
                        # They are units of an acquire that may not have returned yet: then
                        # nobody can rightly give them back.
                        yield Move(put(state, fact.call, REFUSED))
            case "try_acquire":
                yield from self._tried(state, fact.call, n, relaxed)
            case "acquire":
                yield from self._acquired(state, Waiter(fact.call, n), relaxed)
            case "acquire_within":
                deadline = state.now + fact.argument("timeout")
                yield from self._acquired(state, Waiter(fact.call, n, deadline), relaxed)

    def cancel(self, state: State, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        for waiter in (*state.waiters, *state.hopeless):
            if waiter.call == call:
                yield from self._gave_up(state, waiter, CANCELLED, relaxed)

    def ticked(self, state: State, at: int, relaxed: Collection[str]) -> Iterable[Move]:
        moves = [Move(evolve(state, now=at))]
        seen = {moves[0].state}
        for move in moves:  # it grows
            due = [
                waiter
                for waiter in (*move.state.waiters, *move.state.hopeless)
                if waiter.deadline is not None and waiter.deadline <= at
            ]
            if not due:
                yield move
            late = returned_at(False, move.state)
            for first in due:  # at one instant any of them may be the first, and let another in
                for later in self._gave_up(move.state, first, late, relaxed):
                    if later.state not in seen:
                        seen.add(later.state)
                        tags = (*move.clauses, *later.clauses)
                        moves.append(Move(later.state, tags, move.relaxed or later.relaxed))

    def follow(self, state: State, relaxed: Collection[str]) -> Iterable[Move]:
        if self._hands_over:
            return
        first_only = self._fifo and OVERTAKES not in relaxed
        for waiter in state.waiters[:1] if first_only else state.waiters:
            if waiter.n <= state.free:
                tags = ("SM-03",) if len(state.waiters) > 1 else ()
                yield Move(let_in(state, waiter), tags)

    def instants(self, state: State) -> Iterable[int]:
        return (w.deadline for w in (*state.waiters, *state.hopeless) if w.deadline is not None)

    def possible(self, state: State, seen: View) -> bool:
        if self._bounded and state.granted:
            # A grant that is cancelled may turn into anything: see apply.
            state = put(state, (waiter.call for waiter in state.granted), ANY)
        return super().possible(state, seen)

    def seal(self, state: State) -> Any:
        return evolve(super().seal(state), granted=())

    def blame(self, expected: Sequence[View], seen: View) -> str:
        outcomes = dict(seen.calls)

        def differences(view: View) -> list[tuple[Outcome, Outcome]]:
            return [
                (wanted, outcomes[call])
                for call, wanted in view.calls
                if call in outcomes and wanted != outcomes[call]
            ]

        kinds = {by_look(*pair) for pair in min(map(differences, expected), key=len, default=[])}
        if {TOO_MANY, UNSERVED} <= kinds:
            return OVERTAKES  # one got the units of another
        for signature in (RELEASE_ACCEPTED, RELEASE_REFUSED, TOO_MANY, TRY_FAILS):
            if signature in kinds:
                return signature
        return blame(expected, seen, extra=self.extra, value=self.value, cancel=self.alien)

    # Inside.

    @property
    def _hands_over(self) -> bool:
        return self._direct and self._fifo

    def _tried(self, state: State, call: int, n: int, relaxed: Collection[str]) -> Iterable[Move]:
        fits = n <= state.free
        barges = not self._hands_over
        tags = ("SM-05",) if fits and state.waiters else ("SM-02",)
        if fits and (barges or not state.waiters):
            taken = evolve(state, free=state.free - n)
            yield Move(put(taken, call, returned(True)), tags)
            return
        yield Move(put(state, call, returned(False)), tags)
        if fits and TRY_BARGES in relaxed:
            taken = evolve(state, free=state.free - n)
            yield Move(put(taken, call, returned(True)), (), TRY_BARGES)

    def _acquired(self, state: State, waiter: Waiter, relaxed: Collection[str]) -> Iterable[Move]:
        blocked = put(state, waiter.call, BLOCKED)
        if self._bounded and waiter.n > self._size:
            hopeless = (*state.hopeless, waiter)
            yield Move(evolve(blocked, hopeless=hopeless), ("SM-04",))
            if TOO_BIG_QUEUES in relaxed:
                yield Move(self._queued(blocked, waiter), (), TOO_BIG_QUEUES)
            return
        fits = waiter.n <= state.free
        if fits and (not state.waiters or not self._hands_over):
            yield Move(let_in(state, waiter), ("SM-02",))
            if NEWCOMER_WAITS in relaxed:
                yield Move(blocked, (), NEWCOMER_WAITS)
            return
        tags = ("SM-02", "SM-03") if fits else ("SM-01", "SM-02")
        yield Move(self._queued(blocked, waiter), tags)
        if fits and NEWCOMER_BARGES in relaxed:
            yield Move(let_in(state, waiter), (), NEWCOMER_BARGES)

    def _queued(self, state: State, waiter: Waiter) -> State:
        waiters = (*state.waiters, waiter)
        if not self._fifo:
            waiters = tuple(sorted(waiters, key=lambda each: each.call))
        return evolve(state, waiters=waiters)

    def _gave_up(
        self, state: State, waiter: Waiter, outcome: Outcome, relaxed: Collection[str]
    ) -> Iterable[Move]:
        """An acquire ends without its units."""
        gone = put(state, waiter.call, outcome)
        if waiter in state.hopeless:
            hopeless = without(state.hopeless, waiter)
            yield Move(evolve(gone, hopeless=hopeless), ("SM-04", "SM-07", "UN-04"))
            return
        left = evolve(gone, waiters=without(state.waiters, waiter))
        yield from self._released(left, 0, ["SM-07", "UN-04"], relaxed)
        if HEAD_SILENT in relaxed and self._hands_over:
            yield Move(left, (), HEAD_SILENT)
        if GHOST in relaxed:
            ghost = evolve(waiter, call=NOBODY, deadline=None)
            stays = tuple(ghost if each is waiter else each for each in state.waiters)
            yield Move(evolve(gone, waiters=stays), (), GHOST)

    def _released(
        self, state: State, n: int, tags: list[str], relaxed: Collection[str]
    ) -> Iterator[Move]:
        """``n`` units come back, and those at the head of the queue whom that helps are let in."""
        state = evolve(state, free=state.free + n)
        if OVERTAKES in relaxed:
            for after in sorted(set(in_any_order(state)), key=repr):
                left = len(after.waiters)
                if after.waiters != state.waiters[len(state.waiters) - left :]:
                    yield Move(after, (), OVERTAKES)
        if not self._hands_over:
            if n > 1 and len(state.waiters) > 1:
                tags.append("SM-09")
            yield Move(state, tuple(tags))
            return
        let = 0
        while state.waiters and state.waiters[0].n <= state.free:
            if len(state.waiters) > 1:
                tags.append("SM-03")
            state = let_in(state, state.waiters[0])
            let += 1
            if let == 1 and WAKES_ONE in relaxed:
                yield Move(state, (), WAKES_ONE)
        if let > 1:
            tags.append("SM-09")
        if any(waiter.n <= state.free for waiter in state.waiters):
            tags.append("SM-03")
        yield Move(state, tuple(tags))


def by_look(wanted: Outcome, found: Outcome) -> str | None:
    """What is wrong with a call that ended otherwise than it should."""
    match wanted, found:
        case [("raised", ("refused",)), ("returned", *_)]:
            return RELEASE_ACCEPTED
        case [("returned", *_), ("raised", ("refused",))]:
            return RELEASE_REFUSED
        case [("blocked",), ("returned", *_)] | [("returned", False, *_), ("returned", True, *_)]:
            return TOO_MANY
        case [("returned", True, *_), ("returned", False, *_)]:
            return TRY_FAILS
        case [_, ("blocked",)]:
            return UNSERVED
    return None


def let_in(state: State, waiter: Waiter) -> State:
    """The state in which the acquire has got its units."""
    state = evolve(state, free=state.free - waiter.n, waiters=without(state.waiters, waiter))
    if waiter.call == NOBODY:
        return state
    timed = waiter.deadline is not None
    state = put(state, waiter.call, returned_at(True, state) if timed else returned(None))
    granted = (*state.granted, waiter)
    return evolve(state, granted=tuple(sorted(granted, key=lambda each: each.call)))


def in_any_order(state: State) -> Iterator[State]:
    """The states in which some of the waiters who fit were let in, whoever came first."""
    yield state
    for waiter in state.waiters:
        if waiter.n <= state.free:
            yield from in_any_order(let_in(state, waiter))


def returned_at(value: bool, state: State) -> Outcome:
    """The outcome of a timed call that ends now."""
    return (*returned(value), state.now)


def without(waiters: tuple[Waiter, ...], gone: Waiter) -> tuple[Waiter, ...]:
    """The waiters but for one, who may have waited there or not."""
    return tuple(waiter for waiter in waiters if waiter is not gone)
