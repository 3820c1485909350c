"""The matrix: implementations down, patterns across, one letter for each world."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from quiesce.catalogue import world_order
from quiesce.reports.layout import STYLES, Line, Span
from quiesce.reports.run import Run, subject
from quiesce.verdicts import CellResult, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["legend", "matrix"]

#: Stands where an implementation has no adapter for a pattern in a world.
NO_CELL: Final = "."

_WORDS: Final = {
    Verdict.CONFORMS: "conforms",
    Verdict.VIOLATES: "violates",
    Verdict.ADVISORY: "advisory only",
    Verdict.UNSUPPORTED: "nothing claimed",
    Verdict.UNEXERCISED: "something unexercised",
    Verdict.INCONCLUSIVE: "something inconclusive",
    Verdict.HARNESS_ERROR: "error in adapter or kit",
}


@attrs.frozen
class _Column:
    pattern: str
    worlds: tuple[str, ...]

    @property
    def width(self) -> int:
        return max(len(self.pattern), sum(len(world) + 1 for world in self.worlds) - 1)


def matrix(run: Run, width: int) -> list[Line]:
    """The matrix of a run, in as many blocks side by side as ``width`` asks for."""
    if not run.cells:
        return []
    names = sorted({subject(result) for result in run.cells})
    margin = max(len("implementation"), *(len(name) for name in names))
    lines: list[Line] = []
    for block in _blocks(_columns(run), width - margin - 2):
        if lines:
            lines.append(())
        lines.extend(_block(run, names, block, margin))
    return lines


def legend(run: Run) -> str:
    """What the letters in a run's matrix mean."""
    seen = run.cell_totals
    words = [f"{verdict.letter} {word}" for verdict, word in _WORDS.items() if seen[verdict]]
    return ", ".join([*words, f"{NO_CELL} no adapter"])


def _columns(run: Run) -> list[_Column]:
    worlds: dict[str, set[str]] = {}
    for result in run.cells:
        worlds.setdefault(result.pattern, set()).add(result.world)
    return [
        _Column(pattern, tuple(sorted(found, key=world_order))) for pattern, found in worlds.items()
    ]


def _blocks(columns: Sequence[_Column], width: int) -> Iterable[list[_Column]]:
    block: list[_Column] = []
    used = 0
    for column in columns:
        if block and used + column.width + 2 > width:
            yield block
            block, used = [], 0
        block.append(column)
        used += column.width + 2
    yield block


def _block(run: Run, names: Sequence[str], block: Sequence[_Column], margin: int) -> list[Line]:
    results = {(subject(result), result.pattern, result.world): result for result in run.cells}
    patterns = [column.pattern.ljust(column.width) for column in block]
    worlds = [" ".join(column.worlds).ljust(column.width) for column in block]
    lines: list[Line] = [
        (Span("  ".join([" " * margin, *patterns]), "bold"),),
        (Span("  ".join(["implementation".ljust(margin), *worlds]), "dim"),),
    ]
    for name in names:
        cells = [
            [results.get((name, column.pattern, world)) for world in column.worlds]
            for column in block
        ]
        if any(result is not None for column in cells for result in column):
            lines.append(_row(name.ljust(margin), block, cells))
    return lines


def _row(name: str, block: Sequence[_Column], cells: Sequence[Sequence[CellResult | None]]) -> Line:
    row = [Span(name)]
    for column, results in zip(block, cells, strict=True):
        row.append(Span("  "))
        used = -1
        for world, result in zip(column.worlds, results, strict=True):
            letter = NO_CELL if result is None else result.verdict.letter
            style = "dim" if result is None else STYLES[result.verdict]
            row.append(Span(f"{letter:^{len(world)}}", style))
            row.append(Span(" "))
            used += len(world) + 1
        row[-1] = Span(" " * (column.width - used))
    return tuple(row)
