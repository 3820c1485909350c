"""Pooled greenlets: a fresh one costs as much as twenty switches."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final, final

import attrs
from greenlet import (
    GreenletExit,
    getcurrent,
    greenlet,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Pool", "switch_traced"]

#: Greenlets kept for the next run.
_KEPT: Final = 256


def switch_traced(target: greenlet, *args: object) -> None:
    """Switch out of a trace or monitoring callback.

    CPython counts "inside a callback" per OS thread, so a plain switch there would leave all
    events of the other greenlets off until this one comes back. ``call_tracing`` calls with
    the counter at 0.
    """
    sys.call_tracing(_switch, (target, *args))


def _switch(target: greenlet, *args: object) -> None:
    if sys.version_info < (3, 12):
        # Here a flag of the C stack says "off" as well, and the target would inherit it.
        sys.settrace(sys.gettrace())
    target.switch(*args)


@final
@attrs.define(eq=False)
class Pool:
    """Idle greenlets that run ``serve``, which parks them again."""

    _serve: Callable[[Any], None]
    _idle: list[greenlet] = attrs.Factory(list)
    _maker: greenlet | None = None

    def take(self) -> greenlet:
        """An idle greenlet, to be switched to with the argument of ``serve``."""
        idle = self._idle
        if idle:
            return idle.pop()
        assert self._maker is not None
        return self._maker

    def put(self, idle: greenlet) -> None:
        """Take back a greenlet that is about to park."""
        self._idle.append(idle)

    def prepare(self) -> None:
        """Get ready; called in the hub before greenlets are taken.

        A greenlet begins at the stack depth of its starter. So all are started by one that the
        hub started: tasks that start each other would soon reach the recursion limit.
        """
        if self._maker is None:
            self._maker = greenlet(self._make, getcurrent())
            self._maker.switch(getcurrent())

    def trim(self, keep: int = _KEPT) -> None:
        """Let go of idle greenlets beyond ``keep``."""
        self._end(self._idle[keep:])
        del self._idle[keep:]

    def close(self) -> None:
        """Let go of everything."""
        self.trim(0)
        if self._maker is not None:
            self._end([self._maker])
            self._maker = None

    def _make(self, hub: greenlet) -> None:
        argument = hub.switch()
        while True:
            argument = greenlet(self._serve, hub).switch(argument)

    def _end(self, greenlets: list[greenlet]) -> None:
        for each in greenlets:
            each.parent = getcurrent()  # where its death leads to
            each.throw(GreenletExit)
