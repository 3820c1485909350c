"""Choosing cells: from the words of a command line to the adapters and clauses to check."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Mapping, Sequence

import attrs

from quiesce.adapters import Adapter, Discovery, Missing, discover
from quiesce.catalogue import (
    WORLDS,
    find_clause,
    find_pattern,
    find_world,
    unknown,
    world_order,
)
from quiesce.errors import ConfigurationError
from quiesce.reports.run import Cell, NotInstalled

__all__ = [
    "Filter",
    "Selection",
    "absent_libraries",
    "cell_of",
    "parse_patterns",
    "remedy",
    "select",
]

#: Clauses to check by pattern; None: all of them.
Patterns = Mapping[str, frozenset[str] | None]


@attrs.frozen
class Filter:
    """Which cells to check, and which of their clauses. Empty parts let everything through."""

    patterns: Patterns = attrs.field(factory=dict)
    worlds: frozenset[str] = frozenset()
    cells: frozenset[Cell] = frozenset()

    def admits(self, adapter: Adapter) -> bool:
        """Whether an adapter's cell is among those chosen."""
        return (
            (not self.patterns or adapter.pattern in self.patterns)
            and (not self.worlds or adapter.world in self.worlds)
            and (not self.cells or cell_of(adapter) in self.cells)
        )

    def clauses(self, adapter: Adapter) -> frozenset[str] | None:
        """The clauses to check of an adapter that is admitted; None: all."""
        return self.patterns.get(adapter.pattern)


@attrs.frozen
class Selection:
    """The cells to check, in the order in which to start them, and who can't take part."""

    adapters: tuple[Adapter, ...]
    not_installed: tuple[NotInstalled, ...]


def cell_of(adapter: Adapter) -> Cell:
    """The cell of an adapter."""
    return Cell(adapter.pattern, adapter.name, adapter.world)


def parse_patterns(words: Iterable[str], clauses: Iterable[str] = ()) -> Patterns:
    """Read ``PATTERN``, ``PATTERN/CLAUSE`` and ``CLAUSE``, each as often as wanted.

    Args:
      words: what selects patterns.
      clauses: more clause ids; they narrow the patterns that ``words`` name, or select
        their own patterns if there are none.

    Raises:
      ConfigurationError: a pattern or clause does not exist, or not in that pattern.
    """
    chosen: dict[str, frozenset[str] | None] = {}
    for word in words:
        name, _, clause_id = word.partition("/")
        if not clause_id and _is_clause(name):
            clause, owners = find_clause(name)
            for owner in owners:
                _add(chosen, owner.name, clause.id)
            continue
        pattern = find_pattern(name)
        if not clause_id:
            chosen[name] = None
            continue
        known = {clause.id for clause in pattern.clauses}
        if clause_id.upper() not in known:
            raise unknown(f"clause in {name}", clause_id, known, "quiesce list clauses")
        _add(chosen, name, clause_id.upper())
    named = dict(chosen)
    narrowed: dict[str, frozenset[str] | None] = {}
    for clause_id in clauses:
        clause, owners = find_clause(clause_id)
        for owner in owners:
            if not named or owner.name in named:
                _add(narrowed, owner.name, clause.id)
    return narrowed or chosen


def _add(chosen: dict[str, frozenset[str] | None], pattern: str, clause: str) -> None:
    before = chosen.get(pattern, frozenset())
    chosen[pattern] = None if before is None else before | {clause}


def _is_clause(word: str) -> bool:
    return "-" in word and word.rpartition("-")[2].isdigit()


def select(wanted: Filter, *, names: Sequence[str] = (), targets: Sequence[str] = ()) -> Selection:
    """Find the adapters to run.

    Args:
      wanted: patterns and worlds.
      names: adapters by name; ``limits`` also means ``limits.fixed`` and its like, and
        ``stdlib`` all in the folder of that name. Without any: those of ``targets``, or else
        all that installed packages offer.
      targets: ``module:attribute`` or ``module`` of adapters besides the installed ones.

    Raises:
      ConfigurationError: a name means no adapter, a target no adapter, or two adapters have
        the same cell.
    """
    for world in sorted(wanted.worlds):
        find_world(world)
    named = discover(targets).adapters if targets else ()
    found = discover() if names or not targets else Discovery((), ())
    known = Discovery((*named, *found.adapters), found.missing)
    offered, not_installed = _by_name(known, names)
    present: dict[Cell, Adapter] = {}
    for adapter in filter(wanted.admits, offered):
        if (wanting := remedy(adapter)) is not None:
            not_installed.append(NotInstalled(adapter.name, wanting))
        elif (other := present.setdefault(cell_of(adapter), adapter)) != adapter:
            message = (
                f"Two adapters have the same cell {adapter.cell}: {_place(other)} and "
                f"{_place(adapter)}. Give one of them another name: @quiesce.adapter(..., name=)."
            )
            raise ConfigurationError(message)
    return Selection(tuple(sorted(present.values(), key=_order)), tuple(not_installed))


def _order(adapter: Adapter) -> tuple[int, Cell]:
    # Threads first: those cells take longest, and what starts last should end soon.
    return (world_order(adapter.world), cell_of(adapter))


def _by_name(found: Discovery, names: Sequence[str]) -> tuple[list[Adapter], list[NotInstalled]]:
    if not names:
        return list(found.adapters), absent_libraries(found)
    chosen: list[Adapter] = []
    absent: list[NotInstalled] = []
    for name in names:
        matches = [each for each in found.adapters if _means(name, each)]
        gone = [each for each in found.missing if _is_called(name, each)]
        if not matches and not gone:
            known = {each.name for each in found.adapters}
            known |= {each.distribution for each in found.missing}
            raise unknown("adapter", name, known, "quiesce list adapters")
        chosen.extend(matches)
        absent.extend(_absent(each) for each in gone)
    return chosen, absent


def _means(typed: str, adapter: Adapter) -> bool:
    folders = adapter.module.split(".")[1:-1]
    return adapter.name == typed or adapter.name.startswith(typed + ".") or typed in folders


def _is_called(typed: str, missing: Missing) -> bool:
    *folders, module = missing.module.split(".")[1:]
    names = (missing.distribution, missing.library, module, *folders)
    return typed in names or _import_name(typed) in names


def _import_name(name: str) -> str:
    return name.replace("-", "_")


def absent_libraries(found: Discovery) -> list[NotInstalled]:
    """The libraries for want of which whole modules of adapters could not be imported."""
    return sorted({_absent(each) for each in found.missing})


def _absent(missing: Missing) -> NotInstalled:
    return NotInstalled(missing.distribution, f"pip install {missing.distribution}")


def remedy(adapter: Adapter) -> str | None:
    """What to type so that an adapter can run; None if it can."""
    world = WORLDS.get(adapter.world)
    if world is not None and not world.installed:
        return world.remedy
    if adapter.installed:
        return None
    if adapter.distribution is not None:
        return f"pip install {adapter.distribution}"
    gone = [name for name in adapter.requires if importlib.util.find_spec(name) is None]
    return f"pip install {' '.join(_import_name(name) for name in gone)}"


def _place(adapter: Adapter) -> str:
    return f"{adapter.module}:{adapter.qualname}"
