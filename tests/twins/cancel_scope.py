"""Known-bad cancel scopes: each a good one with a single planted defect.

The good ones come first and conform: for asyncio one written here, on ``Task.cancel`` and
``Task.uncancel``, without shields; for trio its own, for the twins that need a shield.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Self

import trio

import quiesce

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Work = Callable[[], Awaitable[object]]

PATTERN = "cancel_scope"
SECOND = 1_000_000_000
AIO = {"world": "asyncio", "lacks": {"shield"}}
TRIO = {"world": "trio"}


class Scope:
    """Cancels the task that is inside; its methods are the twins' seams."""

    def __init__(self, delay: int | None) -> None:
        loop = asyncio.get_running_loop()
        self.loop = loop
        self.due = None if delay is None else loop.time() + delay / SECOND
        self.task: asyncio.Task[object] | None = None
        self.called = self.asked = self.caught = self.inside = False
        self.handles: list[asyncio.TimerHandle | asyncio.Handle] = []

    def cancel(self) -> None:
        self.called = True
        if self.inside:
            self.handles.append(self.loop.call_soon(self.ask))

    def ask(self) -> None:
        if self.inside and not self.asked:
            self.asked = True
            assert self.task is not None
            self.task.cancel()

    async def __aenter__(self) -> Self:
        if self.task is not None:
            raise RuntimeError("entered before")
        self.task = asyncio.current_task()
        assert self.task is not None
        self.before = self.task.cancelling()
        self.inside = True
        if self.called or (self.due is not None and self.due <= self.loop.time()):
            self.handles.append(self.loop.call_soon(self.ask))
        elif self.due is not None:
            self.handles.append(self.loop.call_at(self.due, self.ask))
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        self.inside = False
        for handle in self.handles:
            handle.cancel()
        self.caught = self.absorbs(kind)
        return self.caught

    def absorbs(self, kind: type[BaseException] | None) -> bool:
        own = self.asked and self.handled()
        return own and kind is asyncio.CancelledError

    def handled(self) -> bool:
        """Whether nobody else has asked; takes the own request back."""
        assert self.task is not None
        return self.task.uncancel() <= self.before


@quiesce.adapter(PATTERN, name="cx_good_scopes_asyncio", **AIO)
class Scopes:
    outer_scope: type[Scope] = Scope
    inner_scope: type[Scope] = Scope

    def __init__(self, asked: bool) -> None:
        self.asked = asked

    def nest(self, outer: int | None, inner: int | None, shield: bool) -> dict[str, Any]:
        return {"outer": self.outer_scope(outer), "inner": self.inner_scope(inner)}

    async def run(self, nest: dict[str, Any], work: Work) -> tuple[object, ...]:
        task = asyncio.current_task()
        assert task is not None
        before = task.cancelling()
        try:
            if self.asked:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.sleep(0)
                before += 1
                if task.cancelling() > before:
                    raise asyncio.CancelledError
            async with nest["outer"]:
                async with nest["inner"]:
                    await work()
                await work()
            count = task.cancelling() - before
        finally:
            if self.asked:
                task.uncancel()
        return ("left", nest["inner"].caught, nest["outer"].caught, count)

    def cancel(self, nest: dict[str, Any], scope: str) -> None:
        for name in ("outer", "inner") if scope == "both" else (scope,):
            nest[name].cancel()


@quiesce.adapter(PATTERN, name="cx_good_scopes_trio", **TRIO)
class Shields:
    def __init__(self, asked: bool) -> None:
        pass

    def nest(self, outer: int | None, inner: int | None, shield: bool) -> dict[str, Any]:
        return {"outer": self.made(outer), "inner": self.made(inner, shield)}

    def made(self, delay: int | None, shield: bool = False) -> trio.CancelScope:
        scope = trio.CancelScope(shield=shield)
        if delay is not None:
            scope.deadline = trio.current_time() + delay / SECOND
        return scope

    async def run(self, nest: dict[str, Any], work: Work) -> tuple[object, ...]:
        with nest["outer"]:
            with nest["inner"]:
                await work()
            await work()
        return ("left", nest["inner"].cancelled_caught, nest["outer"].cancelled_caught, 0)

    def cancel(self, nest: dict[str, Any], scope: str) -> None:
        for name in ("outer", "inner") if scope == "both" else (scope,):
            nest[name].cancel()


class SwallowingScope(Scope):
    """Does not ask whether somebody else asked as well."""

    def handled(self) -> bool:
        super().handled()
        return True


@quiesce.adapter(PATTERN, name="cx_swallow_outer", **AIO)
class SwallowOuter(Scopes):
    inner_scope = SwallowingScope


class GreedyScope(Scope):
    """Absorbs whatever cancellation comes by, its own or not."""

    def absorbs(self, kind: type[BaseException] | None) -> bool:
        return super().absorbs(kind) or kind is asyncio.CancelledError


