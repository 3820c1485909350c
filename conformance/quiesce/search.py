"""The search through one cell: which scenarios, which interleavings, which violations.

First the fixed scenarios, then the plain generator, then the Hypothesis machine; in the
thread world each scenario under many interleavings. A violation is minimised, recorded
and no longer fatal, and the search goes on for the others. The search is a pure function
of the cell, the budget and the seed: it never looks at a clock.
"""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import attrs

from quiesce.cell import Setup
from quiesce.machine import draw_setup, draw_steps, run_machine, setups
from quiesce.minimise import Failure, minimise
from quiesce.schedulers.portfolio import Budget as ScheduleBudget
from quiesce.schedulers.portfolio import Portfolio
from quiesce.schedulers.replay import Replay
from quiesce.schedulers.scheduler import Schedule
from quiesce.trial import Hopeless, Recorded, Trial
from quiesce.verdicts import Violation

if TYPE_CHECKING:
    from quiesce.budget import Budget
    from quiesce.cell import Cell
    from quiesce.schedulers.scheduler import Scheduler
    from quiesce.stimuli import Step

__all__ = ["FINDINGS_LIMIT", "Search"]

#: Distinct violations after which a cell is broken enough.
FINDINGS_LIMIT: Final = 12
#: Interleavings tried for each shortened scenario while a violation is minimised.
MINIMISING_SCHEDULES: Final = 60
#: Distinct violations looked for among the interleavings of one scenario.
HIDDEN_BEHIND: Final = 3

Progress = Callable[[str], None]


