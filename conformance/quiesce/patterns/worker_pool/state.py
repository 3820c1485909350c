"""The state of a worker pool, and what it means in numbers."""

from __future__ import annotations

from typing import Final

import attrs

from quiesce.model import evolve
from quiesce.patterns.calls import REFUSED, Calls, Outcome, put, returned

__all__ = [
    "ACCEPTED",
    "BUILT",
    "CANCELLED_POOL",
    "CLOSED",
    "CLOSED_POOL",
    "JOINED",
    "OPEN",
    "STOPPED",
    "TAKEN",
    "State",
    "report",
    "without",
]

OPEN, CLOSED, STOPPED = "open", "closed", "cancelled"

# What the port's methods return, as models see it.
ACCEPTED: Final = returned("accepted")  # submit
TAKEN: Final = returned("taken")  # try_submit
CLOSED_POOL: Final = returned("closed")
CANCELLED_POOL: Final = returned("cancelled")
JOINED: Final = returned("joined")
BUILT: Final = returned("built")


@attrs.frozen
class State(Calls):
    """A pool. A job has the number of the call that brought it."""

    phase: str = OPEN
    waiting: tuple[int, ...] = ()  # submitters without room, oldest first
    granted: tuple[int, ...] = ()  # fifo: submitters who have room and are on their way in
    queue: tuple[int, ...] = ()  # accepted, not yet taken by a worker
    told: tuple[int, ...] = ()  # running jobs that were told to end
    outcomes: tuple[tuple[int, Outcome], ...] = ()  # of the jobs that have ended
    readers: tuple[tuple[int, int], ...] = ()  # blocked call of result -> job
    failure: Outcome | None = None  # the first error, where that cancels the rest
    joiners: tuple[int, ...] = ()
    lost: int = 0  # workers that a relaxation has lost

    @property
    def inside(self) -> int:
        """Jobs that take up room."""
        return len(self.queue) + len(self.granted) + len(self.active)

    @property
    def idle(self) -> bool:
        """Whether every job that was accepted has ended."""
        return not self.inside

    def outcome_of(self, job: int) -> Outcome | None:
        """How a job ended; None if it has not."""
        return dict(self.outcomes).get(job)


def report(state: State, jobs: tuple[int, ...], outcome: Outcome = REFUSED) -> State:
    """The state in which jobs have ended so, and who waits for them knows."""
    told = [call for call, job in state.readers if job in jobs]
    return evolve(
        put(state, told, outcome),
        outcomes=tuple(sorted((*state.outcomes, *((job, outcome) for job in jobs)))),
        readers=tuple(entry for entry in state.readers if entry[1] not in jobs),
        told=without(state.told, *jobs),
    )


def without(numbers: tuple[int, ...], *gone: int) -> tuple[int, ...]:
    """The numbers, some of them left out."""
    return tuple(number for number in numbers if number not in gone)
