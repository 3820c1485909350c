"""The simulated ``_thread._local``: data of which each task has its own.

Not ``_threading_local``: that asks for the current thread and takes locks, each a point.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from quiesce.worlds.threads.core import Core
    from quiesce.worlds.threads.tasks import Task

__all__ = ["local_type_over"]


def local_type_over(core: Core) -> type:
    """Make the type whose instances tell the tasks of ``core`` apart."""
    return type("_local", (_Local,), {"_quiesce_core": core, "__module__": "_thread"})


class _Local:
    """Thread-local data: an object whose ``__dict__`` is another one in each task.

    Each access first puts the current task's dict in place, so class attributes, methods,
    ``__dict__`` and subclasses with an ``__init__`` of their own behave as in CPython.
    """

    __slots__ = ("__dict__", "__weakref__", "_quiesce_arguments", "_quiesce_dicts")

    _quiesce_core: Core
    _quiesce_dicts: dict[Task, dict[str, Any]]
    _quiesce_arguments: tuple[tuple[Any, ...], dict[str, Any]]

    def __new__(cls, /, *args: Any, **kwargs: Any) -> Self:
        if (args or kwargs) and cls.__init__ is object.__init__:
            raise TypeError("Initialization arguments are not supported")
        self = object.__new__(cls)
        core = cls._quiesce_core
        object.__setattr__(self, "_quiesce_arguments", (args, kwargs))
        object.__setattr__(self, "_quiesce_dicts", {})
        # __init__ is about to be called for this task by the type itself.
        _adopt(self, core.current or core.main)
        return self

    def __getattribute__(self, name: str) -> Any:
        _put_in_place(self)
        return object.__getattribute__(self, name)

    def __setattr__(self, name: str, value: object) -> None:
        if name == "__dict__":
            raise AttributeError(
                f"{type(self).__name__!r} object attribute '__dict__' is read-only"
            )
        _put_in_place(self)
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        if name == "__dict__":
            raise AttributeError(
                f"{type(self).__name__!r} object attribute '__dict__' is read-only"
            )
        _put_in_place(self)
        object.__delattr__(self, name)


def _adopt(local: _Local, task: Task) -> None:
    """Give ``task`` an empty dict of its own, for as long as it lives."""
    dicts = object.__getattribute__(local, "_quiesce_dicts")
    own: dict[str, Any] = {}
    dicts[task] = own
    object.__setattr__(local, "__dict__", own)
    if task.number >= 0:  # not the hub, which never ends
        if task.at_end is None:
            task.at_end = []
        reference = weakref.ref(local)
        task.at_end.append(lambda: _forget(reference, dicts.pop(task, None)))


def _forget(reference: weakref.ref[_Local], own: dict[str, Any] | None) -> None:
    """Let go of the dict of a task that has ended.

    If it was the last one in place, its values would live until the next access, and what
    their finalizers do would happen in the next run.
    """
    local = reference()
    if local is not None and object.__getattribute__(local, "__dict__") is own:
        object.__setattr__(local, "__dict__", {})


def _put_in_place(local: _Local) -> None:
    read = object.__getattribute__
    core = type(local)._quiesce_core
    task = core.current or core.main
    own = read(local, "_quiesce_dicts").get(task)
    if own is not None:
        object.__setattr__(local, "__dict__", own)
        return
    _adopt(local, task)
    cls = type(local)
    if cls.__init__ is not object.__init__:
        args, kwargs = read(local, "_quiesce_arguments")
        cls.__init__(local, *args, **kwargs)
