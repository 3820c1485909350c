"""A background service that programs build from trio: a task of a nursery, and a cancel scope.

A recipe. The nursery waits, but only when it is left, so that others can wait takes an event; and
an error would cancel the whole nursery, so it is kept for those who wait. The clean-up is
shielded, as trio's documentation advises for a ``finally`` that has to await.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import trio

import quiesce

Work = Callable[[], Awaitable[object]]


@quiesce.adapter(
    "service",
    world="trio",
    distribution="trio",
    name="trio.start_soon",
    lacks={"token", "exit"},
    dialect={"cancel_delivery": "level", "start_twice": "refused", "reuse": "refused"},
)
class StartedSoon:
    """``Nursery.start_soon``, ``CancelScope.cancel`` and ``Event.wait``."""

    def __init__(self, work: Work, cleanup: Work) -> None:
        self._work, self._cleanup = work, cleanup
        self._scope: trio.CancelScope | None = None
        self._ended = trio.Event()
        self._error: Exception | None = None

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        async with trio.open_nursery() as self._nursery:
            yield
            await self.stop()

    async def _body(self, scope: trio.CancelScope) -> None:
        try:
            try:
                with scope:
                    await self._work()
            finally:
                with trio.CancelScope(shield=True):
                    await self._cleanup()
        except Exception as error:
            self._error = error
        finally:
            self._ended.set()

    async def start(self) -> None:
        if self._scope is not None:
            msg = "started before"
            raise RuntimeError(msg)
        self._scope = trio.CancelScope()
        self._nursery.start_soon(self._body, self._scope)

    async def start_stop(self) -> None:
        await self.start()
        await self.stop()

    async def stop(self) -> None:
        if self._scope is not None:
            self._scope.cancel()

    async def wait(self) -> None:
        if self._scope is not None:
            await self._ended.wait()
        if self._error is not None:
            raise self._error
