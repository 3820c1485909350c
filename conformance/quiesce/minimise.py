"""Minimising: from a failing scenario to the few steps that tell the story.

Steps are dropped in windows of shrinking width as long as the same violation remains; what
is not possible in a shortened scenario is skipped by the trial. Then what follows each step
is simplified, and last the interleaving, to the fewest deviations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import attrs

from quiesce.schedulers.portfolio import minimise as minimise_schedule
from quiesce.schedulers.replay import Replay
from quiesce.stimuli import SETTLE

if TYPE_CHECKING:
    from quiesce.cell import Setup
    from quiesce.schedulers.scheduler import Schedule, Scheduler
    from quiesce.stimuli import Step

__all__ = ["Failure", "minimise"]

#: Trials spent on dropping steps, and on searching a simpler interleaving.
STEP_BUDGET: Final = 120
SCHEDULE_BUDGET: Final = 2_000


@attrs.frozen
class Failure:
    """A scenario that broke a clause, and how."""

    signature: str
    expected: str
    observed: str
    setup: Setup
    steps: tuple[Step, ...]
    schedule: Schedule
    history: tuple[str, ...]
    #: With two subjects: what concerned the one that failed, as if it were alone.
    alone: tuple[Step, ...] = ()
    #: Whether it showed after the steps, in what is done at the end of every trial.
    at_end: bool = False


#: Runs a scenario under a scheduler (None: the default) and says how it failed, if so.
Run = Callable[["Setup", "tuple[Step, ...]", "Scheduler | None"], "Failure | None"]
#: Searches the interleavings of a scenario for a failure.
Search = Callable[["Setup", "tuple[Step, ...]"], "Failure | None"]


def minimise(failure: Failure, run: Run, search: Search) -> Failure:
    """A violation with as few steps, and then deviations, as the budget finds."""
    best = failure
    left = STEP_BUDGET
    # A shorter scenario may break another clause; it is as unknown as the first, and what is
    # already recorded is never raised. The name is read off the shortest.

    def again(setup: Setup, steps: tuple[Step, ...]) -> Failure | None:
        nonlocal left
        left -= 1
        found = run(setup, steps, None)
        if found is None and best.schedule.deviations:
            replay = Replay(best.schedule, strict=False)
            replay.begin()
            found = run(setup, steps, replay) or search(setup, steps)
        return found

    width = max(1, len(best.steps) // 2)
    while left > 0:
        start = dropped = 0
        while start < len(best.steps) and left > 0:
            shorter = best.steps[:start] + best.steps[start + width :]
            found = again(best.setup, shorter)
            if found is not None and len(found.steps) < len(best.steps):
                best, dropped = found, dropped + 1
            else:
                start += width
        if width == 1 and not dropped:
            break
        width = max(1, width // 2)
    for index in range(len(best.steps)):
        if left <= 0 or index >= len(best.steps):
            break
        step = best.steps[index]
        if step.follow != SETTLE:
            simpler = (*best.steps[:index], attrs.evolve(step, follow=SETTLE))
            best = again(best.setup, simpler + best.steps[index + 1 :]) or best
    if best.setup.instances > 1:
        best = again(attrs.evolve(best.setup, instances=1), best.steps) or best
    return fewest_deviations(best, run)


def fewest_deviations(failure: Failure, run: Run) -> Failure:
    """The same scenario under an interleaving with as few deviations as the budget finds."""
    if not failure.schedule.deviations:
        return failure

    def fails(scheduler: Scheduler) -> bool:
        found = run(failure.setup, failure.steps, scheduler)
        return found is not None and found.signature == failure.signature

    schedule = minimise_schedule(fails, failure.schedule, budget=SCHEDULE_BUDGET)
    replay = Replay(schedule, strict=False)
    replay.begin()
    found = run(failure.setup, failure.steps, replay)
    return found if found is not None and found.signature == failure.signature else failure
