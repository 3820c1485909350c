"""Clauses: the numbered sentences that a conforming implementation keeps.

A clause is data. The machines check it, reports print it, ``quiesce explain`` shows it
whole. Ids are permanent: never renumbered, never used again.
"""

from __future__ import annotations

from enum import Enum, unique
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Clause", "Level", "names"]


def names(values: Iterable[str]) -> frozenset[str]:
    """Names in any collection, as attrs fields hold them."""
    return frozenset(values)


def _listed(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(values)


@unique
class Level(Enum):
    """How binding a clause is."""

    MUST = "must"  # a conforming implementation never breaks it
    SHOULD = "should"  # expected; an adapter may declare an exception, which is shown
    MAY = "may"  # permitted freedom, listed so that nothing flags it


@attrs.frozen
class Clause:
    """One requirement of one pattern."""

    id: str
    level: Level
    text: str
    source: str  # where the rule comes from
    needs: frozenset[str] = attrs.field(factory=frozenset, converter=names)
    #: Only for adapters whose dialect says so: flag -> the values for which it holds.
    dialect: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    worlds: tuple[str, ...] = ("threads", "asyncio", "trio")
    #: Why the kit does not check it; None for the clauses that it does check.
    untested: str | None = None
    #: What a person who breaks it should do instead, where the text doesn't say so already.
    hint: str | None = None
    #: The known-bad implementations that this clause must catch.
    twins: tuple[str, ...] = attrs.field(default=(), converter=_listed)

    def inapplicable(
        self, world: str, lacks: frozenset[str], dialect: Mapping[str, str]
    ) -> str | None:
        """Why the clause says nothing about such an adapter, or None if it does."""
        if self.untested is not None:
            return f"untested: {self.untested}"
        if world not in self.worlds:
            return f"has no meaning in the world {world}"
        if missing := sorted(self.needs & lacks):
            return f"needs {', '.join(missing)}, which the adapter lacks"
        for flag, values in self.dialect.items():
            if dialect.get(flag) not in values:
                return f"holds for the dialect {flag} = {' | '.join(values)} only"
        return None
