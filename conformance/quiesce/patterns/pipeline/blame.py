"""Which clause of a pipeline a mismatch breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quiesce.model import BLOCKED
from quiesce.patterns.calls import Outcome, returned
from quiesce.patterns.pipeline.state import SOURCE
from quiesce.patterns.universal import ALIEN_CANCEL, internal_error, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from quiesce.model import View

__all__ = [
    "CALLED_ON",
    "CANCEL_LEAKS",
    "CANCEL_WAITS",
    "CLOSE_LEAKS",
    "DELIVERED_ON",
    "EMPTY_HANGS",
    "FAILURE_LEAKS",
    "RELAXATIONS",
    "REORDERED",
    "STOPPED_AGAIN",
    "blame",
]

# Signatures of the relaxations, narrowest first. Each is the model with one clause dropped.
STOPPED_AGAIN = "UN-07 cancelling or leaving a second time does not return as it should"
CANCEL_WAITS = "UN-02 cancelling waits until the stages have ended"
CANCEL_LEAKS = "PL-05 something goes on after a cancellation"
CLOSE_LEAKS = "PL-06 something goes on after the reader has left"
FAILURE_LEAKS = "PL-07 something goes on after a failure"
DELIVERED_ON = "PL-08 items are received after a cancellation"
REORDERED = "PL-02 an ordered stage with several workers does not keep the order"
EMPTY_HANGS = "PL-12 with an empty source the end never comes"
CALLED_ON = "PL-10 a stage function is called after a cancellation"

RELAXATIONS = {
    signature: signature[:5]
    for signature in (
        STOPPED_AGAIN,
        EMPTY_HANGS,
        REORDERED,
        CANCEL_WAITS,
        DELIVERED_ON,
        CANCEL_LEAKS,
        CLOSE_LEAKS,
        FAILURE_LEAKS,
        CALLED_ON,
    )
}

LOST = "PL-01 an item is lost"
DOUBLED = "PL-01 an item is worked on twice"
OTHER = "PL-01 something else comes out than the functions made of the items"
AHEAD = "PL-03 the source is pulled further than there is room"
CROWDED = "PL-03 more items are worked on than there is room for"
ENDS = "PL-04 the end is not told when all items were received, and only then"
HIDDEN = "PL-07 a failure is not what receiving tells"
WAITS = "PL-09 waiting does not return when all stages have ended, with the first error"


def blame(expected: Sequence[View], seen: View) -> str:
    """The signature of a mismatch, by its look."""
    allowed = nearest(expected, seen)
    leaders = [leader for _, leader, _ in seen.executions]
    wanted_leaders = {leader for _, leader, _ in allowed.executions}
    calls = [leader for leader in leaders if isinstance(leader, tuple) and leader[1] is not None]
    if len(set(calls)) < len(calls):
        return DOUBLED
    extra = [leader for leader in leaders if leader not in wanted_leaders]
    if len(seen.executions) > len(allowed.executions):
        if any(isinstance(leader, tuple) and leader[0] == SOURCE for leader in extra or leaders):
            return AHEAD
        return CROWDED if extra else DOUBLED
    wanted = dict(allowed.calls)
    for call, outcome in seen.calls:
        if outcome != wanted.get(call):
            return wrong(wanted.get(call, BLOCKED), outcome, seen)
    if extra:
        return OTHER
    if len(seen.executions) < len(allowed.executions):
        missing = wanted_leaders - set(leaders)
        if any(isinstance(leader, tuple) and leader[0] != SOURCE for leader in missing):
            return LOST
    return "UN-03 a user function does not run"


def wrong(wanted: Outcome, outcome: Outcome, seen: View) -> str:
    """The signature of a call that stands otherwise than it should."""
    if outcome == ALIEN_CANCEL:
        return "UN-04 a cancellation reaches a call that was not cancelled"
    if (signature := internal_error(outcome)) is not None:
        return signature
    if returned() in (wanted, outcome):
        return WAITS
    if wanted[0] == "raised":
        return HIDDEN
    if outcome == returned(()) or (wanted == returned(()) and outcome == BLOCKED):
        return ENDS
    if outcome == BLOCKED:
        return LOST
    if outcome[0] == "returned":
        if outcome[1] and is_new(outcome[1][0], seen):
            return "PL-02 items come out in another order"
        return "PL-02 items come out in another order" if wanted != BLOCKED else DOUBLED
    return OTHER


def is_new(item: object, seen: View) -> bool:
    """Whether the function that made the item ended in this burst."""
    return any(item == ("value", index) for index, _, phase in seen.executions if phase == "ended")
