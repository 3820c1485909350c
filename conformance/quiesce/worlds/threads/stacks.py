"""Where a suspended task stands, for reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from quiesce.worlds.threads.tasks import Task

__all__ = ["is_own_frame", "notification"]

_OURS: Final = __name__.rpartition(".")[0]
_STANDARD: Final = frozenset({"asyncio", "concurrent", "queue", "sched", "threading"})

#: Where every thread begins, which says nothing about what it waits for.
_STARTS: Final = frozenset({"Thread.run", "Thread._bootstrap", "Thread._bootstrap_inner"})


def _frames(task: Task) -> Iterator[FrameType]:
    """The frames of a suspended task, innermost first, without the world's own."""
    frame = None if task.greenlet is None else task.greenlet.gr_frame
    while frame is not None:
        if not is_own_frame(frame):
            yield frame
        frame = frame.f_back


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def is_own_frame(frame: FrameType) -> bool:
    """Whether a frame is at work in the thread world itself."""
    return _module(frame).startswith(_OURS)


def notification(task: Task) -> str | None:
    """Describe a wait on a condition, such as ``a notification (Condition.wait in Queue.get)``.

    None if the task doesn't wait on one.
    """
    inner = outer = None
    for frame in _frames(task):
        name = frame.f_code.co_qualname
        if _module(frame).partition(".")[0] not in _STANDARD or name in _STARTS:
            break
        outer = name
        inner = inner or outer
    if inner != "Condition.wait":
        return None
    return f"a notification ({inner}{f' in {outer}' if outer != inner else ''})"
