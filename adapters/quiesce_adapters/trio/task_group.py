"""trio's nursery."""

from collections.abc import Awaitable, Callable

import trio

import quiesce

Work = Callable[[], Awaitable[object]]


async def now() -> None:
    """Return at once."""


async def fail() -> None:
    """Fail at once."""
    raise LookupError


@quiesce.adapter(
    "task_group",
    world="trio",
    name="trio.Nursery",
    distribution="trio",
    # It has no limit, and start_soon returns nothing that could be cancelled alone.
    lacks={
        *("wait", "look", "limit", "limit_zero", "set_limit", "try"),
        *("cancel_child", "coroutines"),
    },
    # Reference, "Nurseries and spawning": all exceptions in one group. A nursery is closed when
    # its block is left; until then start_soon works, also into a cancelled one.
    dialect={"errors": "all", "aborting": "cancels"},
)
class Group:
    """``open_nursery``, a new one for each block."""

    def __init__(self, limit: int | None) -> None:
        assert limit is None  # it has none
        self._nursery: trio.Nursery | None = None
        self._is_inside = False

    async def run(self, work: Work) -> object:
        if self._is_inside:
            raise RuntimeError("one block at a time")
        self._is_inside = True
        try:
            async with trio.open_nursery() as self._nursery:
                return await work()
        finally:
            self._is_inside = False

    async def go(self, work: Work) -> None:
        if self._nursery is None:
            raise RuntimeError("no nursery yet")
        self._nursery.start_soon(work)

    async def go_now(self) -> None:
        await self.go(now)

    async def fail_now(self) -> None:
        await self.go(fail)