@quiesce.adapter(PATTERN, name="cx_absorbs_any_cancellation", **AIO)
class AbsorbsAnyCancellation(Scopes):
    inner_scope = GreedyScope


class LeakyScope(Scope):
    """Never absorbs, but takes its request back."""

    def absorbs(self, kind: type[BaseException] | None) -> bool:
        super().absorbs(kind)
        return False


@quiesce.adapter(PATTERN, name="cx_own_goes_on", **AIO)
class OwnGoesOn(Scopes):
    inner_scope = LeakyScope
    outer_scope = LeakyScope


class MutingScope(Scope):
    """Absorbs errors too, once it is cancelled."""

    def absorbs(self, kind: type[BaseException] | None) -> bool:
        return super().absorbs(kind) or (self.called and kind is not None)


@quiesce.adapter(PATTERN, name="cx_swallows_an_error", **AIO)
class SwallowsAnError(Scopes):
    outer_scope = MutingScope


class ReplacingScope(Scope):
    """Turns any error of a block with a deadline into a TimeoutError."""

    async def __aexit__(self, kind: type[BaseException] | None, *rest: object) -> bool:
        absorbed = await super().__aexit__(kind, *rest)
        if self.due is not None and kind is not None and issubclass(kind, Exception):
            raise TimeoutError
        return absorbed


@quiesce.adapter(PATTERN, name="cx_error_becomes_timeout", **AIO)
class ErrorBecomesTimeout(Scopes):
    outer_scope = ReplacingScope


@quiesce.adapter(PATTERN, name="cx_outer_ends_at_inner", **AIO)
class OuterEndsAtInner(Scopes):
    """Cancelling outer cancels inner instead, while that is entered."""

    def cancel(self, nest: dict[str, Any], scope: str) -> None:
        if scope == "outer" and nest["inner"].inside:
            scope = "inner"
        super().cancel(nest, scope)


class ForgetfulScope(Scope):
    """Absorbs its own cancellation, and leaves the request behind."""

    def handled(self) -> bool:
        assert self.task is not None
        return self.task.cancelling() - 1 <= self.before


@quiesce.adapter(PATTERN, name="cx_count_left", **AIO)
class CountLeft(Scopes):
    outer_scope = ForgetfulScope


class ClearingScope(Scope):
    """Takes all requests back, not only its own."""

    def handled(self) -> bool:
        own = super().handled()
        assert self.task is not None
        while own and self.task.uncancel():
            pass
        return own


@quiesce.adapter(PATTERN, name="cx_count_cleared", **AIO)
class CountCleared(Scopes):
    outer_scope = ClearingScope


class OnceCancelled(Scope):
    """Is cancelled once, and no more."""

    def cancel(self) -> None:
        if self.called:
            raise RuntimeError("cancelled already")
        super().cancel()


@quiesce.adapter(PATTERN, name="cx_cancel_scope_twice_raises", **AIO)
class CancelTwiceRaises(Scopes):
    outer_scope = OnceCancelled
    inner_scope = OnceCancelled


class EarlyDeafScope(Scope):
    """Forgets a deadline that is past when it is entered."""

    async def __aenter__(self) -> Self:
        if self.due is not None and self.due <= self.loop.time():
            self.due = None
        return await super().__aenter__()


@quiesce.adapter(PATTERN, name="cx_past_deadline_is_forgotten", **AIO)
class PastDeadlineIsForgotten(Scopes):
    inner_scope = EarlyDeafScope


@quiesce.adapter(PATTERN, name="cx_shield_leaks", **TRIO)
class ShieldLeaks(Shields):
    def made(self, delay: int | None, shield: bool = False) -> trio.CancelScope:
        return super().made(delay)


@quiesce.adapter(PATTERN, name="cx_shield_is_deaf", **TRIO)
class ShieldIsDeaf(Shields):
    def made(self, delay: int | None, shield: bool = False) -> trio.CancelScope:
        return super().made(None if shield else delay, shield)

    def cancel(self, nest: dict[str, Any], scope: str) -> None:
        deaf = scope != "outer" and nest["inner"].shield
        if not deaf:
            super().cancel(nest, scope)
        elif scope == "both":
            super().cancel(nest, "outer")


@quiesce.adapter(PATTERN, name="cx_shield_lasts", **TRIO)
class ShieldLasts(Shields):
    async def run(self, nest: dict[str, Any], work: Work) -> tuple[object, ...]:
        lasting = trio.CancelScope(shield=nest["inner"].shield)
        with nest["outer"], lasting:
            with nest["inner"]:
                await work()
            await work()
        return ("left", nest["inner"].cancelled_caught, nest["outer"].cancelled_caught, 0)
