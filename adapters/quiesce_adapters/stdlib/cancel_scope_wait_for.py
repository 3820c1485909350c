"""Timeouts around one awaitable: ``asyncio.wait_for``."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine

import quiesce

Work = Callable[[], Coroutine[object, object, object]]
Nest = tuple[float | None, float | None]


@quiesce.adapter(
    "cancel_scope",
    world="asyncio",
    name="asyncio.wait_for",
    # It ends by its timeout only, and with one of 0 it does not begin what is not done.
    lacks={"cancel", "entered_once", "past", "shield"},
    dialect={"deadline_from": "entry"},
)
class WaitFor:
    """Nested ``wait_for``; absorbing means turning the cancellation into TimeoutError."""

    def __init__(self, asked: bool) -> None:
        self._asked = asked

    def nest(self, outer: int | None, inner: int | None, shield: bool) -> Nest:
        assert not shield  # it has none
        delays = [None if delay is None else delay / 1_000_000_000 for delay in (outer, inner)]
        return delays[0], delays[1]

    async def run(self, nest: Nest, work: Work) -> tuple[object, ...]:
        caught = {"inner": False, "outer": False}

        async def body() -> None:
            try:
                await asyncio.wait_for(work(), nest[1])
            except TimeoutError:
                caught["inner"] = True
            await work()

        async with counting(self._asked) as count:
            try:
                await asyncio.wait_for(body(), nest[0])
            except TimeoutError:
                caught["outer"] = True
            return ("left", caught["inner"], caught["outer"], count())


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
