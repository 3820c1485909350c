"""The record of a whole run: everything that any report needs, and nothing that renders it."""

from __future__ import annotations

import importlib.metadata
import platform
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Final

import attrs

from quiesce.verdicts import CellResult, Finding, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "SPEC",
    "Cell",
    "NotInstalled",
    "Run",
    "Sighting",
    "broken",
    "cell_id",
    "kit_version",
    "python_version",
    "subject",
]

#: Version of the specification, apart from the kit's own.
SPEC: Final = "2026.1"


@cache
def kit_version() -> str:
    """The installed kit's version."""
    try:
        return importlib.metadata.version("quiesce")
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def python_version() -> str:
    """The interpreter, such as ``CPython 3.12.1``."""
    return f"{platform.python_implementation()} {platform.python_version()}"


@attrs.frozen(order=True)
class Cell:
    """A pattern, an adapter and a world."""

    pattern: str
    adapter: str
    world: str

    @classmethod
    def parse(cls, text: str) -> Cell:
        """Read ``pattern/adapter/world``. Raises ValueError if it is none."""
        pattern, _, rest = text.partition("/")
        adapter, _, world = rest.rpartition("/")
        if not (pattern and adapter and world):
            message = f"{text!r} is no cell; a cell is PATTERN/ADAPTER/WORLD"
            raise ValueError(message)
        return cls(pattern, adapter, world)

    @classmethod
    def of(cls, result: CellResult) -> Cell:
        """The cell that a result is about."""
        return cls(result.pattern, result.adapter, result.world)

    def __str__(self) -> str:
        return f"{self.pattern}/{self.adapter}/{self.world}"


def cell_id(result: CellResult) -> str:
    """``pattern/adapter/world`` of a result."""
    return str(Cell.of(result))


def broken(
    cell: Cell,
    error: str,
    *,
    budget: str,
    seed: int,
    points: str,
    distribution: str | None = None,
    version: str | None = None,
) -> CellResult:
    """The result of a cell that gave none of its own: an error and nothing else."""
    return CellResult(
        pattern=cell.pattern,
        adapter=cell.adapter,
        world=cell.world,
        distribution=distribution,
        version=version,
        python=python_version(),
        budget=budget,
        seed=seed,
        points=points if cell.world == "threads" else None,
        order="fixed",
        examples=0,
        schedules=0,
        certificate="",
        clauses=(),
        findings=(),
        notes=(),
        error=error,
    )


@attrs.frozen(order=True)
class NotInstalled:
    """An adapter that did not run, because its library is not there."""

    adapter: str
    remedy: str  # what to type, such as ``pip install limits``


@attrs.frozen
class Sighting:
    """One finding and the cell that it was seen in."""

    result: CellResult
    finding: Finding

    @property
    def subject(self) -> str:
        """The library as reports name it, with its version if it has one."""
        return subject(self.result)


def subject(result: CellResult) -> str:
    """An adapter as reports name it, with the version under test if it has one."""
    return f"{result.adapter} {result.version}" if result.version else result.adapter


@attrs.frozen
class Run:
    """One run of the kit over some cells, finished or interrupted.

    ``cells`` are sorted by pattern, adapter and world, whatever order they ended in.
    """

    kit: str
    spec: str
    python: str
    budget: str
    seed: int
    points: str
    cells: tuple[CellResult, ...] = ()
    not_installed: tuple[NotInstalled, ...] = ()
    targets: tuple[str, ...] = ()  # what --adapter named
    unfinished: tuple[str, ...] = ()  # ids of cells that an interruption left unchecked
    seconds: float = attrs.field(default=0.0, eq=False)

    @classmethod
    def new(
        cls,
        cells: Iterable[CellResult],
        *,
        budget: str,
        seed: int,
        points: str,
        not_installed: Iterable[NotInstalled] = (),
        targets: Iterable[str] = (),
        unfinished: Iterable[str] = (),
        seconds: float = 0.0,
    ) -> Run:
        """A run of this kit on this interpreter."""
        return cls(
            kit=kit_version(),
            spec=SPEC,
            python=python_version(),
            budget=budget,
            seed=seed,
            points=points,
            cells=tuple(sorted(cells, key=Cell.of)),
            not_installed=tuple(sorted(set(not_installed))),
            targets=tuple(targets),
            unfinished=tuple(sorted(unfinished)),
            seconds=seconds,
        )

    @property
    def sightings(self) -> Mapping[tuple[bool, str], tuple[Sighting, ...]]:
        """Findings by (is advisory, signature), each with its shortest sighting first.

        Violations come before advisories, clauses in order of their ids.
        """
        grouped: dict[tuple[bool, str], list[Sighting]] = {}
        for result in self.cells:
            for finding in result.findings:
                key = (finding.advisory is not None, finding.signature)
                grouped.setdefault(key, []).append(Sighting(result, finding))
        return {
            key: tuple(sorted(grouped[key], key=_length))
            for key in sorted(
                grouped, key=lambda key: (key[0], grouped[key][0].finding.clause, key[1])
            )
        }

    @property
    def cell_totals(self) -> Counter[Verdict]:
        """How many cells got each verdict."""
        return Counter(result.verdict for result in self.cells)

    @property
    def clause_totals(self) -> Counter[Verdict]:
        """How many clauses, over all cells, got each verdict."""
        return Counter(clause.verdict for result in self.cells for clause in result.clauses)


def _length(sighting: Sighting) -> tuple[int, int, Cell]:
    finding = sighting.finding
    return (len(finding.steps), finding.schedule.deviations, Cell.of(sighting.result))
