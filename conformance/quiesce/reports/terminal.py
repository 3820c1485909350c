"""The report at the end of a run, and the line of each finished cell."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from quiesce.reports.layout import STYLES, Line, Span, command, heading, prose, table
from quiesce.reports.matrix import legend, matrix
from quiesce.reports.run import Run, cell_id, subject
from quiesce.reports.story import rerun, story
from quiesce.verdicts import CellResult, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["bound", "cell_lines", "progress", "report", "summary"]

#: Longest error shown whole.
ERROR_LINES: Final = 16

_PLURALS: Final = {
    Verdict.CONFORMS: ("conforms", "conform"),
    Verdict.VIOLATES: ("violates", "violate"),
}


def report(run: Run, width: int) -> list[Line]:
    """Everything that a person is told of a run, what matters most at the end."""
    return [
        *_header(run, width),
        *_bounds(run, width),
        *_notes(run, width),
        *_absent(run),
        *_clauses(run, width, Verdict.UNEXERCISED),
        *_clauses(run, width, Verdict.INCONCLUSIVE),
        *_stories(run, width, advisory=True),
        *_stories(run, width, advisory=False),
        *_errors(run, width),
        *_matrix(run, width),
        *_totals(run, width),
    ]


def summary(run: Run, width: int) -> list[Line]:
    """What follows pytest's own report, where each violation has been told already."""
    return [
        *cell_lines(run, width),
        *_clauses(run, width, Verdict.INCONCLUSIVE),
        *_clauses(run, width, Verdict.UNEXERCISED),
        *_notes(run, width),
    ]


def progress(result: CellResult, number: int, total: int) -> Line:
    """The line of a cell that has just ended, as the ``number``-th of ``total``."""
    digits = len(str(total))
    style = STYLES[result.verdict]
    return (
        Span(f"[{number:>{digits}}/{total}] ", "dim"),
        Span(f"{result.verdict.value:<13}", style),
        Span(f"  {result.pattern}  {subject(result)}  {result.world}"),
        Span(f"  {_counts(clause.verdict for clause in result.clauses)}".rstrip(), "dim"),
        Span(f"  {result.seconds:.1f} s", "dim"),
    )


def bound(result: CellResult) -> str:
    """How far the kit looked: without it, "holds" says nothing."""
    if result.error is not None:
        return "not checked to the end: see the error"
    if result.certificate:
        return result.certificate
    said = f"{_count(result.examples, 'example')}, {_count(result.schedules, 'schedule')}"
    return said if result.points is None else f"{said} at {result.points}"


def cell_lines(run: Run, width: int) -> list[Line]:
    """Each cell's verdict and the bound within which that was found.

    One line a cell, or two where that would be wider than ``width``.
    """
    rows = table(
        [
            (
                cell_id(result),
                result.verdict.value,
                _counts(clause.verdict for clause in result.clauses),
            )
            for result in run.cells
        ]
    )
    bounds = [bound(result) for result in run.cells]
    room = max(map(len, rows), default=0) + 2
    beside = all(room + len(text) <= width for text in bounds)
    lines: list[Line] = []
    for row, text, result in zip(rows, bounds, run.cells, strict=True):
        style = "" if result.verdict is Verdict.CONFORMS else STYLES[result.verdict]
        if beside:
            lines.append((Span(row.ljust(room), style), Span(text)))
        else:
            lines += [(Span(row, style),), *prose(text, width, indent=6)]
    return lines


def _header(run: Run, width: int) -> list[Line]:
    said = (
        f"quiesce {run.kit}, specification {run.spec}, {run.python}, budget {run.budget}, "
        f"seed {run.seed}, points {run.points}"
    )
    return [(), *prose(said, width, style="bold")]


def _matrix(run: Run, width: int) -> list[Line]:
    if not run.cells:
        return []
    return [(), *matrix(run), (), *prose(legend(run), width, style="dim")]


def _stories(run: Run, width: int, *, advisory: bool) -> list[Line]:
    groups = [found for (is_advisory, _), found in run.sightings.items() if is_advisory is advisory]
    if not groups:
        return []
    if advisory:
        title = f"{_count(len(groups), 'advisory finding')}: no violation of a MUST on this build"
    else:
        title = _count(len(groups), "distinct violation")
    lines = heading(title)
    for sightings in groups:
        lines += [(), *story(sightings, width, run.targets)]
    return lines


