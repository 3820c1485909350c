"""The cancel scopes of anyio, on trio."""

from collections.abc import Awaitable, Callable

import anyio

import quiesce

Work = Callable[[], Awaitable[object]]
Nest = dict[str, anyio.CancelScope]


@quiesce.adapter(
    "cancel_scope",
    world="trio",
    name="anyio.CancelScope",
    distribution="anyio",
    requires=["anyio", "trio"],
)
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
        caught = [nest[name].cancelled_caught for name in ("inner", "outer")]
        return ("left", *caught, 0)

    def cancel(self, nest: Nest, scope: str) -> None:
        for name in ("outer", "inner") if scope == "both" else (scope,):
            nest[name].cancel()


def made(delay: int | None, shield: bool = False) -> anyio.CancelScope:
    """A scope with a deadline that many nanoseconds from now."""
    if delay is None:
        return anyio.CancelScope(shield=shield)
    return anyio.CancelScope(deadline=anyio.current_time() + delay / 1_000_000_000, shield=shield)
