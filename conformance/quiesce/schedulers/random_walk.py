"""Random walk: every choice is uniform among the options.

It often finds a bug sooner than the other strategies, but its schedules are full of
deviations that have nothing to do with it: hand them to ``portfolio.minimise``.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, final

from quiesce.schedulers.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["RandomWalk"]


@final
class RandomWalk(Recording):
    """A number of executions with uniform choices, the same for the same seed."""

    def __init__(self, *, executions: int, seed: int) -> None:
        super().__init__()
        self._left = executions
        self._random = Random(seed)

    def begin(self) -> bool:
        """Start the next execution, unless all have run."""
        if not self._left:
            return False
        self._left -= 1
        self._forget()
        return True

    def choose(self, enabled: Sequence[int], *, step: int, forced: bool) -> int:  # noqa: ARG002 - the contract's arguments
        """Choose uniformly."""
        return self._take(step, self._random.randrange(len(enabled)))

    def choose_data(self, options: int, *, label: str) -> int:  # noqa: ARG002 - the contract's arguments
        """Choose uniformly."""
        return self._take_data(self._random.randrange(options))

    def end(self, *, failed: bool) -> None:
        """Nothing is learnt from the outcome."""
