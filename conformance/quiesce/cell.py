"""A cell under test: a pattern, an adapter and a world, and what its trials share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from quiesce.model import Entry, Memo, Model, explain

if TYPE_CHECKING:
    from quiesce.adapters import Adapter
    from quiesce.patterns.pattern import Pattern
    from quiesce.stimuli import Arguments
    from quiesce.worlds.world import WorldFactory

__all__ = ["Cell", "Setup"]


@attrs.frozen
class Setup:
    """How a trial's subjects are made."""

    arguments: Arguments = ()  # of the adapter's constructor
    instances: int = 1


@attrs.define(eq=False)
class Cell:
    """What the trials of one cell share."""

    adapter: Adapter
    pattern: Pattern
    factory: WorldFactory
    subject: type
    known: set[str] = attrs.field(factory=set)  # signatures already recorded
    #: Signatures that were seen only where a trial had two subjects.
    known_across: set[str] = attrs.field(factory=set)
    exercised: dict[str, int] = attrs.field(factory=dict)
    spins: int = 0  # trials that spun, after the first
    unjudged: int = 0  # bursts with more orders than the model follows
    _explained: dict[tuple[tuple[Entry, ...], frozenset[str]], bool] = attrs.field(factory=dict)
    _memos: dict[Arguments, tuple[Model, Memo]] = attrs.field(factory=dict)

    def model(self, setup: Setup) -> tuple[Model, Memo]:
        """The model for subjects made so, and what its checker remembers."""
        found = self._memos.get(setup.arguments)
        if found is None:
            found = (self.pattern.model(self.adapter, dict(setup.arguments)), {})
            self._memos[setup.arguments] = found
        return found

    def knows(self, setup: Setup) -> set[str]:
        """The signatures that are no news in a trial with this setup."""
        return self.known | self.known_across if setup.instances > 1 else self.known

    def explains(self, model: Model, journal: tuple[Entry, ...], relaxed: frozenset[str]) -> bool:
        """Whether violations already recorded explain a journal.

        Remembered, since many schedules of one scenario leave the same journal.
        """
        key = (journal, relaxed)
        found = self._explained.get(key)
        if found is None:
            found = self._explained[key] = explain(model, journal, relaxed)
        return found

    def allows(self, needs: frozenset[str], worlds: tuple[str, ...]) -> bool:
        """Whether a stimulus or scenario with these needs makes sense here."""
        return self.adapter.world in worlds and not needs & self.adapter.lacks

    @property
    def can_cancel(self) -> bool:
        """Whether calls can be cancelled and the adapter says what that does."""
        return bool(self.factory.cancel_kinds) and self.pattern.cancels(self.adapter)

    def count(self, clause: str) -> None:
        """Note that a clause's situation arose."""
        self.exercised[clause] = self.exercised.get(clause, 0) + 1
