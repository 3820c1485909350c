"""The story of one violation: what was required, what happened, how, and what to type next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from quiesce.catalogue import find_pattern
from quiesce.clauses import Clause
from quiesce.reports.layout import Line, Span, field, numbered, plain, prose
from quiesce.reports.run import Sighting, cell_id, subject
from quiesce.schedulers.scheduler import Schedule
from quiesce.verdicts import CellResult

__all__ = ["failure_message", "rerun", "story"]

#: Longest history shown whole; of a longer one, the first and last events.
HISTORY: Final = 40

_WIDTH_OF_MESSAGES: Final = 96


def story(sightings: Sequence[Sighting], width: int) -> list[Line]:
    """One distinct violation: its shortest sighting in full, the others by name.

    Args:
      sightings: findings of one signature, the shortest first.
      width: columns to fill.
    """
    first, *others = sightings
    finding, result = first.finding, first.result
    clause = _clause(first)
    level = clause.level.value if clause is not None else ""
    style = "bold yellow" if finding.advisory is not None else "bold red"
    signature = finding.signature.removeprefix(finding.clause).strip(" :")
    lines: list[Line] = [
        (
            Span(finding.clause, style),
            Span(f" {level}".rstrip()),
            Span(f"  {signature}".rstrip(), "bold"),
            Span(f"  [{finding.id}]", "dim"),
        )
    ]
    lines += field("in", f"{result.pattern} / {first.subject} / {result.world}", width)
    if clause is not None:
        lines += field("clause", clause.text, width)
    lines += field("expected", finding.expected, width)
    lines += field("observed", finding.observed, width)
    if finding.advisory is not None:
        lines += field("advisory", finding.advisory, width)
    lines += [(Span("  steps", "dim"),), *numbered(finding.steps, width)]
    lines += [(Span("  history", "dim"),), *_history(finding.history, width)]
    if finding.points is not None:
        lines += field("schedule", _schedule(finding.schedule, finding.points), width)
    if others:
        lines += field("also in", _places(others), width)
    lines += field("next", f"quiesce explain {finding.clause}", width)
    lines += field("", rerun(result, finding.clause), width)
    return lines


def rerun(result: CellResult, clause: str | None = None) -> str:
    """The command that checks a cell, or one clause of it, again."""
    what = result.pattern if clause is None else f"{result.pattern}/{clause}"
    command = f"quiesce run {what} -a {result.adapter} -w {result.world}"
    command += f" --budget {result.budget} --seed {result.seed}"
    return command if result.points is None else f"{command} --points {result.points}"


def failure_message(result: CellResult) -> str:
    """What pytest prints for a cell that failed: its error or its violations, no traceback."""
    lines: list[Line] = [(Span(f"{cell_id(result)} ({subject(result)})"),)]
    if result.error is not None:
        lines += prose(result.error, _WIDTH_OF_MESSAGES, indent=2)
    for finding in sorted(result.findings, key=lambda finding: finding.advisory is not None):
        lines += [(), *story([Sighting(result, finding)], _WIDTH_OF_MESSAGES)]
    return plain(lines)


def _clause(sighting: Sighting) -> Clause | None:
    pattern = find_pattern(sighting.result.pattern)
    # A results file may come from a kit with clauses that this one does not have.
    return next((each for each in pattern.clauses if each.id == sighting.finding.clause), None)


def _history(events: Sequence[str], width: int) -> Iterable[Line]:
    shown = list(events)
    if len(shown) > HISTORY:
        half = HISTORY // 2
        shown[half:-half] = [f"... {len(shown) - 2 * half} more events; --json has them all"]
    return [line for event in shown for line in prose(event, width, indent=4, hang=2)]


def _schedule(schedule: Schedule, points: str) -> str:
    if not schedule.deviations:
        return f"run until blocked, no deviation (points: {points})"
    parts = [f"at choice {step} task {index} of the enabled ones" for step, index in schedule.tasks]
    parts += [f"data choice {step} is {value}" for step, value in schedule.data]
    noun = "deviation" if schedule.deviations == 1 else "deviations"
    count = f"{schedule.deviations} {noun} from run until blocked (points: {points})"
    return f"{count}: {', '.join(parts)}"


def _places(sightings: Iterable[Sighting]) -> str:
    worlds: dict[str, list[str]] = {}
    for sighting in sightings:
        worlds.setdefault(sighting.subject, []).append(sighting.result.world)
    return ", ".join(f"{name} ({', '.join(sorted(found))})" for name, found in sorted(worlds.items()))
