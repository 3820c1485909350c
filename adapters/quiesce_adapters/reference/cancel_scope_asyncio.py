"""Blocks under the contexts of the reference, on asyncio."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple

import quiesce
from quiesce_reference.aio import CancelContext, Context

Work = Callable[[], Awaitable[object]]


class Nest(NamedTuple):
    """Two contexts that know nothing of each other."""

    outer: CancelContext
    inner: CancelContext
    shield: bool


@quiesce.adapter(
    "cancel_scope",
    world="asyncio",
    packages=["quiesce_reference"],
    requires=["quiesce_reference", "anyio"],
    lacks={"entered_once"},  # any number of blocks may be under one context
    scope="anyio",
    name="reference.Context.interrupting",
)
class Blocks:
    """``Context.interrupting``."""

    def __init__(self, asked: bool) -> None:
        self._asked = asked

    def nest(self, outer: int | None, inner: int | None, shield: bool) -> Nest:
        return Nest(made(outer), made(inner), shield)

    async def run(self, nest: Nest, work: Work) -> tuple[object, ...]:
        async with counting(self._asked) as count:
            with nest.outer.interrupting() as outer:
                with nest.inner.interrupting() as inner:
                    inner.shield = nest.shield
                    await work()
                await work()
            return ("left", inner.cancelled_caught, outer.cancelled_caught, count())

    def cancel(self, nest: Nest, scope: str) -> None:
        for name in ("outer", "inner") if scope == "both" else (scope,):
            getattr(nest, name).cancel()


@contextlib.asynccontextmanager
async def counting(asked: bool) -> AsyncIterator[Callable[[], int]]:
    """Tells how the count of requests changes; ``asked``: there was one before, not obeyed."""
    task = asyncio.current_task()
    assert task is not None
    before = task.cancelling()
    try:
        if asked:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0)
            before += 1
            if task.cancelling() > before:  # by somebody else meanwhile
                raise asyncio.CancelledError
        yield lambda: task.cancelling() - before
    finally:
        if asked:
            task.uncancel()


def made(delay: int | None) -> CancelContext:
    """A context with a deadline that many nanoseconds from now."""
    return Context().with_cancel() if delay is None else Context().with_timeout(delay)
