"""Gates of the trio world, and what a suspended task waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import trio

from quiesce.worlds.virtual_time import seconds
from quiesce.worlds.watchdog import place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

__all__ = ["TrioGate", "waits_for"]


@final
class TrioGate:
    """A place where tasks wait until the hub opens it.

    Args:
      name: for reports.
      act: calls a function in the world's run.
    """

    def __init__(self, name: str, act: Callable[[Callable[[], None]], None]) -> None:
        self.name = name
        self._act = act
        self._event = trio.Event()
        self._payload: object = None

    @property
    def is_open(self) -> bool:
        """Whether the hub has opened it."""
        return self._event.is_set()

    async def wait(self) -> Any:
        """Wait until the gate is open, and return its payload."""
        if not self._event.is_set():  # an open gate is no checkpoint
            await self._event.wait()
        return self._payload

    def open(self, payload: object = None) -> None:
        """Let the waiters go on when the world next runs; a second time changes nothing."""
        if not self._event.is_set():
            self._payload = payload
            self._act(self._event.set)


def waits_for(task: trio.lowlevel.Task, due_of: Callable[[float], int | None]) -> str:
    """What a suspended task waits for: a gate, a timer, or the place of its innermost await.

    Args:
      task: not ready to run.
      due_of: the nanosecond of a deadline in seconds.
    """
    inner, called = "", ""
    for frame in _frames(task.coro):
        if frame.f_code is TrioGate.wait.__code__:
            return f"gate {frame.f_locals['self'].name}"
        if frame.f_code is trio.sleep_until.__code__:
            due = due_of(frame.f_locals["deadline"])
            return "for ever" if due is None else f"timer at {seconds(due)}"
        module = frame.f_globals.get("__name__", "")
        if not module.startswith("trio."):
            # An operation may be a method of trio's own, called by the kit.
            inner, called = "" if module.startswith("quiesce.") else place(frame), ""
        elif not called:  # the first of trio's frames is the one that was called
            called = _method(frame)
    return " at ".join(filter(None, (called, inner))) or "something without a Python frame"


def _method(frame: FrameType) -> str:
    """The function of a frame, by the class of the object rather than of the code."""
    owner = frame.f_locals.get("self")
    name = frame.f_code.co_name
    return name if owner is None else f"{type(owner).__qualname__}.{name}"


def _frames(awaited: Any) -> Iterator[FrameType]:
    """The frames of a chain of awaits, from the outermost on."""
    while awaited is not None:
        for kind in ("cr", "gi", "ag"):  # coroutine, generator, asynchronous generator
            if hasattr(awaited, f"{kind}_frame"):
                if (frame := getattr(awaited, f"{kind}_frame")) is not None:
                    yield frame
                awaited = getattr(awaited, "gi_yieldfrom" if kind == "gi" else f"{kind}_await")
                break
        else:
            return
