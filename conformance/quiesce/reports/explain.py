"""What ``quiesce explain`` says of a clause."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quiesce.reports.layout import Line, Span, field, prose

if TYPE_CHECKING:
    from collections.abc import Iterable

    from quiesce.clauses import Clause
    from quiesce.patterns.pattern import Pattern

__all__ = ["explain"]


def explain(clause: Clause, owners: Iterable[Pattern], width: int) -> list[Line]:
    """The whole of a clause: what it requires, where from, of whom, and what it must catch."""
    owners = tuple(owners)
    patterns = ", ".join(pattern.title for pattern in owners)
    lines: list[Line] = [
        (Span(clause.id, "bold"), Span(f"  {clause.level.value}  "), Span(patterns, "dim")),
        (),
        *prose(clause.text, width, indent=2),
        (),
        *field("source", clause.source, width, column=12),
        *field("worlds", ", ".join(clause.worlds), width, column=12),
    ]
    if clause.hint is not None:
        lines += field("hint", clause.hint, width, column=12)
    if clause.needs:
        needs = "\n".join(_capability(name, owners) for name in sorted(clause.needs))
        lines += field("needs", needs, width, column=12)
    if clause.dialect:
        said = "\n".join(f"{flag} = {' | '.join(held)}" for flag, held in clause.dialect.items())
        lines += field(
            "dialect",
            f"{said}\nSays nothing about adapters that declare otherwise.",
            width,
            column=12,
        )
    if clause.untested is not None:
        lines += field("untested", clause.untested, width, column=12)
    else:
        caught = "\n".join(clause.twins) or "no known-bad implementation is kept for it"
        lines += field("must catch", caught, width, column=12)
        theirs = [(pattern, pattern.clause(clause.id).untested) for pattern in owners]
        names = " ".join(f"{pattern.name}/{clause.id}" for pattern, why in theirs if why is None)
        lines += field("check it", f"quiesce run {names}", width, column=12)
        absent = [f"{pattern.name}: {why}" for pattern, why in theirs if why is not None]
        if absent:
            lines += field("not in", "\n".join(absent), width, column=12)
    return lines


def _capability(name: str, owners: Iterable[Pattern]) -> str:
    told = next((each.capabilities[name] for each in owners if name in each.capabilities), "")
    return f"{name}: {told}" if told else name
