"""Makes asyncio worlds, and keeps between them what is costly."""

from __future__ import annotations

import importlib
from functools import reduce
from typing import TYPE_CHECKING, final

from quiesce.errors import ConfigurationError, HarnessError
from quiesce.worlds.asyncio.jobs import JobPool
from quiesce.worlds.asyncio.scopes import OrderedScopes
from quiesce.worlds.asyncio.world import AsyncioWorld
from quiesce.worlds.virtual_time import Place, places_in
from quiesce.worlds.world import CancelKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from quiesce.schedulers.scheduler import Scheduler
    from quiesce.worlds.asyncio.callers import ScopeKind

__all__ = ["AsyncioWorldFactory"]


@final
class AsyncioWorldFactory:
    """Asyncio worlds for one cell.

    Args:
      scope: which scope a SCOPE cancellation cancels: ``asyncio.timeout``, rescheduled to
        now, or ``anyio.CancelScope``.
      packages: names of packages whose modules may have bound the functions of ``time`` at
        import; those names show virtual time too while a world runs.
      spin_limit: executed handles in one ``settle`` at one instant before a ``SpinError``,
        plus 200 for each living task.
      hang_after_s: real seconds that one handle may take before a ``HangError`` (it is
        found after one to two times that long, on the main thread of a POSIX system).
    """

    name = "asyncio"
    cancel_kinds: tuple[CancelKind, ...] = (CancelKind.NATIVE, CancelKind.SCOPE)
    is_async = True

    def __init__(
        self,
        *,
        scope: ScopeKind = "timeout",
        packages: Sequence[str] = (),
        spin_limit: int = 20_000,
        hang_after_s: float = 5.0,
    ) -> None:
        if scope not in ("timeout", "anyio"):
            raise ConfigurationError(f"scope is {scope!r}; it can be 'timeout' or 'anyio'")
        self._scope: ScopeKind = scope
        self._packages = tuple(packages)
        self._spin_limit = spin_limit
        self._hang_after_s = hang_after_s
        self._pool = JobPool()
        self._places: tuple[Place, ...] = places_in(self._packages)
        self._world: AsyncioWorld | None = None
        self._scopes = OrderedScopes()

    def load(self, module: str, qualname: str) -> type:
        """Import the adapter class, and find the clocks that its packages have bound."""
        loaded = importlib.import_module(module)
        adapter: type = reduce(getattr, qualname.split("."), loaded)  # type: ignore[assignment]  # getattr is untyped
        self._packages = tuple(dict.fromkeys((*self._packages, module)))
        self._places = places_in(self._packages)
        return adapter

    def open(self, scheduler: Scheduler | None = None) -> AsyncioWorld:  # noqa: ARG002 - no choice
        """Begin a run. The scheduler has nothing to choose: asyncio promises FIFO."""
        if self._world is not None and not self._world.is_closed:
            raise HarnessError("the last world of this factory is still open; close it first")
        self._scopes.begin()
        self._world = AsyncioWorld(
            pool=self._pool,
            places=self._places,
            scope=self._scope,
            spin_limit=self._spin_limit,
            hang_after_s=self._hang_after_s,
        )
        return self._world

    def shut(self) -> None:
        """End the pooled greenlets, and put back what was changed in anyio."""
        if self._world is not None:
            self._world.close()
            self._world = None
        self._pool.shut()
        self._scopes.end()
