"""Which clause a mismatch of a worker pool breaks, by its look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from quiesce.model import BLOCKED, View
from quiesce.patterns.calls import CANCELLED, INTERRUPTED, REFUSED, RUNNING
from quiesce.patterns.universal import ALIEN_CANCEL, SWALLOWED, internal_error
from quiesce.patterns.worker_pool.state import (
    ACCEPTED,
    BUILT,
    CANCELLED_POOL,
    CLOSED_POOL,
    JOINED,
    TAKEN,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["blame"]

EXTRA = "WP-01 more jobs run than there are workers"
TWICE = "WP-03 a job runs twice, or one that was not accepted"
IDLE = "WP-02 a queued job waits although a worker is free"
ORDER = "WP-05 jobs run in another order than they were accepted in"
OTHER_JOB = "WP-03 a job runs that was not accepted, or was cancelled"
GOES_ON = "WP-09 a running job is not told to end"
OTHER = "WP-04 a job has another outcome"


def blame(expected: Sequence[View], seen: View, workers: int) -> str:
    """The signature of a mismatch that no relaxation explains.

    Args:
      expected: what the model allows.
      seen: what was seen.
      workers: how many jobs may run at once.
    """
    if not expected:  # a job ended that should not have begun
        return TWICE
    allowed = min(expected, key=lambda view: distance(view, seen))
    if sum(phase == RUNNING for _, _, phase in seen.executions) > workers:
        return EXTRA
    due = {index: leader for index, leader, _ in allowed.executions}
    if workers == 1 and any(due.get(i, leader) != leader for i, leader, _ in seen.executions):
        return ORDER
    if len(seen.executions) > len(allowed.executions):
        return TWICE
    if goes_on(allowed, seen):
        return GOES_ON
    wanted = dict(allowed.calls)
    for number, outcome in seen.calls:
        if outcome != wanted.get(number):
            found = by_call(wanted.get(number, BLOCKED), outcome)
            if found is not None:
                return found
    return by_execution(allowed, seen)


def distance(allowed: View, seen: View) -> int:
    """In how many places two views differ."""
    executions = set(allowed.executions) ^ set(seen.executions)
    return len(set(allowed.calls) ^ set(seen.calls)) + len(executions)


def by_call(wanted: tuple[Any, ...], seen: tuple[Any, ...]) -> str | None:
    """The signature of a call with another outcome; None if it is only a consequence."""
    if seen == ALIEN_CANCEL:
        return "UN-04 a cancellation reaches a call that was not cancelled"
    if (signature := internal_error(seen)) is not None:
        return signature
    if wanted == CANCELLED:
        return SWALLOWED
    if seen == ACCEPTED:
        return "WP-06 submit returns although there is no room"
    if seen == TAKEN:
        return "WP-06 a job is taken although there is no room"
    if wanted in (ACCEPTED, TAKEN):
        if seen == BLOCKED:
            return "UN-03 a submitter is never let in"
        return "WP-06 a job is refused although there is room"
    if seen == JOINED and wanted[0] == "raised":
        return "WP-10 a wait does not raise the failure"
    if JOINED in (wanted, seen):
        return "WP-11 a wait returns early" if seen == JOINED else "WP-11 a wait never returns"
    if wanted in (CLOSED_POOL, CANCELLED_POOL):
        if seen == BLOCKED:
            return "UN-02 a stop waits for the end"
        return "UN-07 a stop can't be repeated"
    if BUILT in (wanted, seen):
        return "WP-13 a pool without workers can be made"
    if True in (wanted[-1], seen[-1]) or False in (wanted[-1], seen[-1]):
        return "WP-15 a cancelled job's cancel says the wrong thing"
    if seen == BLOCKED:
        return "WP-04 a job's outcome never arrives" if wanted != REFUSED else None
    if wanted[0] == "raised" and wanted != REFUSED:
        return "UN-05 a job's error is lost"
    return OTHER


def goes_on(allowed: View, seen: View) -> bool:
    """Whether a job runs that should have been interrupted."""
    phases = {leader: phase for _, leader, phase in seen.executions}
    return any(
        phase == INTERRUPTED and phases.get(leader) == RUNNING
        for _, leader, phase in allowed.executions
    )


def by_execution(allowed: View, seen: View) -> str:
    """The signature where only executions, or calls that follow from them, differ."""
    if len(seen.executions) < len(allowed.executions):
        return IDLE
    if seen.executions != allowed.executions:
        return OTHER_JOB
    return "UN-03 a caller is never woken"
