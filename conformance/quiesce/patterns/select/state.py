"""The state of two channels, a and b, and of the calls that wait on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import attrs

from quiesce.model import evolve
from quiesce.patterns.calls import Calls, Outcome, put
from quiesce.worlds.world import START

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "CLOSED",
    "Case",
    "State",
    "Waiting",
    "end",
    "first_with",
    "is_transfer",
    "pile",
    "set_pile",
]

#: What is to be done, and on which channel: ("receive", "a").
Case = tuple[str, str]
CLOSED: Final = (False, None)


@attrs.frozen
class Waiting:
    """A blocked call. A plain send or receive has one case, and does not tell which it was."""

    call: int
    cases: tuple[Case, ...]
    selects: bool = True
    due: int | None = None  # when a select gives up
    is_ghost: bool = False  # relaxations only: it gave up, and still stands in line

    def indices(self, case: Case) -> Iterable[int]:
        """Which of its cases are this one."""
        return (index for index, own in enumerate(self.cases) if own == case)


@attrs.frozen
class State(Calls):
    """Two channels. Values are the numbers of the calls that send them."""

    now: int = START
    a: tuple[int, ...] = ()
    b: tuple[int, ...] = ()
    closed: frozenset[str] = frozenset()
    waiting: tuple[Waiting, ...] = ()  # in the order of their arrival
    shifting: tuple[tuple[int, bool], ...] = ()  # shifts half done: whether they have sent


def pile(state: State, channel: str) -> tuple[int, ...]:
    """What a channel's buffer holds."""
    return state.a if channel == "a" else state.b


def set_pile(state: State, channel: str, values: tuple[int, ...]) -> State:
    """The state in which a channel's buffer holds these."""
    return evolve(state, **{channel: values})


def first_with(state: State, case: Case) -> Waiting | None:
    """The call that waits longest for a partner in this case."""
    return next((each for each in state.waiting if case in each.cases), None)


def end(state: State, who: Waiting, index: int, result: Any) -> State:
    """A call ends by its case of that index, with what a plain call would return."""
    waiting = tuple(each for each in state.waiting if each.call != who.call)
    if who.is_ghost:
        return evolve(state, waiting=waiting)
    outcome: Outcome = ("returned", result)
    if who.selects:
        outcome = ("returned", (index, result), state.now)
    return put(evolve(state, waiting=waiting), who.call, outcome)


def is_transfer(outcome: Outcome) -> bool:
    """Whether a call with this outcome has sent or received a value."""
    match outcome:
        case ("returned", None | (True, _)) | ("returned", (int(), None | (True, _)), _):
            return True
    return False