def _errors(run: Run, width: int) -> list[Line]:
    """Errors, each once with all the cells that ended with it."""
    failed: dict[str, list[CellResult]] = {}
    for result in run.cells:
        if result.error is not None:
            failed.setdefault(result.error, []).append(result)
    if not failed:
        return []
    lines = heading(f"{_count(len(failed), 'error')} of adapters or of the kit: no verdict there")
    for error, results in failed.items():
        lines.append(())
        for result in results:
            lines.append((Span(f"  {cell_id(result)}", STYLES[Verdict.HARNESS_ERROR]),))
        lines += prose(_shortened(error), width, indent=4)
        lines += command("next", f"{rerun(results[0], run.targets)} -n 0", indent=4, column=6)
    return lines


def _shortened(error: str) -> str:
    """The first and the last lines of a long error, where a traceback says most."""
    lines = error.splitlines()
    left_out = len(lines) - ERROR_LINES
    if left_out < 2:
        return error
    half = ERROR_LINES // 2
    middle = f"... {left_out} more lines; --json has them all"
    return "\n".join([*lines[:half], middle, *lines[-half:]])


def _clauses(run: Run, width: int, verdict: Verdict) -> list[Line]:
    """Clauses of one verdict: those that the same cells share, and the same note, together."""
    cells: dict[tuple[str, str], list[str]] = {}
    for result in run.cells:
        for clause in result.clauses if result.error is None else ():
            if clause.verdict is verdict:
                cells.setdefault((clause.clause, clause.note), []).append(cell_id(result))
    clauses: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for (name, note), found in sorted(cells.items()):
        clauses.setdefault((tuple(found), note), []).append(name)
    if not clauses:
        return []
    title = {
        Verdict.INCONCLUSIVE: "Inconclusive: seen, but not reproducible, or the budget ended",
        Verdict.UNEXERCISED: "Unexercised: the clause's situation never arose",
    }[verdict]
    lines = heading(title)
    for (where, note), names in clauses.items():
        said = f"- {', '.join(names)} in {', '.join(where)}"
        lines += prose(f"{said}: {note}" if note else said, width, indent=2, hang=2)
    return lines


def _bounds(run: Run, width: int) -> list[Line]:
    if not run.cells:
        return []
    return [*heading("What was checked, and how far"), *cell_lines(run, width)]


def _notes(run: Run, width: int) -> list[Line]:
    cells: dict[str, list[str]] = {}
    for result in run.cells:
        for note in result.notes:
            cells.setdefault(note, []).append(cell_id(result))
    if not cells:
        return []
    lines = heading("Notes")
    for note, found in cells.items():
        lines += prose(f"- {note} ({', '.join(found)})", width, indent=2, hang=2)
    return lines


def _absent(run: Run) -> list[Line]:
    if not run.not_installed:
        return []
    rows = [(missing.adapter, missing.remedy) for missing in run.not_installed]
    return [*heading("Not installed, so not checked"), *((Span(row),) for row in table(rows))]


def _totals(run: Run, width: int) -> list[Line]:
    said = f"{_count(len(run.cells), 'cell')}: {_counts_of_cells(run)}" if run.cells else "0 cells"
    if clauses := run.clause_totals:
        said += f". {_count(clauses.total(), 'clause')}: {_counts(clauses.elements())}"
    lines = [(), *prose(f"{said}. {run.seconds:.1f} s", width, style="bold")]
    if run.unfinished:
        text = f"Interrupted: {_count(len(run.unfinished), 'cell')} not checked."
        lines += prose(text, width, style="bold yellow")
    return lines


def _counts_of_cells(run: Run) -> str:
    return _counts(result.verdict for result in run.cells)


def _counts(verdicts: Iterable[Verdict]) -> str:
    found = Counter(verdicts)
    return ", ".join(
        f"{found[verdict]} {_PLURALS.get(verdict, (verdict.value,) * 2)[found[verdict] != 1]}"
        for verdict in Verdict
        if found[verdict]
    )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
