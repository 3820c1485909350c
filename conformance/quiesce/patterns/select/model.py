"""The model of select over two channels.

Everything here is one kind of call: a plain send or receive is a select with one case. A
case that is performed, and what that lets others do, is one move: channels hand over directly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from quiesce.model import BLOCKED, Move, View, evolve
from quiesce.patterns.calls import CANCELLED, REFUSED, CallsModel, Outcome, put, returned
from quiesce.patterns.channel.look import closest
from quiesce.patterns.select.state import (
    CLOSED,
    State,
    Waiting,
    end,
    first_with,
    is_transfer,
    pile,
    set_pile,
)
from quiesce.stimuli import Began, Cancelled, Fact, Part

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from quiesce.adapters import Adapter

__all__ = ["Select"]

TAKES_TWO: Final = "CH-11 a select performs two cases"
MEETS_ITSELF: Final = "CH-14 a select completes by pairing with itself"
NO_TIMEOUT: Final = "CH-11 a select waits beyond its timeout"
LOSES: Final = "UN-04 a cancelled select has passed a value"
STAYS: Final = "UN-04 a call that gave up still stands in line"


class Select(CallsModel):
    """The model of two channels of one capacity."""

    relaxations: Mapping[str, str] = {
        signature: signature[:5]
        for signature in (MEETS_ITSELF, TAKES_TWO, NO_TIMEOUT, STAYS, LOSES)
    }
    value = "CH-11 a call does something else than its channels allow"

    def __init__(self, adapter: Adapter, arguments: Mapping[str, object]) -> None:
        capacity = arguments["capacity"]
        assert isinstance(capacity, int)
        self._capacity = capacity

    def initial(self, part: Part) -> State:
        return State()

    def begin(self, state: State, fact: Began, relaxed: Collection[str]) -> Iterable[Move]:
        call = fact.call
        match fact.operation:
            case "send" | "receive" as kind:
                who = Waiting(call, ((kind, fact.argument("channel")),), selects=False)
                yield from self._performed(state, who, False, relaxed)
            case "select":
                timeout = fact.argument("timeout")
                due = None if timeout is None else state.now + timeout
                who = Waiting(call, fact.argument("cases"), due=due)
                yield from self._performed(state, who, fact.argument("default"), relaxed)
            case "close":
                yield from self._close(state, call, fact.argument("channel"))
            case "shift":
                yield from self._shift(state, call)
            case "tally":
                yield Move(put(state, call, returned("fair")), ("CH-12",))

    def cancel(self, state: State, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        waiting = tuple(each for each in state.waiting if each.call != call)
        yield Move(put(evolve(state, waiting=waiting), call, CANCELLED))
        if STAYS in relaxed:
            yield Move(put(haunted(state, call), call, CANCELLED), (), STAYS)

    def apply(self, state: State, fact: Fact, relaxed: Collection[str]) -> Iterable[Move]:
        match fact:
            case Cancelled(call) if (outcome := state.of(call)) and is_transfer(outcome):
                yield Move(state)
                if LOSES in relaxed:
                    yield Move(put(state, call, CANCELLED), (), LOSES)
            case _:
                yield from super().apply(state, fact, relaxed)

    def ticked(self, state: State, at: int, relaxed: Collection[str]) -> Iterable[Move]:
        yield Move(evolve(state, now=at))

    def follow(self, state: State, relaxed: Collection[str]) -> Iterable[Move]:
        for who in state.waiting:
            if who.due is not None and who.due <= state.now and not who.is_ghost:
                waiting = tuple(each for each in state.waiting if each is not who)
                over = put(evolve(state, waiting=waiting), who.call, self._ends("timeout", state))
                yield Move(over, ("CH-11", "UN-04"))
                if STAYS in relaxed:
                    gone = self._ends("timeout", state)
                    yield Move(put(haunted(state, who.call), who.call, gone), (), STAYS)
                if NO_TIMEOUT in relaxed:
                    later = tuple(evolve(e, due=None) if e is who else e for e in state.waiting)
                    yield Move(evolve(state, waiting=later), (), NO_TIMEOUT)
        for call, sent in state.shifting:
            rest = evolve(state, shifting=tuple(e for e in state.shifting if e[0] != call))
            receive = Waiting(call, (("receive", "a"),), selects=False)
            found = [*self._perform(rest, receive, 0)]
            for after in found:
                taken = after.of(call)
                assert taken is not None  # performed
                yield Move(put(after, call, returned((sent, taken[1]))))
            if not found:
                yield Move(put(rest, call, returned((sent, None))))

    def instants(self, state: State) -> Iterable[int]:
        return (who.due for who in state.waiting if who.due is not None and who.due > state.now)

    def blame(self, expected: Sequence[View], seen: View) -> str:
        expected = closest(expected, seen)
        wanted = dict(expected[0].calls) if expected else {}
        for call, outcome in seen.calls:
            match wanted.get(call), outcome:
                case ("returned", "fair"), ("returned", "unfair"):
                    return "CH-12 the choice among ready cases is not fair"
                case ("returned", (int(), _), _), ("returned", "default", _):
                    return "CH-13 the default is taken although a case was ready"
                case ("returned", "default", _), _:
                    return "CH-13 the default is not taken although no case was ready"
        return super().blame(expected, seen)

    # How a case is performed.

    def _ends(self, result: Any, state: State) -> Outcome:
        """The outcome of a select that performs none of its cases."""
        return ("returned", result, state.now)

    def _performed(
        self, state: State, who: Waiting, default: bool, relaxed: Collection[str]
    ) -> Iterable[Move]:
        """A call comes: it performs one of its cases, or waits."""
        meets_itself = any(("send", c) in who.cases and ("receive", c) in who.cases for c in "ab")
        tags: tuple[str, ...] = ("CH-11",) if who.selects else ()
        if meets_itself:
            tags += ("CH-14",)
        ready = [
            after for index in range(len(who.cases)) for after in self._perform(state, who, index)
        ]
        if MEETS_ITSELF in relaxed and meets_itself and not ready:
            for index, (kind, _) in enumerate(who.cases):
                result = None if kind == "send" else (True, who.call)
                yield Move(end(state, who, index, result), (), MEETS_ITSELF)
        for after in ready:
            yield Move(after, (*tags, "CH-13") if default else tags)
            if TAKES_TWO in relaxed and who.selects:
                own = after.of(who.call)
                for index in range(len(who.cases)):
                    for second in self._perform(after, who, index):
                        yield Move(put(second, who.call, own or BLOCKED), (), TAKES_TWO)
        if ready:
            return
        if default:
            yield Move(
                put(state, who.call, self._ends("default", state)), (*tags, "CH-13", "UN-04")
            )
        else:
            waits = put(evolve(state, waiting=(*state.waiting, who)), who.call, BLOCKED)
            yield Move(waits, tags)

    def _perform(self, state: State, who: Waiting, index: int) -> Iterable[State]:
        """The states after a call has performed its case of that index; none if it must wait."""
        kind, channel = who.cases[index]
        held = pile(state, channel)
        if kind == "send":
            if channel in state.closed:
                yield self._refused(state, who)
            elif partner := first_with(state, ("receive", channel)):
                for other in partner.indices(("receive", channel)):
                    met = end(state, partner, other, (True, who.call))
                    yield end(met, who, index, None)
            elif len(held) < self._capacity:
                yield set_pile(end(state, who, index, None), channel, (*held, who.call))
            return
        partner = first_with(state, ("send", channel))
        value = held[0] if held else partner.call if partner else None
        if value is None:
            if channel in state.closed:
                yield end(state, who, index, CLOSED)
            return
        taken = end(state, who, index, (True, value))
        if partner is None:
            yield set_pile(taken, channel, held[1:])
            return
        for other in partner.indices(("send", channel)):
            left = (*held, partner.call)[1:]
            yield set_pile(end(taken, partner, other, None), channel, left)

    def _refused(self, state: State, who: Waiting) -> State:
        if who.is_ghost:
            return end(state, who, 0, None)
        waiting = tuple(each for each in state.waiting if each.call != who.call)
        outcome = (*REFUSED, state.now) if who.selects else REFUSED
        return put(evolve(state, waiting=waiting), who.call, outcome)

    def _close(self, state: State, call: int, channel: str) -> Iterable[Move]:
        if channel in state.closed:
            yield Move(put(state, call, REFUSED))
            return
        after = evolve(state, closed=state.closed | {channel})
        after = put(after, call, returned("closed"))
        waits = any(channel == own for each in state.waiting for _, own in each.cases)
        for released in self._released(after, channel):
            yield Move(released, ("CH-11",) if waits else ())

    def _released(self, state: State, channel: str) -> Iterable[State]:
        """All who wait on a channel that is now closed end, each by one of its cases there."""
        who = first_with(state, ("receive", channel)) or first_with(state, ("send", channel))
        if who is None:
            yield state
            return
        for index in who.indices(("receive", channel)):
            yield from self._released(end(state, who, index, CLOSED), channel)
        if ("send", channel) in who.cases:
            yield from self._released(self._refused(state, who), channel)

    def _shift(self, state: State, call: int) -> Iterable[Move]:
        """First half of a shift: to send on b, if that needs no waiting."""
        who = Waiting(call, (("send", "b"),), selects=False)
        found = [*self._perform(state, who, 0)] or [state]
        for after in found:
            outcome = after.of(call)
            if outcome == REFUSED:
                yield Move(after)
            else:
                half = put(after, call, BLOCKED)
                yield Move(evolve(half, shifting=(*half.shifting, (call, outcome is not None))))


def haunted(state: State, call: int) -> State:
    """Relaxed: the call is gone, and can still be met."""
    ghosts = (evolve(e, is_ghost=True, due=None) if e.call == call else e for e in state.waiting)
    return evolve(state, waiting=tuple(ghosts))
