"""The default run: each task goes on until it blocks or ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from quiesce.schedulers.recording import NEVER
from quiesce.schedulers.scheduler import Schedule

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["RunUntilBlocked"]


@final
class RunUntilBlocked:
    """One execution without deviations."""

    def __init__(self) -> None:
        self.next_ask = NEVER
        self._begun = False

    def begin(self) -> bool:
        """Whether this is the first and only execution."""
        first = not self._begun
        self._begun = True
        return first

    def choose(self, enabled: Sequence[int], *, step: int, forced: bool) -> int:  # noqa: ARG002 - the contract's arguments
        """Take the default."""
        return 0

    def choose_data(self, options: int, *, label: str) -> int:  # noqa: ARG002 - the contract's arguments
        """Take the default."""
        return 0

    def end(self, *, failed: bool) -> None:
        """Nothing is learnt from the outcome."""

    @property
    def schedule(self) -> Schedule:
        """The empty schedule."""
        return Schedule()
