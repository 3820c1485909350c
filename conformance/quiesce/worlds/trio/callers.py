"""The kit's own tasks: one around each call, which notes how the call ends."""

from __future__ import annotations

from inspect import isawaitable
from typing import TYPE_CHECKING, final

import attrs
import trio

from quiesce.worlds.world import CURRENT_CALL, Call, Operation, Status

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Caller"]


@final
@attrs.define(eq=False)
class Caller:
    """One concurrent caller.

    Attributes:
      note: told once how the call ended: status, value, error. Returns False if the world is
        being closed, and what it does to a call is no outcome.
      scope: there from the start, since a call may be cancelled before its first step.
    """

    call: Call
    operation: Operation
    note: Callable[[Call, Status, object, BaseException | None], bool]
    scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)

    @property
    def label(self) -> str:
        """The call, for reports."""
        return f"call {self.call.number} ({self.call.name})"

    async def attend(self) -> None:
        """Run the operation. Nothing leaves: an error would tear down the other calls."""
        CURRENT_CALL.set(self.call.number)
        status, value = Status.CANCELLED, None
        try:
            with self.scope:
                value = self.operation()
                if isawaitable(value):
                    value = await value
                status = Status.RETURNED
        except BaseException as error:
            # Also a Cancelled: here it comes from a scope that isn't the call's own.
            lives = self.note(self.call, Status.RAISED, None, error)
            if not lives and isinstance(error, GeneratorExit):
                raise  # the coroutine is being dropped
        else:
            self.note(self.call, status, value if status is Status.RETURNED else None, None)
