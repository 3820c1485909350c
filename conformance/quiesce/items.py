"""Cells as pytest items: collected, checked, and failing with a story for a message."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any, Final, final

import attrs
import pytest

from quiesce.catalogue import WORLDS, patterns
from quiesce.configuration import configuration_errors
from quiesce.errors import ConfigurationError
from quiesce.exit_codes import failing
from quiesce.reports.run import SPEC, Cell, Run, broken, kit_version
from quiesce.selection import Filter, cell_of, parse_patterns, select
from quiesce.verdicts import CellResult, Verdict

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from quiesce.adapters import Adapter
    from quiesce.tests_api import CellTests

__all__ = [
    "COLLECTED",
    "DIED",
    "CellItem",
    "Cells",
    "Settings",
    "cell_of_item",
    "chosen",
    "chosen_items",
    "declared_items",
    "require_sound",
    "settings",
]

BUDGETS: Final = ("quick", "ci", "deep")
POINTS: Final = ("operations", "gil", "free-threaded")


@attrs.frozen
class Settings:
    """What the plugin's options and ini keys say."""

    targets: tuple[str, ...]
    wanted: Filter
    budget: str
    seed: int
    points: str

    @classmethod
    def of(cls, config: pytest.Config) -> Settings:
        """Read them.

        Raises:
          ConfigurationError: a name in them does not exist.
        """
        option = config.option
        try:
            cells = frozenset(map(Cell.parse, option.quiesce_cell))
        except ValueError as error:
            raise ConfigurationError(f"--quiesce-cell: {error}.") from None
        budget = option.quiesce_budget or config.getini("quiesce_budget") or "ci"
        if budget not in BUDGETS:
            message = f"There is no budget {budget!r}; there are {', '.join(BUDGETS)}."
            raise ConfigurationError(message)
        return cls(
            targets=(*option.quiesce_adapter, *config.getini("quiesce_adapters")),
            wanted=Filter(
                patterns=parse_patterns(option.quiesce_pattern, option.quiesce_clause),
                worlds=frozenset(option.quiesce_world),
                cells=cells,
            ),
            budget=budget,
            seed=option.quiesce_seed,
            points=option.quiesce_points,
        )

    def broken(self, cell: Cell, error: str) -> CellResult:
        """The result of a cell that gave none of its own."""
        return broken(cell, error, budget=self.budget, seed=self.seed, points=self.points)

    def run(self, results: Iterable[CellResult]) -> Run:
        """A run with these settings."""
        return Run.new(results, budget=self.budget, seed=self.seed, points=self.points)

    def __str__(self) -> str:
        return (
            f"quiesce {kit_version()}, specification {SPEC}: budget {self.budget}, "
            f"seed {self.seed}, points {self.points}"
        )


SETTINGS: Final = pytest.StashKey[Settings]()
#: Set once the cells of ``--quiesce-adapter`` have been collected.
COLLECTED: Final = pytest.StashKey[bool]()


def settings(config: pytest.Config) -> Settings:
    """The settings of a pytest run, read once."""
    if SETTINGS not in config.stash:
        config.stash[SETTINGS] = Settings.of(config)
    return config.stash[SETTINGS]


#: Said of a cell on which its process died.
DIED: Final = (
    "The process that checked this cell died: os._exit, a signal, or a crash in C. The "
    "other cells went on in another process. Run it alone and in this process to see how."
)


class CellFailed(Exception):
    """Ends an item whose cell failed. Holds the result, which tells the story."""

    def __init__(self, result: CellResult) -> None:
        super().__init__(result)
        self.result = result


@final
class Cells(pytest.Collector):
    """Holds the cells of ``--quiesce-adapter`` in a run of somebody's own tests."""

    def collect(self) -> list[CellItem]:
        """One item a cell."""
        return chosen_items(self, "test_cell")


