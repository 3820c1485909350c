"""Scopes in a tree that end: when, with what error, and for what cause.

The state is read upwards and news go downwards. A scope keeps nothing but its own end and
its own deadline; whether it is done is decided by the earliest of these on the path from it
up to the root. So ending a scope is one write, which all its descendants see at once, and a
parent needs no list of its children: it keeps only who wants to hear of its end.

Time is an argument, in integer nanoseconds, so there is no clock here and no lock: whoever
shares a tree between threads calls everything under one lock, the clock's reading included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, final

from quiesce_reference.errors import ContextCancelledError, DeadlineExceededError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["End", "Listener", "Scope"]


class End(NamedTuple):
    """How a scope ended."""

    at: int  # nanoseconds
    error: ContextCancelledError | DeadlineExceededError
    cause: BaseException  # the error itself, if none was given


class Listener(Protocol):
    """Somebody who wants to hear of an end."""

    def notify(self) -> None:
        """The scope, or one above it, was cancelled."""


@final
class Scope:
    """One node of the tree. ``Scope()`` is a root, which nothing ends but ``cancel``."""

    __slots__ = ("__weakref__", "_end", "_expiry", "_listeners", "_parent", "deadline")

    def __init__(self) -> None:
        self._parent: Scope | None = None
        self._expiry: End | None = None  # how its own deadline ends it
        self._end: End | None = None  # how it was cancelled
        # Ordered, so that who registered first hears first.
        self._listeners: dict[Listener, None] = {}
        #: The earlier of its own deadline and the inherited one.
        self.deadline: int | None = None

    def child(
        self, now: int, deadline: int | None = None, cause: BaseException | None = None
    ) -> Scope:
        """Make a scope that ends with this one, or on its own.

        Args:
          now: the time.
          deadline: when it ends by itself; it may be past.
          cause: of that end.
        """
        child = Scope()
        child._parent = self
        dues = [due for due in (deadline, self.deadline) if due is not None]
        child.deadline = min(dues, default=None)
        # Under a parent that is done it is born done, so its own deadline decides nothing any
        # more, not even if it lies before the parent's end.
        if deadline is not None and self.end(now) is None:
            error = DeadlineExceededError()
            child._expiry = End(deadline, error, cause or error)
        return child

    def end(self, now: int) -> End | None:
        """How it ended, or None while it lives.

        Once it is an end it stays the same: an end that is written later is not earlier,
        since cancelling a scope that is done writes nothing.
        """
        # min() keeps the first of equals, the nearest: what was cancelled after its parent
        # at the same instant has no end of its own.
        return min(self._ends(now), key=lambda end: end.at, default=None)

    def has_end(self, now: int) -> bool:
        """Whether anything on the path says that it ended; safe to ask without the lock.

        An end is written once and never taken back. So if this reads nothing, there was
        nothing at the moment of the first reading. If it reads something, ask ``end`` under
        the lock: whoever cancels reads the clock first and writes later, and a deadline that
        is read between these two would be overtaken by an end with an earlier time.
        """
        return next(self._ends(now), None) is not None

    def cancel(self, now: int, cause: BaseException | None) -> tuple[Listener, ...]:
        """End it, unless it is done; returns who must be told."""
        if self.end(now) is not None:
            return ()
        error = ContextCancelledError()
        self._end = End(now, error, cause or error)
        return tuple(self._listeners)

    def listen(self, listener: Listener) -> None:
        """Tell the listener when this scope, or one above, is cancelled. Deadlines are not told.

        Costs a step per level, as does ``unlisten``. The scopes above keep the listener.
        """
        for scope in self._path():
            scope._listeners[listener] = None

    def unlisten(self, listener: Listener) -> None:
        """Forget the listener, if it is known."""
        for scope in self._path():
            scope._listeners.pop(listener, None)

    def _path(self) -> Iterator[Scope]:
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope._parent

    def _ends(self, now: int) -> Iterator[End]:
        for scope in self._path():
            # A scope that was cancelled was cancelled before its deadline.
            if scope._end is not None:
                yield scope._end
            elif scope._expiry is not None and scope._expiry.at <= now:
                yield scope._expiry