class Search:
    """Everything that was tried in one cell, and what broke.

    Attributes:
      failures: by signature, each minimised and seen twice.
      inconclusive: by signature, those that did not happen again.
      examples: scenarios tried.
      schedules: trials run, which in the thread world is interleavings.
      given_up: whether it ended early, because the subject spins again and again.
    """

    def __init__(
        self,
        cell: Cell,
        budget: Budget,
        seed: int,
        progress: Progress,
        until: frozenset[str] = frozenset(),
    ) -> None:
        self.failures: dict[str, Failure] = {}
        self.inconclusive: dict[str, Failure] = {}
        self.examples = 0
        self.schedules = 0
        self.given_up = False
        self._cell = cell
        self._budget = budget
        self._seed = seed
        self._progress = progress
        self._until = until  # clauses; the search ends when all of them are broken
        self._interleaves = cell.adapter.world == "threads"

    def run(self) -> None:
        """Spend the budget.

        Raises:
          AdapterFailed: the subject can't be constructed.
          HarnessError: a run can't be trusted.
        """
        with Trial(self._cell, self._simplest_setup()):
            pass  # a broken adapter is told apart from a broken library at once
        try:
            self._fixed_scenarios()
            self._release()
            self._drawn_scenarios()
            self._machine()
        except Hopeless:
            self.given_up = True

    def reproduces(self, failure: Failure) -> bool:
        """Whether the failure's scenario breaks the same clause here in some interleaving."""
        found = self._search_schedules(
            failure.setup, failure.steps, self._budget.schedules, failure.signature
        )
        return found is not None

    @property
    def _broken_enough(self) -> bool:
        if self._until and self._until <= {signature[:5] for signature in self.failures}:
            return True
        return len(self.failures) >= FINDINGS_LIMIT

    def _share(self, scenarios: int) -> int:
        """How many of so many drawn scenarios are run: fewer where each is interleaved."""
        return (
            max(1, int(scenarios * self._budget.thread_share)) if self._interleaves else scenarios
        )

    def _fixed_scenarios(self) -> None:
        for scenario in self._cell.pattern.scenarios:
            if self._broken_enough:
                return
            if not self._cell.allows(scenario.needs, scenario.worlds):
                continue
            setup = self._setup_for(scenario.arguments)
            if setup is None:
                continue
            self._progress(f"scenario: {scenario.name}")
            self.examples += 1
            while not self._broken_enough:
                failure = self._run(setup, scenario.steps, None)
                if failure is None:
                    break
                self._found(failure)
            if self._interleaves and not self._broken_enough:
                self._interleave(setup, scenario.steps, self._budget.schedules)

    def _setup_for(self, wanted: Mapping[str, Any]) -> Setup | None:
        """The setup that a scenario wants, the rest at its simplest; None if it can't be."""
        chosen = []
        for name, values in setups(self._cell):
            if name in wanted and wanted[name] not in values:
                return None
            chosen.append((name, wanted.get(name, values[0])))
        return Setup(tuple(chosen), int(wanted.get("instances", 1)))

    def _simplest_setup(self, instances: int = 1) -> Setup:
        chosen = tuple((name, values[0]) for name, values in setups(self._cell))
        return Setup(chosen, instances)

    def _release(self) -> None:
        """Whether the subject drops results and functions that it no longer needs."""
        release = self._cell.pattern.release
        if release is None or "release" in self._cell.adapter.lacks or self._broken_enough:
            return
        steps, signature = release
        setup = self._simplest_setup(instances=2)
        with Trial(self._cell, setup) as trial:
            try:
                for step in steps:
                    trial.perform(step)
            except (Violation, Recorded):
                return
            history = tuple(trial.log.history)
            if trial.waiting():
                return  # something still runs, and may keep what it needs
            trial.forget()
            gc.collect()
            kept = trial.still_referenced()
        self._cell.count(signature[:5])
        if kept:
            observed = f"{', '.join(kept)} is kept alive"
            failure = Failure(
                signature, "nothing is kept", observed, setup, steps, Schedule(), history
            )
            self._record(failure)

    def _drawn_scenarios(self) -> None:
        source = random.Random(self._seed)
        total = self._share(self._budget.generated)
        for number in range(total):
            if self._broken_enough:
                return
            if number % 20 == 0:
                self._progress(f"generated scenario {number} of {total}")
            own_source = random.Random(source.getrandbits(64))
            failures: list[Failure] = []
            with Trial(self._cell, draw_setup(self._cell, own_source)) as trial:
                try:
                    draw_steps(trial, own_source)
                except Violation as violation:
                    self.examples += 1
                    failures.append(failure_of(violation, trial, None))
                except Recorded:
                    self.examples += 1
                else:
                    failures.extend(self._finish(trial))
            for failure in failures:
                self._found(failure)

    def _machine(self) -> None:
        """Scenarios that Hypothesis draws, until as many were run as the budget says."""
        left = self._share(self._budget.machine)
        attempt = 0
        while left > 0 and not self._broken_enough:
            self._progress(f"Hypothesis machine: {left} scenarios")
            before = self.examples
            failures: list[Failure] = []

            def failed(
                trial: Trial, violation: Violation, failures: list[Failure] = failures
            ) -> None:
                failures.append(failure_of(violation, trial, None))

            def judge(trial: Trial, failures: list[Failure] = failures) -> None:
                failures.extend(self._finish(trial))
                if failures:
                    raise FoundError

            with suppress(FoundError, Violation):  # what they tell of stands in failures
                run_machine(
                    self._cell,
                    examples=left,
                    random_seed=self._seed + attempt,
                    judge=judge,
                    failed=failed,
                )
            if not failures:
                return
            left -= max(1, self.examples - before)
            attempt += 1
            for failure in failures:
                self._found(failure)

    def _finish(self, trial: Trial) -> list[Failure]:
        """End a drawn trial, then try other interleavings of its steps; at most one failure."""
        self.examples += 1
        self.schedules += 1
        steps = tuple(trial.steps)
        try:
            trial.finish()
        except Violation as violation:
            return [failure_of(violation, trial, None)]
        except Recorded:
            return []
        if not self._interleaves:
            return []
        trial.close()
        failure = self._search_schedules(trial.setup, steps, self._budget.inner_schedules, None)
        return [] if failure is None else [failure]

    def _interleave(self, setup: Setup, steps: tuple[Step, ...], schedules: int) -> None:
        for _ in range(HIDDEN_BEHIND):
            failure = self._search_schedules(setup, steps, schedules, None)
            if failure is None or self._broken_enough:
                return
            self._found(failure)

    def _search_schedules(
        self, setup: Setup, steps: tuple[Step, ...], schedules: int, signature: str | None
    ) -> Failure | None:
        """The first failing interleaving, with this signature if one is given."""
        portfolio = Portfolio(
            ScheduleBudget(executions=schedules, bounded=max(1, schedules * 3 // 5), slice=10),
            seed=self._seed,
        )
        while portfolio.begin():
            failure = self._run(setup, steps, portfolio)
            wanted = failure is not None and signature in (None, failure.signature)
            portfolio.end(failed=wanted)
            if wanted:
                return failure
        return None

    def _run(
        self, setup: Setup, steps: tuple[Step, ...], scheduler: Scheduler | None
    ) -> Failure | None:
        """One trial of these steps."""
        self.schedules += 1
        with Trial(self._cell, setup, scheduler) as trial:
            try:
                for step in steps:
                    trial.perform(step)
                trial.finish()
            except Violation as violation:
                return failure_of(violation, trial, scheduler)
            except Recorded:
                return None
        return None

    def _found(self, failure: Failure) -> None:
        """Minimise a violation, see it once more, and record it."""
        if failure.signature in self._cell.knows(failure.setup):
            return
        self._progress(f"minimising {failure.signature}")
        small = minimise(
            failure,
            self._run,
            lambda setup, steps: self._search_schedules(setup, steps, MINIMISING_SCHEDULES, None),
        )
        replay = None
        if small.schedule.deviations:
            replay = Replay(small.schedule, strict=False)
            replay.begin()
        again = self._run(small.setup, small.steps, replay)
        if again is None or again.signature != small.signature:
            self.inconclusive[small.signature] = small  # what does not repeat is no verdict
            self._cell.known.add(small.signature)
        elif again.setup.instances > 1:
            self._cell.known_across.add(again.signature)
            self._found_with_two(again)
        else:
            self._record(again)

    def _found_with_two(self, failure: Failure) -> None:
        """Tell a violation of independence from one that a single subject shows as well."""
        self.schedules += 1
        with Trial(self._cell, attrs.evolve(failure.setup, instances=1)) as trial:
            try:
                for step in failure.alone:
                    trial.perform(step)
                trial.finish()
            except Violation as violation:
                found = failure_of(violation, trial, None)
            except Recorded:
                return
            else:
                if not trial.is_tainted:  # alone, the same subject behaves
                    self._record(attrs.evolve(failure, signature=self._cell.pattern.independence))
                return
        self._found(found)

    def _record(self, failure: Failure) -> None:
        self.failures.setdefault(failure.signature, failure)
        self._cell.known.add(failure.signature)


class FoundError(Exception):
    """Ends a run of the Hypothesis machine at a scenario that broke a clause."""


def failure_of(violation: Violation, trial: Trial, scheduler: Scheduler | None) -> Failure:
    """What a trial broke, with all that is needed to run it again."""
    return Failure(
        violation.signature,
        violation.expected,
        violation.observed,
        trial.setup,
        tuple(trial.steps),
        Schedule() if scheduler is None else scheduler.schedule,
        tuple(trial.log.history),
        () if trial.failed_instance is None else tuple(trial.projections[trial.failed_instance]),
        trial.is_ending,
    )
