"""The cancel scopes of anyio, on asyncio."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import anyio

import quiesce

Work = Callable[[], Awaitable[object]]
Nest = dict[str, anyio.CancelScope]


@quiesce.adapter(
    "cancel_scope",
    world="asyncio",
    name="anyio.CancelScope",
    distribution="anyio",
    scope="anyio",
    lacks={"entered_once"},  # entered again, it runs
)
class Scopes:
    """``CancelScope``, which is also what ``move_on_after`` and ``fail_after`` enter."""

    def __init__(self, asked: bool) -> None:
        self._asked = asked

    def nest(self, outer: int | None, inner: int | None, shield: bool) -> Nest:
        return {"outer": made(outer), "inner": made(inner, shield)}

    async def run(self, nest: Nest, work: Work) -> tuple[object, ...]:
        async with counting(self._asked) as count:
            with nest["outer"]:
                with nest["inner"]:
                    await work()
                await work()
            caught = [nest[name].cancelled_caught for name in ("inner", "outer")]
            return ("left", *caught, count())

    def cancel(self, nest: Nest, scope: str) -> None:
        for name in ("outer", "inner") if scope == "both" else (scope,):
            nest[name].cancel()


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


def made(delay: int | None, shield: bool = False) -> anyio.CancelScope:
    """A scope with a deadline that many nanoseconds from now."""
    if delay is None:
        return anyio.CancelScope(shield=shield)
    return anyio.CancelScope(deadline=anyio.current_time() + delay / 1_000_000_000, shield=shield)
