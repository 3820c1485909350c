"""Checking one cell: a pattern, an adapter and a world, to a verdict per clause.

First the fixed scenarios, then the plain generator, then the Hypothesis machine; in the
thread world each scenario under many interleavings. A violation is minimised, recorded
and no longer fatal, and the search goes on for the others.
"""

from __future__ import annotations

import gc
import hashlib
import platform
import random
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import attrs

from quiesce.budget import BUDGETS, Budget
from quiesce.cell import Cell, Setup
from quiesce.clauses import Clause, Level
from quiesce.configuration import configuration_errors
from quiesce.errors import ConfigurationError, HarnessError
from quiesce.machine import draw_setup, draw_steps, run_machine, setups
from quiesce.minimise import Failure, minimise
from quiesce.patterns.registry import PATTERNS
from quiesce.schedulers.portfolio import Budget as ScheduleBudget
from quiesce.schedulers.portfolio import Portfolio
from quiesce.schedulers.scheduler import Schedule, Scheduler
from quiesce.trial import AdapterFailed, Recorded, Trial
from quiesce.verdicts import CellResult, ClauseResult, Finding, Verdict, Violation
from quiesce.words import step_in_words

if TYPE_CHECKING:
    from quiesce.adapters import Adapter
    from quiesce.patterns.pattern import Pattern
    from quiesce.stimuli import Step
    from quiesce.worlds.world import WorldFactory

__all__ = ["POINTS", "check_cell", "configuration_errors", "make_factory"]

POINTS: Final = ("operations", "gil", "free-threaded")
#: Distinct violations after which a cell is broken enough.
FINDINGS_LIMIT: Final = 12

Progress = Callable[[str], None]


def check_cell(
    adapter: Adapter,
    *,
    budget: str = "ci",
    seed: int = 0,
    clauses: frozenset[str] | None = None,
    points: str = "gil",
    progress: Progress | None = None,
) -> CellResult:
    """Check one adapter in one world.

    Args:
      adapter: what to check.
      budget: ``quick``, ``ci`` or ``deep``.
      seed: the same seed makes the same search; it is part of the result.
      clauses: report on these only; all by default. The search is the same.
      points: in the thread world, where a thread may be switched.
      progress: told in a few words what is being done.

    Returns:
      The result. Nothing that the adapter or its library does is raised; it stands in the
      result as a finding or as ``error``.

    Raises:
      ConfigurationError: the budget or the point set does not exist.
    """
    if budget not in BUDGETS:
        message = f"There is no budget {budget!r}; use {', '.join(BUDGETS)}."
        raise ConfigurationError(message)
    if points not in POINTS:
        message = f"There is no point set {points!r}; use {', '.join(POINTS)}."
        raise ConfigurationError(message)
    began = time.perf_counter()
    search = CellSearch(adapter, BUDGETS[budget], seed, points, progress or (lambda _: None))
    error = search.run()
    return attrs.evolve(search.result(clauses, error), seconds=time.perf_counter() - began)


def make_factory(adapter: Adapter, points: str) -> WorldFactory:
    """The factory of the worlds that an adapter runs in. Imports that world only."""
    if adapter.world == "threads":
        from quiesce.worlds.threads import Points, ThreadWorldFactory

        return ThreadWorldFactory(
            points=Points(points), packages=(*adapter.packages, adapter.module)
        )
    if adapter.world == "asyncio":
        from quiesce.worlds.asyncio import AsyncioWorldFactory

        return AsyncioWorldFactory(scope=adapter.scope, packages=adapter.packages)
    from quiesce.worlds.trio import TrioWorldFactory

    return TrioWorldFactory(packages=adapter.packages)


