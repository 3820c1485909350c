"""The model of a ticker: one clock, one place for a tick, and whoever waits for it.

A tick that becomes due goes to the place, unless one lies there already. A receiver takes
what lies there, and any of several may be first. What went before (``Since``) tells which
clause a wrong tick breaks, so there is one relaxation for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import attrs

from quiesce.model import ANY, BLOCKED, Move, View, evolve
from quiesce.patterns.calls import REFUSED, Calls, CallsModel, put, returned
from quiesce.patterns.universal import blame
from quiesce.stimuli import Cancelled
from quiesce.worlds.world import START

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from quiesce.adapters import Adapter
    from quiesce.stimuli import Began, Fact, Part

__all__ = ["RELAXATIONS", "State", "Ticker"]

# What went before the present moment: it decides which clause the next tick is about.
FRESH: Final = "fresh"  # no tick was taken yet
STEADY: Final = "steady"  # the receiver keeps up
STALLED: Final = "stalled"  # ticks were lost, and then perhaps the kept one was taken
RESET: Final = "reset"  # no tick was taken since the reset
STOPPED: Final = "stopped"

CLAUSE: Final = {
    FRESH: "TK-02",
    STEADY: "TK-01",
    STALLED: "TK-03",
    RESET: "TK-05",
    STOPPED: "TK-04",
}
SIGNATURE: Final = {
    FRESH: "TK-02 the first tick does not come one period after the start",
    STEADY: "TK-01 a tick does not come at its due time",
    STALLED: "TK-03 after a stall ticks are not kept, dropped and in phase as they should",
    RESET: "TK-05 after a reset the next tick is not the one that is due a period later",
    STOPPED: "TK-04 a tick is received after stop",
}
WOKEN: Final = "TK-07 stop ends a receiver that waits"
NOT_AGAIN: Final = "UN-07 stopping once more is not harmless"
ACCEPTED: Final = "TK-06 a period of 0 or less is accepted"
TWICE: Final = "TK-03 one tick goes to two receivers"
ALONG: Final = "UN-04 a cancelled receiver takes a tick along"

RELAXATIONS: Final[Mapping[str, str]] = {
    signature: signature[:5]
    for signature in (NOT_AGAIN, WOKEN, ALONG, TWICE, *dict.fromkeys(SIGNATURE.values()))
}


@attrs.frozen
class State(Calls):
    """One ticker. Instants and periods are nanoseconds."""

    period: int = 0
    now: int = START
    due: int | None = None  # the next tick; None while stopped
    kept: int | None = None  # the tick that lies there: when it became due
    since: str = FRESH
    lost: bool = False  # a tick was dropped for the one that lies there
    left: bool = False  # a receiver was cancelled since the last reset


class Ticker(CallsModel):
    """The model of one ticker."""

    relaxations: Mapping[str, str] = RELAXATIONS
    value: ClassVar[str] = SIGNATURE[STEADY]

    def __init__(self, adapter: Adapter, given: Mapping[str, object]) -> None:
        period = given["period"]
        assert isinstance(period, int)  # of the pattern's constructor
        self._period = period
        self._tells_time = "time" not in adapter.lacks

    def initial(self, part: Part) -> State:
        return State(period=self._period, due=START + self._period)

    def apply(self, state: State, fact: Fact, relaxed: Collection[str]) -> Iterable[Move]:
        match fact:
            case Cancelled(call) if is_tick(state.of(call)):
                yield Move(state)  # who has a tick does not also show the cancellation
            case _:
                yield from super().apply(state, fact, relaxed)

    def begin(self, state: State, fact: Began, relaxed: Collection[str]) -> Iterable[Move]:
        call = fact.call
        match fact.operation:
            case "receive":
                tags = ("TK-04",) if state.since == STOPPED else ()
                yield Move(put(state, call, BLOCKED), tags)
                yield from self._anything(put(state, call, BLOCKED), relaxed)
            case "stop":
                yield from self._stop(put(state, call, returned()), call, relaxed)
            case "reset":
                period = fact.argument("period")
                if period <= 0:
                    yield Move(put(state, call, REFUSED), ("TK-06", "UN-04"))
                    return
                due = state.now + period
                anew = evolve(
                    state, period=period, due=due, kept=None, since=RESET, lost=False, left=False
                )
                yield Move(put(anew, call, returned()))
            case "make":
                refused = fact.argument("period") <= 0
                outcome = REFUSED if refused else returned()
                yield Move(put(state, call, outcome), ("TK-06",) if refused else ())

    def _stop(self, state: State, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        waiting = receivers(state)
        tags = [*(["TK-04"] if state.kept else []), *(["TK-07"] if waiting else [])]
        if state.due is None:
            tags += ["TK-07", "UN-07"]
        yield Move(evolve(state, due=None, kept=None, since=STOPPED, lost=False), tuple(tags))
        if state.due is None and NOT_AGAIN in relaxed:
            yield Move(put(state, call, ANY), (), NOT_AGAIN)
        if waiting and WOKEN in relaxed:
            yield Move(put(state, waiting, ANY), (), WOKEN)

    def cancel(self, state: State, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        yield Move(evolve(put(state, call, ("cancelled",)), left=True))

    def ticked(self, state: State, at: int, relaxed: Collection[str]) -> Iterable[Move]:
        due = state.due
        state = evolve(state, now=at)
        tags = ("TK-04",) if due is None and receivers(state) else ()
        if due is None or due > at:
            yield Move(state, tags)
            yield from self._anything(state, relaxed)
            return
        following = due + state.period * (1 + (at - due) // state.period)
        state = evolve(state, due=following)
        if state.kept is None:
            yield Move(evolve(state, kept=due))
            if state.left and ALONG in relaxed:
                yield Move(state, (), ALONG)
        else:
            since = STALLED if state.since == STEADY else state.since
            yield Move(evolve(state, since=since, lost=True), ("TK-03",))
        yield from self._anything(state, relaxed)

    def follow(self, state: State, relaxed: Collection[str]) -> Iterable[Move]:
        if state.kept is None:
            return
        since = STALLED if state.lost else STEADY
        outcome = (*returned(state.kept if self._tells_time else None), state.now)
        taken = evolve(state, kept=None, since=since, lost=False)
        for call in receivers(state):
            yield Move(put(taken, call, outcome), (CLAUSE[state.since],))
            if TWICE in relaxed:
                yield Move(put(state, call, outcome), (), TWICE)

    def _anything(self, state: State, relaxed: Collection[str]) -> Iterable[Move]:
        """Receivers may have any tick, or none, if the clause that says which is dropped."""
        signature = SIGNATURE[state.since]
        if signature in relaxed and (waiting := receivers(state)):
            since = STEADY if state.since in (FRESH, RESET) else state.since
            after = evolve(put(state, waiting, ANY), kept=None, since=since, lost=False)
            yield Move(after, (), signature)

    def instants(self, state: State) -> Iterable[int]:
        return () if state.due is None else (state.due,)

    def blame(self, expected: Sequence[View], seen: View) -> str:
        outcomes = dict(seen.calls)
        for number, wanted in expected[0].calls if expected else ():
            if wanted == REFUSED and outcomes.get(number) != REFUSED:
                return ACCEPTED
        return blame(expected, seen, extra=self.extra, value=self.value, cancel=self.alien)


def is_tick(outcome: tuple[object, ...] | None) -> bool:
    """Whether it is the outcome of a receive that got a tick: no other has its instant."""
    return outcome is not None and outcome[0] == "returned" and len(outcome) == 3


def receivers(state: State) -> tuple[int, ...]:
    """The calls that wait for a tick: no other blocks."""
    return tuple(call for call, outcome in state.calls if outcome == BLOCKED)
