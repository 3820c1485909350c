"""anyio's cancel scopes, made to cancel in the order in which they were entered.

A scope keeps its tasks and the scopes inside it in sets, and cancels in the order of
iteration. That order is one of addresses, so one history would not be like the next. What
is put in the sets' place has their methods and remembers the order.
"""

from __future__ import annotations

import importlib
import sys
from functools import wraps
from typing import Any, Final

__all__ = ["InOrder", "keep_scopes_in_order"]

_BACKEND: Final = "anyio._backends._asyncio"
_SETS: Final = ("_tasks", "_child_scopes")


class InOrder(dict[Any, None]):
    """A set that iterates in the order of insertion, with the methods that anyio uses."""

    def add(self, item: Any) -> None:
        """Put an item in; one that is there keeps its place."""
        self.setdefault(item)

    def discard(self, item: Any) -> None:
        """Take an item out, if it is there."""
        self.pop(item, None)

    def remove(self, item: Any) -> None:
        """Take an item out. Raises KeyError if it is not there."""
        del self[item]


def keep_scopes_in_order() -> None:
    """From now on, scopes that anyio makes are in order. Without anyio this does nothing.

    It stays so when the world is closed: a scope does not care, and nobody can rely on the
    order of a set.
    """
    if "anyio" not in sys.modules:
        return
    scope: Any = importlib.import_module(_BACKEND).CancelScope
    make = scope.__init__
    if hasattr(make, "__wrapped__"):
        return

    @wraps(make)
    def make_in_order(self: Any, *args: Any, **options: Any) -> None:
        make(self, *args, **options)
        for name in _SETS:
            if isinstance(getattr(self, name, None), set):
                setattr(self, name, InOrder())

    scope.__init__ = make_in_order