class CellSearch:
    """The search through one cell; it collects findings."""

    def __init__(
        self, adapter: Adapter, budget: Budget, seed: int, points: str, progress: Progress
    ) -> None:
        self._pattern: Pattern = PATTERNS[adapter.pattern]
        defaults = {flag: values[0] for flag, values in self._pattern.dialects.items()}
        self._adapter = attrs.evolve(adapter, dialect={**defaults, **adapter.dialect})
        self._budget = budget
        self._seed = seed
        self._points = points
        self._progress = progress
        self._threads = adapter.world == "threads"
        self._findings: dict[str, Finding] = {}
        self._inconclusive: dict[str, str] = {}
        self._notes: list[str] = []
        self._examples = 0
        self._schedules = 0
        self._complete = True  # all fixed scenarios' level 1 searches ended
        self._cell: Cell | None = None

    def run(self) -> str | None:
        """Search until the budget ends; returns the error that ended it early."""
        if problems := configuration_errors(self._adapter):
            return "configuration: " + " ".join(problems)
        factory = None
        try:
            factory = make_factory(self._adapter, self._points)
            subject = factory.load(self._adapter.module, self._adapter.qualname)
            self._cell = Cell(self._adapter, self._pattern, factory, subject)
            self._search()
        except AdapterFailed as error:
            return f"configuration: {error}"
        except HarnessError as error:
            return f"{type(error).__name__}: {error}"
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # an adapter can raise anything, and none is ours to pass on
            return f"unexpected {type(error).__name__}: {error}"
        finally:
            if factory is not None:
                factory.shut()
        return None

    def result(self, only: frozenset[str] | None, error: str | None) -> CellResult:
        """The verdicts so far."""
        adapter = self._adapter
        order = {"threads": "scheduler", "asyncio": "fifo"}.get(adapter.world, "controlled")
        return CellResult(
            pattern=adapter.pattern,
            adapter=adapter.name,
            world=adapter.world,
            distribution=adapter.distribution,
            version=adapter.version,
            python=platform.python_version(),
            budget=self._budget.name,
            seed=self._seed,
            points=self._points if self._threads else None,
            order=order,
            examples=self._examples,
            schedules=self._schedules,
            certificate=self._certificate(),
            clauses=tuple(
                self._judge(clause)
                for clause in self._pattern.clauses
                if only is None or clause.id in only
            ),
            findings=tuple(
                finding
                for signature, finding in sorted(self._findings.items())
                if only is None or finding.clause in only
            ),
            notes=self._all_notes(),
            error=error,
        )

    def _all_notes(self) -> tuple[str, ...]:
        unjudged = self._cell.unjudged if self._cell is not None else 0
        if not unjudged:
            return tuple(self._notes)
        return (*self._notes, f"{unjudged} bursts had too many orders to follow: not judged")

    @property
    def cell(self) -> Cell:
        """What the trials share."""
        assert self._cell is not None  # set before the search
        return self._cell

    def _search(self) -> None:
        self._smoke()
        self._fixed_scenarios()
        self._release()
        self._drawn_scenarios()
        self._machine()

    def _smoke(self) -> None:
        """Construct it once, so that a broken adapter is told apart from a broken library."""
        with Trial(self.cell, self._plain_setup({})):
            pass

    def _fixed_scenarios(self) -> None:
        for scenario in self._pattern.scenarios:
            if not self.cell.allows(scenario.needs, scenario.worlds):
                continue
            setup = self._plain_setup(scenario.arguments)
            if setup is None:
                continue
            self._progress(f"scenario: {scenario.name}")
            self._try(setup, scenario.steps, self._budget.schedules)

    def _plain_setup(self, wanted: Mapping[str, Any]) -> Setup | None:
        """Two instances where a scenario may need them, and the simplest arguments."""
        chosen = []
        for name, values in setups(self.cell):
            if name in wanted and wanted[name] not in values:
                return None
            chosen.append((name, wanted.get(name, values[0])))
        return Setup(tuple(chosen), int(wanted.get("instances", 1)))

    def _drawn_scenarios(self) -> None:
        source = random.Random(self._seed)
        total = self._budget.generated
        if self._threads:
            total = max(1, int(total * self._budget.thread_share))
        for number in range(total):
            if len(self._findings) >= FINDINGS_LIMIT:
                return
            if number % 20 == 0:
                self._progress(f"generated scenario {number} of {total}")
            self._draw(random.Random(source.getrandbits(64)))

    def _draw(self, source: random.Random) -> None:
        setup = draw_setup(self.cell, source)
        steps: tuple[Step, ...] = ()
        failure = None
        self._examples += 1
        self._schedules += 1
        with Trial(self.cell, setup) as trial:
            try:
                draw_steps(trial, source)
                steps = tuple(trial.steps)
                trial.finish()
            except Violation as violation:
                failure = failure_of(violation, trial, None)
            except Recorded:
                return
        if failure is not None:
            self._found(failure)
        elif self._threads:
            self._interleave(setup, steps, self._budget.inner_schedules)

    def _machine(self) -> None:
        total = self._budget.machine
        if self._threads:
            total = max(1, int(total * self._budget.thread_share))
        self._progress(f"Hypothesis machine: {total} scenarios")
        for attempt in range(FINDINGS_LIMIT):
            if total <= 0 or len(self._findings) >= FINDINGS_LIMIT:
                return
            failures: list[Failure] = []
            ran = 0

            def judge(trial: Trial, failures: list[Failure] = failures) -> None:
                nonlocal ran
                ran += 1
                self._examples += 1
                self._schedules += 1
                steps = tuple(trial.steps)
                try:
                    trial.finish()
                except Violation as violation:
                    failures.append(failure_of(violation, trial, None))
                    raise
                except Recorded:
                    return
                if self._threads:
                    trial.close()
                    failure = self._search_schedules(
                        trial.setup, steps, self._budget.inner_schedules, None
                    )
                    if failure is not None:
                        failures.append(failure)
                        raise RuntimeError("an interleaving breaks a clause")

            def failed(
                trial: Trial, violation: Violation, failures: list[Failure] = failures
            ) -> None:
                failures.append(failure_of(violation, trial, None))

            try:
                run_machine(
                    self.cell,
                    examples=total,
                    random_seed=self._seed + attempt,
                    judge=judge,
                    failed=failed,
                )
            except Exception:
                if not failures:
                    raise
            if not failures:
                return
            total -= max(1, ran)
            for failure in {f.signature: f for f in failures}.values():
                if failure.signature not in self.cell.known:
                    self._found(failure)

    def _release(self) -> None:
        """Whether the subject drops results and functions that it no longer needs."""
        if self._pattern.release is None or "release" in self._adapter.lacks:
            return
        steps, signature = self._pattern.release
        setup = self._plain_setup({"instances": 2})
        assert setup is not None  # nothing was wanted
        with Trial(self.cell, setup) as trial:
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
        for clause in ("UN-11", signature[:5]):
            self.cell.count(clause)
        if kept:
            found = Failure(
                signature,
                "nothing is kept",
                ", ".join(kept) + " is kept alive",
                setup,
                steps,
                Schedule(),
                history,
            )
            self._record(found, None)

    def _try(self, setup: Setup, steps: tuple[Step, ...], schedules: int) -> None:
        """One scenario, and in the thread world its interleavings."""
        self._examples += 1
        while True:
            failure = self._run(setup, steps, None)
            if failure is None or len(self._findings) >= FINDINGS_LIMIT:
                break
            self._found(failure)
        if self._threads:
            self._interleave(setup, steps, schedules)

    def _interleave(self, setup: Setup, steps: tuple[Step, ...], schedules: int) -> None:
        for _ in range(3):  # a second violation may hide behind the first
            failure = self._search_schedules(setup, steps, schedules, None)
            if failure is None or len(self._findings) >= FINDINGS_LIMIT:
                return
            self._found(failure)

    def _search_schedules(
        self, setup: Setup, steps: tuple[Step, ...], schedules: int, signature: str | None
    ) -> Failure | None:
        portfolio = Portfolio(
            ScheduleBudget(executions=schedules, bounded=max(1, schedules * 3 // 5), slice=10),
            seed=self._seed,
        )
        while portfolio.begin():
            failure = self._run(setup, steps, portfolio)
            failed = failure is not None and signature in (None, failure.signature)
            portfolio.end(failed=failed)
            if failed:
                return failure
        return None

    def _run(
        self, setup: Setup, steps: tuple[Step, ...], scheduler: Scheduler | None
    ) -> Failure | None:
        """One trial of these steps."""
        self._schedules += 1
        with Trial(self.cell, setup, scheduler) as trial:
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
        """Minimise, confirm and record a violation."""
        self._progress(f"minimising {failure.signature}")

        def search(setup: Setup, steps: tuple[Step, ...]) -> Failure | None:
            return self._search_schedules(setup, steps, 60, None)

        small = minimise(failure, self._run, search)
        again = self._confirm(small)
        if again is None:
            self._inconclusive[failure.signature[:5]] = (
                f"{failure.signature}: seen once, and not when it was run again"
            )
            self.cell.known.add(failure.signature)
            return
        self._record(again, self._advisory(again))

    def _confirm(self, failure: Failure) -> Failure | None:
        """Run it once more: what does not repeat is no verdict."""
        from quiesce.schedulers.replay import Replay

        replay = None
        if failure.schedule.deviations:
            replay = Replay(failure.schedule, strict=False)
            replay.begin()
        again = self._run(failure.setup, failure.steps, replay)
        if again is None or again.signature != failure.signature:
            return None
        return again

    def _advisory(self, failure: Failure) -> str | None:
        """Whether the violation needs switches that a build with the GIL does not make."""
        if not self._threads or self._points != "free-threaded":
            return None
        other = CellSearch(self._adapter, self._budget, self._seed, "gil", self._progress)
        factory = make_factory(self._adapter, "gil")
        try:
            subject = factory.load(self._adapter.module, self._adapter.qualname)
            other._cell = Cell(self._adapter, self._pattern, factory, subject)
            found = other._search_schedules(
                failure.setup, failure.steps, self._budget.schedules, failure.signature
            )
        finally:
            factory.shut()
        if found is not None:
            return None
        return "shows on free-threaded builds only: not found at the points of a build with the GIL"

    def _record(self, failure: Failure, advisory: str | None) -> None:
        clause = self.cell.model(failure.setup)[0].relaxations.get(
            failure.signature, failure.signature[:5]
        )
        identity = f"{self._adapter.cell}:{failure.signature}"
        self._findings[failure.signature] = Finding(
            id=hashlib.sha256(identity.encode()).hexdigest()[:8],
            signature=failure.signature,
            clause=clause,
            expected=failure.expected,
            observed=failure.observed,
            steps=tuple(step_in_words(step) for step in failure.steps),
            history=failure.history,
            schedule=failure.schedule,
            points=self._points if self._threads else None,
            advisory=advisory,
        )
        self.cell.known.add(failure.signature)

    def _judge(self, clause: Clause) -> ClauseResult:
        adapter = self._adapter
        findings = [f for f in self._findings.values() if f.clause == clause.id]
        exercised = self.cell.exercised.get(clause.id, 0) if self._cell is not None else 0
        reason = clause.inapplicable(adapter.world, adapter.lacks, adapter.dialect)
        if findings:
            note = "; ".join(f.signature for f in findings)
            if clause.level is Level.MUST and not all(f.advisory for f in findings):
                return ClauseResult(clause.id, Verdict.VIOLATES, exercised, note)
            return ClauseResult(clause.id, Verdict.ADVISORY, exercised, note)
        if reason is not None:
            return ClauseResult(clause.id, Verdict.UNSUPPORTED, exercised, reason)
        if clause.id in self._inconclusive:
            note = self._inconclusive[clause.id]
            return ClauseResult(clause.id, Verdict.INCONCLUSIVE, exercised, note)
        if not exercised:
            return ClauseResult(clause.id, Verdict.UNEXERCISED, 0, "its situation never arose")
        return ClauseResult(clause.id, Verdict.CONFORMS, exercised)

    def _certificate(self) -> str:
        if self._threads:
            return (
                f"{self._examples} scenarios under {self._schedules} interleavings at the point "
                f"set {self._points}; nothing beyond these was looked at"
            )
        return f"{self._examples} scenarios; nothing beyond these was looked at"


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
    )
