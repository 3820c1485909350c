"""How tasks, callbacks and waits are called in reports: never by address or by counter."""

from __future__ import annotations

import asyncio
import inspect
import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from quiesce.worlds.watchdog import place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

__all__ = [
    "arguments_if_not_begun",
    "error_text",
    "frames_of",
    "name_of",
    "pause_of",
    "task_name",
    "task_of",
]

# Loops other than ours number their tasks by a counter of the process, which says nothing.
_COUNTED: Final = re.compile(r"Task-\d+")

# An object's default repr; addresses differ from run to run.
_ADDRESS: Final = re.compile(r" at 0x[0-9a-fA-F]+")

_ASYNCIO: Final = asyncio.__file__.removesuffix("__init__.py")


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


def error_text(error: object) -> str:
    """The repr of an error, without addresses. It is the subject's own, and may fail."""
    try:
        return _ADDRESS.sub("", repr(error))
    except BaseException:
        return f"{type(error).__name__}, whose repr raises"


def arguments_if_not_begun(task: asyncio.Task[Any]) -> list[object]:
    """The arguments of the task's coroutine, if its first step is still to come."""
    coroutine = task.get_coro()
    if not inspect.iscoroutine(coroutine):
        return []
    frame = coroutine.cr_frame
    if frame is None or inspect.getcoroutinestate(coroutine) != inspect.CORO_CREATED:
        return []
    return [*frame.f_locals.values()]


def task_name(task: asyncio.Task[Any]) -> str:
    """The task's name if somebody gave it one, and its coroutine."""
    coroutine = getattr(task.get_coro(), "__qualname__", "?")
    name = task.get_name()
    return coroutine if _COUNTED.fullmatch(name) else f"{name} ({coroutine})"


def task_of(callback: Any) -> asyncio.Task[Any] | None:
    """The task that a handle's callback would step or wake, None if it is another callback."""
    owner = getattr(callback, "__self__", None)
    return owner if isinstance(owner, asyncio.Task) else None


def frames_of(task: asyncio.Task[Any]) -> Iterator[FrameType]:
    """The frames of a suspended task along its chain of awaits, the innermost last."""
    awaited: Any = task.get_coro()
    while awaited is not None:
        for kind in ("cr", "gi", "ag"):  # coroutine, generator, asynchronous generator
            if hasattr(awaited, f"{kind}_frame"):
                if (frame := getattr(awaited, f"{kind}_frame")) is not None:
                    yield frame
                awaited = getattr(awaited, "gi_yieldfrom" if kind == "gi" else f"{kind}_await")
                break
        else:
            return


def pause_of(task: asyncio.Task[Any]) -> str:
    """Where a task gave way: the innermost place outside of asyncio."""
    places = [place(frame) for frame in frames_of(task) if not _is_of_asyncio(frame)]
    return places[-1] if places else "its end"


def _is_of_asyncio(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith(_ASYNCIO)
