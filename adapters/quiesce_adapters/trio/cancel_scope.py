"""The cancel scopes of trio."""

from collections.abc import Awaitable, Callable

import trio

import quiesce

Work = Callable[[], Awaitable[object]]
Nest = dict[str, trio.CancelScope]


@quiesce.adapter("cancel_scope", world="trio", name="trio.CancelScope", distribution="trio")
class Scopes:
    """``CancelScope``, which is also what ``move_on_after`` and ``fail_after`` enter."""

    def __init__(self, asked: bool) -> None:
        pass  # trio's tasks are not asked, their scopes are

    def nest(self, outer: int | None, inner: int | None, shield: bool) -> Nest:
        return {"outer": made(outer), "inner": made(inner, shield)}

    async def run(self, nest: Nest, work: Work) -> tuple[object, ...]:
        with nest["outer"]:
            with nest["inner"]:
                await work()
            await work()
        return ("left", nest["inner"].cancelled_caught, nest["outer"].cancelled_caught, 0)

    def cancel(self, nest: Nest, scope: str) -> None:
        for name in ("outer", "inner") if scope == "both" else (scope,):
            nest[name].cancel()


def made(delay: int | None, shield: bool = False) -> trio.CancelScope:
    """A scope with a deadline that many nanoseconds from now."""
    if delay is None:
        return trio.CancelScope(shield=shield)
    return trio.CancelScope(deadline=trio.current_time() + delay / 1_000_000_000, shield=shield)
