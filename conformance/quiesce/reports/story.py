"""The story of one violation: what was required, what happened, how, and what to type next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from quiesce.catalogue import find_pattern
from quiesce.exit_codes import is_misconfigured
from quiesce.reports.layout import Line, Span, command, field, numbered, plain, prose
from quiesce.reports.run import Sighting, subject

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from quiesce.clauses import Clause
    from quiesce.schedulers.scheduler import Schedule
    from quiesce.verdicts import CellResult

__all__ = ["failure_message", "rerun", "story"]

#: Longest history shown whole; of a longer one, the first and last events.
HISTORY: Final = 40

_WIDTH_OF_MESSAGES: Final = 96


def story(
    sightings: Sequence[Sighting], width: int, targets: Sequence[str] | None = None
) -> list[Line]:
    """One distinct violation: its shortest sighting in full, the others by name.

    Args:
      sightings: findings of one signature, the shortest first.
      width: columns to fill.
      targets: what ``--adapter`` named in the run; None if it was no ``quiesce run``.
    """
    first, *others = sightings
    finding, result = first.finding, first.result
    clause = _clause(first)
    level = clause.level.value if clause is not None else ""
    style = "bold yellow" if finding.advisory is not None else "bold red"
    signature = finding.signature.removeprefix(finding.clause).strip(" :")
    title: Line = (
        Span(finding.clause, style),
        Span(f" {level}".rstrip()),
        Span(f"  {signature}".rstrip(), "bold"),
        Span(f"  [{finding.id}]", "dim"),
    )
    if sum(len(span.text) for span in title) > width:
        lines = [(title[0], title[1], title[3]), *prose(signature, width, indent=2, style="bold")]
    else:
        lines = [title]
    lines += field("in", f"{result.pattern} / {first.subject} / {result.world}", width)
    if clause is not None:
        lines += field("clause", clause.text, width)
        if clause.hint is not None:
            lines += field("hint", clause.hint, width)
    lines += field("expected", finding.expected, width)
    lines += field("observed", finding.observed, width)
    if finding.advisory is not None:
        lines += field("advisory", finding.advisory, width)
    lines += [(Span("  steps", "dim"),), *numbered(finding.steps, width)]
    lines += [(Span("  history", "dim"),), *_history(finding.history, width)]
    if finding.points is not None and finding.schedule.deviations:
        lines += field("schedule", _schedule(finding.schedule, finding.points), width)
    if others:
        lines += field("also in", _places(others), width)
    lines += command("next", f"quiesce explain {finding.clause}")
    if targets is not None:
        lines += command("", rerun(result, targets, finding.clause))
    return lines


def rerun(result: CellResult, targets: Iterable[str] = (), clause: str | None = None) -> str:
    """The command that checks a cell, or one clause of it, again."""
    words = ["quiesce run", result.pattern if clause is None else f"{result.pattern}/{clause}"]
    words += [f"--adapter {target}" for target in targets]
    words += [f"-a {result.adapter}", f"-w {result.world}"]
    if result.budget != "ci":
        words.append(f"--budget {result.budget}")
    if result.seed != 0:
        words.append(f"--seed {result.seed}")
    if result.points not in {None, "gil"}:
        words.append(f"--points {result.points}")
    return " ".join(words)


def failure_message(result: CellResult) -> str:
    """What pytest prints for a cell that failed: its error or its violations, no traceback."""
    clauses = dict.fromkeys(finding.clause for finding in result.findings)
    word = "wrong adapter" if is_misconfigured(result) else result.verdict.value
    said = ", ".join([word, *clauses])
    lines: list[Line] = [
        (Span(f"{said}: {subject(result)} as {result.pattern} in {result.world}"),)
    ]
    if result.error is not None:
        lines += [(), *prose(result.error, _WIDTH_OF_MESSAGES, indent=2)]
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
    parts = [f"at choice {step} task {index} of the enabled ones" for step, index in schedule.tasks]
    parts += [f"data choice {step} is {value}" for step, value in schedule.data]
    noun = "deviation" if schedule.deviations == 1 else "deviations"
    count = f"{schedule.deviations} {noun} from run until blocked (points: {points})"
    return f"{count}: {', '.join(parts)}"


def _places(sightings: Iterable[Sighting]) -> str:
    worlds: dict[str, list[str]] = {}
    for sighting in sightings:
        worlds.setdefault(sighting.subject, []).append(sighting.result.world)
    return ", ".join(
        f"{name} ({', '.join(sorted(found))})" for name, found in sorted(worlds.items())
    )