def chosen(config: pytest.Config) -> tuple[Adapter, ...]:
    """The adapters of ``--quiesce-adapter`` that the filters admit.

    Raises:
      ConfigurationError: one of the targets is no adapter.
    """
    chosen = settings(config)
    return select(chosen.wanted, targets=chosen.targets).adapters if chosen.targets else ()


def chosen_items(parent: pytest.Collector, name: str) -> list[CellItem]:
    """The cells of ``--quiesce-adapter``, whose adapters were checked before."""
    parent.config.stash[COLLECTED] = True
    return _items(parent, name, chosen(parent.config))


def declared_items(parent: pytest.Collector, name: str, tests: CellTests) -> list[CellItem]:
    """The cells that a test file asks for.

    Raises:
      CollectError: an adapter is wrong, so that nothing is run.
    """
    try:
        settings(parent.config)
        adapters = tests.adapters()
        require_sound(adapters)
    except ConfigurationError as error:
        raise parent.CollectError(f"{name} = quiesce.tests(...): {error}") from None
    return _items(parent, name, adapters)


def require_sound(adapters: Iterable[Adapter]) -> None:
    """Check declarations before any test.

    Raises:
      ConfigurationError: at least one adapter is wrong; the message has all the reasons.
    """
    # A dict, because a class with several worlds says the same of each.
    wrong = dict.fromkeys(text for each in adapters for text in configuration_errors(each))
    if wrong:
        lines = [f"  {text}" for text in wrong]
        raise ConfigurationError("\n".join(["wrong adapters, nothing was run:", *lines]))


def cell_of_item(nodeid: str) -> Cell | None:
    """The cell that an item's id names, None if it is somebody else's item."""
    _, _, name = nodeid.rpartition("::")
    try:
        cell = Cell.parse(name.partition("[")[2].removesuffix("]"))
    except ValueError:
        return None
    return cell if cell.world in WORLDS and cell.pattern in patterns() else None


def _items(parent: pytest.Collector, name: str, adapters: Iterable[Adapter]) -> list[CellItem]:
    return [
        CellItem.from_parent(parent, name=f"{name}[{adapter.cell}]", adapter=adapter)
        for adapter in adapters
    ]


@final
class CellItem(pytest.Item):
    """One cell under test."""

    def __init__(self, *, adapter: Adapter, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.adapter = adapter
        self.result: CellResult | None = None
        self.add_marker(
            pytest.mark.quiesce_cell(
                pattern=adapter.pattern, world=adapter.world, adapter=adapter.name
            )
        )

    @property
    def cell(self) -> str:
        """Id of the cell: ``pattern/adapter/world``."""
        return self.adapter.cell

    def runtest(self) -> None:
        """Check the cell."""
        self.result = self._check()
        if failing(self.result):
            raise CellFailed(self.result)
        if self.result.verdict is Verdict.UNSUPPORTED:
            pytest.skip("the adapter claims nothing of what was to be checked")

    def _check(self) -> CellResult:
        chosen = settings(self.config)
        try:
            # Here, because it brings the whole search with it, and that may be what is broken.
            from quiesce.check import check_cell

            return check_cell(
                self.adapter,
                budget=chosen.budget,
                seed=chosen.seed,
                clauses=chosen.wanted.clauses(self.adapter),
                points=chosen.points,
            )
        except pytest.exit.Exception:
            raise
        except KeyboardInterrupt:
            # In an xdist worker it is no Ctrl-C of the user's, which the controller gets
            # and acts on, but something that the code under test left behind.
            if not hasattr(self.config, "workerinput"):
                raise
            error = traceback.format_exc()
        except BaseException:
            error = traceback.format_exc()
        text = f"The check ended with an error that it should have judged itself:\n{error}"
        return chosen.broken(cell_of(self.adapter), text)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The story for a failed cell; what pytest does for any other error."""
        if isinstance(excinfo.value, CellFailed):
            from quiesce.reports.story import failure_message

            return failure_message(excinfo.value.result)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[os.PathLike[str], int | None, str]:
        """Where the item stands, for pytest."""
        return self.path, None, self.name
