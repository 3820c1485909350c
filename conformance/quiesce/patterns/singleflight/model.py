"""The model of one key of a singleflight, and its relaxations.

A flight is one execution and the calls that wait for it. Its function starts by an internal
move, since a flight can be cancelled before that. What is dropped by a relaxation stands in
methods of its own, so the model itself reads without them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from quiesce.model import ANY, BLOCKED, HOLDS_A_FUTURE, Move, View, evolve
from quiesce.patterns.universal import blame
from quiesce.stimuli import Began, Cancelled, Fact, Finished, Part, Ticked

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from quiesce.adapters import Adapter

__all__ = ["Singleflight"]

# Signatures of the relaxations, narrowest first. Each is this model with one clause dropped.
LEADER_TOLD_FALSE = "SF-04 the leader is not told that its result is shared"
JOINER_TOLD_FALSE = "SF-04 a joiner is told that its result is not shared"
ANSWERED_FIRST = "SF-06 a newcomer gets the result of an execution already answered"
OLD_UNREGISTERS = "SF-09 the end of a forgotten execution unregisters the new one"
FORGET_KILLS = "SF-09 forget takes the result from the members of the old execution"
JOINER_UNREGISTERS = "SF-15 a cancelled joiner unregisters the key"
LEADER_SPREADS = "SF-16 the leader's cancellation reaches members that were not cancelled"
LEADER_STRANDS = "SF-16 the leader's cancellation strands the key"
JOINER_STRANDS = "SF-15 a cancelled joiner strands the others"
EXECUTION_ORPHANED = "SF-17 the execution goes on after its last member was cancelled"
DYING_JOINED = "SF-17 a newcomer joins the dying execution"
FUTURE_STRANDED = "SF-11 a future never hears that its function blew up"
PANIC_STRANDS = "SF-10 a function that blows up strands the others"
PANIC_LOST = "SF-10 a function that blows up gives the others something else"
EXIT_STRANDS = "SF-12 a function that exits strands the others"
EXIT_LOST = "SF-12 a function that exits gives the others something else"
OWN_FUNCTION_TOO = "SF-02 a joiner's own function is called as well"
RUN_AGAIN = "SF-18 an execution is followed by another that nobody called for"
JOINERS_RETRY = "SF-03 joiners run their own function after an error"
REENTERED = "SF-13 a function that calls with its own key runs twice"
ERROR_STICKS = "SF-05 the key stays registered after an error"
ERROR_KEPT = "SF-05 an error is kept after its execution"
VALUE_KEPT = "SF-05 a value is kept after its execution"
FUTURE_BLOCKS = "SF-08 do_future does not return at once"
JOINER_OTHER = "SF-03 a joiner gets something else than the leader"
SECOND_EXECUTION = "SF-01 a second execution runs beside the first"
LOCK_HELD = "UN-08 a function that calls with another key is blocked by itself"
KEY_BLOCKED = "SF-07 a key is blocked although nothing runs for it"

RELAXATIONS = {
    signature: signature[:5]
    for signature in (
        LEADER_TOLD_FALSE,
        JOINER_TOLD_FALSE,
        ANSWERED_FIRST,
        OLD_UNREGISTERS,
        FORGET_KILLS,
        JOINER_UNREGISTERS,
        JOINER_STRANDS,
        DYING_JOINED,
        EXECUTION_ORPHANED,
        LEADER_SPREADS,
        LEADER_STRANDS,
        FUTURE_STRANDED,
        PANIC_STRANDS,
        PANIC_LOST,
        EXIT_STRANDS,
        EXIT_LOST,
        RUN_AGAIN,
        JOINERS_RETRY,
        OWN_FUNCTION_TOO,
        REENTERED,
        ERROR_STICKS,
        ERROR_KEPT,
        VALUE_KEPT,
        FUTURE_BLOCKS,
        JOINER_OTHER,
        SECOND_EXECUTION,
        LOCK_HELD,
        KEY_BLOCKED,
    )
}

#: Outcomes that raise, and those that no ``except Exception`` catches, with their clauses.
FAILURES = ("error", "panic", "exit")
FATAL = {"panic": "SF-10", "exit": "SF-12"}
STRANDS = {"panic": PANIC_STRANDS, "exit": EXIT_STRANDS}
LOST = {"panic": PANIC_LOST, "exit": EXIT_LOST}

STARTING, RUNNING, ENDED, CANCELLED_PHASE = "starting", "running", "ended", "cancelled"


@attrs.frozen
class Flight:
    """One execution of one key."""

    leader: int
    members: tuple[int, ...]  # calls that wait for it, leader included
    index: int = -1  # order in which user functions started; -1 while STARTING
    phase: str = STARTING
    joinable: bool = True  # registered under the key
    joined: str = "no"  # "no", "gone" (all joiners were cancelled) or "yes"


@attrs.frozen
class State:
    """One key of one instance."""

    flights: tuple[Flight, ...] = ()
    begun: int = 0  # user functions started so far
    calls: tuple[tuple[int, tuple[Any, ...]], ...] = ()
    futures: frozenset[int] = frozenset()  # calls that hold a future
    retrying: tuple[int, ...] = ()  # calls that will lead or join again
    doomed: frozenset[int] = frozenset()  # cancelled before they began
    last: tuple[str, int] | None = None  # outcome and index of the latest ended execution
    stuck: bool = False  # relaxations only: the key is registered without an execution


class Singleflight:
    """The model of one key."""

    relaxations: Mapping[str, str] = RELAXATIONS

    def __init__(self, adapter: Adapter) -> None:
        self._lacks = adapter.lacks
        dialect = adapter.dialect
        self._inline = dialect.get("sf_cancel", "detached") == "inline"
        self._last_cancels = dialect.get("sf_last_cancel", "cancels") == "cancels"
        self._remembers = dialect.get("remembers", "nothing") == "values"

    def initial(self, part: Part) -> State:
        return State()

    def apply(self, state: State, fact: Fact, relaxed: Collection[str]) -> Iterable[Move]:
        match fact:
            case Began(call) if call in state.doomed:
                yield Move(put(state, call, ("cancelled",)))
            case Began(call, "forget"):
                flights = tuple(evolve(f, joinable=False) for f in state.flights)
                after = put(evolve(state, flights=flights), call, ("returned", None))
                if self._remembers:
                    after = evolve(after, last=None)
                yield Move(after, ("SF-09",) if live(state) else ())
                if FORGET_KILLS in relaxed and (old := live(state)):
                    for member in old.members:
                        after = put(after, member, ANY)
                    yield Move(after, ("SF-09",), FORGET_KILLS)
            case Began(call, operation):
                member = call
                if operation == "do_future_unread":
                    member = -1 - call  # a member whom nobody sees
                    state = put(state, call, ("returned", None))
                elif operation == "do_future":
                    state = evolve(state, futures=state.futures | {call})
                yield from self._enter(state, call, fact.inside, relaxed, member)
                yield from self._newcomer_relaxed(state, call, relaxed)
                if LOCK_HELD in relaxed and fact.inside is not None and live(state) is None:
                    yield Move(put(state, call, BLOCKED), (), LOCK_HELD)
            case Finished(index, outcome):
                yield from self._finish(state, index, outcome, relaxed)
            case Cancelled(call):
                yield from self._cancel(state, call, relaxed)
            case Ticked():
                yield Move(state)

    def internal(self, state: State, relaxed: Collection[str]) -> Iterable[Move]:
        for flight in state.flights:
            if flight.phase == STARTING:
                started = evolve(flight, phase=RUNNING, index=state.begun)
                yield Move(evolve(swap(state, flight, started), begun=state.begun + 1))
        for call in state.retrying:
            rest = tuple(other for other in state.retrying if other != call)
            waiting = evolve(state, retrying=rest)
            yield from self._enter(waiting, call, None, relaxed, call)

    def may_rest(self, state: State) -> bool:
        return False

    def view(self, state: State) -> View:
        calls = tuple(
            (call, HOLDS_A_FUTURE if outcome == BLOCKED and call in state.futures else outcome)
            for call, outcome in state.calls
        )
        executions = tuple(
            sorted((f.index, f.leader, f.phase) for f in state.flights if f.phase != STARTING)
        )
        return View(calls, executions)

    def possible(self, state: State, seen: View) -> bool:
        outcomes = dict(seen.calls)
        for call, outcome in state.calls:
            if outcome in (BLOCKED, ANY):
                continue
            shown = outcomes.get(call)
            if shown not in (outcome, ("cancelled",)):
                return False  # an ended call changes to cancelled only
        started = {index: (leader, phase) for index, leader, phase in seen.executions}
        leaders = {leader for leader, _ in started.values()}
        for flight in state.flights:
            if flight.phase == STARTING:
                if (
                    leaders
                    and None not in leaders
                    and flight.leader not in leaders
                    and outcomes.get(flight.leader) not in (None, ("cancelled",))
                ):
                    return False  # its function was never seen, and it was not called off
                continue
            leader, phase = started.get(flight.index, (None, None))
            if phase is None or leader not in (None, flight.leader):
                return False
            if flight.phase != RUNNING and flight.phase != phase:
                return False
        return True

    def seal(self, state: State) -> State:
        return evolve(
            state,
            flights=tuple(f for f in state.flights if f.phase == RUNNING),
            calls=tuple(entry for entry in state.calls if entry[1] == BLOCKED),
            futures=state.futures & {call for call, outcome in state.calls if outcome == BLOCKED},
            doomed=frozenset(),
        )

    def instants(self, state: State) -> Iterable[int]:
        return ()

    def blame(self, expected: Sequence[View], seen: View) -> str:
        return blame(
            expected,
            seen,
            extra=SECOND_EXECUTION,
            value="SF-03 a member gets another outcome",
            cancel=LEADER_SPREADS,
        )

    def _enter(
        self, state: State, call: int, inside: int | None, relaxed: Collection[str], member: int
    ) -> Iterable[Move]:
        """A call of ``do`` takes effect: it joins what is registered, or leads."""
        blocked = put(state, member, BLOCKED)
        flight = live(state)
        lead = evolve(blocked, flights=(*state.flights, Flight(call, (member,))))
        if flight is None:
            if self._remembers and state.last is not None and state.last[0] in ("value", "none"):
                yield Move(put(state, call, self._outcome(*state.last, True)), ())
            # A cache may also have dropped what it remembered, so leading is always right.
            tags = ("SF-05", "SF-06") if state.last is not None else ()
            if inside is not None:
                tags = (*tags, "SF-07", "UN-08")
            if any(f.phase in (STARTING, RUNNING) for f in state.flights):
                tags = (*tags, "SF-09")
            yield Move(lead, tags)
        elif inside is not None and inside == flight.index:
            yield Move(put(state, call, ("raised", ("refused",))), ("SF-13",))
            if REENTERED in relaxed:
                yield Move(put(lead, call, ANY), (), REENTERED)
        else:
            joined = evolve(flight, members=tuple(sorted((*flight.members, member))), joined="yes")
            yield Move(swap(blocked, flight, joined), ("SF-01", "SF-02", "SF-18"))
            if SECOND_EXECUTION in relaxed:
                yield Move(lead, (), SECOND_EXECUTION)
        if FUTURE_BLOCKS in relaxed and call in state.futures:
            yield Move(evolve(lead, futures=state.futures - {call}), (), FUTURE_BLOCKS)

    def _newcomer_relaxed(
        self, state: State, call: int, relaxed: Collection[str]
    ) -> Iterable[Move]:
        """What a caller of a key may meet that should be free."""
        fallen = put(state, call, ANY)
        if state.stuck:
            yield Move(fallen, (), ERROR_STICKS)
        if live(state) is not None:
            return
        phases = {flight.phase for flight in state.flights}
        last = None if state.last is None else state.last[0]
        for signature, met in (
            (VALUE_KEPT, last in ("value", "none")),
            (ERROR_KEPT, last in FAILURES),
            (ANSWERED_FIRST, ENDED in phases),
            (DYING_JOINED, CANCELLED_PHASE in phases),
        ):
            if met and signature in relaxed:
                yield Move(fallen, (), signature)
        if KEY_BLOCKED in relaxed:
            yield Move(put(state, call, BLOCKED), (), KEY_BLOCKED)

    def _finish(
        self, state: State, index: int, outcome: str, relaxed: Collection[str]
    ) -> Iterable[Move]:
        flight = next((f for f in state.flights if f.index == index), None)
        if flight is None:
            return  # its start is still to come in this order of things
        if flight.phase != RUNNING:
            yield Move(state)
            return
        tags = ["SF-03"] if len(flight.members) > 1 else []
        if outcome in FAILURES:
            tags.append("UN-05")
        if outcome in FATAL:
            tags.append(FATAL[outcome])
            tags += ["SF-11"] if state.futures & set(flight.members) else []
        if state.futures & set(flight.members):
            tags.append("SF-08")
        if not flight.joinable:
            tags.append("SF-09")
        ended = evolve(flight, phase=ENDED, joinable=False)
        done = swap(state, flight, ended)
        if flight.joinable or not self._remembers:  # a forgotten one is not remembered
            done = evolve(done, last=(outcome, index))
        joiners = tuple(call for call in flight.members if call != flight.leader)
        retry = outcome == "error" and "errors_shared" in self._lacks
        for told in {"no": (False,), "gone": (False, True), "yes": (True,)}[flight.joined]:
            after = done
            for call in flight.members:
                if retry and call != flight.leader:
                    after = evolve(after, retrying=tuple(sorted((*after.retrying, call))))
                else:
                    shared = told if call == flight.leader else True
                    after = put(after, call, self._outcome(outcome, index, shared))
            told_tags = () if "shared" in self._lacks else ("SF-04",)
            yield Move(after, (*tags, *told_tags))
            yield from self._finish_relaxed(after, flight, joiners, outcome, relaxed)

    def _finish_relaxed(
        self,
        after: State,
        flight: Flight,
        joiners: tuple[int, ...],
        outcome: str,
        relaxed: Collection[str],
    ) -> Iterable[Move]:
        index = flight.index
        if LEADER_TOLD_FALSE in relaxed and flight.leader in flight.members:
            told = put(after, flight.leader, self._outcome(outcome, index, False))
            yield Move(told, (), LEADER_TOLD_FALSE)
        for signature, other in (
            (JOINER_TOLD_FALSE, self._outcome(outcome, index, False)),
            (JOINER_OTHER, ANY),
            (LOST.get(outcome, ""), ANY),
        ):
            if signature in relaxed and joiners:
                state = after
                for call in joiners:
                    state = put(state, call, other)
                yield Move(state, (), signature)
        seen_joiners = tuple(call for call in joiners if call >= 0)
        retried = evolve(after, retrying=seen_joiners)
        for call in seen_joiners:
            retried = put(retried, call, BLOCKED)
        if JOINERS_RETRY in relaxed and outcome == "error" and joiners:
            yield Move(retried, (), JOINERS_RETRY)
        if OWN_FUNCTION_TOO in relaxed and joiners:
            yield Move(retried, (), OWN_FUNCTION_TOO)
        if RUN_AGAIN in relaxed and outcome == "none":
            again = evolve(flight, phase=STARTING, index=-1)
            blocked = evolve(after, flights=(*after.flights, again))
            for call in flight.members:
                blocked = put(blocked, call, BLOCKED)
            yield Move(blocked, (), RUN_AGAIN)
        futures = [call for call in joiners if call in after.futures]
        if FUTURE_STRANDED in relaxed and outcome in FATAL:
            state = after
            for call in {*futures, flight.leader} & after.futures:
                state = put(state, call, BLOCKED)
            yield Move(state, (), FUTURE_STRANDED)
        stranding = STRANDS.get(outcome, "")
        if stranding in relaxed:
            state = evolve(after, stuck=True)
            for call in joiners:
                state = put(state, call, ANY)
            yield Move(state, (), stranding)
        if ERROR_STICKS in relaxed and outcome in FAILURES:
            yield Move(evolve(after, stuck=True), (), ERROR_STICKS)
        if OLD_UNREGISTERS in relaxed and not flight.joinable:
            flights = tuple(evolve(f, joinable=False) for f in after.flights)
            yield Move(evolve(after, flights=flights), (), OLD_UNREGISTERS)

    def _cancel(self, state: State, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        status = dict(state.calls).get(call)
        gone = put(state, call, ("cancelled",))
        if status is None:
            yield Move(evolve(state, doomed=state.doomed | {call}))
            return
        if status != BLOCKED:  # ended in this burst: the cancellation may still show
            yield Move(state)
            yield Move(gone)
            return
        if call in state.retrying:
            rest = tuple(other for other in state.retrying if other != call)
            yield Move(evolve(gone, retrying=rest))
            return
        flight = next((f for f in state.flights if call in f.members), None)
        if flight is None:  # stranded by a relaxation
            yield Move(gone)
            return
        others = tuple(member for member in flight.members if member != call)
        joined = flight.joined
        if joined == "yes" and not [member for member in others if member != flight.leader]:
            joined = "gone"
        left = evolve(flight, members=others, joined=joined)
        leads = call == flight.leader
        if call in state.futures:  # who holds a future may stay a member without waiting
            stays = tuple(-1 - call if member == call else member for member in flight.members)
            yield Move(swap(gone, flight, evolve(flight, members=stays)))
        if self._inline and leads:
            retrying = evolve(gone, retrying=tuple(sorted((*state.retrying, *others))))
            yield from ended_by_cancel(retrying, flight, ("SF-16",) if others else ("SF-17",))
        elif others or not self._last_cancels:
            yield Move(swap(gone, flight, left), ("SF-16",) if leads else ("SF-15",))
        else:
            yield from ended_by_cancel(gone, flight, ("SF-17",))
        yield from self._cancel_relaxed(gone, flight, left, leads, relaxed)

    def _cancel_relaxed(
        self, gone: State, flight: Flight, left: Flight, leads: bool, relaxed: Collection[str]
    ) -> Iterable[Move]:
        others = left.members
        spreading = (LEADER_SPREADS, LEADER_STRANDS) if leads else (JOINER_STRANDS,)
        for signature in spreading:
            if signature in relaxed and (others or signature == LEADER_STRANDS):
                lost = evolve(gone, stuck=signature != LEADER_SPREADS)
                for call in others:
                    lost = put(lost, call, ANY)
                for move in ended_by_cancel(lost, flight, ()):
                    yield evolve(move, relaxed=signature)
                if others:
                    goes_on = evolve(left, members=())
                    yield Move(swap(lost, flight, goes_on), (), signature)
        if JOINER_UNREGISTERS in relaxed and not leads:
            yield Move(swap(gone, flight, evolve(left, joinable=False)), (), JOINER_UNREGISTERS)
        if EXECUTION_ORPHANED in relaxed and not others:
            yield Move(swap(gone, flight, left), (), EXECUTION_ORPHANED)
            free = evolve(left, joinable=False)
            yield Move(swap(gone, flight, free), (), EXECUTION_ORPHANED)

    def _outcome(self, outcome: str, index: int, shared: bool) -> tuple[Any, ...]:
        if outcome in FAILURES:
            return ("raised", (outcome, index))
        value = None if outcome == "none" else ("value", index)
        return ("returned", value if "shared" in self._lacks else (value, shared))


def live(state: State) -> Flight | None:
    """The flight that is registered under the key."""
    return next((f for f in state.flights if f.joinable and f.phase in (STARTING, RUNNING)), None)


def put(state: State, call: int, outcome: tuple[Any, ...]) -> State:
    """The state in which the call stands so."""
    if call < 0:
        return state
    calls = dict(state.calls)
    calls[call] = outcome
    return evolve(state, calls=tuple(sorted(calls.items())))


def swap(state: State, old: Flight, new: Flight) -> State:
    """The state with one flight changed."""
    return evolve(state, flights=tuple(new if f is old else f for f in state.flights))


def ended_by_cancel(state: State, flight: Flight, tags: tuple[str, ...]) -> Iterable[Move]:
    """The execution is cancelled; before its function started there is nothing to see of it."""
    if flight.phase == STARTING:
        yield Move(evolve(state, flights=tuple(f for f in state.flights if f is not flight)), tags)
    else:
        yield Move(swap(state, flight, evolve(flight, phase=CANCELLED_PHASE, joinable=False)), tags)
