"""What ``quiesce list`` shows: patterns, clauses, worlds and adapters, one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from quiesce.adapters import Adapter, discover
from quiesce.catalogue import WORLDS, clauses, patterns
from quiesce.clauses import Level
from quiesce.reports.layout import Line, Span, heading, prose, table
from quiesce.selection import absent_libraries, remedy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from quiesce.clauses import Clause
    from quiesce.patterns.pattern import Method

__all__ = ["LISTS"]


def _patterns(width: int) -> list[Line]:
    lines: list[Line] = []
    for pattern in patterns().values():
        tested = sum(clause.untested is None for clause in pattern.clauses)
        untested = len(pattern.clauses) - tested
        lines += [
            (
                Span(pattern.name, "bold"),
                Span(f"  {pattern.title}, {tested} clauses checked, {untested} untested", "dim"),
            ),
            *prose(pattern.promise, width, indent=2),
            (Span("  An adapter offers (self and)", "dim"),),
            *_rows(((_shape(method), _offer(method)) for method in pattern.port), width),
            (Span("  It may lack", "dim"),),
            *_rows(pattern.capabilities.items(), width),
            (Span("  Its dialect, the first by default", "dim"),),
            *_rows(
                ((flag, " | ".join(values)) for flag, values in pattern.dialects.items()), width
            ),
        ]
    return lines


def _rows(rows: Iterable[tuple[str, str]], width: int) -> list[Line]:
    rows = tuple(rows)
    column = max((len(word) for word, _ in rows), default=0) + 2
    return [
        line
        for word, text in rows
        for line in prose(f"{word:<{column}}{text}", width, indent=4, hang=column)
    ]


def _shape(method: Method) -> str:
    of = "" if method.receiver is None else f"what {method.receiver} returned: "
    return f"{of}{method.name}({', '.join(method.parameters)})"


def _offer(method: Method) -> str:
    needed = "" if method.capability is None else f" [unless it lacks {method.capability}]"
    return f"{method.summary}{needed}"


def _clauses(width: int) -> list[Line]:
    found = [clause for clause, _ in clauses().values()]
    lines = [
        line
        for clause in found
        for line in prose(
            f"{clause.id}  {clause.level.value:<6}  {clause.text}{_where(clause)}",
            width,
            hang=len(clause.id) + 10,
            style="dim" if clause.untested is not None else "",
        )
    ]
    musts = [clause for clause in found if clause.level is Level.MUST]
    said = f"{len(found)} clauses, {_checked(found)}; {len(musts)} of level must, {_checked(musts)}"
    return [*lines, (), (Span(said, "bold"),)]


def _where(clause: Clause) -> str:
    """The worlds in which a clause is checked, unless in all, or why it is not."""
    if clause.untested is not None:
        return f" [untested: {clause.untested}]"
    if set(clause.worlds) == set(WORLDS):
        return ""
    return f" [in {' and '.join(clause.worlds)}]"


def _checked(found: list[Clause]) -> str:
    checked = sum(clause.untested is None for clause in found)
    return f"{checked} checked ({checked / len(found):.0%})"


def _worlds(width: int) -> list[Line]:
    return [
        line
        for world in WORLDS.values()
        for line in prose(
            f"{world.name:<8}  {world.summary}"
            + ("" if world.installed else f" Not installed: {world.remedy}"),
            width,
            hang=10,
        )
    ]


def _adapters(_: int) -> list[Line]:
    found = discover()
    rows = [("adapter", "pattern", "world", "version")]
    rows += [(each.name, each.pattern, each.world, _version(each)) for each in found.adapters]
    title, *lines = table(rows, indent=0)
    shown: list[Line] = [(Span(title, "dim"),), *((Span(line),) for line in lines)]
    if found.missing:
        shown += heading("Not installed")
        gone = [(each.adapter, each.remedy) for each in absent_libraries(found)]
        shown += [(Span(line),) for line in table(gone)]
    return shown


def _version(adapter: Adapter) -> str:
    wanting = remedy(adapter)
    return f"not installed: {wanting}" if wanting is not None else adapter.version or "-"


LISTS: Final[Mapping[str, Callable[[int], list[Line]]]] = {
    "patterns": _patterns,
    "clauses": _clauses,
    "worlds": _worlds,
    "adapters": _adapters,
}
