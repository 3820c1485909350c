"""Which clause a mismatch breaks, where its look tells: what a call shows instead of what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from quiesce.model import BLOCKED, View
from quiesce.patterns.calls import REFUSED
from quiesce.patterns.channel.state import CLOSED, WOULD_BLOCK

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["closest", "look"]

TOO_MANY: Final = "CH-16 the buffer holds more than its capacity"
WRONG_LENGTH: Final = "CH-10 the length is not the number of buffered values"


def look(
    expected: Sequence[View], seen: View, capacity: int | None, *, cancels: bool
) -> str | None:
    """The signature by the first call that differs from what comes closest; None if unclear.

    Args:
      expected: what the model allows.
      seen: what was seen.
      capacity: of the channel.
      cancels: whether calls can be cancelled there.
    """
    wanted = dict(expected[0].calls) if expected else {}
    for call, outcome in seen.calls:
        if outcome != wanted.get(call):
            found = _look(wanted.get(call), outcome, capacity)
            if found == TOO_MANY and not cancels:
                return WRONG_LENGTH
            if found is not None:
                return found
    return None


def closest(expected: Sequence[View], seen: View) -> tuple[View, ...]:
    """The expectation from which the fewest calls differ, if there is any."""
    outcomes = set(seen.calls)
    best = min(expected, key=lambda view: len(outcomes.difference(view.calls)), default=None)
    return () if best is None else (best,)


def _look(wanted: Any, seen: Any, capacity: int | None) -> str | None:
    match wanted, seen:
        case _, ("returned", ("holds", int(held), _)) if capacity is not None and held > capacity:
            return TOO_MANY
        case ("returned", ("holds", *_)), _:
            return WRONG_LENGTH
        case ("returned", ("iterated", *a)), ("returned", ("iterated", *b)) if {*a} == {*b}:
            return "CH-03 values arrive in another order"
        case ("returned", ("iterated", *_)), _:
            return "CH-19 an iteration does not end as the channel does"
        case _, ("returned", ("iterated", *_)):
            return "CH-19 an iteration ends before the channel is closed and drained"
        case ("returned", "joined"), _:
            return "CH-21 join is not settled"
        case _, ("returned", "joined"):
            return "CH-21 join returns although values are not done"
        case (("returned", "closed"), b) | (("raised", _), b) if b == BLOCKED and wanted != REFUSED:
            return "UN-07 a close does not return"
        case ("returned", "closed"), _:
            return "CH-08 a close fails"
        case _, ("returned", "closed"):
            return "CH-08 a second close passes"
        case (("returned", "broken"), _) | (_, ("returned", "broken")):
            return "CH-20 senders don't learn that the channel is broken, or wrongly so"
        case _, _ if wanted == REFUSED:
            return "CH-07 a send on the closed channel is no error to its sender"
        case ("returned", (True, _)), ("returned", (True, _)):
            return "CH-03 values arrive in another order"
        case ("returned", (True, _)), _ if seen == CLOSED:
            return "CH-05 a value accepted before the close is not delivered"
        case _, _ if wanted == CLOSED and seen == WOULD_BLOCK:
            return "CH-05 a receive after the close would have to wait"
        case _, ("returned", (True, _)):
            return "CH-04 a value is received that the channel does not hold"
        case _, _ if wanted == BLOCKED and seen == CLOSED:
            return "CH-05 a receive finds an open channel closed"
        case _, ("returned", None | True) if wanted in (BLOCKED, ("returned", False)):
            if capacity == 0:
                return "CH-01 a send completes without a receive"
            return "CH-02 a send does not wait for room"
        case ("returned", None | True | (True, _)), ("returned", None | False):
            return "CH-02 a call that need not wait refuses to act"
    return None
