"""Makes trio worlds, and keeps between them what is costly."""

from __future__ import annotations

import importlib
from functools import reduce
from typing import TYPE_CHECKING, final

from quiesce.errors import HarnessError
from quiesce.worlds.trio.order import OrderKind, order_kind
from quiesce.worlds.trio.world import TrioWorld
from quiesce.worlds.virtual_time import Place, places_in
from quiesce.worlds.world import CancelKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from quiesce.schedulers.scheduler import Scheduler

__all__ = ["TrioWorldFactory"]


@final
class TrioWorldFactory:
    """Trio worlds for one cell.

    Args:
      packages: names of packages whose modules may have bound the functions of ``time`` at
        import; those names show virtual time too while a world runs.
      spin_limit: task steps in one ``settle`` at one instant before a ``SpinError``, plus
        200 for each living task.
      hang_after_s: real seconds that one step may take before a ``HangError`` (it is found
        after one to two times that long, on the main thread of a POSIX system).
    """

    name = "trio"
    cancel_kinds: tuple[CancelKind, ...] = (CancelKind.SCOPE,)
    is_async = True

    def __init__(
        self,
        *,
        packages: Sequence[str] = (),
        spin_limit: int = 5_000,
        hang_after_s: float = 5.0,
    ) -> None:
        self._packages = tuple(packages)
        self._spin_limit = spin_limit
        self._hang_after_s = hang_after_s
        self._places: tuple[Place, ...] = places_in(self._packages)
        self._world: TrioWorld | None = None

    @property
    def order(self) -> OrderKind:
        """Whether the worlds' order of tasks is the scheduler's or trio's own."""
        return order_kind()

    def load(self, module: str, qualname: str) -> type:
        """Import the adapter class, and find the clocks that its packages have bound."""
        loaded = importlib.import_module(module)
        adapter: type = reduce(getattr, qualname.split("."), loaded)  # type: ignore[assignment]  # getattr is untyped
        self._packages = tuple(dict.fromkeys((*self._packages, module)))
        self._places = places_in(self._packages)
        return adapter

    def open(self, scheduler: Scheduler | None = None) -> TrioWorld:
        """Begin a run; the scheduler chooses the order of ready tasks, None is birth order."""
        if self._world is not None and not self._world.is_closed:
            raise HarnessError("the last world of this factory is still open; close it first")
        self._world = TrioWorld(
            scheduler=scheduler,
            order=order_kind(),
            places=self._places,
            spin_limit=self._spin_limit,
            hang_after_s=self._hang_after_s,
        )
        return self._world

    def shut(self) -> None:
        """Close the last world if it is still open."""
        if self._world is not None:
            self._world.close()
            self._world = None
