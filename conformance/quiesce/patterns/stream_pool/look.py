"""Which clause a mismatch of a stream breaks, by its look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from quiesce.model import BLOCKED, View
from quiesce.patterns.calls import CANCELLED, INTERRUPTED, RUNNING, returned
from quiesce.patterns.universal import ALIEN_CANCEL, SWALLOWED, internal_error

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

__all__ = ["END", "STOPPED", "blame"]

# What the port's methods return, as models see it.
END: Final = returned("end")
STOPPED: Final = returned("stopped")
NOTHING: Final = returned(("item", None))

EAGER = "WP-07 an item is pulled too early"
LAZY = "WP-07 the source is not pulled although there is a place"
AGAIN = "WP-18 an item is worked on twice, or by too many workers"
IDLE = "WP-18 an item is not worked on"
GOES_ON = "WP-12 a stopped stream leaves something running"


def blame(expected: Sequence[View], seen: View, workers: int) -> str:
    """The signature of a mismatch that no relaxation explains.

    Args:
      expected: what the model allows.
      seen: what was seen.
      workers: how many jobs may run at once.
    """
    if not expected:  # a function ended that should not have begun
        return EAGER if counts(seen)[0] else AGAIN
    allowed = min(expected, key=lambda view: distance(view, seen))
    if by_phase(allowed) != by_phase(seen):
        mine, theirs = by_phase(allowed), by_phase(seen)
        if any(phase == INTERRUPTED and (who, RUNNING) in theirs for who, phase in mine):
            return GOES_ON
    pulls, jobs = counts(allowed), counts(seen)
    if jobs[0] > pulls[0]:
        return EAGER
    if jobs[1] > pulls[1] or running(seen) > workers:
        return AGAIN
    wanted = dict(allowed.calls)
    for number, outcome in seen.calls:
        if outcome != wanted.get(number):
            return by_call(wanted.get(number, BLOCKED), outcome)
    return LAZY if jobs[0] < pulls[0] else IDLE


def by_call(wanted: tuple[Any, ...], seen: tuple[Any, ...]) -> str:
    """The signature of a call with another outcome."""
    if seen == ALIEN_CANCEL:
        return "UN-04 a cancellation reaches a call that was not cancelled"
    if (signature := internal_error(seen)) is not None:
        return signature
    if wanted == CANCELLED:
        return SWALLOWED
    if wanted == STOPPED:
        return "WP-12 a stop blocks" if seen == BLOCKED else "UN-07 a stop can't be repeated"
    if END in (wanted, seen):
        return "WP-17 the stream ends early" if seen == END else "WP-17 the stream does not end"
    if seen == BLOCKED:
        return "UN-03 a consumer is never woken"
    if wanted[0] == "raised" and seen == NOTHING:
        return "UN-05 an error is lost"
    return "WP-18 another outcome than was due"


def distance(allowed: View, seen: View) -> int:
    """In how many places two views differ."""
    executions = set(allowed.executions) ^ set(seen.executions)
    return len(set(allowed.calls) ^ set(seen.calls)) + len(executions)


def by_phase(view: View) -> set[tuple[Hashable, str]]:
    """Who leads an execution, and its phase."""
    return {(leader, phase) for _, leader, phase in view.executions}


def counts(view: View) -> tuple[int, int]:
    """How many pulls there were, and how many jobs."""
    pulls = sum(isinstance(leader, tuple) and leader[0] == "source" for leader in leaders(view))
    return pulls, len(view.executions) - pulls


def running(view: View) -> int:
    """How many jobs run."""
    return sum(
        phase == RUNNING and isinstance(leader, tuple) and leader[0] != "source"
        for _, leader, phase in view.executions
    )


def leaders(view: View) -> list[Hashable]:
    """Who leads the executions."""
    return [leader for _, leader, _ in view.executions]
