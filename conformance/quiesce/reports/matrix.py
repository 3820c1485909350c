"""The matrix: implementations by pattern, one letter for each world."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from quiesce.catalogue import world_order
from quiesce.reports.layout import STYLES, Line, Span
from quiesce.reports.run import Run, subject
from quiesce.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from quiesce.verdicts import CellResult

__all__ = ["legend", "matrix"]

#: Stands where an implementation has no adapter in a world.
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


def matrix(run: Run) -> list[Line]:
    """The matrix of a run: each pattern, and below it the implementations that were checked."""
    if not run.cells:
        return []
    worlds = sorted({result.world for result in run.cells}, key=world_order)
    # Wide enough for the names of patterns, and of implementations further in.
    column = max(max(len(each.pattern), len(subject(each)) + 2) for each in run.cells) + 2
    lines: list[Line] = []
    ordered = sorted(run.cells, key=lambda result: (result.pattern, subject(result)))
    for pattern, results in groupby(ordered, key=lambda result: result.pattern):
        if lines:
            lines.append(())
        head = Span(" ".join(worlds), "dim")
        lines.append((Span(f"{pattern:<{column}}", "bold"), head))
        lines += [
            _row(f"  {name}".ljust(column), worlds, {result.world: result for result in own})
            for name, own in groupby(results, key=subject)
        ]
    return lines


def _row(name: str, worlds: Sequence[str], results: Mapping[str, CellResult]) -> Line:
    row = [Span(name)]
    for world in worlds:
        result = results.get(world)
        letter = NO_CELL if result is None else result.verdict.letter
        style = "dim" if result is None else STYLES[result.verdict]
        row += [Span(f"{letter:^{len(world)}}", style), Span(" ")]
    return tuple(row[:-1])


def legend(run: Run) -> str:
    """What the letters in a run's matrix mean."""
    seen = run.cell_totals
    words = [f"{verdict.letter} {word}" for verdict, word in _WORDS.items() if seen[verdict]]
    return ", ".join([*words, f"{NO_CELL} no adapter"])
