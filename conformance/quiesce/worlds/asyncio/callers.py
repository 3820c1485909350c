"""The kit's own tasks: one around each call, which notes how the call ends."""

from __future__ import annotations

import asyncio
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Literal, final

import attrs

from quiesce.worlds.world import CURRENT_CALL, Call, CancelKind, Operation, Status

if TYPE_CHECKING:
    from collections.abc import Callable

    import anyio

__all__ = ["Caller", "ScopeKind"]

ScopeKind = Literal["timeout", "anyio"]


@final
@attrs.define(eq=False)
class Caller:
    """One concurrent caller.

    Attributes:
      note: told once how the call ended: status, value, error.
      started: whether the task has taken its first step. A task that is cancelled before
        never enters its coroutine.
    """

    call: Call
    operation: Operation
    kind: CancelKind
    scope_kind: ScopeKind
    note: Callable[[Call, Status, object, BaseException | None], None]
    task: asyncio.Task[None] = attrs.field(init=False)
    started: bool = False
    _timeout: asyncio.Timeout | None = None
    _scope: anyio.CancelScope | None = None

    def attend(self) -> Any:
        """The coroutine to run as the call's task."""
        if self.kind is CancelKind.NATIVE:
            return self._attend_native()
        return self._attend_anyio() if self.scope_kind == "anyio" else self._attend_timeout()

    def cancel(self) -> None:
        """Request the cancellation; the running loop must be set."""
        again, self.call.cancel_requested = self.call.cancel_requested, True
        if self.kind is CancelKind.NATIVE:
            self.task.cancel()
        elif again:
            pass  # a scope is cancelled once and for all
        elif self._scope is not None:
            self._scope.cancel()
        elif self._timeout is not None:
            self._timeout.reschedule(asyncio.get_running_loop().time())
        # Else the task has not entered its scope yet, and will find the request there.

    async def _run(self) -> Any:
        value = self.operation()
        return await value if isawaitable(value) else value

    def _begin(self) -> None:
        self.started = True
        CURRENT_CALL.set(self.call.number)

    def _returned(self, value: object) -> None:
        self.note(self.call, Status.RETURNED, value, None)

    def _raised(self, error: BaseException) -> None:
        self.note(self.call, Status.RAISED, None, error)

    def _cancelled(self) -> None:
        self.note(self.call, Status.CANCELLED, None, None)

    def ended_unseen(self) -> None:
        """Note the end of a task that was cancelled before its first step."""
        if self.kind is CancelKind.NATIVE and self.call.cancel_requested:
            self._cancelled()
        else:
            self._raised(asyncio.CancelledError())

    async def _attend_native(self) -> None:
        self._begin()
        try:
            value = await self._run()
        except asyncio.CancelledError as error:
            self._cancelled() if self.call.cancel_requested else self._raised(error)
        except BaseException as error:
            self._raised(error)
        else:
            self._returned(value)

    async def _attend_timeout(self) -> None:
        self._begin()
        inner: BaseException | None = None
        try:
            async with asyncio.timeout(0 if self.call.cancel_requested else None) as timeout:
                self._timeout = timeout
                try:
                    value = await self._run()
                except BaseException as error:
                    inner = error
                    raise
        except BaseException as error:
            # Only the scope itself can have put another error in the place of the inner one;
            # a TimeoutError of the subject passes through as it is.
            self._raised(error) if error is inner else self._cancelled()
        else:
            self._returned(value)

    async def _attend_anyio(self) -> None:
        import anyio  # an extra, needed by this kind of scope only

        self._begin()
        value: object = None
        try:
            with anyio.CancelScope() as scope:
                self._scope = scope
                if self.call.cancel_requested:
                    scope.cancel()
                value = await self._run()
        except BaseException as error:
            self._raised(error)
        else:
            self._cancelled() if scope.cancelled_caught else self._returned(value)
