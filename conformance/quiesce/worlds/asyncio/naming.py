"""How tasks, callbacks and waits are called in reports: never by address or by counter."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

__all__ = ["innermost_frame", "name_of", "task_name", "task_of"]

# Loops other than ours number their tasks by a counter of the process, which says nothing.
_COUNTED: Final = re.compile(r"Task-\d+")


def name_of(function: Any, arguments: Sequence[Any] = ()) -> str:
    """The qualified name of what will be called, looking through partials and contexts."""
    while True:
        if isinstance(function, partial):
            function, arguments = function.func, (*function.args, *arguments)
        elif getattr(function, "__name__", "") == "run" and arguments and _is_context(function):
            function, arguments = arguments[0], arguments[1:]
        else:
            break
    name = getattr(function, "__qualname__", None) or getattr(function, "__name__", None)
    return name if isinstance(name, str) else type(function).__qualname__


def _is_context(method: Any) -> bool:
    return type(getattr(method, "__self__", None)).__name__ == "Context"


def task_name(task: asyncio.Task[Any]) -> str:
    """The task's name if somebody gave it one, and its coroutine."""
    coroutine = getattr(task.get_coro(), "__qualname__", "?")
    name = task.get_name()
    return coroutine if _COUNTED.fullmatch(name) else f"{name} ({coroutine})"


def task_of(callback: Any) -> asyncio.Task[Any] | None:
    """The task that a handle's callback would step or wake, None if it is another callback."""
    owner = getattr(callback, "__self__", None)
    return owner if isinstance(owner, asyncio.Task) else None


def innermost_frame(task: asyncio.Task[Any]) -> FrameType | None:
    """The frame in which a suspended task awaits, following its chain of awaits."""
    frame: FrameType | None = None
    awaited: Any = task.get_coro()
    while awaited is not None:
        for kind in ("cr", "gi", "ag"):  # coroutine, generator, asynchronous generator
            if hasattr(awaited, f"{kind}_frame"):
                frame = getattr(awaited, f"{kind}_frame") or frame
                inner = "gi_yieldfrom" if kind == "gi" else f"{kind}_await"
                awaited = getattr(awaited, inner)
                break
        else:
            return frame
    return frame
