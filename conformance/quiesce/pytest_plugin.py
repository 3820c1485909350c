"""The pytest plugin: options, the cells of test files, and results that survive xdist.

It is loaded in every pytest run of everybody who has quiesce installed, so it imports
nothing but pytest until a cell turns up, and prints nothing without one.

A cell's result travels to the controller as one text on its test report. It is no user
property, because those end up in JUnit files, where a property for each test is refused
by the xunit2 schema and some readers.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

    from quiesce.items import CellItem
    from quiesce.verdicts import CellResult

#: Attribute of a test report that carries a cell's result.
CARRIED: Final = "quiesce_result"
#: Set by whoever has checked the adapters of ``--quiesce-adapter`` before pytest began.
CHECKED: Final = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare options and ini keys."""
    group = parser.getgroup("quiesce", "quiesce: conformance of concurrency libraries")
    for flag, metavar, text in (
        ("--quiesce-adapter", "MODULE:ATTR", "test this adapter besides the collected tests"),
        ("--quiesce-world", "WORLD", "only cells of this world"),
        ("--quiesce-pattern", "PATTERN[/CLAUSE]", "only cells of this pattern, or one clause"),
        ("--quiesce-clause", "CLAUSE", "only this clause, such as SF-09"),
        ("--quiesce-cell", "PATTERN/ADAPTER/WORLD", "only this cell"),
    ):
        group.addoption(
            flag, action="append", default=[], metavar=metavar, help=f"{text}; repeatable"
        )
    group.addoption(
        "--quiesce-budget",
        metavar="quick|ci|deep",
        help="how long to look (default: ini key quiesce_budget, else ci)",
    )
    group.addoption(
        "--quiesce-seed", type=int, default=0, metavar="N", help="seed of every choice (default: 0)"
    )
    group.addoption(
        "--quiesce-points",
        choices=("operations", "gil", "free-threaded"),
        default="gil",
        help="where a thread may be switched (default: gil)",
    )
    group.addoption("--quiesce-json", metavar="FILE", help="write the cells' results to this file")
    parser.addini("quiesce_adapters", "adapters to test: MODULE:ATTR, one a line", type="linelist")
    parser.addini("quiesce_budget", "how long to look: quick, ci or deep", default="")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, for strict markers."""
    config.addinivalue_line(
        "markers",
        "quiesce_cell(pattern, world, adapter): a conformance test of one adapter, set by quiesce.",
    )
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Gathered(config), "quiesce-gathered")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Refuse wrong options and wrong adapters before any test and any worker."""
    config = session.config
    if not _active(config) or hasattr(config, "workerinput"):
        return
    from quiesce.errors import ConfigurationError
    from quiesce.items import chosen, require_sound
    from quiesce.reports.json import check_writable

    try:
        adapters = chosen(config)
        if CHECKED not in config.stash:
            require_sound(adapters)
        if config.option.quiesce_json is not None:
            check_writable(Path(config.option.quiesce_json))
    except ConfigurationError as error:
        raise pytest.UsageError(f"quiesce: {error}") from None


def pytest_report_header(config: pytest.Config) -> str | None:
    """One line, if any option or ini key of ours is set."""
    if not _active(config):
        return None
    from quiesce.items import settings

    return str(settings(config))


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(
    collector: pytest.Module | pytest.Class, name: str, obj: object
) -> list[CellItem] | None:
    """Make items of ``test_x = quiesce.tests(...)``."""
    if "quiesce.tests_api" not in sys.modules or not collector.funcnamefilter(name):
        return None
    from quiesce.tests_api import CellTests, ChosenCells, tests

    if obj is tests:
        return []  # its own name looks like a test's to pytest
    if isinstance(obj, CellTests):
        from quiesce.items import declared_items

        return declared_items(collector, name, obj)
    if isinstance(obj, ChosenCells):
        from quiesce.items import chosen_items

        return chosen_items(collector, name)
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add the cells of ``--quiesce-adapter``, and leave out what the filters exclude."""
    if not _active(config):
        return
    from quiesce.items import COLLECTED, CellItem, Cells, settings

    if COLLECTED not in config.stash:
        cells = Cells.from_parent(session, name="quiesce", nodeid="quiesce")
        items.extend(cells.collect())
    wanted = settings(config).wanted
    kept: list[pytest.Item] = []
    excluded: list[pytest.Item] = []
    for item in items:
        admitted = not isinstance(item, CellItem) or wanted.admits(item.adapter)
        (kept if admitted else excluded).append(item)
    if excluded:
        config.hook.pytest_deselected(items=excluded)
        items[:] = kept


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach a cell's result to the report of its call."""
    report = yield
    result = getattr(item, "result", None)
    if report.when == "call" and result is not None and _is_cell(item):
        from quiesce.reports.json import cell_to_json

        setattr(report, CARRIED, cell_to_json(result))
    return report


@final
class Gathered:
    """The results of a session's cells; lives in the controller, never in a worker."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.results: list[CellResult] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep a cell's result, wherever it was found."""
        result = result_of(report, self.config)
        if result is not None:
            self.results.append(result)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Write the results file, if one is wanted."""
        if self.config.option.quiesce_json is not None:
            from quiesce.items import settings
            from quiesce.reports.json import write_run

            write_run(
                Path(self.config.option.quiesce_json), settings(self.config).run(self.results)
            )

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """One line a cell, with the bound beside each verdict."""
        if not self.results:
            return
        from quiesce.items import settings
        from quiesce.reports.layout import plain
        from quiesce.reports.terminal import summary

        run = settings(self.config).run(self.results)
        terminalreporter.section("quiesce")
        terminalreporter.write_line(plain(summary(run, terminalreporter._tw.fullwidth)))


def result_of(report: pytest.TestReport, config: pytest.Config) -> CellResult | None:
    """The result that a test report carries, or that the death of its worker amounts to."""
    carried = getattr(report, CARRIED, None)
    if carried is not None:
        from quiesce.reports.json import cell_from_json

        return cell_from_json(carried)
    if report.when in {"setup", "call", "teardown"} or not report.failed:
        return None
    # xdist reports the item on which a worker died, outside of any phase.
    from quiesce.items import DIED, cell_of_item, settings

    cell = cell_of_item(report.nodeid)
    return None if cell is None else settings(config).broken(cell, DIED)


def _is_cell(item: pytest.Item) -> bool:
    from quiesce.items import CellItem

    return isinstance(item, CellItem)


def _active(config: pytest.Config) -> bool:
    option: Any = config.option
    return bool(
        option.quiesce_adapter
        or option.quiesce_world
        or option.quiesce_pattern
        or option.quiesce_clause
        or option.quiesce_cell
        or option.quiesce_budget
        or option.quiesce_json
        or config.getini("quiesce_adapters")
        or config.getini("quiesce_budget")
    )
