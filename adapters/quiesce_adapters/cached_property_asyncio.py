"""cached-property: an attribute over a coroutine function, as once in asyncio.

One property serves all objects of its class, as in any program that uses it.
"""

from collections.abc import Awaitable, Callable

from cached_property import cached_property  # type: ignore[import-untyped] # no py.typed

import quiesce


@quiesce.adapter(
    "once",
    world="asyncio",
    name="cached-property.cached_property",
    distribution="cached-property",
    lacks={"own_function", "reentrance_error", "release"},
    # README, "Working with async/await": "the value is only computed once".
    # The attribute is a future that runs on its own and keeps its outcome, also an exception.
    dialect={"once_error": "stored", "once_cancel": "detached"},
)
class Async:
    """The property over a coroutine function."""

    def __init__(self, work: Callable[[], Awaitable[object]]) -> None:
        self._work = work

    @cached_property  # type: ignore[untyped-decorator] # no annotations
    async def _value(self) -> object:
        return await self._work()

    async def call(self) -> object:
        return await self._value
