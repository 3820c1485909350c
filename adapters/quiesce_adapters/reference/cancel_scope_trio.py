"""Blocks under the contexts of the reference, on trio."""

from collections.abc import Awaitable, Callable
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
    world="trio",
    packages=["quiesce_reference"],
    requires=["quiesce_reference", "anyio"],
    lacks={"entered_once"},  # any number of blocks may be under one context
    name="reference.Context.interrupting",
)
class Blocks:
    """``Context.interrupting``."""

    def __init__(self, asked: bool) -> None:
        pass  # trio's tasks are not asked, their scopes are

    def nest(self, outer: int | None, inner: int | None, shield: bool) -> Nest:
        return Nest(made(outer), made(inner), shield)

    async def run(self, nest: Nest, work: Work) -> tuple[object, ...]:
        with nest.outer.interrupting() as outer:
            with nest.inner.interrupting() as inner:
                inner.shield = nest.shield
                await work()
            await work()
        return ("left", inner.cancelled_caught, outer.cancelled_caught, 0)

    def cancel(self, nest: Nest, scope: str) -> None:
        for name in ("outer", "inner") if scope == "both" else (scope,):
            getattr(nest, name).cancel()


def made(delay: int | None) -> CancelContext:
    """A context with a deadline that many nanoseconds from now."""
    return Context().with_cancel() if delay is None else Context().with_timeout(delay)
