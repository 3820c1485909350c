"""The state of a channel, and the few changes that all its transitions are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import attrs

from quiesce.model import BLOCKED, evolve
from quiesce.patterns.calls import Calls, Outcome, put, returned

if TYPE_CHECKING:
    from quiesce.stimuli import Began

__all__ = [
    "CLOSED",
    "MAIN",
    "WOULD_BLOCK",
    "Loop",
    "State",
    "Waiting",
    "deliver",
    "end_of",
    "is_transfer",
    "leave",
    "loop_of",
    "queued",
    "rest",
]

#: The end that the channel began with. A clone's is the number of the call that made it.
MAIN: Final = -1
#: Outcomes of a receive without a value.
CLOSED: Final[Outcome] = returned((False, None))
WOULD_BLOCK: Final[Outcome] = returned(None)


@attrs.frozen
class Waiting:
    """A blocked send, whose value is its own number, or a blocked receive."""

    call: int
    end: int


@attrs.frozen
class Loop:
    """An iteration: what it received so far. It looks for the next value, or waits for one."""

    call: int
    values: tuple[int, ...] = ()
    looks: bool = True


@attrs.frozen
class State(Calls):
    """One channel. Values are the numbers of the calls that send them."""

    buffer: tuple[int, ...] = ()
    senders: tuple[Waiting, ...] = ()  # in the order of their arrival
    receivers: tuple[Waiting, ...] = ()
    loops: tuple[Loop, ...] = ()
    send_ends: frozenset[int] = frozenset({MAIN})
    receive_ends: frozenset[int] = frozenset({MAIN})
    unfinished: int = 0  # values sent and not yet told done
    joiners: tuple[int, ...] = ()
    # Of relaxations only.
    received: tuple[int, ...] = ()
    ended: bool = False  # for receivers, although a sending end is open

    @property
    def is_closed(self) -> bool:
        """Whether no value can be sent any more."""
        return not self.send_ends or self.ended


def end_of(fact: Began) -> int:
    """The end through which a call uses the channel."""
    end = dict(fact.arguments).get("of", MAIN)
    assert isinstance(end, int)
    return end


def loop_of(state: State, call: int) -> Loop | None:
    """The iteration of that call, if it is one."""
    return next((loop for loop in state.loops if loop.call == call), None)


def deliver(state: State, call: int, value: int) -> State:
    """A receive gets its value, or an iteration its next."""
    loop = loop_of(state, call)
    if loop is None:
        return put(state, call, returned((True, value)))
    return swap(state, loop, Loop(call, (*loop.values, value)))


def queued(queue: tuple[Waiting, ...], waiting: Waiting, *, in_order: bool) -> tuple[Waiting, ...]:
    """One more waits. If nobody is served in order, states that differ in it only are one."""
    longer = (*queue, waiting)
    return longer if in_order else tuple(sorted(longer, key=lambda each: each.call))


def rest(state: State, waiting: Waiting, *, in_order: bool) -> State:
    """A receive finds nothing and waits."""
    call = waiting.call
    loop = loop_of(state, call)
    waits = evolve(state, receivers=queued(state.receivers, waiting, in_order=in_order))
    if loop is None:
        return put(waits, call, BLOCKED)
    return swap(waits, loop, evolve(loop, looks=False))


def leave(state: State, call: int) -> State:
    """The call waits no longer, for whatever it did."""
    if state.of(call) != BLOCKED:
        return state
    return evolve(
        state,
        senders=tuple(each for each in state.senders if each.call != call),
        receivers=tuple(each for each in state.receivers if each.call != call),
        loops=tuple(each for each in state.loops if each.call != call),
        joiners=tuple(each for each in state.joiners if each != call),
    )


def swap(state: State, old: Loop, new: Loop) -> State:
    """One iteration changed."""
    return evolve(state, loops=tuple(new if each is old else each for each in state.loops))


def is_transfer(outcome: Any) -> bool:
    """Whether a call with this outcome has sent or received a value."""
    match outcome:
        case ("returned", None | True | (True, _)):
            return True
    return False
