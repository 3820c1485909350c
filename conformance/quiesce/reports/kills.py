"""The kill matrix: which clauses catch each known-bad implementation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quiesce.catalogue import find_pattern, patterns
from quiesce.patterns.universal import UNIVERSAL
from quiesce.reports.layout import Line, Span, field, heading, prose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from quiesce.twins import Kill

__all__ = ["is_sound", "row", "totals"]


def is_sound(kill: Kill) -> bool:
    """Whether the kit says of a twin what it must: nothing of a baseline, all of another."""
    if kill.error is not None:
        return False
    return not kill.clauses if is_baseline(kill) else bool(kill.clauses) and not kill.missed


def is_baseline(kill: Kill) -> bool:
    """Whether it is no twin but a correct implementation to compare with."""
    return "good" in kill.twin


def row(kill: Kill) -> Line:
    """One twin in one world."""
    caught = ", ".join(kill.clauses)
    if is_baseline(kill):
        said = f"conforms, but is said to break {caught}" if caught else "conforms, as it should"
    else:
        said = f"caught by {caught}" if caught else "not caught"
    if kill.missed:
        said += f", missed by {', '.join(kill.missed)}"
    if kill.error is not None:
        said += f", ended by an error: {kill.error}"
    return (
        Span(f"  {kill.pattern}  {kill.twin:<32}  {kill.world:<8}  "),
        Span(said, "" if is_sound(kill) else "bold red"),
    )


def totals(kills: Sequence[Kill], width: int) -> list[Line]:
    """What the matrix comes to, and the clauses that no twin puts to the test.

    A universal clause is one clause, whichever pattern's twin breaks it; so nothing is said
    of those unless the matrix is of all patterns.
    """
    lines: list[Line] = []
    names = sorted({kill.pattern for kill in kills})
    whole = set(names) == set(patterns())
    used = {clause for kill in kills for clause in kill.clauses}
    if not whole:
        used |= {clause.id for clause in UNIVERSAL}
    for name in names:
        clauses = [clause.id for clause in find_pattern(name).clauses if clause.untested is None]
        if idle := [clause for clause in clauses if clause not in used]:
            lines += field(name, ", ".join(idle), width, column=16)
    if lines:
        lines = [*heading("Clauses that no twin breaks"), *lines]
    twins = [kill for kill in kills if not is_baseline(kill)]
    caught = sum(is_sound(kill) for kill in twins)
    wrong = sum(not is_sound(kill) for kill in kills)
    said = f"{caught} of {len(twins)} twins caught by all the clauses that must catch them"
    if wrong:
        said += f"; {wrong} rows are wrong"
    return [*lines, (), *prose(said, width, style="bold")]
