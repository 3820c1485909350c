"""The cancel scopes of asyncio: timeouts, which are cancelled by moving their deadline."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine

import quiesce

Work = Callable[[], Coroutine[object, object, object]]
Nest = dict[str, asyncio.Timeout]


@quiesce.adapter(
    "cancel_scope",
    world="asyncio",
    name="asyncio.timeout",
    lacks={"shield"},
    # A Timeout can be rescheduled while it is active only; before and after it raises.
    dialect={"early_cancel": "ignored"},
)
class Timeouts:
    """``asyncio.timeout``; absorbing a cancellation means turning it into TimeoutError."""

    def __init__(self, asked: bool) -> None:
        self._asked = asked

    def nest(self, outer: int | None, inner: int | None, shield: bool) -> Nest:
        assert not shield  # it has none
        return {"outer": made(outer), "inner": made(inner)}

    async def run(self, nest: Nest, work: Work) -> tuple[object, ...]:
        inner = outer = False
        async with counting(self._asked) as count:
            try:
                async with nest["outer"]:
                    try:
                        async with nest["inner"]:
                            await work()
                    except TimeoutError:
                        inner = True
                    await work()
            except TimeoutError:
                outer = True
            return ("left", inner, outer, count())

    def cancel(self, nest: Nest, scope: str) -> None:
        for name in ("outer", "inner") if scope == "both" else (scope,):
            with contextlib.suppress(RuntimeError):
                nest[name].reschedule(asyncio.get_running_loop().time())


def made(delay: int | None) -> asyncio.Timeout:
    """A timeout of that many nanoseconds from now on."""
    return asyncio.timeout(None if delay is None else delay / 1_000_000_000)


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
