"""One run of chosen cells: pytest underneath, shut off from everybody's settings."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, final

import attrs
import pytest

from quiesce import pytest_plugin
from quiesce.items import cell_of_item
from quiesce.reports.run import Cell, Run, broken
from quiesce.selection import Patterns, Selection, cell_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from quiesce.adapters import Adapter
    from quiesce.verdicts import CellResult

__all__ = ["Listener", "Plan", "run"]

_HERE: Final = Path(__file__).parent
SUITE: Final = _HERE / "suite.py"
SUITE_SETTINGS: Final = _HERE / "suite.ini"


@attrs.frozen
class Plan:
    """What to run, and how."""

    selection: Selection
    targets: tuple[str, ...]  # what named adapters that no installed package offers
    patterns: Patterns
    budget: str
    seed: int
    points: str
    workers: int  # 0: in this process


class Listener(Protocol):
    """Who is told what goes on, while it goes on."""

    def started(self, cell: Cell) -> None:
        """A cell's check has begun, here or in a worker."""

    def finished(self, result: CellResult, number: int, total: int) -> None:
        """A cell has ended, as the ``number``-th of ``total``."""


def run(plan: Plan, listener: Listener) -> Run:
    """Check every cell of a plan; none is lost, whatever its adapter does.

    A Ctrl-C ends it early; the cells left are then ``unfinished``.
    """
    watch = Watch(plan, listener)
    began = time.perf_counter()
    with _own_environment():
        code = pytest.main(arguments(plan), plugins=[watch])
    interrupted = code == pytest.ExitCode.INTERRUPTED
    if not interrupted:
        watch.account_for_the_rest(code)
    return Run.new(
        watch.results.values(),
        budget=plan.budget,
        seed=plan.seed,
        points=plan.points,
        not_installed=plan.selection.not_installed,
        targets=plan.targets,
        unfinished=map(str, watch.left),
        seconds=time.perf_counter() - began,
    )


def arguments(plan: Plan) -> list[str]:
    """What pytest is called with."""
    adapters = plan.selection.adapters
    targets = sorted({f"{each.module}:{each.qualname}" for each in adapters})
    given = [str(SUITE), "-c", str(SUITE_SETTINGS), "--rootdir", str(_HERE)]
    # Nothing of the folder or the environment takes part: no conftest, no cache, no other
    # plugin, and none of pytest's own output.
    given += ["--noconftest", "--disable-plugin-autoload", "--assert=plain"]
    for plugin in ("no:cacheprovider", "no:terminal", "xdist.plugin", pytest_plugin.__name__):
        given += ["-p", plugin]
    if plan.workers:
        # One cell at a time to each worker, and a new worker for each that dies.
        given += ["-n", str(plan.workers), "--dist", "load", "--maxschedchunk", "1"]
        given += ["--max-worker-restart", str(len(adapters))]
    else:
        given += ["-n", "0"]
    given += [f"--quiesce-adapter={target}" for target in targets]
    given += [f"--quiesce-cell={cell_of(each)}" for each in adapters]
    for pattern, clauses in plan.patterns.items():
        words = [pattern] if clauses is None else [f"{pattern}/{each}" for each in sorted(clauses)]
        given += [f"--quiesce-pattern={word}" for word in words]
    given += [f"--quiesce-budget={plan.budget}", f"--quiesce-seed={plan.seed}"]
    return [*given, f"--quiesce-points={plan.points}"]


@final
class Watch:
    """Pytest plugin in the controller: keeps the results and passes them on."""

    def __init__(self, plan: Plan, listener: Listener) -> None:
        self.results: dict[Cell, CellResult] = {}
        self._plan = plan
        self._adapters: Mapping[Cell, Adapter] = {
            cell_of(adapter): adapter for adapter in plan.selection.adapters
        }
        self._listener = listener
        self._config: pytest.Config | None = None
        self._complaints: list[str] = []

    @property
    def left(self) -> list[Cell]:
        """Cells that have no result."""
        return [cell for cell in self._adapters if cell not in self.results]

    def account_for_the_rest(self, code: int) -> None:
        """Give each cell without a result the reason why."""
        said = "\n".join(self._complaints) or f"pytest ended with exit code {int(code)}"
        for cell in self.left:
            self._keep(self._broken(cell, f"This cell was never checked: {said}"))

    def pytest_configure(self, config: pytest.Config) -> None:
        """Say that the adapters were checked before pytest began."""
        config.stash[pytest_plugin.CHECKED] = True
        self._config = config

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A cell begins, in whatever process."""
        cell = cell_of_item(nodeid)
        if cell is not None:
            self._listener.started(cell)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A phase of an item has ended, or the worker with it."""
        assert self._config is not None
        cell = cell_of_item(report.nodeid)
        result = pytest_plugin.result_of(report, self._config)
        if result is None and report.failed and cell is not None:
            result = self._broken(
                cell, f"The {report.when} of this cell failed:\n{report.longrepr}"
            )
        if result is not None:
            self._keep(result)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep the reason if the suite can't be collected."""
        if report.failed:
            self._complaints.append(str(report.longrepr))

    def pytest_internalerror(self, excrepr: object) -> bool:
        """Keep the reason if pytest itself breaks down."""
        self._complaints.append(f"internal error of pytest or of the kit\n{excrepr}")
        return True

    def _broken(self, cell: Cell, error: str) -> CellResult:
        plan, adapter = self._plan, self._adapters[cell]
        return broken(
            cell,
            error,
            budget=plan.budget,
            seed=plan.seed,
            points=plan.points,
            distribution=adapter.distribution,
            version=adapter.version,
        )

    def _keep(self, result: CellResult) -> None:
        cell = Cell.of(result)
        if result.error is not None and result.version is None:
            version = self._adapters[cell].version
            result = attrs.evolve(
                result, distribution=self._adapters[cell].distribution, version=version
            )
        self.results[cell] = result
        self._listener.finished(result, len(self.results), len(self._adapters))


@contextmanager
def _own_environment() -> Iterator[None]:
    """Hide what would add options or plugins of somebody else's to our pytest."""
    names = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")
    hidden = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(hidden)
