"""asyncstdlib: ``cached_property`` for coroutines with trio's lock, as once."""

from collections.abc import Awaitable, Callable

import asyncstdlib
import trio

import quiesce


@quiesce.adapter(
    "once",
    world="trio",
    name="asyncstdlib.cached_property_lock",
    distribution="asyncstdlib",
    requires=["asyncstdlib", "trio"],
    lacks={"own_function", "reentrance_error", "release"},
    # functools.py: the getter runs in the caller that holds the lock, and only a value is kept.
    dialect={"once_error": "retry", "once_cancel": "retry"},
)
class Locked:
    """Docstring: "to enforce that the getter is executed at most once" give it a lock type."""

    def __init__(self, work: Callable[[], Awaitable[object]]) -> None:
        self._work = work

    @asyncstdlib.cached_property(trio.Lock)
    async def value(self) -> object:
        return await self._work()

    async def call(self) -> object:
        return await self.value
