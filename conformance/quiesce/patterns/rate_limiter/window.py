"""The model of a rate limiter that counts in windows: it bounds what is let in.

Such limiters differ in when a window begins, in whether its ends belong to it, and in how
finely they read the clock, so nothing here is predicted to the nanosecond. What holds for all
of them: never more than the bound, a limiter that has been idle lets in, and while
somebody waits, somebody is let in at least every other window.

A window lasts ``burst / rate`` seconds. *Sliding*: at most ``burst`` in any half-open window.
*Fixed*: windows follow each other, each begins at a request or at a round time, and each
lets in at most ``burst``; so two of them may meet in a doubled burst, three may not.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import attrs

from quiesce.model import BLOCKED, Move, View, evolve
from quiesce.patterns.rate_limiter.bucket import SECOND
from quiesce.patterns.rate_limiter.state import REFUSED, fits_seen, put
from quiesce.patterns.rate_limiter.token_bucket import blame_answer
from quiesce.stimuli import Began, Cancelled, Fact, Part, Ticked
from quiesce.worlds.world import START

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from quiesce.adapters import Adapter

__all__ = ["WINDOW_RELAXATIONS", "WindowLimiter"]

#: How wrong a window's ends may be, in nanoseconds: libraries count in whole milliseconds,
#: round the window up to one and the request's time down.
RESOLUTION: Final = 2_000_000

OVERSIZE_GRANTED = "RL-20 more than the burst is let in"
REFUSED_TAKES = "RL-04 a refused request counts"
STARTS_EMPTY = "RL-01 a limiter that has been idle does not let in"
THUNDERING = "RL-25 concurrent calls get more than the bound"
TOO_MUCH = "RL-16 more is let in than the bound"
ALLOW_WAITS = "RL-03 allow does not answer at once"
STARVES = "UN-03 somebody waits, and nobody is let in"

WINDOW_RELAXATIONS: Final = {
    signature: signature[:5]
    for signature in (
        OVERSIZE_GRANTED,
        REFUSED_TAKES,
        STARTS_EMPTY,
        THUNDERING,
        TOO_MUCH,
        ALLOW_WAITS,
        STARVES,
    )
}


@attrs.frozen
class Waiter:
    """A call that has not ended."""

    call: int
    n: int
    operation: str
    since: int
    owed: bool = False  # the limiter was idle: it must be let in now


@attrs.frozen
class Window:
    """The current window, fixed limiters only.

    ``start`` is the earliest time at which it may have begun, ``first`` when it first let
    somebody in; None as long as nothing is known.
    """

    start: int | None = None
    first: int | None = None
    count: int = 0


@attrs.frozen
class State:
    """One limiter."""

    now: int = START
    grants: tuple[tuple[int, int], ...] = ()  # (when, tokens) of two windows
    window: Window = Window()
    active: int | None = None  # when anything last happened
    waiters: tuple[Waiter, ...] = ()
    hungry: int = START  # since when somebody waits and nobody was let in
    calls: tuple[tuple[int, tuple[Any, ...]], ...] = ()
    doomed: frozenset[int] = frozenset()
    asked: bool = False
    at_once: int = 0  # answers of allow since the last barrier
    refused: bool = False  # something was refused, ever
    doubtful: bool = False  # a refusal that only another call at the same time can excuse


class WindowLimiter:
    """The model of one limiter."""

    relaxations: Mapping[str, str] = WINDOW_RELAXATIONS

    def __init__(self, adapter: Adapter, arguments: Mapping[str, Any]) -> None:
        self._burst = int(arguments["burst"])
        self._period = math.ceil(self._burst / float(arguments["rate"]) * SECOND)
        self._sliding = adapter.dialect.get("rate_algorithm") == "sliding_window"
        self._refuses_freely = "free_refusals" not in adapter.lacks
        #: Within this time after anything happened a refusal may be right.
        self._memory = 2 * self._period + RESOLUTION

    def initial(self, part: Part) -> State:
        return State()

    def apply(self, state: State, fact: Fact, relaxed: Collection[str]) -> Iterable[Move]:
        match fact:
            case Ticked(at):
                kept = tuple(grant for grant in state.grants if grant[0] >= at - self._memory)
                yield Move(evolve(state, now=at, grants=kept))
            case Cancelled(call):
                yield from self._cancelled(state, call)
            case Began(call) if call in state.doomed:
                gone = put(state, call, ("cancelled",))
                yield Move(evolve(gone, active=state.now))
            case Began(call, operation):
                yield from self._request(state, call, fact.argument("n"), operation, relaxed)

    def internal(self, state: State, relaxed: Collection[str]) -> Iterable[Move]:
        if unexcused(state):
            yield Move(state)  # not the end of it: another call is still to come
        for waiter in state.waiters:
            rest = tuple(other for other in state.waiters if other is not waiter)
            without = evolve(state, waiters=rest)
            if waiter.n > self._burst:
                yield Move(put(without, waiter.call, (*REFUSED, state.now)))
                continue
            said: tuple[Any, ...] = ("returned", None, state.now)
            if waiter.operation == "allow":
                said = ("returned", True)
                yield Move(put(without, waiter.call, ("returned", False)))
            yield from self._let_in(without, waiter.call, waiter.n, said, relaxed)

    def may_rest(self, state: State) -> bool:
        if unexcused(state) or any(waiter.owed for waiter in state.waiters):
            return False
        return not self._wanting(state) or state.now <= state.hungry + self._memory

    def view(self, state: State) -> View:
        return View(state.calls)

    def possible(self, state: State, seen: View) -> bool:
        return fits_seen(state.calls, seen)

    def seal(self, state: State) -> State:
        return evolve(
            state,
            calls=tuple(entry for entry in state.calls if entry[1] == BLOCKED),
            doomed=frozenset(),
            at_once=0,
            doubtful=False,
        )

    def instants(self, state: State) -> Iterable[int]:
        found = {state.hungry + self._memory + 1} if self._wanting(state) else set()
        found |= {at + self._period for at, _ in state.grants[-1:]}
        return sorted(at for at in found if at > state.now)

    def blame(self, expected: Sequence[View], seen: View) -> str:
        for number, outcome in seen.calls:
            if outcome == BLOCKED and expected and dict(expected[0].calls).get(number) != BLOCKED:
                return STARVES
        return blame_answer(expected, seen)

    def _wanting(self, state: State) -> bool:
        return any(waiter.n <= self._burst for waiter in state.waiters)

    def _request(
        self, state: State, call: int, n: int, operation: str, relaxed: Collection[str]
    ) -> Iterable[Move]:
        tags = ["RL-16"] if n <= self._burst else ["RL-20"]
        if operation == "allow":
            tags += ["RL-03"] + (["RL-25"] if state.at_once else [])
        idle = self._is_idle(state)
        tags += ["RL-01"] if idle and n <= self._burst else []
        begun = evolve(state, active=state.now)
        if operation == "allow":
            begun = evolve(begun, at_once=state.at_once + 1)
            yield from self._allow(state, begun, call, n, tuple(tags), relaxed)
        if operation != "allow" or ALLOW_WAITS in relaxed:
            owed = idle and operation != "allow" and STARTS_EMPTY not in relaxed
            waiter = Waiter(call, n, operation, state.now, owed)
            begun = evolve(
                begun,
                waiters=(*state.waiters, waiter),
                hungry=state.hungry if self._wanting(state) else state.now,
            )
            yield Move(put(begun, call, BLOCKED), tuple(tags))
            if n < 0 or operation == "wait_until":
                gone = evolve(begun, waiters=state.waiters, hungry=state.hungry)
                yield Move(put(gone, call, (*REFUSED, state.now)), tuple(tags))

    def _allow(
        self,
        state: State,
        begun: State,
        call: int,
        n: int,
        tags: tuple[str, ...],
        relaxed: Collection[str],
    ) -> Iterable[Move]:
        refused = evolve(put(begun, call, ("returned", False)), refused=True)
        if n < 0:
            yield Move(put(begun, call, REFUSED), ("RL-22",))
        elif n == 0:
            yield Move(put(begun, call, ("returned", True)), ("RL-22",))
        elif n > self._burst:
            yield Move(refused, tags)
            if OVERSIZE_GRANTED in relaxed:
                yield Move(put(begun, call, ("returned", True)), (), OVERSIZE_GRANTED)
            return
        else:
            tags = (*tags, "RL-04") if state.refused else tags
            for move in self._let_in(begun, call, n, ("returned", True), relaxed):
                yield evolve(move, clauses=tags)
        if self._may_refuse(state, n):
            yield Move(refused, (*tags, "RL-04", "UN-04"))
        else:
            # Calls that race may get in each other's way: never more than the bound, but less.
            yield Move(evolve(refused, doubtful=True), tags)
        if STARTS_EMPTY in relaxed and not state.grants:
            yield Move(refused, (), STARTS_EMPTY)
        if REFUSED_TAKES in relaxed and state.refused and not self._is_idle(state):
            yield Move(refused, (), REFUSED_TAKES)

    def _let_in(
        self, state: State, call: int, n: int, said: tuple[Any, ...], relaxed: Collection[str]
    ) -> Iterable[Move]:
        granted = evolve(
            put(state, call, said),
            grants=(*state.grants, (state.now, n)),
            active=state.now,
            hungry=state.now,
            # A limiter that was idle owed the first of its waiters a place, not all.
            waiters=tuple(evolve(waiter, owed=False) for waiter in state.waiters),
        )
        if self._sliding:
            if self._in_window(state, self._period - RESOLUTION) + n <= self._burst:
                yield Move(granted, ("RL-16",))
        else:
            for window in self._windows(state, n):
                yield Move(evolve(granted, window=window), ("RL-16",))
        for signature, when in (
            (THUNDERING, state.at_once > 1 or len(state.waiters) > 0),
            (TOO_MUCH, True),
        ):
            if signature in relaxed and when:
                # The limiter may have lost count of it, or of what was before.
                yield Move(granted, (), signature)
                yield Move(evolve(granted, grants=state.grants), (), signature)
                fresh = Window(state.now, state.now, n)
                alone = evolve(granted, grants=((state.now, n),), window=fresh)
                yield Move(alone, (), signature)

    def _windows(self, state: State, n: int) -> Iterator[Window]:
        """The windows in which a fixed limiter may count ``n``."""
        window = state.window
        if window.count + n <= self._burst:
            first = state.now if window.first is None else window.first
            yield evolve(window, first=first, count=window.count + n)
        if window.first is None:
            return
        # The next one begins after the last that was let in here, and not before this is over.
        start = state.grants[-1][0] + 1 if state.grants else window.first + 1
        if window.start is not None:
            start = max(start, window.start + self._period - RESOLUTION)
        if start <= state.now and n <= self._burst:
            yield Window(start, state.now, n)

    def _in_window(self, state: State, length: int) -> int:
        return sum(n for at, n in state.grants if at > state.now - length)

    def _is_idle(self, state: State) -> bool:
        return state.active is None or state.now > state.active + self._memory

    def _may_refuse(self, state: State, n: int) -> bool:
        if n == 0 or n > self._burst or state.waiters:
            return True
        if not self._refuses_freely:
            return not self._is_idle(state)
        used = self._in_window(state, self._period + RESOLUTION)
        if not self._sliding:
            window = state.window
            known = (
                window.first is not None and state.now <= window.first + self._period + RESOLUTION
            )
            used = min(used, window.count) if known else 0
        return used + n > self._burst

    def _cancelled(self, state: State, call: int) -> Iterable[Move]:
        status = dict(state.calls).get(call)
        if status is None:
            yield Move(evolve(state, doomed=state.doomed | {call}))
        elif status != BLOCKED:
            yield Move(state)
        else:
            rest = tuple(waiter for waiter in state.waiters if waiter.call != call)
            gone = evolve(state, waiters=rest, active=state.now, hungry=state.now)
            yield Move(put(gone, call, ("cancelled",)))


def unexcused(state: State) -> bool:
    """Whether something was refused without a reason that was seen so far."""
    return state.doubtful and state.at_once < 2
