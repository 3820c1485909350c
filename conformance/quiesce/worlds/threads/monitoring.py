"""Points in code under test through ``sys.monitoring``, for Python 3.12 and later.

Events are local to the code under test, and places that can't matter are disabled for
good, so the rest of the process pays nothing. ``restart_events`` would enable them again,
for every tool: it is never called.

The callbacks are the hottest code of the kit. Each begins with a test of ``ready``, and
bound variables replace look-ups.
"""

from __future__ import annotations

import sys
from types import CodeType, FunctionType, MethodType
from typing import TYPE_CHECKING, Final, final

from quiesce.errors import HarnessError
from quiesce.worlds.threads.points import (
    UNCHECKED,
    Points,
    codes_in,
    heap_accesses,
    is_ours,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from quiesce.worlds.threads.core import Core

assert sys.version_info >= (3, 12)

__all__ = ["MonitoredCode"]

# 0 to 2 and 5 are for debuggers, coverage, profilers and optimisers.
_TOOLS: Final = (4, 3)

# A process has one tool and one set of callbacks: those of the factory whose world runs.
_tool: int | None = None
_watchers: list[MonitoredCode] = []
_active: MonitoredCode | None = None


def _take_tool() -> int:
    global _tool
    if _tool is None:
        for tool in _TOOLS:
            if sys.monitoring.get_tool(tool) is None:
                sys.monitoring.use_tool_id(tool, "quiesce")
                _tool = tool
                break
        else:
            raise HarnessError(
                f"other tools hold the identifiers {_TOOLS} of sys.monitoring, so code under "
                "test can't be watched: use Points.OPERATIONS, or remove them"
            )
    return _tool


@final
class MonitoredCode:
    """The code under test of one factory."""

    def __init__(self, core: Core, points: Points) -> None:
        self._tool = _take_tool()
        _watchers.append(self)
        events = sys.monitoring.events
        self._local = events.PY_START | events.PY_RESUME | events.JUMP | events.CALL
        if points is Points.FREE_THREADED:
            self._local |= events.INSTRUCTION
        self._codes: list[CodeType] = []  # alive, so their identities stay theirs
        self._known: set[int] = set()
        self._callbacks = self._make_callbacks(core)

    def instrument(self, code: CodeType) -> None:
        """Watch a module's code and everything defined in it."""
        for each in codes_in(code):
            self._codes.append(each)
            self._known.add(id(each))
            if each is not code:  # a module's own body runs undisturbed
                sys.monitoring.set_local_events(self._tool, each, self._local)

    def enter(self) -> None:
        """Have events delivered to this factory's core."""
        global _active
        if _active is not self:
            _active = self
            for event, callback in self._callbacks.items():
                sys.monitoring.register_callback(self._tool, event, callback)

    def leave(self) -> None:
        """Nothing: ``ready`` is empty while the hub has control."""

    def shut(self) -> None:
        """Stop watching; the last factory gives the tool's identifier back."""
        global _active, _tool
        if self not in _watchers:
            return
        for code in self._codes:
            sys.monitoring.set_local_events(self._tool, code, 0)
        self._codes.clear()
        self._known.clear()
        _watchers.remove(self)
        if _active is self:
            _active = None
        if not _watchers:
            for event in self._callbacks:
                sys.monitoring.register_callback(self._tool, event, None)
            sys.monitoring.free_tool_id(self._tool)
            _tool = None

    def _make_callbacks(self, core: Core) -> dict[int, Callable[..., object]]:
        events = sys.monitoring.events
        disable = sys.monitoring.DISABLE
        ready = core.ready
        choices = core.choices
        decide = core.decide
        known = self._known
        unchecked = {id(function) for function in UNCHECKED}
        enters: dict[int, bool] = {}  # whether a call of foreign code is a point, by identity
        kept = self._codes
        masks: dict[int, bytes] = {}

        def point() -> None:
            step = choices.step
            choices.step = step + 1
            if step >= choices.stop:
                decide(step, traced=True)

        def on_start(_code: CodeType, _offset: int) -> None:
            if ready:
                step = choices.step
                choices.step = step + 1
                if step >= choices.stop:
                    decide(step, traced=True)

        def on_jump(_code: CodeType, offset: int, destination: int) -> object:
            if destination > offset:
                return disable
            if ready:
                point()
            return None

        def on_call(_code: CodeType, _offset: int, function: object, _self: object) -> None:
            # The point on entry of a Python function, for one that has no PY_START of ours.
            if not ready:
                return
            if type(function) is MethodType:
                function = function.__func__
            if type(function) is not FunctionType:
                return
            callee = function.__code__
            entry = enters.get(id(callee))
            if entry is None:
                entry = id(callee) not in known and not is_ours(function)
                enters[id(callee)] = entry
                kept.append(callee)
            if entry:
                point()

        def on_return(_code: CodeType, _offset: int, function: object, _self: object) -> None:
            # A bound method that comes here is one of Python code, which has its own point.
            if ready and id(function) not in unchecked and type(function) is not MethodType:
                step = choices.step
                choices.step = step + 1
                if step >= choices.stop:
                    decide(step, traced=True)

        def on_instruction(code: CodeType, offset: int) -> object:
            mask = masks.get(id(code))
            if mask is None:
                mask = masks[id(code)] = heap_accesses(code)
            if not mask[offset]:
                return disable
            if ready:
                point()
            return None

        return {
            events.PY_START: on_start,
            events.PY_RESUME: on_start,
            events.JUMP: on_jump,
            events.CALL: on_call,
            events.C_RETURN: on_return,  # not C_RAISE: CPython checks after success only
            events.INSTRUCTION: on_instruction,
        }
