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

__all__ = ["InOrder", "OrderedScopes"]

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


class OrderedScopes:
    """Whether anyio's scopes are in order now. One factory's; ``end`` puts back what was."""

    def __init__(self) -> None:
        self._scope: Any = None
        self._make: Any = None

    def begin(self) -> None:
        """From now on, scopes that anyio makes are in order. Without anyio this does nothing."""
        if self._scope is not None or "anyio" not in sys.modules:
            return
        self._scope = importlib.import_module(_BACKEND).CancelScope
        self._make = make = self._scope.__init__

        @wraps(make)
        def make_in_order(scope: Any, *args: Any, **options: Any) -> None:
            make(scope, *args, **options)
            for name in _SETS:
                if isinstance(getattr(scope, name, None), set):
                    setattr(scope, name, InOrder())

        self._scope.__init__ = make_in_order

    def end(self) -> None:
        """Scopes made from now on are anyio's own again. Ending again does nothing."""
        if self._scope is not None:
            self._scope.__init__ = self._make
            self._scope = self._make = None
