"""Twins: known-bad implementations, and the matrix of the clauses that kill them.

A twin is an ordinary adapter with one planted defect and that defect's name. A clause
names the twins that it must catch; a clause that no twin breaks proves nothing. Baselines,
which conform, have ``good`` in their names.
"""

from __future__ import annotations

import importlib.util
import sys
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING, Final

import attrs

from quiesce.adapters import adapters_of
from quiesce.check import check_cell
from quiesce.errors import ConfigurationError, HarnessError
from quiesce.patterns.registry import PATTERNS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from quiesce.adapters import Adapter

__all__ = ["Kill", "kill", "load_twins", "must_kill", "report"]

#: Twins are judged at this budget and seed, so that the matrix is a fact of the code. What a
#: planted defect needs to be found, the smallest budget must hold.
BUDGET: Final = "quick"
SEED: Final = 0


@attrs.frozen
class Kill:
    """What the kit says of one twin in one world."""

    pattern: str
    twin: str
    world: str
    clauses: tuple[str, ...]  # violated, sorted
    missed: tuple[str, ...]  # clauses that must catch it, and did not
    error: str | None = None

    @property
    def key(self) -> str:
        """Name of the row: ``twin/world``."""
        return f"{self.twin}/{self.world}"


def load_twins(folder: Path, patterns: Iterable[str] = ()) -> tuple[Adapter, ...]:
    """The twins declared in a folder's files, one file a pattern.

    Raises:
      ConfigurationError: there is no file for a pattern.
    """
    found: list[Adapter] = []
    for pattern in patterns or sorted(PATTERNS):
        path = folder / f"{pattern}.py"
        if not path.is_file():
            message = f"There are no twins of {pattern}: {path} does not exist."
            raise ConfigurationError(message)
        name = f"quiesce_twins_{pattern}"
        if getattr(sys.modules.get(name), "__file__", None) != str(path):
            spec = importlib.util.spec_from_file_location(name, path)
            assert spec is not None  # the file exists
            assert spec.loader is not None  # and is Python
            module = importlib.util.module_from_spec(spec)
            # The thread world imports the module again by this name and file.
            sys.modules[name] = module
            spec.loader.exec_module(module)
        found.extend(adapters_of(sys.modules[name]))
    return tuple(sorted(found, key=lambda twin: (twin.pattern, twin.name, twin.world)))


def must_kill(twin: Adapter) -> tuple[str, ...]:
    """The clauses that name a twin, as far as they apply to it in its world."""
    pattern = PATTERNS[twin.pattern]
    dialect = {flag: values[0] for flag, values in pattern.dialects.items()} | dict(twin.dialect)
    return tuple(
        clause.id
        for clause in pattern.clauses
        if twin.name in clause.twins
        and clause.inapplicable(twin.world, twin.lacks, dialect) is None
    )


def kill(twin: Adapter, *, only_named: bool = False) -> Kill:
    """Check one twin and say which clauses it was seen to break.

    Args:
      twin: what to check.
      only_named: end the search when every clause that names the twin has caught it, which
        is soon; which others catch it is then left open.
    """
    named = frozenset(must_kill(twin)) if only_named else frozenset()
    result = check_cell(twin, budget=BUDGET, seed=SEED, until=named)
    clauses = tuple(sorted({finding.clause for finding in result.findings}))
    missed = tuple(clause for clause in must_kill(twin) if clause not in clauses)
    return Kill(twin.pattern, twin.name, twin.world, clauses, missed, result.error)


def report(
    folder: Path,
    patterns: Iterable[str] = (),
    progress: Callable[[Kill], None] | None = None,
    workers: int = 1,
) -> tuple[Kill, ...]:
    """Check the twins in a folder, in the order of their names.

    Args:
      folder: holds one file a pattern, such as ``singleflight.py``.
      patterns: all by default.
      progress: told of each row as it is ready.
      workers: processes to spread them over; with 1 or less, they are checked in this one.

    Raises:
      ConfigurationError: there is no file for a pattern.
      HarnessError: a twin took its process down.
    """
    tasks = [
        (folder, pattern, number)
        for pattern in patterns or sorted(PATTERNS)
        for number in range(len(load_twins(folder, [pattern])))
    ]
    rows = []
    for row in _rows(tasks, min(workers, len(tasks))):
        if progress is not None:
            progress(row)
        rows.append(row)
    return tuple(rows)


#: Where a twin is found again in another process: the folder, its pattern, its number.
_Task = tuple["Path", str, int]


def _rows(tasks: Sequence[_Task], workers: int) -> Iterator[Kill]:
    if workers <= 1:
        yield from map(_row, tasks)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as executor:
        try:
            yield from executor.map(_row, tasks)
        except BrokenExecutor as error:
            message = "A twin took its process down; `-n 0` shows which."
            raise HarnessError(message) from error


def _row(task: _Task) -> Kill:
    folder, pattern, number = task
    return kill(load_twins(folder, [pattern])[number])
