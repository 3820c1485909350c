"""What there is to name: patterns, clauses and worlds, and the near matches of a typing error."""

from __future__ import annotations

import importlib.util
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

import attrs

from quiesce.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from quiesce.clauses import Clause
    from quiesce.patterns.pattern import Pattern

__all__ = [
    "WORLDS",
    "World",
    "clauses",
    "find_clause",
    "find_pattern",
    "find_world",
    "unknown",
    "world_order",
]


@attrs.frozen
class World:
    """A world as the command line shows it."""

    name: str
    summary: str
    requires: tuple[str, ...] = ()  # import names of its runtime
    remedy: str = ""  # what to type if they are missing

    @property
    def installed(self) -> bool:
        """Whether its runtime can be found (nothing is imported)."""
        return all(importlib.util.find_spec(name) is not None for name in self.requires)


WORLDS: Final[Mapping[str, World]] = {
    world.name: world
    for world in (
        World(
            "threads",
            "Threads as greenlets over a simulated threading module; the schedule is chosen, "
            "at the points of the chosen point set.",
        ),
        World(
            "asyncio",
            "An asyncio event loop in virtual time; tasks run in the order that asyncio promises.",
        ),
        World(
            "trio",
            "trio in virtual time; the order of runnable tasks is under control.",
            requires=("trio",),
            remedy="pip install 'quiesce[trio]'",
        ),
    )
}


def world_order(name: str) -> int:
    """Where a world comes in reports; one that is not ours comes last."""
    return list(WORLDS).index(name) if name in WORLDS else len(WORLDS)


def unknown(kind: str, name: str, known: Iterable[str], then: str) -> ConfigurationError:
    """The error for a name that nothing has: what it may have meant, and what to type.

    Args:
      kind: what was looked for, such as ``clause``.
      name: what was typed.
      known: the names that exist.
      then: the command that lists them.
    """
    folded = {_fold(each): each for each in sorted(known)}
    typed = _fold(name)
    close = [typed] if typed in folded else get_close_matches(typed, folded, n=3, cutoff=0.5)
    near = [folded[key] for key in close]
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    return ConfigurationError(f"There is no {kind} {name!r}.{hint} `{then}` shows all.")


def _fold(name: str) -> str:
    """What different spellings of one name have in common: SF_9 and SF-09."""
    parts = name.lower().replace("_", "-").split("-")
    return "-".join(str(int(part)) if part.isdecimal() else part for part in parts)


def patterns() -> Mapping[str, Pattern]:
    """All patterns by name."""
    # Imported late: the registry pulls in every model and machine.
    from quiesce.patterns.registry import PATTERNS

    return PATTERNS


def find_pattern(name: str) -> Pattern:
    """The pattern of that name. Raises ConfigurationError with near matches."""
    known = patterns()
    if name not in known:
        raise unknown("pattern", name, known, "quiesce list patterns")
    return known[name]


def find_world(name: str) -> World:
    """The world of that name. Raises ConfigurationError with near matches."""
    if name not in WORLDS:
        raise unknown("world", name, WORLDS, "quiesce list worlds")
    return WORLDS[name]


def clauses() -> Mapping[str, tuple[Clause, tuple[Pattern, ...]]]:
    """Every clause by id, with the patterns that it belongs to (universal ones: several).

    A clause that some of its patterns can't check is shown as those have it that do.
    """
    found: dict[str, tuple[Clause, tuple[Pattern, ...]]] = {}
    for pattern in patterns().values():
        for clause in pattern.clauses:
            known, owners = found.get(clause.id, (clause, ()))
            shown = known if known.untested is None else clause
            found[clause.id] = (shown, (*owners, pattern))
    return found


def find_clause(clause_id: str) -> tuple[Clause, tuple[Pattern, ...]]:
    """A clause and the patterns that have it. Raises ConfigurationError with near matches."""
    known = clauses()
    clause_id = clause_id.upper()
    if clause_id not in known:
        raise unknown("clause", clause_id, known, "quiesce list clauses")
    return known[clause_id]
