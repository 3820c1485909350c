"""Checking one cell: a pattern, an adapter and a world, to a verdict per clause."""

from __future__ import annotations

import hashlib
import platform
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import attrs

from quiesce.budget import BUDGETS
from quiesce.cell import Cell
from quiesce.clauses import Level
from quiesce.configuration import configuration_errors
from quiesce.errors import ConfigurationError, HarnessError
from quiesce.patterns.registry import PATTERNS
from quiesce.process import put_back
from quiesce.search import FINDINGS_LIMIT, Search
from quiesce.trial import AdapterFailed
from quiesce.verdicts import CellResult, ClauseResult, Finding, Verdict
from quiesce.words import error_in_words, step_in_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from quiesce.adapters import Adapter
    from quiesce.clauses import Clause
    from quiesce.minimise import Failure
    from quiesce.worlds.world import WorldFactory

__all__ = ["AT_END", "POINTS", "check_cell", "configuration_errors", "make_factory"]

POINTS: Final = ("operations", "gil", "free-threaded")
#: Real seconds without a sign of life after which code in a world counts as hanging.
HANG_AFTER_S = 5.0
#: Loop turns at one instant that are no spin yet. A few libraries poll until the clock is
#: strictly past a due time; finding that out should be cheap.
SPIN_LIMIT: Final = 3_000
AT_END: Final = "then, as every trial ends: functions are let end, and fresh callers look"
FREE_THREADED_ONLY: Final = (
    "shows on free-threaded builds only: not found at the points where a build with the GIL "
    "can switch"
)


