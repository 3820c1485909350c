"""The model of one key of a singleflight, and its relaxations.

A flight is one execution and the calls that wait for it. Its function starts by an internal
move, since a flight can be cancelled before that. What is dropped by a relaxation stands in
methods of its own, so the model itself reads without them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from quiesce.model import ANY, BLOCKED, HOLDS_A_FUTURE, Move, View, evolve
from quiesce.patterns.calls import (
    CANCELLED,
    ENDED,
    INTERRUPTED,
    REFUSED,
    STARTING,
    Calls,
    CallsModel,
    Execution,
    Outcome,
    drop,
    swap,
)
from quiesce.patterns.calls import put as put_call

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from quiesce.adapters import Adapter
    from quiesce.stimuli import Began, Part

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


@attrs.frozen
class Flight(Execution):
    """One execution of one key."""

    members: tuple[int, ...] = ()  # calls that wait for it, leader included
    joinable: bool = True  # registered under the key
    joined: str = "no"  # "no", "gone" (all joiners were cancelled) or "yes"


@attrs.frozen
class State(Calls):
    """One key of one instance."""

    futures: frozenset[int] = frozenset()  # calls that hold a future
    retrying: tuple[int, ...] = ()  # calls that will lead or join again
    last: tuple[str, int] | None = None  # outcome and index of the latest ended execution
    stuck: bool = False  # relaxations only: the key is registered without an execution


class Singleflight(CallsModel):
    """The model of one key."""

    relaxations: Mapping[str, str] = RELAXATIONS
    extra = SECOND_EXECUTION
    value = "SF-03 a member gets another outcome"
    alien = LEADER_SPREADS

    def __init__(self, adapter: Adapter) -> None:
        self._lacks = adapter.lacks
        dialect = adapter.dialect
        self._inline = dialect.get("sf_cancel", "detached") == "inline"
        self._last_cancels = dialect.get("sf_last_cancel", "cancels") == "cancels"
        self._remembers = dialect.get("remembers", "nothing") == "values"

    def initial(self, part: Part) -> State:
        return State()

    def begin(self, state: Any, fact: Began, relaxed: Collection[str]) -> Iterable[Move]:
        call = member = fact.call
        match fact.operation:
            case "forget":
                yield from self._forget(state, call, relaxed)
                return
            case "do_future_unread":
                member = -1 - call  # a member whom nobody sees
                state = put(state, call, ("returned", None))
            case "do_future":
                state = evolve(state, futures=state.futures | {call})
        yield from self._enter(state, call, fact.inside, relaxed, member)
        yield from self._newcomer_relaxed(state, call, relaxed)
        if LOCK_HELD in relaxed and fact.inside is not None and live(state) is None:
            yield Move(put(state, call, BLOCKED), (), LOCK_HELD)

    def _forget(self, state: State, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        flights = tuple(evolve(flight, joinable=False) for flight in state.executions)
        after = put(evolve(state, executions=flights), call, ("returned", None))
        if self._remembers:
            after = evolve(after, last=None)
        yield Move(after, ("SF-09",) if live(state) else ())
        if FORGET_KILLS in relaxed and (old := live(state)):
            for member in old.members:
                after = put(after, member, ANY)
            yield Move(after, ("SF-09",), FORGET_KILLS)

    def follow(self, state: Any, relaxed: Collection[str]) -> Iterable[Move]:
        for call in state.retrying:
            rest = tuple(other for other in state.retrying if other != call)
            waiting = evolve(state, retrying=rest)
            yield from self._enter(waiting, call, None, relaxed, call)

    def view(self, state: Any) -> View:
        view = super().view(state)
        calls = tuple(
            (call, HOLDS_A_FUTURE if outcome == BLOCKED and call in state.futures else outcome)
            for call, outcome in view.calls
        )
        return evolve(view, calls=calls)

    def possible(self, state: Any, seen: View) -> bool:
        if not super().possible(state, seen):
            return False
        starting = [flight for flight in state.executions if flight.phase == STARTING]
        if not starting:
            return True
        # A function that was never seen must have been called off, with its leader.
        outcomes = dict(seen.calls)
        leaders = {leader for _, leader, _ in seen.executions}
        return not leaders or all(
            leaders & {None, flight.leader} or outcomes.get(flight.leader) in (None, CANCELLED)
            for flight in starting
        )

    def seal(self, state: Any) -> State:
        sealed: State = super().seal(state)
        return evolve(sealed, futures=state.futures & {call for call, _ in sealed.calls})

    def _enter(
        self, state: State, call: int, inside: int | None, relaxed: Collection[str], member: int
    ) -> Iterable[Move]:
        """A call of ``do`` takes effect: it joins what is registered, or leads."""
        blocked = put(state, member, BLOCKED)
        flight = live(state)
        lead = evolve(blocked, executions=(*state.executions, Flight(call, members=(member,))))
        if flight is None:
            if self._remembers and state.last is not None and state.last[0] in ("value", "none"):
                yield Move(put(state, call, self._outcome(*state.last, True)), ())
            # A cache may also have dropped what it remembered, so leading is always right.
            tags = ("SF-05", "SF-06") if state.last is not None else ()
            if inside is not None:
                tags = (*tags, "SF-07", "UN-08")
            if state.active:
                tags = (*tags, "SF-09")
            yield Move(lead, tags)
        elif inside is not None and inside == flight.index:
            yield Move(put(state, call, REFUSED), ("SF-13",))
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
        phases = {flight.phase for flight in state.executions}
        last = None if state.last is None else state.last[0]
        for signature, met in (
            (VALUE_KEPT, last in ("value", "none")),
            (ERROR_KEPT, last in FAILURES),
            (ANSWERED_FIRST, ENDED in phases),
            (DYING_JOINED, INTERRUPTED in phases),
        ):
            if met and signature in relaxed:
                yield Move(fallen, (), signature)
        if KEY_BLOCKED in relaxed:
            yield Move(put(state, call, BLOCKED), (), KEY_BLOCKED)

    def ended(
        self, state: Any, execution: Any, outcome: str, relaxed: Collection[str]
    ) -> Iterable[Move]:
        flight: Flight = execution
        index, done = flight.index, state
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
            blocked = evolve(after, executions=(*after.executions, again))
            for call in flight.members:
                blocked = put(blocked, call, BLOCKED)
            yield Move(blocked, (), RUN_AGAIN)
        if FUTURE_STRANDED in relaxed and outcome in FATAL:
            state = after
            for call in after.futures:
                if call in joiners or call == flight.leader:
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
            flights = tuple(evolve(f, joinable=False) for f in after.executions)
            yield Move(evolve(after, executions=flights), (), OLD_UNREGISTERS)

    def cancel(self, state: Any, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        gone = put(state, call, CANCELLED)
        if call in state.retrying:
            rest = tuple(other for other in state.retrying if other != call)
            yield Move(evolve(gone, retrying=rest))
            return
        flight = next((f for f in state.executions if call in f.members), None)
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
            yield Move(drop(retrying, flight), ("SF-16",) if others else ("SF-17",))
        elif others or not self._last_cancels:
            yield Move(swap(gone, flight, left), ("SF-16",) if leads else ("SF-15",))
        else:
            yield Move(drop(gone, flight), ("SF-17",))
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
                yield Move(drop(lost, flight), (), signature)
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
    """The flight that is registered under the key, None without one."""
    return next((flight for flight in state.active if flight.joinable), None)


def put(state: State, call: int, outcome: Outcome) -> State:
    """The state in which the call stands so, if anybody sees it."""
    return state if call < 0 else put_call(state, call, outcome)
