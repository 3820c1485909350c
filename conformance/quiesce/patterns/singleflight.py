"""Singleflight: callers of one key share one execution.

The first caller of a key leads: its function runs. Callers that arrive during the
execution join it and get the same outcome. Nothing is kept afterwards. Keys are
independent, and ``forget`` makes the next caller start anew beside a running execution.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from quiesce.clauses import Clause, Level
from quiesce.model import ANY, BLOCKED, Move, View
from quiesce.patterns.pattern import Method, Pattern, Scenario
from quiesce.patterns.universal import UNIVERSAL, blame
from quiesce.stimuli import (
    NOTHING,
    Began,
    Cancel,
    Cancelled,
    Fact,
    Finished,
    Inside,
    Open,
    Part,
    Start,
    Step,
    Ticked,
    Weighted,
    arguments,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from quiesce.adapters import Adapter

__all__ = ["SINGLEFLIGHT"]

GO = "Go x/sync/singleflight"
ASYNC = ("asyncio", "trio")

CLAUSES = (
    Clause(
        "SF-01",
        Level.MUST,
        "At most one execution is in flight per key, unless forget was called in between.",
        f"{GO}: Do",
        twins=["sf_no_dedupe"],
    ),
    Clause(
        "SF-02",
        Level.MUST,
        "A call that arrives during an execution joins it; its own function is never called.",
        f"{GO}_test: TestDoDupSuppress",
        twins=["sf_no_dedupe"],
    ),
    Clause(
        "SF-03",
        Level.MUST,
        "All members get the same value object, or the same error object.",
        f"{GO}_test: TestDoErr",
        twins=["sf_joiners_retry_on_error"],
    ),
    Clause(
        "SF-04",
        Level.MUST,
        "Joiners are told that the result is shared; the leader is told so exactly if "
        "somebody joined before the end.",
        f"{GO}: doCall",
        needs=["shared"],
        twins=["sf_leader_shared_false", "sf_joiner_shared_false"],
    ),
    Clause(
        "SF-05",
        Level.MUST,
        "No caching: the next call after the end executes anew, after a value and an error alike.",
        f"{GO}: doCall deletes the key before it answers",
        dialect={"remembers": ("nothing",)},
        twins=["sf_caches", "sf_caches_errors", "sf_key_leak_on_error"],
    ),
    Clause(
        "SF-06",
        Level.MUST,
        "Nobody receives the result of an execution that was answered before his call began.",
        f"{GO}: doCall",
        dialect={"remembers": ("nothing",)},
        twins=["sf_answers_before_unregister"],
    ),
    Clause(
        "SF-07",
        Level.MUST,
        "Keys are independent: a blocked key blocks no other, and a function may call with "
        "another key.",
        f"{GO}: Do runs fn without the lock",
        twins=["sf_global_lock"],
    ),
    Clause(
        "SF-08",
        Level.MUST,
        "do_future returns at once, delivers exactly one result, and leaks nothing if that "
        "is never read.",
        f"{GO}: DoChan",
        needs=["future"],
        twins=["sf_unbuffered_chan_leak"],
    ),
    Clause(
        "SF-09",
        Level.MUST,
        "After forget the next call starts a new execution although the old one runs; members "
        "of the old one still get its result, and its end does not unregister the new one.",
        f"{GO}_test: TestForget; Go issue 31420",
        needs=["forget"],
        twins=["sf_old_end_unregisters_new", "sf_forget_kills_old_members"],
    ),
    Clause(
        "SF-10",
        Level.MUST,
        "A function that blows up (BaseException) reaches leader and joiners, and the key is "
        "free afterwards.",
        f"{GO}_test: TestPanicDo; Go issue 41133",
        needs=["exit"],
        worlds=("threads",),
        twins=["sf_panic_strands_joiners", "sf_panic_becomes_none"],
    ),
    Clause(
        "SF-11",
        Level.MUST,
        "A function that blows up with a future among its members is not swallowed: the future "
        "delivers it.",
        f"{GO}_test: TestPanicDoChan; Python delivers where Go crashes the process",
        needs=["exit", "future"],
        worlds=("threads",),
        twins=["sf_panic_strands_joiners"],
    ),
    Clause(
        "SF-12",
        Level.MUST,
        "A function that ends its thread (SystemExit) ends all members the same way; nobody "
        "hangs.",
        f"{GO}: Goexit, whose channel members hang; ours get the error",
        needs=["exit"],
        worlds=("threads",),
        twins=["sf_panic_strands_joiners"],
    ),
    Clause(
        "SF-13",
        Level.SHOULD,
        "A function that calls with its own key is refused with an error; never a second "
        "execution.",
        f"{GO} deadlocks; the reference raises",
        needs=["reentrance_error"],
        twins=["sf_reentrant_runs_twice"],
    ),
    Clause(
        "SF-14",
        Level.MUST,
        "After the end no reference to the result or the functions remains.",
        f"{GO}: doCall deletes the key",
        dialect={"remembers": ("nothing",)},
        twins=["sf_keeps_result"],
    ),
    Clause(
        "SF-15",
        Level.MUST,
        "Cancelling a joiner ends that joiner only; the execution and the others go on and the "
        "key stays registered.",
        "janos/singleflight issue 4",
        worlds=ASYNC,
        twins=["sf_joiner_cancel_unregisters"],
    ),
    Clause(
        "SF-16",
        Level.MUST,
        "Cancelling the leader never delivers a cancellation to members who were not "
        "cancelled, and never strands them: the execution goes on (detached) or one of them "
        "starts it again (inline).",
        "aio-libs/async-lru pull request 697; odysseus issue 6173",
        worlds=ASYNC,
        twins=["sf_leader_cancel_spreads", "sf_leader_cancel_strands"],
    ),
    Clause(
        "SF-17",
        Level.SHOULD,
        "When the last member is cancelled the execution is cancelled and the key is free; a "
        "later call gets a fresh execution, not the dying one.",
        "tailscale pull request 12003, issue 18919",
        dialect={"sf_last_cancel": ("cancels",)},
        worlds=ASYNC,
        twins=["sf_last_cancel_leaks_execution", "sf_newcomer_joins_dying"],
    ),
    Clause(
        "SF-18",
        Level.MUST,
        "Calls that all overlap one execution cause exactly one execution.",
        GO,
        twins=["sf_no_dedupe"],
    ),
    Clause(
        "SF-19",
        Level.MAY,
        "The result is handed out by reference; isolating mutable results is the caller's "
        "business.",
        GO,
        untested="a freedom: nothing to break",
    ),
)

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
EXIT_STRANDS = "SF-10 a function that blows up strands the others"
EXIT_LOST = "SF-10 a function that blows up gives the others something else"
JOINERS_RETRY = "SF-03 joiners run their own function after an error"
REENTERED = "SF-13 a function that calls with its own key runs twice"
ERROR_STICKS = "SF-05 the key stays registered after an error"
ERROR_KEPT = "SF-05 an error is kept after its execution"
VALUE_KEPT = "SF-05 a value is kept after its execution"
FUTURE_BLOCKS = "SF-08 do_future does not return at once"
JOINER_OTHER = "SF-03 a joiner gets something else than the leader"
SECOND_EXECUTION = "SF-01 a second execution runs beside the first"
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
        EXIT_STRANDS,
        EXIT_LOST,
        JOINERS_RETRY,
        REENTERED,
        ERROR_STICKS,
        ERROR_KEPT,
        VALUE_KEPT,
        FUTURE_BLOCKS,
        JOINER_OTHER,
        SECOND_EXECUTION,
        KEY_BLOCKED,
    )
}

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
                flights = tuple(attrs.evolve(f, joinable=False) for f in state.flights)
                after = put(attrs.evolve(state, flights=flights), call, ("returned", None))
                if self._remembers:
                    after = attrs.evolve(after, last=None)
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
                    state = attrs.evolve(state, futures=state.futures | {call})
                yield from self._enter(state, call, fact.inside, relaxed, member)
            case Finished(index, outcome):
                yield from self._finish(state, index, outcome, relaxed)
            case Cancelled(call):
                yield from self._cancel(state, call, relaxed)
            case Ticked():
                yield Move(state)

    def internal(self, state: State, relaxed: Collection[str]) -> Iterable[Move]:
        for flight in state.flights:
            if flight.phase == STARTING:
                started = attrs.evolve(flight, phase=RUNNING, index=state.begun)
                yield Move(attrs.evolve(swap(state, flight, started), begun=state.begun + 1))
        for call in state.retrying:
            rest = tuple(other for other in state.retrying if other != call)
            waiting = attrs.evolve(state, retrying=rest)
            yield from self._enter(waiting, call, None, relaxed, call)

    def may_rest(self, state: State) -> bool:
        return False

    def view(self, state: State) -> View:
        calls = tuple(
            (call, ("holds a future",) if outcome == BLOCKED and call in state.futures else outcome)
            for call, outcome in state.calls
        )
        executions = tuple(
            sorted((f.index, f.leader, f.phase) for f in state.flights if f.phase != STARTING)
        )
        return View(calls, executions)

    def possible(self, state: State, seen: View) -> bool:
        if len(state.flights) > len(seen.executions):
            starting = sum(flight.phase == STARTING for flight in state.flights)
            if len(state.flights) - starting > len(seen.executions):
                return False
        leaders = {index: leader for index, leader, _ in seen.executions}
        return all(
            flight.phase == STARTING
            or (
                flight.index in leaders
                and leaders[flight.index] in (None, flight.leader)
            )
            for flight in state.flights
        )

    def seal(self, state: State) -> State:
        return attrs.evolve(
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
        if state.stuck:
            yield Move(put(state, call, ANY), (), ERROR_STICKS)
        flight = live(state)
        lead = attrs.evolve(blocked, flights=(*state.flights, Flight(call, (member,))))
        if flight is None:
            if self._remembers and state.last is not None and state.last[0] in ("value", "none"):
                yield Move(put(state, call, self._outcome(*state.last, True)), ())
                return
            tags = ("SF-05", "SF-06") if state.last is not None else ()
            if inside is not None:
                tags = (*tags, "SF-07", "UN-08")
            if any(f.phase in (STARTING, RUNNING) for f in state.flights):
                tags = (*tags, "SF-09")
            yield Move(lead, tags)
            for kept, outcomes in ((VALUE_KEPT, ("value", "none")), (ERROR_KEPT, ("error", "exit"))):
                if kept in relaxed and state.last is not None and state.last[0] in outcomes:
                    yield Move(put(state, call, ANY), (), kept)
            if ANSWERED_FIRST in relaxed and any(f.phase == ENDED for f in state.flights):
                yield Move(put(state, call, ANY), (), ANSWERED_FIRST)
            if DYING_JOINED in relaxed and any(f.phase == CANCELLED_PHASE for f in state.flights):
                yield Move(put(state, call, ANY), (), DYING_JOINED)
            if KEY_BLOCKED in relaxed:
                yield Move(put(state, call, ANY), (), KEY_BLOCKED)
        elif inside is not None and inside == flight.index:
            yield Move(put(state, call, ("raised", ("refused",))), ("SF-13",))
            if REENTERED in relaxed:
                yield Move(put(lead, call, ANY), (), REENTERED)
        else:
            joined = attrs.evolve(flight, members=(*flight.members, member), joined="yes")
            yield Move(swap(blocked, flight, joined), ("SF-01", "SF-02", "SF-18"))
            if SECOND_EXECUTION in relaxed:
                yield Move(lead, (), SECOND_EXECUTION)
        if FUTURE_BLOCKS in relaxed and call in state.futures:
            yield Move(attrs.evolve(lead, futures=state.futures - {call}), (), FUTURE_BLOCKS)

    def _finish(
        self, state: State, index: int, outcome: str, relaxed: Collection[str]
    ) -> Iterable[Move]:
        flight = next((f for f in state.flights if f.index == index), None)
        if flight is None:
            return  # its start is still to come in this order of things
        if flight.phase != RUNNING:
            yield Move(state)
            return
        tags = ["SF-03", "UN-09"] if len(flight.members) > 1 else []
        if outcome in ("error", "exit"):
            tags.append("UN-05")
        if outcome == "exit":
            tags += ["SF-10", "SF-12"]
            tags += ["SF-11"] if state.futures & set(flight.members) else []
        if state.futures & set(flight.members):
            tags.append("SF-08")
        if not flight.joinable:
            tags.append("SF-09")
        ended = attrs.evolve(flight, phase=ENDED, joinable=False)
        done = attrs.evolve(swap(state, flight, ended), last=(outcome, index))
        joiners = tuple(call for call in flight.members if call != flight.leader)
        retry = outcome == "error" and "errors_shared" in self._lacks
        for told in {"no": (False,), "gone": (False, True), "yes": (True,)}[flight.joined]:
            after = done
            for call in flight.members:
                if retry and call != flight.leader:
                    after = attrs.evolve(after, retrying=(*after.retrying, call))
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
            (EXIT_LOST if outcome == "exit" else "", ANY),
        ):
            if signature in relaxed and joiners:
                state = after
                for call in joiners:
                    state = put(state, call, other)
                yield Move(state, (), signature)
        if JOINERS_RETRY in relaxed and outcome == "error" and joiners:
            yield Move(attrs.evolve(after, retrying=joiners), (), JOINERS_RETRY)
        if EXIT_STRANDS in relaxed and outcome == "exit":
            state = attrs.evolve(after, stuck=True)
            for call in joiners:
                state = put(state, call, ANY)
            yield Move(state, (), EXIT_STRANDS)
        if ERROR_STICKS in relaxed and outcome in ("error", "exit"):
            yield Move(attrs.evolve(after, stuck=True), (), ERROR_STICKS)
        if OLD_UNREGISTERS in relaxed and not flight.joinable:
            flights = tuple(attrs.evolve(f, joinable=False) for f in after.flights)
            yield Move(attrs.evolve(after, flights=flights), (), OLD_UNREGISTERS)

    def _cancel(self, state: State, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        status = dict(state.calls).get(call)
        gone = put(state, call, ("cancelled",))
        if status is None:
            yield Move(attrs.evolve(state, doomed=state.doomed | {call}))
            return
        if status != BLOCKED:  # ended in this burst: the cancellation may still show
            yield Move(state)
            yield Move(gone)
            return
        if call in state.retrying:
            rest = tuple(other for other in state.retrying if other != call)
            yield Move(attrs.evolve(gone, retrying=rest))
            return
        flight = next((f for f in state.flights if call in f.members), None)
        if flight is None:  # stranded by a relaxation
            yield Move(gone)
            return
        others = tuple(member for member in flight.members if member != call)
        joined = flight.joined
        if joined == "yes" and not [member for member in others if member != flight.leader]:
            joined = "gone"
        left = attrs.evolve(flight, members=others, joined=joined)
        leads = call == flight.leader
        if call in state.futures:  # who holds a future may stay a member without waiting
            stays = tuple(-1 - call if member == call else member for member in flight.members)
            yield Move(swap(gone, flight, attrs.evolve(flight, members=stays)))
        if self._inline and leads:
            retrying = attrs.evolve(gone, retrying=(*state.retrying, *others))
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
                lost = attrs.evolve(gone, stuck=signature != LEADER_SPREADS)
                for call in others:
                    lost = put(lost, call, ANY)
                for move in ended_by_cancel(lost, flight, ()):
                    yield attrs.evolve(move, relaxed=signature)
                if others:
                    goes_on = attrs.evolve(left, members=())
                    yield Move(swap(lost, flight, goes_on), (), signature)
        if JOINER_UNREGISTERS in relaxed and not leads:
            yield Move(swap(gone, flight, attrs.evolve(left, joinable=False)), (), JOINER_UNREGISTERS)
        if EXECUTION_ORPHANED in relaxed and not others:
            yield Move(swap(gone, flight, left), (), EXECUTION_ORPHANED)
            free = attrs.evolve(left, joinable=False)
            yield Move(swap(gone, flight, free), (), EXECUTION_ORPHANED)

    def _outcome(self, outcome: str, index: int, shared: bool) -> tuple[Any, ...]:
        if outcome in ("error", "exit"):
            return ("raised", (outcome, index))
        value = None if outcome == "none" else ("value", index)
        return ("returned", value if "shared" in self._lacks else (value, shared))


def live(state: State) -> Flight | None:
    """The flight that is registered under the key."""
    return next(
        (f for f in state.flights if f.joinable and f.phase in (STARTING, RUNNING)), None
    )


def put(state: State, call: int, outcome: tuple[Any, ...]) -> State:
    """The state in which the call stands so."""
    if call < 0:
        return state
    calls = dict(state.calls)
    calls[call] = outcome
    return attrs.evolve(state, calls=tuple(sorted(calls.items())))


def swap(state: State, old: Flight, new: Flight) -> State:
    """The state with one flight changed."""
    return attrs.evolve(state, flights=tuple(new if f is old else f for f in state.flights))


def ended_by_cancel(state: State, flight: Flight, tags: tuple[str, ...]) -> Iterable[Move]:
    """The execution is cancelled; before its function started there is nothing to see of it."""
    if flight.phase == STARTING:
        yield Move(
            attrs.evolve(state, flights=tuple(f for f in state.flights if f is not flight)), tags
        )
    else:
        yield Move(
            swap(state, flight, attrs.evolve(flight, phase=CANCELLED_PHASE, joinable=False)), tags
        )


PORT = (
    Method(
        "do",
        ("key", "work"),
        "Run work for the key, or join the execution that runs; returns (value, shared), "
        "or the value alone if the adapter lacks shared.",
    ),
    Method(
        "do_future",
        ("key", "work"),
        "The same, at once: returns an object with result() (threads) or an awaitable.",
        capability="future",
        is_async=False,
        future=True,
    ),
    Method(
        "forget",
        ("key",),
        "Let the next call of the key start anew.",
        capability="forget",
        is_async=False,
    ),
)

KEYS = ("a", "b")
CANCELS = (0, 1)

STIMULI = (
    Weighted(
        "start_a_caller",
        Start,
        10,
        fixed={"operation": "do"},
        choices={"cancel": CANCELS, "instance": (0, 0, 0, 1)},
        operands={"key": ("a", "a", "a", "b")},
    ),
    Weighted(
        "start_a_caller_with_a_future",
        Start,
        3,
        fixed={"operation": "do_future"},
        choices={"cancel": CANCELS},
        operands={"key": KEYS},
        needs=["future"],
    ),
    Weighted(
        "start_and_never_read_the_future",
        Start,
        1,
        fixed={"operation": "do_future_unread"},
        operands={"key": KEYS},
        needs=["future"],
    ),
    Weighted(
        "forget", Start, 2, fixed={"operation": "forget"}, operands={"key": KEYS}, needs=["forget"]
    ),
    Weighted(
        "let_a_function_end",
        Open,
        7,
        choices={"which": (0, 1, 2), "outcome": ("value", "value", "none", "error", "error")},
    ),
    Weighted(
        "let_a_function_blow_up",
        Open,
        2,
        fixed={"outcome": "exit"},
        choices={"which": (0, 1)},
        needs=["exit"],
        worlds=("threads",),
    ),
    Weighted("cancel_a_caller", Cancel, 7, choices={"which": (0, 1, 2, 3)}, worlds=ASYNC),
    Weighted(
        "call_from_inside",
        Inside,
        1,
        fixed={"operation": "do"},
        choices={"which": (0, 1)},
        operands={"key": ("b", "a")},
        needs=["reentrance_error"],
    ),
)


def do(key: str = "a", follow: int = 0, cancel: int = 0, instance: int = 0) -> Step:
    return Step(Start("do", arguments(key=key), instance, cancel), follow)


def future(key: str = "a", follow: int = 0) -> Step:
    return Step(Start("do_future", arguments(key=key)), follow)


FORGET = Step(Start("forget", arguments(key="a")))
VALUE, ERROR, EXIT = Step(Open()), Step(Open(0, "error")), Step(Open(0, "exit"))

SCENARIOS = (
    Scenario("joiners share a value", (do(), do(), do(), VALUE, do(), VALUE)),
    Scenario("joiners share nothing", (do(), do(), Step(Open(0, "none")), do(), VALUE)),
    Scenario("joiners share an error", (do(), do(), ERROR, do(), do(), VALUE)),
    Scenario("a burst of callers", (do("a", NOTHING), do("a", NOTHING), do("a", NOTHING), do(), VALUE)),
    Scenario("a newcomer in the tick of the end", (do(), do(), Step(Open(), 1), do("a", 1), do(), VALUE, VALUE)),
    Scenario("keys are independent", (do("a"), do("b"), Step(Open(1)), do("b"), VALUE, VALUE)),
    Scenario(
        "instances are independent",
        (do("a"), do("a", instance=1), Step(Open(1)), do("a", instance=1), VALUE, VALUE),
    ),
    Scenario("forget", (do(), do(), FORGET, do(), VALUE, do(), VALUE), needs=["forget"]),
    Scenario("forget, the new one ends first", (do(), FORGET, do(), Step(Open(1)), do(), VALUE, VALUE), needs=["forget"]),
    Scenario("a future", (do(), future(), VALUE, future(), ERROR), needs=["future"]),
    Scenario(
        "a future that nobody reads",
        (Step(Start("do_future_unread", arguments(key="a"))), do(), VALUE),
        needs=["future"],
    ),
    Scenario("blow up", (do(), do(), EXIT, do(), VALUE), needs=["exit"], worlds=("threads",)),
    Scenario(
        "blow up with a future",
        (do(), future(), EXIT, future(), EXIT, do(), VALUE),
        needs=["exit", "future"],
        worlds=("threads",),
    ),
    Scenario(
        "call from inside with another key",
        (do("a"), Step(Inside(0, "do", arguments(key="b"))), Step(Open(1)), VALUE),
    ),
    Scenario(
        "call from inside with the same key",
        (do("a"), Step(Inside(0, "do", arguments(key="a"))), VALUE, do(), VALUE),
        needs=["reentrance_error"],
    ),
    *(
        Scenario(f"{words} ({kind})", steps, worlds=ASYNC)
        for kind, cancel in (("first kind of cancellation", 0), ("second kind", 1))
        for words, steps in (
            ("cancel a joiner", (do(), do(cancel=cancel), Step(Cancel(1)), do(), VALUE)),
            ("cancel the leader", (do(cancel=cancel), do(), Step(Cancel(0)), do(), VALUE)),
            ("cancel the last", (do(cancel=cancel), Step(Cancel(0)), do(), VALUE)),
            ("cancel the last, newcomer at once", (do(cancel=cancel), Step(Cancel(0), NOTHING), do(), VALUE)),
            ("cancel all", (do(cancel=cancel), do(cancel=cancel), Step(Cancel(0), NOTHING), Step(Cancel(1)), do(), VALUE)),
            ("cancel the leader as it ends", (do(cancel=cancel), do(), Step(Open(), NOTHING), Step(Cancel(0)), do(), VALUE)),
            ("cancel a joiner as it ends", (do(), do(cancel=cancel), Step(Open(), 1), Step(Cancel(1)), do(), VALUE)),
            ("cancel before the first step", (do(cancel=cancel, follow=NOTHING), Step(Cancel(0)), do(), VALUE)),
        )
    ),
)

PROBE = (do("a"), VALUE, do("b"), VALUE)

SINGLEFLIGHT = Pattern(
    name="singleflight",
    title="Singleflight: callers of one key share one execution",
    promise=__doc__ or "",
    clauses=(*CLAUSES, *UNIVERSAL),
    port=PORT,
    constructor={},
    capabilities={
        "shared": "do tells whether the result was shared",
        "future": "do_future",
        "forget": "forget",
        "errors_shared": "joiners get the leader's error instead of running themselves",
        "reentrance_error": "a call from inside with the same key is refused with an error",
        "exit": "a BaseException of the function reaches every member",
        "stop": "what it runs in the background can be stopped",
        "release": "results and functions are dropped after the execution",
    },
    dialects={
        "sf_cancel": ("detached", "inline", "none"),
        "sf_last_cancel": ("cancels", "continues"),
        "remembers": ("nothing", "values"),
    },
    model=lambda adapter, _: Singleflight(adapter),
    stimuli=STIMULI,
    scenarios=SCENARIOS,
    probe=PROBE,
    part=("key",),
    release=((do(), do(), VALUE), "SF-14 something is kept after its execution"),
    leaks={"do_future_unread": "SF-08 a future that nobody reads leaves something running"},
)