def check_cell(
    adapter: Adapter,
    *,
    budget: str = "ci",
    seed: int = 0,
    clauses: frozenset[str] | None = None,
    points: str = "gil",
    progress: Callable[[str], None] | None = None,
    until: frozenset[str] = frozenset(),
) -> CellResult:
    """Check one adapter in one world.

    Args:
      adapter: what to check.
      budget: ``quick``, ``ci`` or ``deep``.
      seed: the same seed makes the same search; it is part of the result.
      clauses: report on these only; all by default. The search is the same.
      points: in the thread world, where a thread may be switched.
      progress: told in a few words what is being done.
      until: clauses; the search ends as soon as all of them are broken. Empty: never for that.

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
    check = Check(adapter, budget, seed, points, until)
    check.run(progress or (lambda _: None))
    return attrs.evolve(check.result(clauses), seconds=time.perf_counter() - began)


def make_factory(adapter: Adapter, points: str) -> WorldFactory:
    """The factory of the worlds that an adapter runs in. Imports that world only."""
    if adapter.world == "threads":
        from quiesce.worlds.threads import Points, ThreadWorldFactory

        packages = (*adapter.packages, adapter.module)
        return ThreadWorldFactory(
            points=Points(points), packages=packages, hang_limit_s=HANG_AFTER_S
        )
    if adapter.world == "asyncio":
        from quiesce.worlds.asyncio import AsyncioWorldFactory

        return AsyncioWorldFactory(
            scope=adapter.scope,
            packages=adapter.packages,
            spin_limit=SPIN_LIMIT,
            hang_after_s=HANG_AFTER_S,
        )
    from quiesce.worlds.trio import TrioWorldFactory

    return TrioWorldFactory(packages=adapter.packages, hang_after_s=HANG_AFTER_S)


@contextmanager
def open_cell(adapter: Adapter, points: str) -> Iterator[Cell]:
    """The cell of an adapter, for as long as its worlds are needed."""
    factory = make_factory(adapter, points)
    try:
        subject = factory.load(adapter.module, adapter.qualname)
        yield Cell(adapter, PATTERNS[adapter.pattern], factory, subject)
    finally:
        factory.shut()


class Check:
    """One cell's search, and the verdicts that follow from it."""

    def __init__(
        self, adapter: Adapter, budget: str, seed: int, points: str, until: frozenset[str]
    ) -> None:
        self._declared = adapter
        self._adapter = adapter
        self._budget = BUDGETS[budget]
        self._seed = seed
        self._points = points
        self._until = until
        self._search: Search | None = None
        self._cell: Cell | None = None
        self._advisories: dict[str, str] = {}
        self._error: str | None = None
        self._put_back: list[str] = []

    def run(self, progress: Callable[[str], None]) -> None:
        """Search until the budget ends, or until an error ends it early."""
        with put_back() as self._put_back:
            self._run(progress)

    def _run(self, progress: Callable[[str], None]) -> None:
        if problems := configuration_errors(self._declared):
            self._error = "configuration: " + " ".join(problems)
            return
        dialects = PATTERNS[self._declared.pattern].dialects
        defaults = {flag: values[0] for flag, values in dialects.items()}
        self._adapter = attrs.evolve(self._declared, dialect={**defaults, **self._declared.dialect})
        try:
            with open_cell(self._adapter, self._points) as cell:
                self._cell = cell
                self._search = Search(cell, self._budget, self._seed, progress, self._until)
                self._search.run()
            if self._points == "free-threaded" and self._adapter.world == "threads":
                self._look_again_with_the_gil(progress)
        except AdapterFailed as error:
            self._error = f"configuration: {error}"
        except HarnessError as error:
            self._error = error_in_words(error)
        except KeyboardInterrupt:
            raise  # the user's: what an adapter raises in a world stays in its call
        except BaseException as error:  # adapters raise anything, and none of it is ours to pass on
            self._error = f"unexpected {error_in_words(error)}"

    def _look_again_with_the_gil(self, progress: Callable[[str], None]) -> None:
        """Tell apart what shows on any build from what needs switches that the GIL prevents."""
        for failure in self._failures():
            if not failure.schedule.deviations:
                continue
            progress(f"searching {failure.signature} again at the points of a build with the GIL")
            with open_cell(self._adapter, "gil") as cell:
                search = Search(cell, self._budget, self._seed, progress)
                if not search.reproduces(failure):
                    self._advisories[failure.signature] = FREE_THREADED_ONLY

    def _failures(self) -> list[Failure]:
        if self._search is None:
            return []
        return [failure for _, failure in sorted(self._search.failures.items())]

    def result(self, only: frozenset[str] | None) -> CellResult:
        """The verdicts, on these clauses only if any are given."""
        adapter, search = self._adapter, self._search
        pattern = PATTERNS.get(adapter.pattern)
        threads = adapter.world == "threads"
        findings = [self._finding(failure) for failure in self._failures()]
        return CellResult(
            pattern=adapter.pattern,
            adapter=adapter.name,
            world=adapter.world,
            distribution=adapter.distribution,
            version=adapter.version,
            python=platform.python_version(),
            budget=self._budget.name,
            seed=self._seed,
            points=self._points if threads else None,
            order=self._order(),
            examples=0 if search is None else search.examples,
            schedules=0 if search is None else search.schedules,
            certificate=self._certificate(),
            clauses=tuple(
                self._judge(clause, [f for f in findings if f.clause == clause.id])
                for clause in (() if pattern is None else pattern.clauses)
                if only is None or clause.id in only
            ),
            findings=tuple(f for f in findings if only is None or f.clause in only),
            notes=self._notes(),
            error=self._error,
        )

    def _order(self) -> str:
        """Who decides in which order tasks run."""
        if self._adapter.world == "threads":
            return "scheduler"
        if self._adapter.world == "asyncio":
            return "fifo"
        return "birth"

    def _finding(self, failure: Failure) -> Finding:
        identity = f"{self._adapter.cell}:{failure.signature}"
        return Finding(
            id=hashlib.sha256(identity.encode()).hexdigest()[:8],
            signature=failure.signature,
            clause=failure.signature[:5],
            expected=failure.expected,
            observed=failure.observed,
            steps=(
                *(step_in_words(step) for step in failure.steps),
                *((AT_END,) if failure.at_end else ()),
            ),
            history=failure.history,
            schedule=failure.schedule,
            points=self._points if self._adapter.world == "threads" else None,
            advisory=self._advisories.get(failure.signature),
        )

    def _judge(self, clause: Clause, findings: list[Finding]) -> ClauseResult:
        adapter = self._adapter
        exercised = 0 if self._cell is None else self._cell.exercised.get(clause.id, 0)
        unclaimed = clause.inapplicable(adapter.world, adapter.lacks, adapter.dialect)
        if findings:
            note = "; ".join(finding.signature for finding in findings)
            verdict = Verdict.VIOLATES
            if unclaimed is not None:
                verdict, note = Verdict.ADVISORY, f"{note} (not claimed: {unclaimed})"
            elif clause.level is not Level.MUST or all(f.advisory for f in findings):
                verdict = Verdict.ADVISORY
            return ClauseResult(clause.id, verdict, exercised, note)
        if unclaimed is not None:
            return ClauseResult(clause.id, Verdict.UNSUPPORTED, exercised, unclaimed)
        once = [] if self._search is None else sorted(self._search.inconclusive)
        if doubts := [signature for signature in once if signature[:5] == clause.id]:
            note = "; ".join(doubts) + ": seen once, and not when it was run again"
            return ClauseResult(clause.id, Verdict.INCONCLUSIVE, exercised, note)
        if not exercised:
            return ClauseResult(clause.id, Verdict.UNEXERCISED, 0, "its situation never arose")
        return ClauseResult(clause.id, Verdict.CONFORMS, exercised)

    def _certificate(self) -> str:
        if self._search is None:
            return "nothing was run"
        bound = f"{self._search.examples} scenarios"
        if self._adapter.world == "threads":
            bound += f" in {self._search.schedules} interleavings at the point set {self._points}"
        return f"{bound}; nothing beyond these was looked at"

    def _notes(self) -> tuple[str, ...]:
        notes = []
        if self._cell is not None and self._cell.unjudged:
            bursts = "1 burst" if self._cell.unjudged == 1 else f"{self._cell.unjudged} bursts"
            notes.append(f"{bursts} had too many orders to follow: not judged")
        if len(self._failures()) >= FINDINGS_LIMIT:
            notes.append(f"the search ended at {FINDINGS_LIMIT} distinct violations")
        if self._search is not None and self._search.given_up:
            notes.append("the search ended early: the subject spins again and again")
        if self._put_back:
            notes.append(f"changed in the process, and put back: {', '.join(self._put_back)}")
        return tuple(notes)
